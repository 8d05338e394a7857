"""Metadata of films, windows and patches in the UI: numbers with units first, then pictures, small tables.

Only formatting: reports come from `generate`, pictures too. Statistics are in `dashboard`.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from dataset_assets.assets.gallery import page_link
from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, what_it_holds
from dataset_assets.gallery import rejected_strip, sample_triplet, windows_sheet
from dataset_assets.generate import CategoryReport, VideoReport
from dataset_assets.process import host_name
from dataset_assets.tables import VideoRow, description

# One for all: the UI opens the lineage with several groups folded up into empty boxes, with one unfolded.
# What groups would show is in the tag `stage`.
GROUP = "training_set"
# Whom to ask; a name of people is for the one who has some.
OWNER = "team:dataset"
SAMPLE_ROWS = 10
BAR_LENGTH = 20
# Of a histogram: none, then eighths of the highest.
BLOCKS = "·▁▂▃▄▅▆▇█"
# The UI shows shorter Markdown in place, longer behind a link.
SHOWN_IN_PLACE = 1000

Metadata = dict[str, dg.MetadataValue[Any]]


def column_schema(schema: pa.Schema) -> dg.TableSchema:
    """Return a table's columns for the asset's page."""
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


def source_metadata(settings: Settings, key: str, row: VideoRow) -> Metadata:
    """Return what is shown of a film."""
    return {
        "video": dg.MetadataValue.text(key),
        "duration_s": dg.MetadataValue.float(round(row.duration_s or 0.0, 2)),
        "frames_per_s": dg.MetadataValue.float(round(row.frame_rate, 3)),
        "gigabytes": dg.MetadataValue.float(round(row.size_bytes / 1e9, 3)),
        "size": dg.MetadataValue.text(f"{row.width}x{row.height}, {row.codec}, {row.bit_depth} bit"),
        "colour": dg.MetadataValue.text(
            f"{(row.hdr_format or 'sdr').upper()}, "
            f"{row.color_primaries}/{row.color_transfer}/{row.color_space}, "
            f"{'full' if row.color_range == 'pc' else 'limited'} range"
        ),
        "working_frame": dg.MetadataValue.text(f"{row.working_width}x{row.working_height}"),
        "true_resolution": dg.MetadataValue.text(what_it_holds(row) or f"{row.width}x{row.height}"),
        "active_area": dg.MetadataValue.text(
            f"{row.active_width}x{row.active_height} at ({row.active_x}, {row.active_y})"
        ),
        "warnings": dg.MetadataValue.text("; ".join(row.warnings) or "none"),
        "gallery": page_link(settings, key),
        **_host(settings),
        "path": dg.MetadataValue.path(row.path),
        **_table_place(DataSet.of(settings).tables.video_path(key), 1),
    }


def windows_metadata(settings: Settings, run: VideoReport) -> Metadata:
    """Return what is shown of a video's windows."""
    data_set, report = DataSet.of(settings), run.windows
    metadata: Metadata = {
        "video": dg.MetadataValue.text(run.key),
        "windows": dg.MetadataValue.int(report.accepted),
        "windows_target": dg.MetadataValue.int(report.target),
        "windows_with_repeats": dg.MetadataValue.int(report.with_repeats),
        "candidates": dg.MetadataValue.int(report.candidates),
        "acceptance_rate": dg.MetadataValue.float(round(report.acceptance_rate, 3)),
        "wall_s": dg.MetadataValue.float(round(run.wall_s, 1)),
        "cpu_s": dg.MetadataValue.float(round(run.cpu_s, 1)),
        "reject_reasons": dg.MetadataValue.md(counts_markdown("reason", report.rejected)),
    }
    if report.shortfall:
        metadata["shortfall"] = dg.MetadataValue.text(report.shortfall)
    _add_picture(metadata, "contact_sheet", windows_sheet(settings, data_set, run, list(run.categories)))
    _add_picture(metadata, "rejected", rejected_strip(data_set, run))
    metadata["gallery"] = page_link(settings, run.key)
    return metadata | _host(settings) | _table_place(data_set.tables.windows_path(run.key), report.rows)


def patches_metadata(settings: Settings, run: VideoReport, category: str) -> Metadata:
    """Return what is shown of a video's patches in a category."""
    data_set, report = DataSet.of(settings), run.categories[category]
    speed = run.made / run.cpu_s if run.cpu_s else 0.0
    metadata: Metadata = {
        "video": dg.MetadataValue.text(run.key),
        "patches": dg.MetadataValue.int(len(report.rows)),
        "patches_target": dg.MetadataValue.int(report.patches_target),
        "patches_made_now": dg.MetadataValue.int(report.made),
        "acceptance_rate": dg.MetadataValue.float(round(run.windows.acceptance_rate, 3)),
        "patches_per_cpu_s": dg.MetadataValue.float(round(speed, 3)),
        "wall_s": dg.MetadataValue.float(round(run.wall_s, 1)),
        "gigabytes": dg.MetadataValue.float(round(report.size_bytes / 1e9, 3)),
        "format_mix": dg.MetadataValue.md(counts_markdown("format", report.formats)),
    }
    if not report.target:
        metadata["note"] = dg.MetadataValue.text("weight 0: this category takes nothing of this video")
    if report.left_out:
        metadata["formats_left_out"] = dg.MetadataValue.text(
            f"too large for the film: {', '.join(report.left_out)}"
        )
    if report.rows:
        _add_picture(metadata, "contact_sheet", windows_sheet(settings, data_set, run, [category]))
        _add_picture(metadata, "triplet", sample_triplet(data_set, report))
        metadata["samples"] = _samples(report)
    metadata["gallery"] = page_link(settings, run.key, category)
    metadata |= _host(settings)
    metadata["folder"] = dg.MetadataValue.path(data_set.category_folder(settings, category))
    return metadata | _table_place(data_set.tables.patches_path(category, run.key), len(report.rows))


def counts_markdown(name: str, counts: Mapping[str, int]) -> str:
    """Return counts as a Markdown table with bars; short enough that the UI shows it in place."""
    most = max(counts.values(), default=0)
    return markdown_table(
        (name, "count", ""), [(key, str(count), bar(count / most)) for key, count in counts.items()]
    )


def bar(share: float, length: int = BAR_LENGTH) -> str:
    """Return a bar for a share of 0..1, `length` blocks for 1; the smallest one for any share above 0."""
    return "█" * (max(1, round(length * min(share, 1.0))) if share > 0 else 0)


def block_line(counts: Sequence[int]) -> str:
    """Return a histogram as a line of blocks, one for each part; the smallest block for any count above 0."""
    most = max(counts, default=0) or 1
    return "".join(BLOCKS[math.ceil(count / most * (len(BLOCKS) - 1))] for count in counts)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table with as many rows as the UI shows in place; the last one counts what is left.

    Args:
        header: Names of the columns.
        rows: The cells of each row; columns of numbers are aligned to the right.

    Returns:
        The table, or "none" without rows.
    """
    cells = list(rows)
    if not cells:
        return "none"
    lines = [_line(row) for row in cells]
    marks = ["---:" if all(map(_is_number, column)) else "---" for column in zip(*cells, strict=True)]
    top = [_line(header), _line(marks)]
    count, left = len(lines), ""
    while len("\n".join([*top, *lines[:count], left])) >= SHOWN_IN_PLACE:
        count -= 1
        left = _line([f"and {len(lines) - count} more", *[""] * (len(header) - 1)])
    return "\n".join([*top, *lines[:count], left]).rstrip()


def _is_number(cell: str) -> bool:
    return cell == "" or cell.removeprefix("about ").removesuffix("%").isdigit()


def _line(cells: Iterable[str]) -> str:
    escaped = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _host(settings: Settings) -> Metadata:
    """Return the machine that this process runs on, where many make the data set."""
    return {"host": dg.MetadataValue.text(host_name())} if settings.base.machines == "many" else {}


def _table_place(path: Path, rows: int) -> Metadata:
    return {"table": dg.MetadataValue.path(path), "dagster/row_count": dg.MetadataValue.int(rows)}


def _add_picture(metadata: Metadata, name: str, jpeg: bytes | None) -> None:
    if jpeg is not None:
        text = f"![{name.replace('_', ' ')}](data:image/jpeg;base64,{base64.b64encode(jpeg).decode()})"
        metadata[name] = dg.MetadataValue.md(text)


def _samples(report: CategoryReport) -> dg.MetadataValue[Any]:
    step = max(1, len(report.rows) // SAMPLE_ROWS)
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "window": row.window,
                    "crop": row.crop,
                    "format": row.format,
                    "x": row.x,
                    "y": row.y,
                    "file": Path(row.gt_path).name,
                    "kilobytes": round(row.size_bytes / 1e3),
                }
            )
            for row in report.rows[::step][:SAMPLE_ROWS]
        ]
    )
