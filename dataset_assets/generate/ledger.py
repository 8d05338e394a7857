"""The rows of a video during a run, and their tables.

A ledger takes over what an earlier run committed and what is still what these settings make; other rows stay,
with their files, until a new row takes their place or the ledger is finished. Files are touched by
`checkpoints`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from dataset_assets.config import BaseSettings
from dataset_assets.dataset import STRATA_VERSION, DataSet, SettingsHashes, VideoWork, has_other_cap
from dataset_assets.frames import FileKind
from dataset_assets.generate.rows import untried_row
from dataset_assets.patches import PatchPlan
from dataset_assets.reasons import EXCLUDED, PASSED_OVER
from dataset_assets.tables import PATCHES, WINDOWS, PatchRow, Provenance, WindowRow
from dataset_assets.video import Extent
from dataset_assets.windows import BY_OTHERS, Exclusions, Placement, UndecidedError, judged_again


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
            self.is_complete = not (self.is_changed or is_capped) and _is_finished(earlier, provenance)
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


class PatchLedger:
    """The patches table of one video and category.

    Attributes:
        plan: What the category takes of the video.
        is_complete: Whether the table on disk is finished for what is asked for.
        is_changed: Whether rows were added that are not in the table on disk.
        chosen: Windows that the category takes, as the table on disk says; None where it does not.
        kinds: The files that each patch is to have.
        lacks_files_alone: Whether the table on disk is finished for what is asked for, but for the kinds of
            its patches' files.
        given_up: Rows that are in the table on disk and will not be in the next one.
    """

    def __init__(
        self,
        data_set: DataSet,
        plan: PatchPlan,
        provenance: Provenance,
        hashes: SettingsHashes,
        is_current: Callable[[PatchRow], bool],
        strata_hashes: Callable[[int], Iterable[str]],
        *,
        rebuilds: bool,
    ) -> None:
        """Take over the patches that are what these settings make; keep others until they are replaced.

        Args:
            data_set: The data set.
            plan: What the category takes of the video.
            provenance: What the table is made from; `complete` is ignored.
            hashes: Identity of the settings that shape the pixels of a patch.
            is_current: Whether a row has the format, the place and the names that are planned.
            strata_hashes: Gives the hashes of rows that the release before made of the present settings, for
                so many patches.
            rebuilds: Whether to make every patch again.

        Raises:
            DatasetAssetsError: The table is damaged, or from a newer release.
        """
        self.plan = plan
        self.settings_hash = hashes.written
        self.is_complete = False
        self.is_changed = False
        self.kinds = provenance.kinds
        self.lacks_files_alone = False
        self.given_up: list[PatchRow] = []
        self.chosen: int | None = None
        self._path = data_set.tables.patches_path(plan.category, plan.key)
        self._provenance = provenance
        self._done: dict[int, PatchRow] = {}
        self._earlier: dict[int, PatchRow] = {}
        earlier = data_set.tables.read_provenance(self._path)
        if earlier is None:
            return
        self.chosen = earlier.chosen
        rows = data_set.tables.read_patches(plan.category, plan.key)
        if not earlier.source_fingerprint.has_same_content(provenance.source_fingerprint):
            # A table names one source for all its rows.
            self.given_up = rows
            return
        is_older = earlier.code_version == STRATA_VERSION
        strata_target = earlier.target if is_older else earlier.strata_target
        of_strata = frozenset(() if strata_target is None else strata_hashes(strata_target))
        current = frozenset(hashes)
        for row in rows:
            is_of_plan = row.settings_hash in current and is_current(row)
            is_kept = not rebuilds and (is_of_plan or row.settings_hash in of_strata)
            (self._done if is_kept else self._earlier)[row.window] = row
        if not of_strata.isdisjoint(row.settings_hash for row in self._done.values()):
            self._provenance = replace(provenance, strata_target=strata_target)
        if is_older:
            is_finished = earlier.complete and earlier.target == provenance.target
            is_finished = is_finished and earlier.settings_hash in of_strata and not rebuilds
        else:
            is_finished = not rebuilds and _is_finished(earlier, provenance)
        has_kinds = earlier.kinds == self.kinds or not rows
        self.is_complete = is_finished and has_kinds
        self.lacks_files_alone = is_finished and not has_kinds

    @property
    def made(self) -> int:
        """Patches made under these settings, with all their files, by this run or an earlier one."""
        return sum(self._has_kinds(row) for row in self._done.values())

    @property
    def size_bytes(self) -> int:
        """Bytes of the triplets made under these settings."""
        return sum(row.size_bytes for row in self._done.values())

    def has(self, window: int) -> bool:
        """Return whether the window's patch was made under these settings, with the files it is to have."""
        row = self._done.get(window)
        return row is not None and self._has_kinds(row)

    def row(self, window: int) -> PatchRow | None:
        """Return the row of the window's patch if it was made under these settings, with whatever files."""
        return self._done.get(window)

    def lacking(self, window: int) -> tuple[FileKind, ...]:
        """Return the kinds of the files that the window's patch lacks."""
        row = self._done.get(window)
        return tuple(kind for kind in self.kinds if row is None or kind not in row.kinds)

    def _has_kinds(self, row: PatchRow) -> bool:
        return row.kinds == self.kinds

    def windows(self) -> frozenset[int]:
        """Return the windows with a patch made under these settings, with whatever files."""
        return frozenset(self._done)

    def outdated(self) -> frozenset[int]:
        """Return the windows with a patch that these settings do not make."""
        return frozenset(self._earlier) | {row.window for row in self.given_up}

    def choose(self, accepted: Iterable[int], strata_windows: int) -> list[int]:
        """Return the windows that the category takes.

        Args:
            accepted: The accepted windows, in the order of the sequence.
            strata_windows: Windows that the release before placed, of which a category has others than the
                first ones.
        """
        order = sorted(accepted, key=lambda number: number < strata_windows and number not in self._done)
        return order[: self.plan.target]

    def add(self, row: PatchRow) -> None:
        """Record a patch whose files are in place, or that has fewer of them than before."""
        self._done[row.window] = row
        self.is_changed = True

    def keep_chosen(self) -> None:
        """Record as many windows that the category takes as the table on disk says."""
        self._provenance = replace(self._provenance, chosen=self.chosen)

    def give_up(self, windows: Iterable[int] | None) -> None:
        """Give up the rows of other settings of these windows; of all windows where None."""
        for window in list(self._earlier) if windows is None else windows:
            row = self._earlier.pop(window, None)
            if row is not None:
                self.given_up.append(row)

    def drop(self, window: int) -> None:
        """Give up the patch of a window that is not used after all."""
        row = self._done.pop(window, None)
        if row is not None:
            self.given_up.append(row)
            self.is_changed = True

    def keep_only(self, windows: Collection[int]) -> None:
        """Give up the patches of other windows, and record how many the category takes."""
        self.is_changed |= len(windows) != self.chosen
        self._provenance = replace(self._provenance, chosen=len(windows))
        for window in [each for each in self._done if each not in windows]:
            self.drop(window)

    def rows(self) -> list[PatchRow]:
        """Return the rows made under these settings, by window."""
        return [self._done[window] for window in sorted(self._done)]

    def commit(self, work: VideoWork, *, complete: bool) -> None:
        """Replace the table."""
        rows = sorted([*self._done.values(), *self._earlier.values()], key=lambda row: row.window)
        outdated = len(rows) - self.made
        made = replace(self._provenance, complete=complete, outdated=outdated)
        work.write_table(self._path, PATCHES, rows, made)
        self.is_complete = complete
        self.is_changed = False
        self.given_up = []


def _is_finished(earlier: Provenance, now: Provenance) -> bool:
    """Whether a table on disk is what is asked for now, of the same film."""
    asked = earlier.settings_hash, earlier.target
    return earlier.complete and asked == (now.settings_hash, now.target)
