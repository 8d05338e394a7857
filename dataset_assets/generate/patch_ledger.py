"""The rows of a patches table during a run.

A ledger takes over what an earlier run committed and what is still what these settings make; other rows stay,
with their files, until a new row takes their place or the ledger is finished. Files are touched by
`checkpoints`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from dataset_assets.dataset import STRATA_VERSION, DataSet, SettingsHashes, VideoWork
from dataset_assets.frames import FileKind
from dataset_assets.patches import PatchPlan
from dataset_assets.tables import PATCHES, PatchRow, Provenance


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
        self._is_current = is_current
        self._of_strata = frozenset[str]()
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
        self._of_strata = of_strata
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
            is_finished = not rebuilds and earlier.is_finished_for(provenance)
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

    def look_again(self, window: int) -> None:
        """Keep the patch of a window that was found just now only if it is what is planned for it."""
        row = self._done.get(window)
        if row is not None and row.settings_hash not in self._of_strata and not self._is_current(row):
            self._earlier[window] = self._done.pop(window)
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

    def table_rows(self) -> list[PatchRow]:
        """Return all rows that the table is to hold, those of other settings too, by window."""
        return sorted([*self._done.values(), *self._earlier.values()], key=lambda row: row.window)

    @property
    def made_from(self) -> Provenance:
        """What the table is made from; `complete` is False."""
        return self._provenance

    def commit(self, work: VideoWork, *, complete: bool) -> None:
        """Replace the table."""
        rows = self.table_rows()
        outdated = len(rows) - self.made
        made = replace(self._provenance, complete=complete, outdated=outdated)
        work.write_table(self._path, PATCHES, rows, made)
        self.is_complete = complete
        self.is_changed = False
        self.given_up = []
