"""What `videos list`, `stats` and `config check` print.

Not here: the live view of runs (`monitor`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dataset_assets.config import Settings, VideoEntry, WatchedVideo
from dataset_assets.counting import counted
from dataset_assets.curation import Census, PatchCounts
from dataset_assets.dataset import (
    SOURCE,
    WINDOWS,
    AssetStatus,
    Completion,
    Overview,
    reasons_text,
    wanted_statuses,
)
from dataset_assets.video import seen

STATES = {
    state: Text(state.replace("_", " "), style)
    for state, style in (
        ("done", "green"),
        ("missing", "yellow"),
        ("partial", "cyan"),
        ("stale", "magenta"),
        ("too_small", "yellow"),
        ("short", "green"),
        ("failed", "red"),
        ("unlisted", "dim"),
    )
}
# Of reasons that do not fit a terminal at least so many characters are shown: the first of them.
SHORTEST_CUT = 12
# In place of a state, where nothing is to be made.
NOTHING = Text("-", "dim")


def summary(config: Path, settings: Settings) -> Text:
    """Return a line about a configuration without mistakes."""
    watched = sum(isinstance(entry, WatchedVideo) for entry in settings.videos)
    return Text(
        f"{config}: no mistakes; {counted(len(settings.videos), 'video')}"
        + (f" ({watched} of watched folders)" if watched else "")
        + f", categories {', '.join(settings.categories)}, data set in {settings.base.output_base_dir}"
    )


def wanting_nothing(settings: Settings) -> str:
    """Return a sentence about the videos that no category wants patches of; empty where there is none."""
    unwanted = [entry.key for entry in settings.videos if not settings.wanting(entry)]
    if not unwanted:
        return ""
    every = "every one" if len(unwanted) == len(settings.videos) else f"first {unwanted[0]}"
    return (
        f"{counted(len(unwanted), 'video')}, {every}: all weights are 0, so nothing is made; give a category "
        "a weight, or remove the entry"
    )


def videos_table(settings: Settings, overview: Overview) -> Table:
    """Return the configured videos with the state of each table, and how much of it there is.

    Of a film that the last run refused, what was not made has no state: no run will make it.
    """
    names = (SOURCE, WINDOWS, *settings.categories)
    table = _table(counted(len(settings.videos), "video"), ("video",), (), ("film", *names))
    for entry in settings.videos:
        film = _film(entry, overview)
        states = wanted_statuses(settings, entry, overview.statuses[entry.key])
        figures = overview.completions[entry.key]
        cells = [_state(states.get(name), film, figures.get(name)) for name in names]
        table.add_row(Text(entry.key), Text(film, "green" if film == "ok" else "red"), *cells)
    return table


def failure_lines(settings: Settings, overview: Overview) -> Iterator[Text]:
    """Yield a line for each video whose last run failed: what is wrong, and the remedy."""
    for entry in settings.videos:
        film = _film(entry, overview)
        if film != "ok" and entry.key in overview.failures:
            yield Text.assemble((film, "red"), f" {overview.failures[entry.key].sentence}")


def too_small_lines(overview: Overview) -> Iterator[Text]:
    """Yield a line for each video that no format fits: why."""
    for key in overview.statuses:
        state, why = overview.state(key)
        if state == "too_small":
            yield Text.assemble(STATES[state], f" {key}: {why}")


def _film(entry: VideoEntry, overview: Overview) -> Literal["ok", "absent", "refused", "failed"]:
    """Return the state of a film, by its file and its last run."""
    failure = overview.failures.get(entry.key)
    if seen(entry.path) is None:
        return "absent"
    if failure is None or (failure.is_refusal and not failure.refuses(entry.path)):
        return "ok"
    return "refused" if failure.is_refusal else "failed"


def _state(status: AssetStatus | None, film: str, figures: Completion | None) -> Text:
    """Return the state of a table, and how much of what is wanted there is."""
    if status is None or (film == "refused" and status.state == "missing"):
        return NOTHING
    if figures is None or status.state == "too_small":
        return STATES[status.state]
    is_short = status.state == "done" and figures.short
    return STATES["short" if is_short else status.state] + Text(f" {figures.done}/{figures.target}", "dim")


def stats_tables(overview: Overview, census: Census, *, is_cut: bool) -> Group:
    """Return the statistics: totals, categories, formats, videos.

    Args:
        overview: The state of the data set.
        census: What curation leaves out.
        is_cut: Whether reject reasons are cut to what is left of a terminal's line, so that each video stays
            on one; a pipe and a file get all of them.
    """
    stats, totals = overview.stats, overview.stats.totals
    stale = f", {totals.patches_stale:,} stale" if totals.patches_stale else ""
    unlisted = totals.videos - len(overview.statuses)
    beside = f" and {unlisted:,} unlisted" if unlisted else ""
    parts: list[RenderableType] = [
        f"{counted(len(overview.statuses), 'video')}{beside}, {totals.patches_done:,} of "
        f"{counted(totals.patches_target, 'patch')}, {totals.patches_short:,} short, "
        f"{totals.patches_to_do:,} to do{stale}, {_gigabytes(totals.size_bytes)}, "
        f"acceptance rate {_percent(totals.acceptance_rate)}"
        + (f", rejected: {reasons_text(totals.reject_reasons)}" if totals.reject_reasons else ""),
        *_curation(census),
    ]
    counts = ("videos", "target", "done", "short", "to do", "stale", "left out")
    categories = _table("Categories", ("category",), (*counts, "size", "acceptance"), ())
    of_categories = census.categories
    for row in stats.categories.to_dict("records"):
        categories.add_row(
            str(row["category"]),
            str(row["videos"]),
            *(str(row[f"patches_{name}"]) for name in ("target", "done", "short", "to_do", "stale")),
            str(of_categories.get(row["category"], PatchCounts()).left_out),
            _gigabytes(row["size_bytes"]),
            _percent(row["acceptance_rate"]),
        )
    numbers = ("patches", "expected", "share", "mix", "size", "acceptance")
    formats = _table("Formats", ("category", "format"), numbers, ())
    for row in stats.formats.to_dict("records"):
        formats.add_row(
            str(row["category"]),
            str(row["format"]),
            str(row["patches"]),
            str(row["expected"]),
            _percent(row["share"]),
            _percent(row["mix"]),
            _gigabytes(row["size_bytes"]),
            _percent(row["acceptance_rate"]),
        )
    parts += [categories, formats, _videos(overview, is_cut=is_cut), *too_small_lines(overview)]
    parts += [Text(problem, "red") for problem in stats.problems]
    return Group(*parts)


def _curation(census: Census) -> Iterator[str]:
    """Yield what curation leaves out, and how much is not scored, with the remedy."""
    total = census.total
    if total.left_out or total.unscored:
        unscored = f", {total.unscored:,} not scored: `dataset-assets score` measures them"
        yield (
            f"curation leaves out {total.left_out:,} of {counted(total.patches, 'patch')}"
            f"{unscored if total.unscored else ''}"
        )


def _videos(overview: Overview, *, is_cut: bool) -> Table:
    names = ("video", "state", "host") if overview.hosts else ("video", "state")
    table = _table("Videos", names, ("windows", "acceptance", "patches", "size"), ("rejected",))
    if is_cut:
        # The reasons get what the others leave; where that is less than their width, the others are folded.
        reasons, table.expand = table.columns[-1], True
        reasons.width, reasons.ratio, reasons.no_wrap, reasons.overflow = SHORTEST_CUT, 1, True, "ellipsis"
    for row in overview.stats.videos.to_dict("records"):
        table.add_row(
            Text(row["video"]),
            STATES[overview.state(row["video"])[0]],
            *([Text(overview.hosts.get(row["video"], "-"))] if overview.hosts else []),
            f"{row['accepted']}/{row['windows_target']}",
            _percent(row["acceptance_rate"]),
            f"{row['patches_done']}/{row['patches_target']}",
            _gigabytes(row["size_bytes"]),
            Text(reasons_text(row["reject_reasons"])),
        )
    return table


def _table(title: str, names: Sequence[str], numbers: Sequence[str], texts: Sequence[str]) -> Table:
    """Return an empty table: columns of names, then of numbers, then of texts."""
    table = Table(title=title, title_justify="left")
    for name in names:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    for name in texts:
        table.add_column(name)
    return table


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.1%}"


def _gigabytes(size_bytes: float) -> str:
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:.1f} MB"
