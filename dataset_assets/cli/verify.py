"""`verify`: the findings as a table for people or lines of JSON for scripts.

Reading the data set back, and repairing it, is in the package `verify`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.dataset import DataSet
from dataset_assets.errors import ConfigError, DatasetAssetsError
from dataset_assets.verify import VideoFindings, keys_of, verify

# Of each video on the terminal; --json has all.
SHOWN_FINDINGS = 10
NO_VIDEO = "(no video)"


def verify_dataset(
    settings: Settings,
    console: Console,
    *,
    videos: Sequence[str],
    share: float,
    repair: bool,
    workers: int | None,
    as_json: bool,
) -> int:
    """Read a data set back and report what is wrong.

    Args:
        settings: The configuration.
        console: Where it is reported.
        videos: Keys of the videos; all where empty.
        share: Share of each video's windows that is decoded again; 0 for none.
        repair: Whether what is broken is deleted.
        workers: Threads; the configuration's `max_workers` by default.
        as_json: Whether each video is reported as a line of JSON as soon as it is verified.

    Returns:
        The exit code: 0 if nothing is wrong, or all of it was deleted; else 1.

    Raises:
        ConfigError: A video is neither in the configuration nor in the tables.
    """
    DataSet.of(settings).copy.refresh()
    keys = _chosen(settings, videos)
    summary = _Summary()
    lines: list[_Line] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=as_json or not console.is_terminal
    ) as bar:
        task = bar.add_task("triplets read", total=_triplets(settings, keys))
        found_of_all = verify(
            settings,
            keys if videos else None,
            deep_share=share,
            repair=repair,
            workers=workers or settings.base.max_workers,
            on_triplets=lambda count: bar.advance(task, count),
        )
        with closing(found_of_all):
            for found in found_of_all:
                summary.add(found)
                if as_json:
                    _print_json(console, _record(found))
                else:
                    lines.append(_Line.of(found))
    if as_json:
        _print_json(console, {"summary": asdict(summary)})
    else:
        _show(console, lines, summary, repair=repair)
    return 1 if summary.wrong > summary.deleted else 0


@dataclass(slots=True)
class _Summary:
    """Totals over all videos.

    Attributes:
        videos: Videos that were verified.
        left_out: Videos that were skipped because a run works on them.
        triplets: Triplets that were read.
        windows_compared: Windows that were compared with their films.
        wrong: Findings.
        repairable: Findings that a repair can delete.
        deleted: Findings whose cause was deleted.
        degraded: Degraded stacks that were deleted.
    """

    videos: int = 0
    left_out: int = 0
    triplets: int = 0
    windows_compared: int = 0
    wrong: int = 0
    repairable: int = 0
    deleted: int = 0
    degraded: int = 0

    def add(self, found: VideoFindings) -> None:
        is_left_out = bool(found.left_out and not found.findings)
        self.videos += bool(found.key) and not is_left_out
        self.left_out += is_left_out
        self.triplets += found.triplets
        self.windows_compared += found.windows_compared
        self.wrong += len(found.findings)
        self.repairable += sum(each.kind.is_deletable for each in found.findings)
        self.deleted += found.deleted
        self.degraded += sum(map(len, found.repair.degraded.values())) if found.repaired else 0


@dataclass(frozen=True, slots=True)
class _Line:
    """What the terminal shows of a video; the findings themselves could be millions."""

    video: str
    triplets: str
    compared: str
    wrong: str
    note: str
    messages: Sequence[str]

    @classmethod
    def of(cls, found: VideoFindings) -> _Line:
        kinds = Counter(finding.kind.value for finding in found.findings)
        messages = [f"{finding.place} {finding.what}" for finding in found.findings[:SHOWN_FINDINGS]]
        if len(found.findings) > SHOWN_FINDINGS:
            messages.append(f"and {len(found.findings) - SHOWN_FINDINGS} more; --json lists all")
        notes = [found.left_out or ("deleted" if found.repaired else ""), *found.notes]
        return cls(
            found.key or NO_VIDEO,
            str(found.triplets),
            str(found.windows_compared),
            ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "-",
            "; ".join(note for note in notes if note),
            messages,
        )


def _chosen(settings: Settings, videos: Sequence[str]) -> list[str]:
    known = keys_of(settings)
    unknown = [key for key in dict.fromkeys(videos) if key not in known]
    if unknown:
        raise ConfigError(
            [
                f"--videos: {key!r} is neither in the configuration nor in the tables of the data set"
                for key in unknown
            ]
        )
    return list(dict.fromkeys(videos)) or known


def _triplets(settings: Settings, keys: Sequence[str]) -> int:
    """Return the number of rows of all patches tables, from their footers."""
    data_set, total = DataSet.of(settings), 0
    for category in data_set.tables.categories():
        for key in keys:
            try:
                footer = data_set.tables.read_footer(data_set.tables.patches_path(category, key))
            except DatasetAssetsError:
                continue  # reported when it is read
            total += sum(footer[1].patches.values()) if footer else 0
    return total


def _record(found: VideoFindings) -> dict[str, object]:
    return {
        "video": found.key or None,
        "triplets": found.triplets,
        "windows_compared": found.windows_compared,
        "left_out": found.left_out,
        "repaired": found.repaired,
        "notes": found.notes,
        "findings": [asdict(finding) for finding in found.findings],
    }


def _print_json(console: Console, record: dict[str, object]) -> None:
    console.print(json.dumps(record), soft_wrap=True, markup=False, highlight=False)


def _show(console: Console, lines: Sequence[_Line], summary: _Summary, *, repair: bool) -> None:
    for line in lines:
        for message in line.messages:
            console.print(f"[red]wrong[/red] {escape(line.video)}: {escape(message)}", soft_wrap=True)
    console.print(_table(lines))
    text = f"{counted(summary.videos, 'video')}, {counted(summary.triplets, 'triplet')} read"
    if summary.windows_compared:
        text += f", {counted(summary.windows_compared, 'window')} compared with their films"
    if summary.left_out:
        text += f", {counted(summary.left_out, 'video')} skipped"
    findings = counted(summary.wrong, "finding")
    if not summary.wrong:
        text += ": nothing is wrong"
    elif repair:
        text += f": {findings}, {summary.deleted} deleted; `dataset-assets generate` recreates them"
        text += ", `dataset-assets degrade` degraded LR" if summary.degraded else ""
    elif summary.repairable:
        text += f": {findings}; `dataset-assets verify --repair` deletes broken rows and files"
    else:
        text += f": {findings}, each with its remedy"
    console.print(text, soft_wrap=True)


def _table(lines: Sequence[_Line]) -> Table:
    table = Table()
    table.add_column("video", overflow="fold")
    table.add_column("triplets", justify="right")
    table.add_column("compared", justify="right")
    table.add_column("wrong")
    table.add_column("")
    for line in lines:
        cells = (line.video, line.triplets, line.compared, line.wrong, line.note)
        table.add_row(*map(Text, cells))
    return table
