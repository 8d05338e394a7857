"""The files of a video that a killed run may leave behind: written down before they are touched.

A file is noted before it is written, and before its row is given up. Whatever then ends the run, `settle`
finds every file without a row in the notes, however many files the folders hold and whatever the
configuration says by then.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

from dataset_assets.patches.triplets import TripletPaths, flush, temporary
from dataset_assets.tables import PatchRow, TableStore

JOURNAL_FOLDER = ".journals"


def files_of(row: PatchRow) -> TripletPaths:
    """The files that a row names, relative to the data set's folder."""
    return TripletPaths(Path(row.gt), Path(row.lr5), Path(row.lr7))


class Journal:
    """The noted files of one video; used under the video's lock."""

    def __init__(self, store: TableStore, key: str) -> None:
        """Takes over what an earlier run noted.

        Args:
            store: The data set's tables.
            key: The video's key.
        """
        self._store = store
        self._key = key
        self._path = store.root / JOURNAL_FOLDER / key
        self._noted = _read(self._path)

    def note(self, triplets: Iterable[TripletPaths]) -> None:
        """Notes files that are about to be written, or whose rows are about to be given up."""
        names = [[path.as_posix() for path in triplet] for triplet in triplets]
        if not names:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(triplet) + "\n" for triplet in names)
        self._noted.update(Path(name) for triplet in names for name in triplet)

    def sync(self) -> None:
        """Flushes the notes to disk."""
        if self._noted:
            flush(self._path)
            flush(self._path.parent)

    def settle(self, named: Collection[Path] = ()) -> None:
        """Removes the noted files that no row of the video names, and forgets the notes.

        Args:
            named: Files known to have rows, so that the tables need not be read for them.
        """
        if not self._noted:
            return
        root = self._store.output_base_dir
        for path in self._noted:
            temporary(root / path).unlink(missing_ok=True)
        unsure = self._noted.difference(named)
        unnamed = unsure - self._named_files() if unsure else unsure
        for path in unnamed:
            (root / path).unlink(missing_ok=True)
        for folder in {path.parent for path in unnamed}:
            _remove_empty(root, folder)
        self._path.unlink(missing_ok=True)
        self._noted.clear()

    def _named_files(self) -> set[Path]:
        """The files that rows of the video name, in every category that has a table."""
        tables = (self._store.read_patches(name, self._key) for name in self._store.categories())
        return {path for rows in tables for row in rows for path in files_of(row)}


def _read(path: Path) -> set[Path]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return set()
    noted: set[Path] = set()
    for line in lines:
        try:
            noted.update(map(Path, json.loads(line)))
        except (ValueError, TypeError):
            continue  # the last line of a killed run
    return noted


def _remove_empty(root: Path, folder: Path) -> None:
    """Removes a folder below `root` and the folders above it, as far as they are empty."""
    while folder.parts:
        try:
            (root / folder).rmdir()
        except OSError:
            return
        folder = folder.parent
