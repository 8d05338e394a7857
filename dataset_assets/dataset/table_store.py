"""The tables of a data set: their paths, which exist, and how they are replaced and deleted.

Not here: what a file contains (`tables`), and what to write and when (`generate`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from dataset_assets import layout
from dataset_assets.dataset.accepted import ACCEPTED_COLUMNS, AcceptedWindows
from dataset_assets.disk import flush, make_folder, temporaries
from dataset_assets.errors import DamagedTableError
from dataset_assets.tables import (
    DEGRADATIONS,
    PATCHES,
    SCORES,
    VALIDATION,
    VIDEOS,
    WINDOWS,
    Counts,
    DegradedRow,
    DuplicatesTable,
    PatchRow,
    Provenance,
    Row,
    ScoreRow,
    ValidationRow,
    VideoRow,
    WindowRow,
    read_columns,
    read_duplicates,
    read_footer,
    read_table,
    write_table,
)

_FILE = "part-0.parquet"
_VIDEO = "video="
_CATEGORY = "category="
_OF_CATEGORIES = ("patches", "scores", "degradations")
# The command that replaces a damaged table; `generate` makes the others.
_MADE_AGAIN_BY = (("score", SCORES), ("degrade", DEGRADATIONS))


class TableStore:
    """The tables of one data set.

    Any number of processes may read and write different videos at once; the caller prevents two from writing
    the same video. Nothing is cached: what is returned is on the disk.

    Attributes:
        root: The folder that holds the tables.
    """

    def __init__(self, folder: Path) -> None:
        """Store the folder; nothing is read.

        Args:
            folder: The data set's folder.
        """
        self._folder = folder
        self.root = folder / layout.METADATA

    def video_path(self, key: str) -> Path:
        """Return the file of a video's row in the videos table."""
        return self.root / f"videos/{_VIDEO}{key}/{_FILE}"

    def windows_path(self, key: str) -> Path:
        """Return the file of a video's windows table."""
        return self.root / f"windows/{_VIDEO}{key}/{_FILE}"

    def patches_path(self, category: str, key: str) -> Path:
        """Return the file of a video's patches table for a category."""
        return self.root / f"patches/{_CATEGORY}{category}/{_VIDEO}{key}/{_FILE}"

    def scores_path(self, category: str, key: str) -> Path:
        """Return the file of the scores of a video's patches for a category."""
        return self.root / f"scores/{_CATEGORY}{category}/{_VIDEO}{key}/{_FILE}"

    def validation_path(self, category: str, key: str) -> Path:
        """Return the file of a video's validation patches for a category."""
        return self.root / f"validation/{_CATEGORY}{category}/{_VIDEO}{key}/{_FILE}"

    def degradations_path(self, category: str, key: str) -> Path:
        """Return the file of a video's degraded stacks for a category."""
        return self.root / f"degradations/{_CATEGORY}{category}/{_VIDEO}{key}/{_FILE}"

    @property
    def duplicates_path(self) -> Path:
        """The file of the table of near-duplicates, one for all videos."""
        return self._folder / layout.DUPLICATES / _FILE

    def video_files(self) -> dict[str, Path]:
        """List the files of the videos table by video key, sorted."""
        return _by_video(self.root / "videos")

    def windows_files(self) -> dict[str, Path]:
        """List the windows tables by video key, sorted."""
        return _by_video(self.root / "windows")

    def patches_files(self, category: str) -> dict[str, Path]:
        """List a category's patches tables by video key, sorted."""
        return _by_video(self.root / "patches" / f"{_CATEGORY}{category}")

    def scores_files(self, category: str) -> dict[str, Path]:
        """List a category's scores tables by video key, sorted."""
        return _by_video(self.root / "scores" / f"{_CATEGORY}{category}")

    def validation_files(self) -> dict[str, dict[str, Path]]:
        """List the tables of validation patches by category and video key, sorted."""
        folder = self.root / "validation"
        return {name: _by_video(folder / f"{_CATEGORY}{name}") for name in self._category_names("validation")}

    def degradations_files(self, category: str) -> dict[str, Path]:
        """List a category's tables of degraded stacks by video key, sorted."""
        return _by_video(self.root / "degradations" / f"{_CATEGORY}{category}")

    def categories(self) -> list[str]:
        """List the categories that have a patches table, sorted."""
        folder = self.root / "patches"
        return [
            name
            for name in self._category_names("patches")
            if any(folder.glob(f"{_CATEGORY}{name}/{_VIDEO}*/{_FILE}"))
        ]

    def categories_of(self, key: str) -> list[str]:
        """List the categories in which a video has a table of patches, or of what is made of them, sorted."""
        return [
            name
            for name in self._names_of_categories()
            if any(path.exists() for path in self.paths_of_categories(key, [name]))
        ]

    def paths_of_categories(self, key: str, categories: Iterable[str]) -> Iterator[Path]:
        """Yield the files of a video's tables of categories, in the order in which they are deleted.

        The patches table last: a run that is killed in between leaves none without it.
        """
        for category in categories:
            yield self.scores_path(category, key)
            yield self.degradations_path(category, key)
            yield self.patches_path(category, key)

    def keys(self) -> list[str]:
        """List the keys of the videos that have a table of any kind, sorted."""
        keys = {*self.video_files(), *self.windows_files()}
        for category in self.categories():
            keys.update(self.patches_files(category))
        return sorted(keys)

    def write(
        self,
        path: Path,
        schema: pa.Schema,
        rows: Sequence[Row],
        provenance: Provenance,
        *,
        writer: int = 0,
    ) -> None:
        """Replace a table as `write_table` does, and make its folder where it is absent.

        Args:
            path: A file that `video_path`, `windows_path` or another of these methods gave.
            schema: The table's schema.
            rows: The rows of that table, in the order to store them; none is allowed.
            provenance: What the rows were made from.
            writer: Number of the lease under which it is written, see `disk.temporary`.

        Raises:
            OSError: The disk is full or cannot be written; the old file stays, and no temporary one.
        """
        if not path.exists():
            make_folder(path.parent, self._folder)
        write_table(path, schema, rows, provenance, writer=writer)

    def temporaries(self, key: str) -> list[Path]:
        """List the temporary files of a video's tables: a run that was killed leaves them."""
        tables = [self.video_path(key), self.windows_path(key)]
        tables += self.paths_of_categories(key, self._names_of_categories())
        return [path for table in tables for path in temporaries(table)]

    def read_video(self, key: str) -> VideoRow | None:
        """Read a video's row; None where it has none.

        Raises:
            DatasetAssetsError: The file is damaged, from a newer release, or cannot be read.
        """
        path = self.video_path(key)
        rows = read_table(path, _name(path), VIDEOS, VideoRow)
        return rows[0] if rows else None

    def read_windows(self, key: str) -> list[WindowRow]:
        """Read every candidate at a video's windows in the order written; empty where there is no table.

        Raises:
            DatasetAssetsError: The file is damaged, from a newer release, or cannot be read.
        """
        path = self.windows_path(key)
        return read_table(path, _name(path), WINDOWS, WindowRow)

    def read_duplicates(self) -> DuplicatesTable | None:
        """Read the near-duplicates of all videos; None where the videos were never compared.

        A row may be of windows that are gone or show something else since, see `current_duplicates`.

        Raises:
            DamagedTableError: The file is damaged.
            DatasetAssetsError: It is from a newer release, or cannot be read.
        """
        return read_duplicates(self.duplicates_path)

    def read_accepted(self, key: str) -> AcceptedWindows:
        """Read the accepted windows of a video as arrays, a tenth of the cost of their rows.

        Raises:
            DatasetAssetsError: The file is damaged, from a newer release, or cannot be read.
        """
        return AcceptedWindows.of(self.read_columns(self.windows_path(key), WINDOWS, ACCEPTED_COLUMNS))

    def read_patches(self, category: str, key: str) -> list[PatchRow]:
        """Read a video's patches for a category in the order written; empty where there is no table.

        Raises:
            DatasetAssetsError: The file is damaged, from a newer release, or cannot be read.
        """
        path = self.patches_path(category, key)
        return read_table(path, _name(path), PATCHES, PatchRow)

    def read_scores(self, category: str, key: str) -> list[ScoreRow]:
        """Read the scores of a video's patches for a category; empty where there is no table.

        A patch may have no row, or one of earlier files (`ScoreRow.is_of`), and a row no patch any more.

        Raises:
            DamagedTableError: The file is damaged.
            DatasetAssetsError: It is from a newer release, or cannot be read.
        """
        path = self.scores_path(category, key)
        try:
            return read_table(path, _name(path), SCORES, ScoreRow)
        except DamagedTableError as error:
            raise _with_remedy(error, SCORES) from error

    def read_columns(self, path: Path, schema: pa.Schema, columns: Collection[str]) -> pa.Table | None:
        """Read some columns of a table as they are stored; None where there is no file.

        It takes a tenth of the time that rows take.

        Args:
            path: A file that `video_path`, `windows_path`, `patches_path` or `scores_path` gave.
            schema: Its schema.
            columns: Names of the columns.

        Raises:
            DatasetAssetsError: The file is damaged, from a newer release, or cannot be read.
        """
        try:
            return read_columns(path, _name(path), schema, columns)
        except DamagedTableError as error:
            raise _with_remedy(error, schema) from error

    def read_validation(self, category: str, key: str) -> list[ValidationRow]:
        """Read a video's validation patches for a category; empty where there is no table.

        Raises:
            DamagedTableError: The file is damaged.
            DatasetAssetsError: It is from a newer release, or cannot be read.
        """
        path = self.validation_path(category, key)
        try:
            return read_table(path, _name(path), VALIDATION, ValidationRow)
        except DamagedTableError as error:
            raise DamagedTableError(
                error.what, "restore it from a backup, or delete it: its files in Val/GT are then your own."
            ) from error

    def read_degradations(self, category: str, key: str) -> list[DegradedRow]:
        """Read a video's degraded stacks for a category; empty where there is no table.

        A patch may have no row, or one of earlier files (`DegradedRow.is_of`).

        Raises:
            DamagedTableError: The file is damaged.
            DatasetAssetsError: It is from a newer release, or cannot be read.
        """
        path = self.degradations_path(category, key)
        try:
            return read_table(path, _name(path), DEGRADATIONS, DegradedRow)
        except DamagedTableError as error:
            raise _with_remedy(error, DEGRADATIONS) from error

    def read_provenance(self, path: Path) -> Provenance | None:
        """Read what a table was made from, from its footer only; None where the file is absent.

        Raises:
            DatasetAssetsError: The footer is damaged, from a newer release, or cannot be read.
        """
        records = self.read_footer(path)
        return records[0] if records else None

    def read_footer(self, path: Path) -> tuple[Provenance, Counts] | None:
        """Read what a table was made from and how many rows of each kind it has; None where it is absent.

        Raises:
            DatasetAssetsError: The footer is damaged, from a newer release, or cannot be read.
        """
        return read_footer(path, _name(path))

    def remove(self, path: Path) -> None:
        """Remove a table, and the folders above it that are empty then, up to the one that holds all tables.

        A table that is absent is no error.
        """
        folder = path.parent
        if not folder.is_dir():
            return
        for unfinished in temporaries(path):
            unfinished.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        # Before returning: the caller removes the files that the table names.
        flush(folder)
        for emptied in (folder, *folder.parents):
            if self.root not in emptied.parents:
                return
            try:
                emptied.rmdir()
                flush(emptied.parent)
            except OSError:
                # Not empty, or another process was quicker.
                return

    def remove_temporaries(self, key: str) -> None:
        """Delete the unfinished files of a video's tables that a killed run left behind."""
        for leftover in self.temporaries(key):
            leftover.unlink(missing_ok=True)

    def _names_of_categories(self) -> list[str]:
        """List the categories that have a folder of tables of any kind, sorted."""
        return sorted({name for kind in _OF_CATEGORIES for name in self._category_names(kind)})

    def _category_names(self, kind: str) -> list[str]:
        """List the categories that have a folder of tables of a kind, sorted."""
        folders = (self.root / kind).glob(f"{_CATEGORY}*")
        return sorted(folder.name.removeprefix(_CATEGORY) for folder in folders)


def _name(path: Path) -> str:
    """Return what a table is, in words, such as `the general patches table of alpha`."""
    video, above = path.parent, path.parent.parent
    category = above.name.removeprefix(_CATEGORY) if above.name.startswith(_CATEGORY) else ""
    kind = f"{category} {above.parent.name}" if category else above.name
    return f"the {kind} table of {video.name.removeprefix(_VIDEO)}"


def _with_remedy(error: DamagedTableError, schema: pa.Schema) -> DamagedTableError:
    command = next((name for name, each in _MADE_AGAIN_BY if schema is each), None)
    remedy = f"run {command} again, which replaces it." if command else error.remedy
    return DamagedTableError(error.what, remedy)


def _by_video(folder: Path) -> dict[str, Path]:
    # Not glob, which takes four times as long to go through 5000 videos.
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.startswith(_VIDEO))
    except FileNotFoundError:
        return {}
    files = {name.removeprefix(_VIDEO): folder / f"{name}/{_FILE}" for name in names}
    return {key: file for key, file in files.items() if file.exists()}
