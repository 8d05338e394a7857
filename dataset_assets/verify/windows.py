"""Check that the rows of a windows table agree with one another and with what its footer records.

Which candidates were tried and which of them stay is computed again from the rows, as a run does (`Rounds`).
Not here: frames, which are not decoded (`deep`), and the places of candidates in the film (`placements`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count, pairwise
from pathlib import Path

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.counting import counted
from dataset_assets.dataset import DataSet
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.generate import Rounds
from dataset_assets.reasons import EXCLUDED, PASSED_OVER
from dataset_assets.tables import Provenance, Sampled, WindowRow
from dataset_assets.verify.findings import Kind, VideoFindings
from dataset_assets.verify.tables import Tables, windows_are_current
from dataset_assets.windows import (
    BY_OTHERS,
    SIGNATURE_HEIGHT,
    SIGNATURE_WIDTH,
    Placement,
    UndecidedError,
    judged_again,
)

SIGNATURE_BYTES = SIGNATURE_WIDTH * SIGNATURE_HEIGHT


def check_windows(
    settings: Settings, entry: VideoEntry | None, data_set: DataSet, tables: Tables, found: VideoFindings
) -> None:
    """Check every row of the windows table, and the rows of a finished table together.

    While a run is interrupted, candidates may be missing, and windows that overlap or show the same may be
    accepted: the next run decides between them.
    """
    if tables.windows is None:
        return
    path = data_set.tables.windows_path(found.key)
    made = tables.provenances[path]
    report = _Report(found, path, data_set.relative(path))
    if made.sampled is not None:
        _check_sequence(tables.windows, made, made.sampled, report)
        return
    is_current = entry is not None and windows_are_current(settings, entry, data_set, tables)
    _check_strata(tables.windows, made, settings.base.max_attempts if is_current else None, report)


class _Report:
    """Findings on a windows table."""

    def __init__(self, found: VideoFindings, path: Path, place: Path) -> None:
        self._found = found
        self._path = path
        self._place = place

    @property
    def broken(self) -> set[int]:
        """Windows whose rows a repair deletes."""
        return self._found.repair.windows

    def window(self, number: int, problem: str) -> None:
        """Report what is wrong with the rows of a window."""
        self.broken.add(number)
        self.table(f"window {number} {problem}")

    def table(self, problem: str) -> None:
        """Report what is wrong with the rows together; a repair has the next run go through them."""
        self._found.repair.reopened.add(self._path)
        self._found.add(Kind.WINDOW, self._place, problem)


class _Recorded:
    """The rows of a table as `Rounds` reads them.

    Attributes:
        changed: Rows as they should be, where they are otherwise.
    """

    def __init__(self, rows: Iterable[WindowRow]) -> None:
        self.changed: list[WindowRow] = []
        self._rows = {row.window: row for row in rows}

    def row(self, number: int) -> WindowRow | None:
        return self._rows.get(number)

    def add(self, row: WindowRow) -> None:
        self.changed.append(row)

    def skips(self, placement: Placement) -> bool:
        row = self._rows[placement.number]
        return placement.start is None or (row.reason == EXCLUDED and not row.pts)


def _check_sequence(rows: Sequence[WindowRow], made: Provenance, sampled: Sampled, report: _Report) -> None:
    for row in rows:
        problem = (
            _row_problem(row) or _placement_problem(row, sampled.strata) or _verdict_problem(row, sampled)
        )
        if problem:
            report.window(row.window, problem)
    for before, row in pairwise(rows):
        if row.window <= before.window:
            report.window(row.window, "is duplicated or not in ascending order")
    if report.broken or not made.complete:
        return
    candidates = [row for row in rows if row.window >= sampled.strata]
    for number, row in zip(count(sampled.strata), candidates, strict=False):
        if row.window != number:
            report.table(f"candidate {number} has no row, though later ones have")
            return
    if not _have_overlaps(rows, report):
        _check_rounds(rows, candidates, made, sampled, report)


def _check_rounds(
    rows: Sequence[WindowRow],
    candidates: Sequence[WindowRow],
    made: Provenance,
    sampled: Sampled,
    report: _Report,
) -> None:
    """Check that a finished table has the candidates that its target needs, and those windows that stay."""
    recorded = _Recorded(rows)
    sequence = iter([Placement(row.window, row.keyframe_pts, row.start_pts) for row in candidates])
    older = [row.window for row in rows if row.accepted and row.window < sampled.strata]
    rounds = Rounds(recorded, sequence, made.target * (made.max_attempts or 0), older)
    while batch := rounds.next_round(made.target, made.target):
        rounds.settle(batch)
    for row in recorded.changed:
        wrong, right = ("rejected", "accepted") if row.accepted else ("accepted", f"rejected as {row.reason}")
        report.window(row.window, f"is {wrong}, but the windows before it have it {right}")
    beyond = [placement.number for placement in sequence]
    if recorded.changed:
        return
    if beyond:
        report.broken.update(beyond)
        report.table(
            f"has {counted(len(beyond), 'candidate')}, from {beyond[0]} on, beyond the last of "
            f"{counted(made.target, 'window')}"
        )
    elif rounds.is_full and not sampled.is_full:
        report.table(
            f"ends with {len(rounds.accepted):,} of {counted(made.target, 'window')}, though the film has "
            f"place for more after only {counted(rounds.tried, 'candidate')}"
        )


def _check_strata(
    rows: Sequence[WindowRow], made: Provenance, max_attempts: int | None, report: _Report
) -> None:
    """Check a table of the release before: the candidates of each window, in the order of their tries."""
    by_window: dict[int, list[WindowRow]] = defaultdict(list)
    for row in rows:
        by_window[row.window].append(row)
    for window, tried in sorted(by_window.items()):
        problem = next(filter(None, map(_row_problem, tried)), "")
        if not 0 <= window < made.target:
            problem = f"is beyond the {counted(made.target, 'window')} of this video"
        elif max_attempts is not None and len(tried) > max_attempts:
            problem = f"has {counted(len(tried), 'candidate')}"
        elif any(row.accepted for row in tried[:-1]):
            problem = "has candidates after the accepted one"
        if problem:
            report.window(window, problem)
    _have_overlaps([row for row in rows if row.window not in report.broken], report)


def _have_overlaps(rows: Iterable[WindowRow], report: _Report) -> bool:
    """Report accepted windows that share frames; return whether there are any."""
    accepted = sorted((row for row in rows if row.accepted), key=lambda row: row.pts)
    found = False
    for before, row in pairwise(accepted):
        if row.pts[0] <= before.pts[-1]:
            found = True
            report.broken.add(before.window)
            report.window(row.window, f"overlaps window {before.window}")
    return found


def _row_problem(row: WindowRow) -> str:
    if row.window < 0:
        return "has a number below 0"
    if any(late >= later for late, later in pairwise(row.pts)):
        return "has times that are not in ascending order"
    if len(row.pts) > FRAMES_PER_WINDOW or (row.accepted and len(row.pts) < FRAMES_PER_WINDOW):
        return f"has {counted(len(row.pts), 'frame')}"
    if row.accepted and not all(score is not None and math.isfinite(score) for score in _scores(row)):
        return "was accepted without scores"
    is_absent = row.signature is None and not row.accepted
    if not is_absent and len(row.signature or b"") != SIGNATURE_BYTES:
        return "has no signature, or one of another size"
    return ""


def _placement_problem(row: WindowRow, strata: int) -> str:
    """Describe what is wrong with the place of a candidate; windows in strata have none in their row."""
    has_more = row.pts or row.signature is not None or any(score is not None for score in _scores(row))
    if row.reason == PASSED_OVER:
        is_wrong = has_more or row.start_pts is not None
        return "was passed over, but has frames or scores" if is_wrong else ""
    if row.reason == EXCLUDED and not row.pts and has_more:
        return "was not decoded, but has scores"
    if row.window < strata:
        return ""
    if row.start_pts is None or row.keyframe_pts is None or row.start_pts < row.keyframe_pts:
        return "was tried, but has no place, or one before its keyframe"
    if row.pts and row.pts[0] < row.start_pts:
        return "has frames before its start"
    return ""


def _verdict_problem(row: WindowRow, sampled: Sampled) -> str:
    """Describe how the recorded verdict differs from that of the recorded limits on the recorded scores."""
    try:
        reason = judged_again(row, sampled)
    except UndecidedError:
        return "is rejected as a cut, but its scores are within the limits"
    if reason == row.reason or (reason is None and row.reason in BY_OTHERS | {EXCLUDED}):
        return ""
    wrong = "accepted" if row.reason is None else f"rejected as {row.reason}"
    return f"is {wrong}, but its scores have it rejected as {reason}"


def _scores(row: WindowRow) -> tuple[float | None, ...]:
    return (row.mean_abs_diff, row.cut_score, row.brightness, row.contrast, row.sharpness)
