"""`export`: what an export takes, how far it is, and what it did.

Selecting, writing and replacing exports is in the package `exports`.
"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.exports import ExportOptions, ExportPlan, ExportReport, plan_export, write_export


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
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("triplets", total=len(plan.selected.items))
            report = write_export(
                plan,
                workers=workers or settings.base.max_workers,
                on_triplets=lambda count: bar.advance(task, count),
            )
    except KeyboardInterrupt:
        _say(console, f"stopped: {plan.folder} is what it was before; the same command resumes")
        return False
    _say(console, _done(report))
    _say(console, f"options to paste: {report.folder / 'README.md'}")
    return True


def _planned(plan: ExportPlan) -> str:
    chosen = plan.selected
    validation = chosen.videos("val")
    split = (
        f", {len(chosen.of('val')):,} of them for validation ({', '.join(validation)})" if validation else ""
    )
    linked = ", GT hard-linked" if plan.links_gt else ""
    return (
        f"{plan.layout.name}: {counted(len(chosen.items), 'triplet')} of "
        f"{', '.join(chosen.categories)}{split}; at most {decimal(plan.size.size_bytes)}{linked}, "
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
