"""`dataset_stats`: what all tables add up to."""

import math
from collections.abc import Sequence

import dagster as dg
import pandas as pd

from dataset_assets.assets.make_patches import patches_asset
from dataset_assets.assets.reporting import counts_markdown
from dataset_assets.config import Category, Settings
from dataset_assets.tables import TableStore, collect, reasons_text

DATASET_STATS = "dataset_stats"
VIDEO_ROWS = 50

DESCRIPTION = """What the data set adds up to: per category, per format, per video.

Read from the Parquet tables under `metadata/`, whatever made them. Materialise it whenever figures are wanted; the
command line does so after every `generate`.
"""


def build_dataset_stats(categories: dict[str, Category]) -> dg.AssetsDefinition:
    """Builds the asset over the patch assets of a configuration."""

    @dg.asset(
        name=DATASET_STATS,
        deps=[patches_asset(name) for name in categories],
        group_name="tables",
        kinds={"pandas", "parquet"},
        description=DESCRIPTION,
    )
    def dataset_stats(dataset_config: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
        mixes = {name: category.mix for name, category in dataset_config.categories.items()}
        stats = collect(TableStore(dataset_config.base.output_base_dir), mixes)
        totals = stats.totals
        rate = 0.0 if math.isnan(totals.acceptance_rate) else totals.acceptance_rate
        return dg.MaterializeResult(
            metadata={
                "videos": totals.videos,
                "patches": totals.patches,
                "patches_target": totals.patches_target,
                "windows": totals.accepted,
                "acceptance_rate": round(rate, 4),
                "gigabytes": round(totals.size_bytes / 1e9, 3),
                "reject_reasons": dg.MetadataValue.md(counts_markdown("reason", totals.reject_reasons)),
                "categories": _table(
                    stats.categories,
                    ("category", "videos", "patches", "patches_target", "acceptance_rate", "size_bytes"),
                ),
                "formats": _table(
                    stats.formats,
                    ("category", "format", "patches", "share", "mix", "acceptance_rate", "size_bytes"),
                ),
                "by_video": _table(
                    stats.videos.head(VIDEO_ROWS),
                    (
                        "video",
                        "accepted",
                        "windows_target",
                        "acceptance_rate",
                        "reject_reasons",
                        "patches",
                        "size_bytes",
                    ),
                ),
                "problems": dg.MetadataValue.text("; ".join(stats.problems) or "none"),
                "tables": dg.MetadataValue.path(dataset_config.base.output_base_dir / "metadata"),
            }
        )

    return dataset_stats


def _table(frame: pd.DataFrame, columns: Sequence[str]) -> dg.MetadataValue:
    """A data frame as a small table: scalars only, bytes as megabytes, rates rounded."""
    records = []
    for row in frame[list(columns)].to_dict("records"):
        cells: dict[str, str | int | float | None] = {}
        for name, value in row.items():
            if name == "size_bytes":
                cells["megabytes"] = round(value / 1e6, 1)
            elif isinstance(value, dict):
                cells[str(name)] = reasons_text(value)
            elif isinstance(value, float):
                cells[str(name)] = None if math.isnan(value) else round(value, 4)
            else:
                cells[str(name)] = value
        records.append(dg.TableRecord(cells))
    return dg.MetadataValue.table(records) if records else dg.MetadataValue.text("none yet")
