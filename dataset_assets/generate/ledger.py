"""The rows of a video during a run, and their tables.

A ledger starts with what an earlier run committed under the same settings. Rows of other settings stay, with
their files, until a new row replaces them or the ledger is finished. Not here: files (`checkpoints`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dataset_assets.dataset import DataSet
from dataset_assets.patches import PatchPlan
from dataset_assets.tables import PATCHES, WINDOWS, PatchRow, Provenance, WindowRow


class WindowLedger:
    """The windows table of one video.

    Attributes:
        is_complete: Whether the table on disk is finished.
    """

    def __init__(
        self, data_set: DataSet, key: str, provenance: Provenance, equal: Iterable[str], *, rebuilds: bool
    ) -> None:
        """Take over the rows that were made from the same source with the same settings.

        Args:
            data_set: The data set.
            key: The video's key.
            provenance: What the table is made from; `complete` is ignored.
            equal: Settings hashes that mean the same contents as that of `provenance`.
            rebuilds: Whether earlier rows are ignored.

        Raises:
            DatasetAssetsError: The table is damaged, or from a newer release.
        """
        self._data_set = data_set
        self._path = data_set.tables.windows_path(key)
        self._provenance = provenance
        self._rows: dict[int, list[WindowRow]] = {}
        self.is_complete = False
        earlier = data_set.tables.read_provenance(self._path)
        if not rebuilds and earlier is not None and _made_from_the_same(earlier, provenance, equal):
            self.is_complete = earlier.complete
            for row in data_set.tables.read_windows(key):
                self._rows.setdefault(row.window, []).append(row)

    def attempts(self, window: int) -> list[WindowRow] | None:
        """Return the attempts of a window, the accepted one last; None if it has not been searched."""
        return self._rows.get(window, [] if self.is_complete else None)

    def add(self, window: int, rows: Sequence[WindowRow]) -> None:
        """Record all attempts of a window."""
        self._rows[window] = list(rows)

    def rows(self) -> list[WindowRow]:
        """All rows, by window and attempt."""
        return [row for window in sorted(self._rows) for row in self._rows[window]]

    def commit(self, *, complete: bool) -> None:
        """Replace the table."""
        self._data_set.tables.write(
            self._path, WINDOWS, self.rows(), replace(self._provenance, complete=complete)
        )
        self.is_complete = complete


class PatchLedger:
    """The patches table of one video and category.

    Attributes:
        plan: What the category takes of the video.
        is_complete: Whether the table on disk is finished.
        is_changed: Whether rows were added that are not in the table on disk.
        given_up: Rows that are in the table on disk and will not be in the next one.
    """

    def __init__(
        self,
        data_set: DataSet,
        plan: PatchPlan,
        provenance: Provenance,
        equal: Iterable[str],
        *,
        rebuilds: bool,
    ) -> None:
        """Take over the rows of the same source and settings; keep others until they are replaced.

        Args:
            data_set: The data set.
            plan: What the category takes of the video.
            provenance: What the table is made from; `complete` is ignored.
            equal: Settings hashes that mean the same contents as that of `provenance`.
            rebuilds: Whether to make every patch again.

        Raises:
            DatasetAssetsError: The table is damaged, or from a newer release.
        """
        self.plan = plan
        self.is_complete = False
        self.is_changed = False
        self.given_up: list[PatchRow] = []
        self._data_set = data_set
        self._path = data_set.tables.patches_path(plan.category, plan.key)
        self._provenance = provenance
        self._done: dict[int, PatchRow] = {}
        self._earlier: dict[int, PatchRow] = {}
        earlier = data_set.tables.read_provenance(self._path)
        if earlier is None:
            return
        equal = frozenset(equal)
        self.is_complete = (
            not rebuilds and earlier.complete and _made_from_the_same(earlier, provenance, equal)
        )
        rows = data_set.tables.read_patches(plan.category, plan.key)
        if not earlier.source_fingerprint.has_same_content(provenance.source_fingerprint):
            # A table names one source for all its rows.
            self.given_up = rows
            return
        for row in rows:
            if rebuilds or row.settings_hash not in equal:
                self._earlier[row.window] = row
            else:
                # A table has one hash in all rows once it is finished.
                current = row if self.is_complete else replace(row, settings_hash=self.settings_hash)
                self._done[row.window] = current

    @property
    def settings_hash(self) -> str:
        """Identity of the settings that new rows are made with."""
        return self._provenance.settings_hash

    @property
    def made(self) -> int:
        """Patches made under these settings, by this run or an earlier one."""
        return len(self._done)

    @property
    def size_bytes(self) -> int:
        """Bytes of the triplets made under these settings."""
        return sum(row.size_bytes for row in self._done.values())

    def has(self, window: int) -> bool:
        """Return whether the window's patch was made under these settings."""
        return window in self._done

    def add(self, row: PatchRow) -> None:
        """Record a patch whose files are in place."""
        self._done[row.window] = row
        self.is_changed = True

    def give_up(self, windows: Iterable[int] | None) -> None:
        """Give up the rows of other settings of these windows; of all windows where None."""
        for window in list(self._earlier) if windows is None else windows:
            row = self._earlier.pop(window, None)
            if row is not None:
                self.given_up.append(row)

    def rows(self) -> list[PatchRow]:
        """Return the rows made under these settings, by window."""
        return [self._done[window] for window in sorted(self._done)]

    def commit(self, *, complete: bool) -> None:
        """Replace the table."""
        rows = sorted([*self._done.values(), *self._earlier.values()], key=lambda row: row.window)
        self._data_set.tables.write(self._path, PATCHES, rows, replace(self._provenance, complete=complete))
        self.is_complete = complete
        self.is_changed = False
        self.given_up = []


def _made_from_the_same(earlier: Provenance, now: Provenance, equal: Iterable[str]) -> bool:
    is_same_film = earlier.source_fingerprint.has_same_content(now.source_fingerprint)
    return is_same_film and earlier.settings_hash in equal
