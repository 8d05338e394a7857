"""Metadata of `dataset_stats` in the UI: progress, acceptance rates and failures of the data set.

Only formatting: the figures come from `tables`, the failures from `last_failures`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import dagster as dg

from dataset_assets.assets.gallery import index_link
from dataset_assets.assets.reporting import Metadata, bar, counts_markdown, markdown_table
from dataset_assets.config import Settings, curation_of
from dataset_assets.counting import percent
from dataset_assets.curation import Census
from dataset_assets.dataset import Completion, DataSet, DatasetStats, Failure, Overview, reasons_text

if TYPE_CHECKING:
    import pandas as pd

TABLE_ROWS = 50
# Of the most frequent first: what a cell of the page shows in a window of 1280 pixels.
SHOWN_REASONS = 2
# Beside five columns, in a window of 1280 pixels.
SHORT_BAR = 5

CATEGORY_COLUMNS = (
    "category",
    "videos",
    "patches_target",
    "patches_done",
    "patches_short",
    "patches_to_do",
    "patches_stale",
    "size_bytes",
    "acceptance_rate",
)
FORMAT_COLUMNS = (
    "category",
    "format",
    "patches",
    "expected",
    "share",
    "mix",
    "size_bytes",
    "acceptance_rate",
)
VIDEO_COLUMNS = ("video", "state", "windows", "patches", "size_bytes", "acceptance_rate", "reject_reasons")


def dashboard(
    settings: Settings, overview: Overview, census: Census, unfinished: Sequence[Mapping[str, str]]
) -> Metadata:
    """Return the metadata, the most important first.

    Args:
        settings: The configuration.
        overview: The state of the data set.
        census: What curation leaves out.
        unfinished: The videos of which something is missing or stale, with why.
    """
    stats, failed = overview.stats, list(overview.failures.values())
    totals = stats.totals
    rate = 0.0 if math.isnan(totals.acceptance_rate) else totals.acceptance_rate
    states = Counter(overview.state(entry.key)[0] for entry in settings.videos)
    return {
        "videos": dg.MetadataValue.int(len(settings.videos)),
        "videos_done": dg.MetadataValue.int(states["done"] + states["short"]),
        "videos_too_small": dg.MetadataValue.int(states["too_small"]),
        "videos_failed": dg.MetadataValue.int(len(failed)),
        "windows": dg.MetadataValue.int(totals.accepted),
        "patches": dg.MetadataValue.int(totals.patches_done),
        "patches_target": dg.MetadataValue.int(totals.patches_target),
        "patches_short": dg.MetadataValue.int(totals.patches_short),
        "patches_to_do": dg.MetadataValue.int(totals.patches_to_do),
        "patches_stale": dg.MetadataValue.int(totals.patches_stale),
        "left_out_by_curation": dg.MetadataValue.int(census.total.left_out),
        "patches_not_scored": dg.MetadataValue.int(census.total.unscored),
        "acceptance_rate": dg.MetadataValue.float(round(rate, 3)),
        "gigabytes": dg.MetadataValue.float(round(totals.size_bytes / 1e9, 3)),
        "failed_videos": dg.MetadataValue.md(_failed(failed)),
        "curation": dg.MetadataValue.md(_curation(settings, census)),
        "progress": dg.MetadataValue.md(_progress(stats)),
        "reject_reasons": dg.MetadataValue.md(counts_markdown("reason", totals.reject_reasons)),
        "lowest_acceptance": dg.MetadataValue.md(_lowest_acceptance(stats.videos)),
        "gallery": index_link(settings),
        "categories": _table(stats.categories, CATEGORY_COLUMNS),
        "formats": _table(stats.formats, FORMAT_COLUMNS),
        "by_video": _table(_videos(overview), VIDEO_COLUMNS),
        "unfinished": _records(unfinished[:TABLE_ROWS]),
        "problems": dg.MetadataValue.text("; ".join(stats.problems) or "none"),
        "tables": dg.MetadataValue.path(DataSet.of(settings).metadata_folder),
    }


def _failed(failed: Sequence[Failure]) -> str:
    rows = [
        (each.key, each.what, each.remedy, f"[{each.run_id[:8]}](/runs/{each.run_id})" if each.run_id else "")
        for each in failed
    ]
    return markdown_table(("video", "what", "remedy", "run"), rows)


def _curation(settings: Settings, census: Census) -> str:
    """Return what curation leaves out of each category, and by which condition."""
    rows = [
        (
            name,
            str(each.patches),
            str(each.left_out),
            str(each.unscored),
            curation_of(settings.curation, name) or "none",
        )
        for name, each in census.categories.items()
    ]
    return markdown_table(("category", "patches", "left out", "not scored", "condition"), rows)


def _progress(stats: DatasetStats) -> str:
    """Return the patches made and wanted of each category, and how many of each format its mix expects.

    A format has no target: the draw by the candidate's number gives about its share of what can be made.
    """
    rows = []
    for category in stats.categories.to_dict("records"):
        columns = ("patches_target", "patches_done", "patches_short")
        name, found = category["category"], Completion(*(category[column] for column in columns))
        figures = (str(found.done), str(found.target), str(found.short), percent(found.share))
        rows.append((f"**{name}**", *figures, bar(found.share or 0.0, SHORT_BAR), ""))
        for each in stats.formats[stats.formats["category"] == name].to_dict("records"):
            rows.append((each["format"], str(each["patches"]), "", "", "", "", f"about {each['expected']}"))
    return markdown_table(("patches", "made", "target", "short", "share", "", "by the mix"), rows)


def _lowest_acceptance(videos: pd.DataFrame) -> str:
    """Return the videos of which the most candidates are rejected."""
    tried = videos[videos["candidates"] > 0].sort_values(["acceptance_rate", "video"])
    rows = [
        (each["video"], f"{each['acceptance_rate']:.0%}", bar(each["acceptance_rate"]))
        for each in tried.to_dict("records")
    ]
    return markdown_table(("video", "accepted", ""), rows)


def _videos(overview: Overview) -> pd.DataFrame:
    videos = overview.stats.videos.head(TABLE_ROWS)
    states = [overview.state(key)[0].replace("_", " ") for key in videos["video"]]
    windows = videos["accepted"].astype(str) + "/" + videos["windows_target"].astype(str)
    patches = videos["patches_done"].astype(str) + "/" + videos["patches_target"].astype(str)
    reasons = videos["reject_reasons"].map(_most)
    return videos.assign(state=states, windows=windows, patches=patches, reject_reasons=reasons)


def _most(reasons: Mapping[str, int]) -> str:
    """Return the reasons of most rejections; the page cuts longer texts."""
    shown = dict(islice(reasons.items(), SHOWN_REASONS))
    more = len(reasons) - len(shown)
    return reasons_text(shown) + (f", {more} more" if more else "")


def _table(frame: pd.DataFrame, columns: Sequence[str]) -> dg.MetadataValue:
    """Return a data frame as a table that fits the page: scalars, bytes as megabytes, rates rounded."""
    records = []
    for row in frame[list(columns)].to_dict("records"):
        cells: dict[str, str | int | float | None] = {}
        for name, value in row.items():
            if name == "size_bytes":
                cells["megabytes"] = round(value / 1e6, 1)
            elif name == "acceptance_rate":
                cells["acceptance"] = None if math.isnan(value) else round(value, 3)
            elif isinstance(value, dict):
                cells[str(name)] = reasons_text(value)
            elif isinstance(value, float):
                cells[str(name)] = None if math.isnan(value) else round(value, 3)
            else:
                cells[str(name)] = value
        records.append(cells)
    return _records(records)


def _records(records: Sequence[Mapping[str, str | int | float | None]]) -> dg.MetadataValue:
    rows = [dg.TableRecord(dict(record)) for record in records]
    return dg.MetadataValue.table(rows) if rows else dg.MetadataValue.text("none")
