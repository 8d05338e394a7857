"""`export`: what an export takes, how far it is, and what it did.

Selecting, writing and replacing exports is in the package `exports`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.exports import (
    ExportOptions,
    ExportPlan,
    ExportReport,
    Frames,
    GtFrames,
    LayoutName,
    Lr,
    plan_export,
    write_export,
)

LINE_INTERVAL_S: Final = 60.0


def asked(
    layout: str,
    categories: Sequence[str],
    where: str | None,
    formats: Sequence[str],
    frames: int,
    gt: str,
    lr: str,
    val_videos: Sequence[str],
    val_share: float,
    copies_gt: bool,
    curated: bool,
) -> ExportOptions:
    """Return what the command line asks for; `ExportOptions.check` refuses what there is not."""
    return ExportOptions(
        layout=cast("LayoutName", layout),
        categories=tuple(categories),
        where=where,
        formats=tuple(formats),
        frames=cast("Frames", frames),
        gt=cast("GtFrames", gt),
        lr=cast("Lr", lr),
        val_videos=tuple(val_videos),
        val_share=val_share,
        copies_gt=copies_gt,
        curated=curated,
    )


def export_dataset(
    settings: Settings,
    options: ExportOptions,
    folder: Path | None,
    console: Console,
    *,
    workers: int | None,
) -> bool:
    """Export a data set, and report what that takes and what was done.

    Args:
        settings: The configuration.
        options: What is asked for.
        folder: The export's folder; `exports/<layout>` in the data set's by default.
        console: Where it is reported.
        workers: Threads; the configuration's `max_workers` by default.

    Returns:
        Whether it got through; False if it was stopped.

    Raises:
        DatasetAssetsError: See `plan_export` and `write_export`.
    """
    plan = plan_export(settings, options, folder)
    _say(console, _planned(plan))
    selection = plan.selected.selection
    for sentence in filter(None, (selection.left_out_sentence, selection.unscored_sentence)):
        _say(console, sentence)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("triplets", total=len(plan.selected.items))
            lines = _Lines(console, len(plan.selected.items))

            def advance(count: int) -> None:
                bar.advance(task, count)
                lines.advance(count)

            report = write_export(plan, workers=workers or settings.base.max_workers, on_triplets=advance)
    except KeyboardInterrupt:
        _say(console, f"stopped: {plan.folder} is what it was before; the same command resumes")
        return False
    _say(console, _done(report))
    _say(console, f"options to paste: {report.folder / 'README.md'}")
    return True


class _Lines:
    """Progress where there is no terminal to draw a bar in: a line a minute."""

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total, self._done = console, total, 0
        self._began_s = self._shown_s = time.monotonic()

    def advance(self, count: int) -> None:
        """Count further triplets."""
        if not count:
            return
        self._done += count
        now_s = time.monotonic()
        if self._console.is_terminal or now_s < self._shown_s + LINE_INTERVAL_S:
            return
        self._shown_s = now_s
        left_s = (now_s - self._began_s) / self._done * (self._total - self._done)
        _say(
            self._console,
            f"{self._done:,} of {counted(self._total, 'triplet')}, about {left_s / 60:.0f} min to go",
        )


def _planned(plan: ExportPlan) -> str:
    chosen = plan.selected
    validation = chosen.videos("val")
    split = (
        f", {len(chosen.of('val')):,} of them for validation ({', '.join(validation)})" if validation else ""
    )
    if chosen.set_apart:
        split += f", {counted(chosen.set_apart, 'triplet')} set apart for validation left out"
    if chosen.missing_val:
        missing = counted(chosen.missing_val, "accepted validation patch")
        split += f", {missing} not selected (gone, or left out by curation or a condition)"
    linked = ", GT hard-linked" if plan.links_gt else ""
    degraded = ", LR degraded" if chosen.options.lr == "degraded" else ""
    return (
        f"{plan.layout.name}: {counted(len(chosen.items), 'triplet')} of "
        f"{', '.join(chosen.categories)}{split}; about {decimal(plan.size.size_bytes)}{linked}{degraded}, "
        f"{decimal(plan.free_bytes)} free; gt_size at most {chosen.max_gt_size}"
    )


def _done(report: ExportReport) -> str:
    if report.is_unchanged:
        return f"{report.folder} is up to date"
    parts = [f"{report.written:,} written"]
    if report.resumed:
        parts.append(f"{report.resumed:,} written by the run before")
    if report.reused:
        parts.append(f"{report.reused:,} unchanged")
    if report.removed:
        parts.append(f"{report.removed:,} removed")
    return (
        f"{report.folder}: {', '.join(parts)}; {counted(report.files, 'file')}, "
        f"{decimal(report.size_bytes)}, {report.wall_s:.0f} s"
    )


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, markup=False, highlight=False)
