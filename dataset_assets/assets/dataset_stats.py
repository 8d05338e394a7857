"""`dataset_stats`: what all tables add up to."""

import math
from collections.abc import Mapping, Sequence

import dagster as dg
import pandas as pd

from dataset_assets.assets.gallery import index_url, update_index
from dataset_assets.assets.make_patches import patches_asset
from dataset_assets.assets.reporting import GROUP, counts_markdown
from dataset_assets.checks import EVERY_VIDEO_DONE, check_result, check_specs
from dataset_assets.config import Category, Settings
from dataset_assets.generate import statuses
from dataset_assets.generate.checking import Verdict
from dataset_assets.tables import TableStore, collect, reasons_text

DATASET_STATS = "dataset_stats"
TABLE_ROWS = 50

DESCRIPTION = """What the data set adds up to: per category, per format, per video.

Read from the Parquet tables under `metadata/`, whatever made them. Materialise it whenever figures are
wanted; the command line does so after every `generate`.
"""


def build_dataset_stats(categories: dict[str, Category]) -> dg.AssetsDefinition:
    """Builds the asset over the patch assets of a configuration."""

    @dg.asset(
        name=DATASET_STATS,
        deps=[patches_asset(name) for name in categories],
        group_name=GROUP,
        kinds={"pandas", "parquet"},
        description=DESCRIPTION,
        check_specs=check_specs(DATASET_STATS, EVERY_VIDEO_DONE, partitions_def=None),
    )
    def dataset_stats(
        dataset_config: dg.ResourceParam[Settings],
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster takes a subscripted one for a tuple
        mixes = {name: category.mix for name, category in dataset_config.categories.items()}
        store = TableStore(dataset_config.base.output_base_dir)
        stats = collect(store, mixes)
        unfinished = _unfinished(dataset_config, store)
        update_index(dataset_config)
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
                    ("category", "videos", "patches", "patches_target", "size_bytes", "acceptance_rate"),
                ),
                "formats": _table(
                    stats.formats,
                    ("category", "format", "patches", "share", "mix", "size_bytes", "acceptance_rate"),
                ),
                "by_video": _table(
                    _with_windows(stats.videos.head(TABLE_ROWS)),
                    ("video", "windows", "patches", "size_bytes", "acceptance_rate", "reject_reasons"),
                ),
                "unfinished": _records(unfinished[:TABLE_ROWS]),
                "problems": dg.MetadataValue.text("; ".join(stats.problems) or "none"),
                "gallery": index_url(),
                "tables": dg.MetadataValue.path(dataset_config.base.output_base_dir / "metadata"),
            },
            check_results=[
                check_result(DATASET_STATS, EVERY_VIDEO_DONE, _every_video_done(dataset_config, unfinished))
            ],
        )

    return dataset_stats


def _unfinished(settings: Settings, store: TableStore) -> list[dict[str, str]]:
    """The configured videos with a table that is missing or stale, and why."""
    found = []
    for entry in settings.videos:
        states = statuses(settings, entry, store)
        reasons = {name: status.reason for name, status in states.items() if not status.is_done}
        if reasons:
            film = "" if entry.path.is_file() else "the film is absent; "
            tables = "all tables" if len(reasons) == len(states) else ", ".join(reasons)
            why = film + ", ".join(dict.fromkeys(reasons.values()))
            found.append({"video": entry.key, "tables": tables, "why": why})
    return found


def _every_video_done(settings: Settings, unfinished: Sequence[dict[str, str]]) -> Verdict:
    total = len(settings.videos)
    first = f"; first {unfinished[0]['video']}: {unfinished[0]['why']}" if unfinished else ""
    return Verdict(
        not unfinished, f"{total - len(unfinished)} of {total} videos are done{first}", len(unfinished)
    )


def _with_windows(videos: pd.DataFrame) -> pd.DataFrame:
    windows = videos["accepted"].astype(str) + "/" + videos["windows_target"].astype(str)
    return videos.assign(windows=windows)


def _table(frame: pd.DataFrame, columns: Sequence[str]) -> dg.MetadataValue:
    """A data frame as a table that fits the page: scalars, bytes as megabytes, rates rounded."""
    records = []
    for row in frame[list(columns)].to_dict("records"):
        cells: dict[str, str | int | float | None] = {}
        for name, value in row.items():
            if name == "size_bytes":
                cells["megabytes"] = round(value / 1e6, 1)
            elif name == "acceptance_rate":
                cells["acceptance"] = None if math.isnan(value) else round(value, 4)
            elif isinstance(value, dict):
                cells[str(name)] = reasons_text(value)
            elif isinstance(value, float):
                cells[str(name)] = None if math.isnan(value) else round(value, 4)
            else:
                cells[str(name)] = value
        records.append(cells)
    return _records(records)


def _records(records: Sequence[Mapping[str, str | int | float | None]]) -> dg.MetadataValue:
    rows = [dg.TableRecord(dict(record)) for record in records]
    return dg.MetadataValue.table(rows) if rows else dg.MetadataValue.text("none")
