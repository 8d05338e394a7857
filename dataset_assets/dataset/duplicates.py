"""The near-duplicates of a data set: its table, and which of its rows are true of the windows as they are.

One file for all videos, unlike the other tables. A row is a function of two videos alone, so that a new video
adds rows to any other; files of videos could not be written while runs hold them. Its footer says which
videos were compared, a hash each; a file for each video would have to say that of each pair. Not here:
finding them (`curation`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dataset_assets.dataset.accepted import signature_hash
from dataset_assets.dataset.holding import Holding
from dataset_assets.dataset.mirror import Mirror
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.disk import locked, make_folder
from dataset_assets.tables import PATCHES, DuplicateRow, write_duplicates

Place = tuple[str, str, int]
"""Category, video and window of a patch."""

_LOCK: Final = ".lock"


class Duplicates:
    """The table of near-duplicates of a data set.

    Attributes:
        path: Its file.
    """

    def __init__(
        self, root: Path, tables: TableStore, holding: Holding, mirror: Mirror | None = None
    ) -> None:
        """Read nothing yet.

        Args:
            root: The data set's folder.
            tables: Its tables.
            holding: Who may write what.
            mirror: The data set in an object store; None where it is in its folder.
        """
        self.path = tables.duplicates_path
        self._root = root
        self._holding = holding
        self._mirror = mirror

    @property
    def has_all_pictures(self) -> bool:
        """Whether every machine has the small pictures: in an object store there are none."""
        return self._mirror is None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Let one process of all machines at a time change the table, as it is in the store; others wait.

        Raises:
            DatasetAssetsError: The data set is made in another way than the configuration says.
            OSError: The disk cannot be written.
        """
        make_folder(self.path.parent, self._root)
        lock = self.path.with_name(_LOCK)
        with self._holding.alone("duplicates"), locked(lock, is_needed=False):
            if self._mirror is not None:
                self._mirror.pull_small(self.path)
                make_folder(self.path.parent, self._root)
            yield

    def write(self, rows: Collection[DuplicateRow], compared: Mapping[str, str]) -> None:
        """Replace the table; used inside `changing`.

        Raises:
            OSError: The disk is full or cannot be written; the old file stays.
            StoreError: The object store cannot be written.
        """
        write_duplicates(self.path, list(rows), compared)
        if self._mirror is not None:
            self._mirror.put_small(self.path)


def current_duplicates(tables: TableStore, videos: Collection[str] | None = None) -> list[DuplicateRow]:
    """Return the near-duplicates whose windows are both still there and show what they showed.

    Args:
        tables: The tables of the data set.
        videos: Keys of the later videos; all by default.

    Raises:
        DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
    """
    table = tables.read_duplicates()
    rows = [row for row in table.rows if videos is None or row.video in videos] if table else []
    named = sorted({key for row in rows for key in (row.video, row.of_video)})
    hashes = {key: _hashes(tables, key) for key in named}
    return [
        row
        for row in rows
        if hashes[row.video].get(row.window) == row.signature_hash
        and hashes[row.of_video].get(row.of_window) == row.of_signature_hash
    ]


def duplicates_of(tables: TableStore, places: Collection[Place]) -> dict[Place, str]:
    """Return the earlier windows that windows of patches are near-duplicates of.

    Only one that has a patch in the same category counts: a picture that one model learns from is new to
    another. Of several the one of the earliest video.

    Args:
        tables: The tables of the data set.
        places: Category, video and window of the patches.

    Returns:
        `<of_video>:<of_window>` by place, for those that have one.

    Raises:
        DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
    """
    rows = current_duplicates(tables, {video for _, video, _ in places})
    categories = sorted({category for category, _, _ in places})
    there = {
        (category, key): _windows_with_patch(tables, category, key)
        for key in {row.of_video for row in rows}
        for category in categories
    }
    found: dict[Place, str] = {}
    for row in sorted(rows, key=lambda row: row.of_video):
        for category in categories:
            place = category, row.video, row.window
            if place in places and row.of_window in there[category, row.of_video]:
                found.setdefault(place, f"{row.of_video}:{row.of_window}")
    return found


def _hashes(tables: TableStore, key: str) -> dict[int, str]:
    accepted = tables.read_accepted(key)
    pairs = zip(accepted.windows.tolist(), accepted.signatures, strict=True)
    return {window: signature_hash(signature.tobytes()) for window, signature in pairs}


def _windows_with_patch(tables: TableStore, category: str, key: str) -> frozenset[int]:
    table = tables.read_columns(tables.patches_path(category, key), PATCHES, ("window",))
    return frozenset() if table is None else frozenset(table["window"].to_pylist())
