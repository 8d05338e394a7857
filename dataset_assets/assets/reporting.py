"""What a materialization tells people: numbers with units first, then pictures and small tables."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from dataset_assets.assets.gallery import page_url
from dataset_assets.config import Settings
from dataset_assets.generate import CategoryReport, VideoReport, WindowsReport
from dataset_assets.patches.contact_sheet import contact_sheet
from dataset_assets.tables import TableStore, description

# One group for all: the UI opens the lineage with several groups folded up, with a single one unfolded.
GROUP = "training_set"
SHEET_PATCHES = 18
SAMPLE_ROWS = 10
BAR_LENGTH = 20


def column_schema(schema: pa.Schema) -> dg.TableSchema:
    """A table's columns for the asset's page."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                field.name,
                str(field.type),
                description=description(field),
                constraints=dg.TableColumnConstraints(nullable=field.nullable),
            )
            for field in schema
        ]
    )


def windows_metadata(
    settings: Settings, run: VideoReport, report: WindowsReport
) -> dict[str, dg.MetadataValue[Any]]:
    """What is shown of a video's windows."""
    return {
        "video": dg.MetadataValue.text(run.key),
        "windows": dg.MetadataValue.int(report.accepted),
        "windows_target": dg.MetadataValue.int(report.target),
        "attempts": dg.MetadataValue.int(report.attempts),
        "acceptance_rate": dg.MetadataValue.float(round(report.acceptance_rate, 4)),
        "cpu_s": dg.MetadataValue.float(round(run.cpu_s, 2)),
        "wall_s": dg.MetadataValue.float(round(run.wall_s, 2)),
        "reject_reasons": dg.MetadataValue.md(counts_markdown("reason", report.rejected)),
        "gallery": page_url(run.key),
        "table": dg.MetadataValue.path(TableStore(settings.base.output_base_dir).windows_path(run.key)),
    }


def patches_metadata(
    settings: Settings, run: VideoReport, category: str, report: CategoryReport
) -> dict[str, dg.MetadataValue[Any]]:
    """What is shown of a video's patches in a category."""
    root = settings.base.output_base_dir
    speed = run.made / run.cpu_s if run.cpu_s else 0.0
    metadata: dict[str, dg.MetadataValue[Any]] = {
        "video": dg.MetadataValue.text(run.key),
        "patches": dg.MetadataValue.int(len(report.rows)),
        "patches_target": dg.MetadataValue.int(report.target),
        "patches_made_now": dg.MetadataValue.int(report.made),
        "patches_per_cpu_s": dg.MetadataValue.float(round(speed, 3)),
        "wall_s": dg.MetadataValue.float(round(run.wall_s, 2)),
        "gigabytes": dg.MetadataValue.float(round(report.size_bytes / 1e9, 4)),
        "format_mix": dg.MetadataValue.md(counts_markdown("format", report.formats)),
    }
    if not report.target:
        metadata["note"] = dg.MetadataValue.text("weight 0: this category takes nothing of this video")
    if report.left_out:
        metadata["formats_left_out"] = dg.MetadataValue.text(
            f"too large for the film: {', '.join(report.left_out)}"
        )
    metadata["gallery"] = page_url(run.key, category)
    if report.rows:
        metadata["contact_sheet"] = dg.MetadataValue.md(_sheet(root, report))
        metadata["samples"] = _samples(report)
    metadata["folder"] = dg.MetadataValue.path(root / settings.categories[category].folder)
    metadata["table"] = dg.MetadataValue.path(TableStore(root).patches_path(category, run.key))
    return metadata


def counts_markdown(name: str, counts: Mapping[str, int]) -> str:
    """Counts as a Markdown table with bars; short enough that the UI shows it in place."""
    if not counts:
        return "none"
    most = max(counts.values())
    lines = [f"| {name} | count | |", "| --- | ---: | --- |"]
    lines += [
        f"| {key} | {count} | {'█' * max(1, round(BAR_LENGTH * count / most))} |"
        for key, count in counts.items()
    ]
    return "\n".join(lines)


def _sheet(root: Path, report: CategoryReport) -> str:
    step = max(1, len(report.rows) // SHEET_PATCHES)
    rows = report.rows[::step][:SHEET_PATCHES]
    jpeg = contact_sheet([(root / row.gt, f"{row.window} {row.format}") for row in rows])
    return f"![contact sheet](data:image/jpeg;base64,{base64.b64encode(jpeg).decode()})"


def _samples(report: CategoryReport) -> dg.MetadataValue:
    step = max(1, len(report.rows) // SAMPLE_ROWS)
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "window": row.window,
                    "format": row.format,
                    "x": row.x,
                    "y": row.y,
                    "file": Path(row.gt).name,
                    "kilobytes": round((row.gt_bytes + row.lr5_bytes + row.lr7_bytes) / 1e3),
                }
            )
            for row in report.rows[::step][:SAMPLE_ROWS]
        ]
    )
