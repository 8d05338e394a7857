"""What `generate` prints of videos whose runs ended, and of those that no format fits.

Not here: the live view (`monitor`), and why runs failed (`launch`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress

from rich.console import Console
from rich.markup import escape

from dataset_assets.checks import ENOUGH_SHARE
from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.dataset import WINDOWS, AssetStatus, Completion, DataSet, shortfall
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.launch import Outcome, close_failed_run

# Films that an earlier run found too small: so many are named.
MOST_NAMED = 5


def report_outcome(outcome: Outcome, settings: Settings, data_set: DataSet, console: Console) -> set[str]:
    """Print how a video's run ended; return its key if no format fits it."""
    key = outcome.key
    if outcome.failure is not None:
        close_failed_run(outcome.failure, data_set)
        console.print(f"[red]failed[/red] {key}")
        return set()
    entry = settings.video(key)
    statuses = data_set.statuses(settings, entry)
    misfit = misfit_of(statuses)
    if misfit:
        console.print(f"[yellow]too small[/yellow] {key}: {escape(misfit)}", soft_wrap=True)
    else:
        found = data_set.completions(settings, entry, statuses)
        total = sum((each for name, each in found.items() if name != WINDOWS), Completion())
        short = f", {total.short} short" if total.short else ""
        console.print(f"[green]done[/green] {key}: {counted(total.done, 'patch')}{short}")
    for warning in _warnings(data_set, key, statuses):
        console.print(f"[yellow]warning[/yellow] {key}: {escape(warning)}", soft_wrap=True)
    return {key} if misfit else set()


def about_too_small(statuses: Mapping[str, Mapping[str, AssetStatus]], keys: Collection[str]) -> list[str]:
    """Return a line for each film that was too small before, and one for those that are not named."""
    lines = [f"[yellow]too small[/yellow] {key}: {escape(misfit_of(statuses[key]))}" for key in sorted(keys)]
    if len(lines) > MOST_NAMED:
        more = len(lines) - MOST_NAMED
        lines[MOST_NAMED:] = [f"[yellow]too small[/yellow] {more:,} more, see `dataset-assets videos list`"]
    return lines


def patches_text(found: Completion) -> str:
    """Return how far patches have come, such as `260 of 340 patches, 80 short`."""
    parts = [f"{found.done:,} of {counted(found.target, 'patch')}"]
    parts += [
        f"{count:,} {word}" for count, word in ((found.short, "short"), (found.to_do, "to do")) if count
    ]
    return ", ".join(parts)


def misfit_of(statuses: Mapping[str, AssetStatus]) -> str:
    """Return why no format fits a film; empty where one does, or where that is not known yet."""
    status = statuses[WINDOWS]
    return status.reason if status.state == "too_small" else ""


def _warnings(data_set: DataSet, key: str, statuses: Mapping[str, AssetStatus]) -> list[str]:
    """Return what was guessed, ignored or left out of a film, and why it gave less than asked for."""
    with suppress(DatasetAssetsError):
        tables = data_set.tables
        row, footer = tables.read_video(key), tables.read_footer(tables.windows_path(key))
        warnings = list(row.warnings) if row else []
        if footer is not None and footer[1].accepted < ENOUGH_SHARE * footer[0].target:
            warnings.append(shortfall(*footer))
        if not misfit_of(statuses):
            whys = {name: each.reason for name, each in statuses.items() if each.state == "too_small"}
            warnings += [f"{category}: {why}" for category, why in whys.items()]
        return warnings
    return []
