"""The rows of a patches table during a run.

A ledger takes over what an earlier run committed and what is still what these settings make; other rows stay,
with their files, until a new row takes their place or the ledger is finished. Files are touched by
`checkpoints`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial

from dataset_assets.dataset import STRATA_VERSION, DataSet, SettingsHashes, VideoWork
from dataset_assets.frames import FileKind
from dataset_assets.patches import PatchPlan, Plan, PlannedPatch
from dataset_assets.tables import PATCHES, PatchRow, Provenance
from dataset_assets.video import Rect

PatchKey = tuple[int, int]
"""Window and crop of a patch."""


def key_of(patch: PatchRow | PlannedPatch) -> PatchKey:
    """Return the key of a patch in its table."""
    return patch.window, patch.crop


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
        planned: Callable[[int, PlannedPatch | None], Collection[PlannedPatch]],
        is_current: Callable[[PatchRow, PlannedPatch | None], bool],
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
            planned: Gives the patches that are planned of a window that was found, and of which a first patch
                of the release before is kept.
            is_current: Whether a row has the format, the place and the names that are planned, given the
                first patch of its window where it is one of the release before.
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
        # Patches of accepted windows: asked for after each round, and a plan of a window does not change.
        self._counts: dict[int, int] = {}
        self._path = data_set.tables.patches_path(plan.category, plan.key)
        self._provenance = provenance
        self._planned = planned
        self._is_current = is_current
        self._of_strata = frozenset[str]()
        self._done: dict[PatchKey, PatchRow] = {}
        self._earlier: dict[PatchKey, PatchRow] = {}
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
        for row in sorted(rows, key=key_of):
            is_kept = not rebuilds and (
                row.settings_hash in of_strata
                or (row.settings_hash in current and is_current(row, self._first_of_strata(row.window)))
            )
            (self._done if is_kept else self._earlier)[key_of(row)] = row
        if not of_strata.isdisjoint(row.settings_hash for row in self._done.values()):
            self._provenance = replace(provenance, strata_target=strata_target)
        if is_older:
            asked = replace(provenance, settings_hash=earlier.settings_hash)
            is_finished = earlier.is_finished_for(asked)
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

    def has(self, patch: PatchKey) -> bool:
        """Return whether a patch was made under these settings, with the files it is to have."""
        row = self._done.get(patch)
        return row is not None and self._has_kinds(row)

    def has_all(self, window: int) -> bool:
        """Return whether a window that was found has all its patches, with the files they are to have."""
        # Mostly decided without the plan: a first patch is always planned where a format fits.
        if self.plan.crops == 1 or not self.has((window, 0)):
            return self.has((window, 0))
        return all(self.has(key_of(patch)) for patch in self.planned(window))

    def planned(self, window: int) -> Collection[PlannedPatch]:
        """Return the patches that a window that was found is to have."""
        return self._planned(window, self._first_of_strata(window))

    def plan_of(self, window: int) -> Plan:
        """Return the plan of a window's patches, which may not be found yet."""
        return partial(self.plan.patches, first=self._first_of_strata(window))

    def row(self, patch: PatchKey) -> PatchRow | None:
        """Return the row of a patch if it was made under these settings, with whatever files."""
        return self._done.get(patch)

    def lacking(self, patch: PatchKey) -> tuple[FileKind, ...]:
        """Return the kinds of the files that a patch lacks."""
        row = self._done.get(patch)
        return tuple(kind for kind in self.kinds if row is None or kind not in row.kinds)

    def lacking_of(self, window: int) -> tuple[Collection[FileKind] | None, ...]:
        """Return the kinds of the files that each patch of a window lacks, by its number in the window.

        None for one that is as it is to be; no kinds for one that has files too many.
        """
        patches = ((window, crop) for crop in range(self.plan.crops))
        return tuple(None if self.has(patch) else self.lacking(patch) for patch in patches)

    def _has_kinds(self, row: PatchRow) -> bool:
        return row.kinds == self.kinds

    def _first_of_strata(self, window: int) -> PlannedPatch | None:
        """Return the first patch of a window where that of the release before is kept."""
        row = self._done.get((window, 0))
        if row is None or row.settings_hash not in self._of_strata:
            return None
        return PlannedPatch(window, 0, row.format, Rect(row.x, row.y, row.width, row.height))

    @property
    def windows(self) -> int:
        """Windows with a first patch made under these settings, with whatever files."""
        return sum(not crop for _, crop in self._done)

    @property
    def missing(self) -> list[PlannedPatch]:
        """The patches that windows lack which have a first one."""
        if self.plan.crops == 1:
            return []
        there = [window for window, crop in self._done if not crop]
        planned = [patch for window in there for patch in self.planned(window)]
        return [patch for patch in planned if key_of(patch) not in self._done]

    def patches_target(self, accepted: Sequence[int]) -> int:
        """Return the patches that the category is to have; of windows that are yet to be found at most.

        Args:
            accepted: The accepted windows, in the order of the sequence.
        """
        target, crops = self.plan.target, self.plan.crops
        if crops == 1:
            return target
        known = accepted[:target]
        for window in known:
            if window not in self._counts:
                self._counts[window] = len(self.planned(window))
        return sum(self._counts[window] for window in known) + (target - len(known)) * crops

    def keys(self) -> frozenset[PatchKey]:
        """Return the patches made under these settings, with whatever files."""
        return frozenset(self._done)

    def outdated(self) -> frozenset[PatchKey]:
        """Return the patches that these settings do not make."""
        return frozenset(self._earlier) | set(map(key_of, self.given_up))

    def choose(self, accepted: Iterable[int], strata_windows: int) -> list[int]:
        """Return the windows that the category takes.

        Args:
            accepted: The accepted windows, in the order of the sequence.
            strata_windows: Windows that the release before placed, of which a category has others than the
                first ones.
        """
        order = sorted(accepted, key=lambda number: number < strata_windows and (number, 0) not in self._done)
        return order[: self.plan.target]

    def add(self, row: PatchRow) -> None:
        """Record a patch whose files are in place, or that has fewer of them than before."""
        self._done[key_of(row)] = row
        self.is_changed = True

    def look_again(self, window: int) -> None:
        """Keep the patches of a window that was found just now only if they are what is planned for it."""
        first = self._first_of_strata(window)
        for patch in self._of_window(window):
            row = self._done[patch]
            if row.settings_hash not in self._of_strata and not self._is_current(row, first):
                self._earlier[patch] = self._done.pop(patch)
                self.is_changed = True

    def _of_window(self, window: int) -> list[PatchKey]:
        """Return the patches of a window that were made under these settings."""
        return [patch for crop in range(self.plan.crops) if (patch := (window, crop)) in self._done]

    def keep_chosen(self) -> None:
        """Record as many windows that the category takes as the table on disk says."""
        self._provenance = replace(self._provenance, chosen=self.chosen)

    def give_up(self, patches: Iterable[PatchKey] | None) -> None:
        """Give up the rows of other settings of these patches; all of them where None."""
        for patch in list(self._earlier) if patches is None else patches:
            row = self._earlier.pop(patch, None)
            if row is not None:
                self.given_up.append(row)

    def drop(self, window: int) -> None:
        """Give up the patches of a window that is not used after all."""
        for patch in self._of_window(window):
            self.given_up.append(self._done.pop(patch))
            self.is_changed = True

    def keep_only(self, windows: Collection[int]) -> None:
        """Give up the patches of other windows, and record how many windows the category takes."""
        self.is_changed |= len(windows) != self.chosen
        self._provenance = replace(self._provenance, chosen=len(windows))
        for window in {window for window, _ in self._done if window not in windows}:
            self.drop(window)

    def rows(self) -> list[PatchRow]:
        """Return the rows made under these settings, by window and crop."""
        return [self._done[patch] for patch in sorted(self._done)]

    def table_rows(self) -> list[PatchRow]:
        """Return all rows that the table is to hold, those of other settings too, by window and crop."""
        return sorted([*self._done.values(), *self._earlier.values()], key=key_of)

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
