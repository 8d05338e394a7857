"""The rows of a video while they grow, and their checkpoints in the tables.

A ledger takes over what an earlier run committed under the same settings. Rows of other settings stay, with their
files, until a new row replaces them or the ledger is finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dataset_assets.errors import DatasetAssetsError
from dataset_assets.patches.planning import PatchPlan
from dataset_assets.patches.triplets import TripletPaths
from dataset_assets.tables import PATCHES, WINDOWS, PatchRow, Provenance, TableStore, WindowRow
from dataset_assets.video.probe import same_content


class WindowLedger:
    """The windows table of one video."""

    def __init__(self, store: TableStore, key: str, provenance: Provenance, *, afresh: bool) -> None:
        """Takes over the rows that were made from the same.

        Args:
            store: The data set's tables.
            key: The video's key.
            provenance: What the table is made from; `complete` is ignored.
            afresh: Whether earlier rows are ignored.
        """
        self._store = store
        self._key = key
        self._path = store.windows_path(key)
        self._provenance = provenance
        self._rows: dict[int, list[WindowRow]] = {}
        earlier = None if afresh else _provenance(store, self._path)
        self.is_complete = False
        if earlier is not None and _made_from_the_same(earlier, provenance):
            self.is_complete = earlier.complete
            for row in store.read_windows(key):
                self._rows.setdefault(row.window, []).append(row)

    def attempts(self, window: int) -> list[WindowRow] | None:
        """The attempts of a window, the accepted one last; None where it was not looked for yet."""
        return self._rows.get(window, [] if self.is_complete else None)

    def accepted(self, window: int) -> WindowRow | None:
        """The accepted attempt of a window."""
        rows = self._rows.get(window)
        return rows[-1] if rows and rows[-1].accepted else None

    def add(self, window: int, rows: Sequence[WindowRow]) -> None:
        """Records all attempts of a window."""
        self._rows[window] = list(rows)

    def rows(self) -> list[WindowRow]:
        """All rows, by window and attempt."""
        return [row for window in sorted(self._rows) for row in self._rows[window]]

    def commit(self, *, complete: bool) -> None:
        """Replaces the table."""
        self.is_complete = complete
        self._store.write(self._path, WINDOWS, self.rows(), replace(self._provenance, complete=complete))


class PatchLedger:
    """The patches table of one video and category, and the files that its rows name."""

    def __init__(self, store: TableStore, plan: PatchPlan, provenance: Provenance, *, afresh: bool) -> None:
        """Takes over the rows that were made from the same; keeps others until they are replaced.

        Args:
            store: The data set's tables.
            plan: What the category takes of the video.
            provenance: What the table is made from; `complete` is ignored.
            afresh: Whether every patch is made anew.
        """
        self.plan = plan
        self._store = store
        self._path = store.patches_path(plan.category, plan.key)
        self._provenance = provenance
        self._done: dict[int, PatchRow] = {}
        self._earlier: dict[int, PatchRow] = {}
        self._obsolete: list[PatchRow] = []
        earlier = _provenance(store, self._path)
        self.is_complete = (
            not afresh
            and earlier is not None
            and earlier.complete
            and _made_from_the_same(earlier, provenance)
        )
        if earlier is None:
            return
        same_source = same_content(earlier.source_fingerprint, provenance.source_fingerprint)
        same_code = earlier.code_version == provenance.code_version
        for row in store.read_patches(plan.category, plan.key):
            if not same_source:
                self._obsolete.append(row)
            elif row.settings_hash == provenance.settings_hash and same_code and not afresh:
                self._done[row.window] = row
            else:
                self._earlier[row.window] = row

    @property
    def settings_hash(self) -> str:
        """Identity of the settings that new rows are made with."""
        return self._provenance.settings_hash

    def has(self, window: int) -> bool:
        """Whether the window's patch was made under these settings."""
        return window in self._done

    def add(self, row: PatchRow) -> None:
        """Records a patch whose files are about to be committed."""
        self._done[row.window] = row
        replaced = self._earlier.pop(row.window, None)
        if replaced is not None and _files(replaced) != _files(row):
            self._obsolete.append(replaced)

    def rows(self) -> list[PatchRow]:
        """The rows made under these settings, by window."""
        return [self._done[window] for window in sorted(self._done)]

    def commit(self, *, complete: bool) -> None:
        """Replaces the table, then removes the files whose rows are gone with it."""
        if complete:
            self._obsolete.extend(self._earlier.values())
            self._earlier.clear()
            self.is_complete = True
        rows = sorted([*self._done.values(), *self._earlier.values()], key=lambda row: row.window)
        self._store.write(self._path, PATCHES, rows, replace(self._provenance, complete=complete))
        kept = {path for row in rows for path in _files(row)}
        for row in self._obsolete:
            remove_files(self._store.output_base_dir, row, kept)
        self._obsolete.clear()


def remove_files(root: Path, row: PatchRow, kept: set[Path] | frozenset[Path] = frozenset()) -> None:
    """Removes the files of a row that is gone, but for those another row names."""
    for path in _files(row):
        if path not in kept:
            (root / path).unlink(missing_ok=True)


def _files(row: PatchRow) -> tuple[Path, ...]:
    return tuple(TripletPaths(Path(row.gt), Path(row.lr5), Path(row.lr7)))


def _provenance(store: TableStore, path: Path) -> Provenance | None:
    try:
        return store.read_provenance(path)
    except DatasetAssetsError:
        return None  # damaged: made anew


def _made_from_the_same(earlier: Provenance, now: Provenance) -> bool:
    return (
        earlier.settings_hash == now.settings_hash
        and earlier.code_version == now.code_version
        and same_content(earlier.source_fingerprint, now.source_fingerprint)
    )
