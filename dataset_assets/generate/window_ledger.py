"""The rows of a video's windows table during a run.

A ledger takes over what an earlier run committed and what is still what these settings make. Not here: which
candidates are tried (`rounds`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from dataset_assets.config import BaseSettings
from dataset_assets.dataset import STRATA_VERSION, DataSet, SettingsHashes, VideoWork, has_other_cap
from dataset_assets.detail_map import DetailMap
from dataset_assets.generate.rows import untried_row
from dataset_assets.patches import Plan, PlannedPatch
from dataset_assets.reasons import EXCLUDED, PASSED_OVER
from dataset_assets.tables import FILL_CANDIDATES, WINDOWS, Provenance, WindowRow
from dataset_assets.video import Extent
from dataset_assets.windows import BY_OTHERS, Exclusions, Placement, UndecidedError, judged_again

# Of the first candidates, those that must have been measured: fewer say little of the film.
MIN_FILLS: Final = FILL_CANDIDATES // 2
# Black and blank frames, of which no window is accepted.
EMPTY_DB: Final = -20.0


class WindowLedger:
    """The windows table of one video: a row for each candidate, by number.

    Attributes:
        is_complete: Whether the table on disk is finished for what is asked for.
        is_changed: Whether rows changed that are on disk otherwise.
        undecided: Earlier rows of candidates that do not say what the present limits make of them, by number.
        exclusions: What is excluded of the film.
    """

    def __init__(
        self,
        data_set: DataSet,
        key: str,
        provenance: Provenance,
        limits: BaseSettings,
        sequence: SettingsHashes,
        is_of_strata: Callable[[Provenance], bool],
        exclusions_in: Callable[[Extent], Exclusions],
        *,
        rebuilds: bool,
    ) -> None:
        """Take over the rows of candidates that lie where these settings place them.

        Args:
            data_set: The data set.
            key: The video's key.
            provenance: What the table is made from; `complete` is ignored, `sampled` is that of the film now.
            limits: The limits that candidates are judged by.
            sequence: Identity of the settings that place candidates.
            is_of_strata: Whether a table of the release before was made with the present settings.
            exclusions_in: Gives what is excluded of the film, whose candidates lie in this extent.
            rebuilds: Whether earlier rows are ignored.

        Raises:
            DatasetAssetsError: The table is damaged, or from a newer release.
        """
        if provenance.sampled is None:
            raise ValueError("a windows table says how its candidates were placed")
        self._path = data_set.tables.windows_path(key)
        self._sampled = provenance.sampled
        self._provenance = provenance
        self._rows: dict[int, WindowRow] = {}
        self.undecided: dict[int, WindowRow] = {}
        self.is_complete = self.is_changed = False
        self.exclusions = exclusions_in(self.extent)
        footer = None if rebuilds else data_set.tables.read_footer(self._path)
        if footer is None:
            return
        earlier, counts = footer
        if not earlier.source_fingerprint.has_same_content(provenance.source_fingerprint):
            return
        if earlier.sampled is not None and earlier.sampled.sequence_hash in sequence:
            self._sampled = replace(
                earlier.sampled,
                sequence_hash=self._sampled.sequence_hash,
                cut_rule=self._sampled.cut_rule,
                max_mean_abs_diff=self._sampled.max_mean_abs_diff,
                max_cut_score=self._sampled.max_cut_score,
            )
            self.exclusions = exclusions_in(self.extent)
            self._take_over(data_set.tables.read_windows(key), limits)
            is_capped = has_other_cap(earlier, counts, limits.max_attempts)
            self.is_complete = not (self.is_changed or is_capped) and earlier.is_finished_for(provenance)
        elif earlier.code_version == STRATA_VERSION and is_of_strata(earlier):
            rows = data_set.tables.read_windows(key)
            self._sampled = replace(self._sampled, strata=earlier.target)
            for row in rows:
                if row.accepted:
                    self._judge(row, None)
            is_asked_for = earlier.complete and earlier.target == provenance.target
            self.is_complete = is_asked_for and not self.is_changed

    def _take_over(self, rows: Iterable[WindowRow], limits: BaseSettings) -> None:
        for row in rows:
            if row.start_pts is not None and self.exclusions.hold_place(row.start_pts):
                self._rows[row.window] = row
                self.skips(Placement(row.window, row.keyframe_pts, row.start_pts))
                continue
            try:
                reason = judged_again(row, limits)
                is_undecided = reason == EXCLUDED
            except UndecidedError:
                reason, is_undecided = None, True  # the release before accepted it under limits like these
            if is_undecided and row.window >= self.strata:
                self.undecided[row.window] = row  # it is tried once more
                self.is_changed = True
            else:
                self._judge(row, reason)

    def _judge(self, row: WindowRow, reason: str | None) -> None:
        """Take over a row, given the reason that its own frames are rejected for; None where they are not."""
        if reason is None and self.exclusions.hold_window(row.pts):
            reason = EXCLUDED
        if reason == row.reason or (reason is None and row.reason in BY_OTHERS):
            self._rows[row.window] = row
        else:
            self._rows[row.window] = replace(row, accepted=reason is None, reason=reason)
            self.is_changed = True

    @property
    def extent(self) -> Extent:
        """What candidates lie in: what the first run on the film found, so that a probe moves none."""
        return Extent(self._sampled.spans, self._sampled.frame_ticks)

    @property
    def strata(self) -> int:
        """Windows below this number were placed by the release before, one in each stratum."""
        return self._sampled.strata

    def fills_for(self, number: int) -> Sequence[float]:
        """Return how much detail the film's first candidates hold all over, ascending, for a window's format.

        Empty for these candidates themselves, and where too few of them were measured. All of them are
        settled before a later one is made, and what they show is recorded, so no format moves.
        """
        if number >= self.strata + FILL_CANDIDATES and self._sampled.fills is None:
            first = (row for window, row in self._rows.items() if window < self.strata + FILL_CANDIDATES)
            maps = [DetailMap(row.detail_map) for row in first if row.detail_map is not None]
            found = sorted(each.fill for each in maps if each.fill > EMPTY_DB)
            fills = tuple(found) if len(found) >= MIN_FILLS else ()
            self._sampled = replace(self._sampled, fills=fills)
        return self._sampled.fills_for(number)

    def planned(self, plan: Plan, number: int) -> tuple[PlannedPatch, ...]:
        """Return what a plan makes of a window by what its row records."""
        row = self._rows.get(number)
        if row is None:
            return plan(number, None, ())  # asking for fills would fix them before they are known
        detail = None if row.detail_map is None else DetailMap(row.detail_map)
        return plan(number, detail, self.fills_for(number))

    def placements(self) -> dict[int, Placement]:
        """Return where the candidates lie that earlier runs looked up, by number."""
        return {
            number: Placement(number, row.keyframe_pts, row.start_pts)
            for number, row in (self.undecided | self._rows).items()
            if number >= self.strata
        }

    def row(self, number: int) -> WindowRow | None:
        """Return the row of a candidate; None where it was not tried yet."""
        return self._rows.get(number)

    def add(self, row: WindowRow) -> None:
        """Record what came of a candidate."""
        if self._rows.get(row.window) != row:
            self._rows[row.window] = row
            self.is_changed = True

    def skips(self, placement: Placement) -> bool:
        """Return whether a candidate is not tried: it lies too near to another one, or in what is excluded.

        Its row is recorded, so that no later run looks it up again.
        """
        if placement.start is None:
            self.add(untried_row(placement, PASSED_OVER))
        elif self.exclusions.hold_place(placement.start):
            self.add(untried_row(placement, EXCLUDED, self.exclusions.time_s(placement.start)))
        else:
            return False
        return True

    def keep_below(self, number: int, strata_kept: Collection[int]) -> None:
        """Drop the rows of candidates from a number on, and of windows in strata that are not kept.

        Windows in strata that the present limits reject stay: others may accept them again.
        """
        kept = {
            window: row
            for window, row in self._rows.items()
            if (window in strata_kept or not row.accepted if window < self.strata else window < number)
        }
        self.is_changed |= len(kept) < len(self._rows)
        self._rows = kept
        if number <= self.strata + FILL_CANDIDATES:
            self._sampled = replace(self._sampled, fills=None)

    @property
    def is_full(self) -> bool:
        """Whether the film has no place left for another candidate."""
        return self._sampled.is_full

    def mark_full(self, *, is_full: bool) -> None:
        """Record whether the film has no place left."""
        self._sampled = replace(self._sampled, is_full=is_full)

    @property
    def finished(self) -> Provenance:
        """What the table is made from once nothing is missing."""
        return replace(self._provenance, complete=True, sampled=self._sampled)

    def rows(self) -> list[WindowRow]:
        """All rows, by number."""
        return [self._rows[number] for number in sorted(self._rows)]

    def commit(self, work: VideoWork, *, complete: bool) -> None:
        """Replace the table."""
        made = replace(self.finished, complete=complete)
        work.write_table(self._path, WINDOWS, self.rows(), made)
        self.is_complete = complete
        self.is_changed = False
