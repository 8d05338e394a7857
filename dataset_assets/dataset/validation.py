"""Patches for validation: what was proposed, what a person decided, and the files in `Val/GT`.

Tables are changed under a lock of their own, so that a person can decide while runs work on the video. A file
of ours is in `Val/GT` only while its row says `accepted`: the row is written first, and the file deleted
first. Not here: the files themselves (`val_files`), what is proposed (`curation`), and what training leaves
out (`set_apart`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dataset_assets import layout
from dataset_assets.config import Settings
from dataset_assets.dataset.mirror import Mirror
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.dataset.val_files import Decided, ValFiles
from dataset_assets.disk import create, locked, make_folder
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import VALIDATION, PatchRow, ValidationRow, ValidationState

_VERSION: Final = "1"


@dataclass(frozen=True, slots=True)
class ValidationPatch:
    """A patch that was proposed for validation.

    Attributes:
        video: Key of the video.
        category: Name of the category.
        row: Its row.
    """

    video: str
    category: str
    row: ValidationRow

    @property
    def name(self) -> str:
        """Its name among those of all categories."""
        return f"{self.category}/{self.row.patch_id}"


class Validation:
    """The validation patches of a data set."""

    def __init__(self, folder: Path, tables: TableStore, mirror: Mirror | None = None) -> None:
        """Read nothing yet.

        Args:
            folder: The data set's folder.
            tables: Its tables.
            mirror: The data set in an object store; None where it is in its folder.
        """
        self._folder = folder
        self._tables = tables
        self._mirror = mirror
        self._files = ValFiles(folder, tables, mirror)

    def read(self) -> list[ValidationPatch]:
        """Return the patches that were proposed, accepted or declined, by category, video and window.

        Raises:
            DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
        """
        return [
            ValidationPatch(key, category, row)
            for category, files in self._tables.validation_files().items()
            for key in files
            for row in self._tables.read_validation(category, key)
        ]

    def accepted(self) -> list[ValidationPatch]:
        """Return the patches that were accepted, in the same order.

        Raises:
            DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
        """
        return [each for each in self.read() if each.row.state == "accepted"]

    def make_folder(self, settings: Settings, category: str) -> None:
        """Create the folder for validation pictures of a category."""
        self._files.folder_of(settings, category).mkdir(parents=True, exist_ok=True)

    def propose(self, category: str, proposed: Mapping[str, Sequence[ValidationRow]]) -> None:
        """Replace what is proposed in a category; what was accepted or declined stays.

        Args:
            category: Name of the category.
            proposed: Rows by the key of their video.

        Raises:
            DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
            OSError: The disk is full or cannot be written.
        """
        with self._locked():
            for key in sorted({*self._tables.validation_files().get(category, {}), *proposed}):
                before = self._pulled(category, key)
                decided = [row for row in before if row.state != "proposed"]
                names = {row.patch_id for row in decided}
                new = [row for row in proposed.get(key, ()) if row.patch_id not in names]
                self._write(category, key, before, [*decided, *new])

    def own_hashes(self, settings: Settings, category: str) -> frozenset[str]:
        """Return the hashes of the files that the user has put into `Val/GT` of a category.

        Raises:
            DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
            OSError: A file cannot be read.
        """
        if category not in settings.categories:
            return frozenset()
        paths = {each.row.val_path for each in self.accepted()}
        return self._files.hashes(self._files.folder_of(settings, category), paths)

    def adopt(self, category: str, found: Mapping[str, Sequence[ValidationRow]]) -> int:
        """Accept patches whose GT the user has put into `Val/GT`, unless they were accepted or declined.

        Args:
            category: Name of the category.
            found: Rows by the key of their video.

        Returns:
            How many were accepted.

        Raises:
            DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
            OSError: The disk is full or cannot be written.
        """
        count = 0
        with self._locked():
            for key, rows in found.items():
                before = self._pulled(category, key)
                decided = {row.patch_id for row in before if row.state != "proposed"}
                new = [replace(row, state="accepted") for row in rows if row.patch_id not in decided]
                names = {row.patch_id for row in new}
                self._write(category, key, before, [*(r for r in before if r.patch_id not in names), *new])
                count += len(new)
        return count

    def fetch_gt(self, patches: Iterable[PatchRow]) -> None:
        """Download GT files that this machine lacks, where they are in an object store.

        Raises:
            StoreError: The store cannot be read.
            OSError: The disk is full or cannot be written.
        """
        for patch in patches:
            self._files.fetch(Path(patch.gt_path))

    def forget(self, key: str) -> None:
        """Forget what was proposed or declined of a video; what was accepted stays in `Val/GT`.

        Raises:
            DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
            OSError: The disk cannot be written.
        """
        found = [name for name, files in self._tables.validation_files().items() if key in files]
        if not found:
            return
        with self._locked():
            for category in found:
                before = self._pulled(category, key)
                self._write(category, key, before, [row for row in before if row.state == "accepted"])

    def accept(self, settings: Settings, chosen: Iterable[ValidationPatch]) -> Decided:
        """Accept patches: set them apart, and copy their GT files into `Val/GT`.

        The file of one that is accepted already is put back where it is missing.

        Args:
            settings: The configuration.
            chosen: The patches.

        Raises:
            DatasetAssetsError: A patch is gone or was made again since it was proposed, its file is missing
                or damaged, its category is not configured, or a table cannot be read; nothing was changed.
            OSError: The disk is full or cannot be written; the next call goes on.
        """
        decided, tables = Decided(), _by_table(chosen)
        with self._locked():
            for (category, key), names in tables.items():
                self._files.folder_of(settings, category)
                self._files.contents(category, key, _named(self._pulled(category, key), names), Decided())
            for (category, key), names in tables.items():
                self._accept(settings, category, key, names, decided)
        return decided

    def decline(self, chosen: Iterable[ValidationPatch]) -> Decided:
        """Decline patches, so that they are not proposed again; the file of an accepted one is deleted.

        A file in `Val/GT` that was changed since stays.

        Raises:
            DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
            OSError: The disk cannot be written.
        """
        decided = Decided()
        with self._locked():
            for (category, key), names in _by_table(chosen).items():
                before = self._pulled(category, key)
                self._files.remove_unfinished(_named(before, names))
                for row in _named(before, names):
                    self._files.remove(row, decided)
                changed = _Changing(category, decided)
                self._write(
                    category,
                    key,
                    before,
                    [changed.to(row, "declined", None) if row.patch_id in names else row for row in before],
                )
        return decided

    def file_state(self, patch: ValidationPatch) -> str:
        """Return what is wrong with the file of an accepted patch, in a few words; empty where nothing is."""
        return self._files.state(patch.row)

    def _accept(
        self, settings: Settings, category: str, key: str, names: Collection[str], decided: Decided
    ) -> None:
        before = self._tables.read_validation(category, key)
        self._files.remove_unfinished(_named(before, names))
        contents = self._files.contents(category, key, _named(before, names), decided)
        if not contents:
            return
        folder = self._files.folder_of(settings, category)
        make_folder(folder, self._folder)
        taken = {row.val_path for row in before if row.state == "accepted"}
        changed, after = _Changing(category, decided), []
        for row in before:
            if row.patch_id in contents:
                path = self._files.free_name(folder, row, contents[row.patch_id], taken)
                taken.add(path)
                after.append(changed.to(row, "accepted", path))
            else:
                after.append(row)
        self._write(category, key, before, after)
        for row in after:
            if row.patch_id in contents and row.val_path is not None:
                file = self._folder / row.val_path
                if create(file, contents[row.patch_id]):
                    decided.written.append(file)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time, and one thread, change the tables."""
        folder = self._folder / layout.VALIDATION_TABLES
        make_folder(folder, self._folder)
        # Without: of two that change the same table at the same moment, one may be lost.
        with locked(folder / ".lock", is_needed=False):
            yield

    def _pulled(self, category: str, key: str) -> list[ValidationRow]:
        """Read a table as it is in the store."""
        if self._mirror is not None:
            self._mirror.pull_small(self._tables.validation_path(category, key))
        return self._tables.read_validation(category, key)

    def _write(
        self, category: str, key: str, before: Sequence[ValidationRow], after: Iterable[ValidationRow]
    ) -> None:
        """Replace a table if its rows changed; delete it where none is left."""
        rows, path = (
            sorted(after, key=lambda row: (row.window, row.patch_id)),
            self._tables.validation_path(category, key),
        )
        if rows == list(before):
            return
        if not rows:
            self._tables.remove(path)
            if self._mirror is not None:
                self._mirror.delete_small(path)
            return
        made_from = self._tables.read_provenance(path) or self._tables.read_provenance(
            self._tables.patches_path(category, key)
        )
        if made_from is None:
            raise DatasetAssetsError(f"{key} has no patches in {category} any more", "propose again")
        provenance = replace(
            made_from,
            code_version=_VERSION,
            complete=True,
            target=len(rows),
            chosen=None,
            mix=None,
            strata_target=None,
            outdated=0,
        )
        self._tables.write(path, VALIDATION, rows, provenance)
        if self._mirror is not None:
            self._mirror.put_small(path)


class _Changing:
    """Changes rows, and records which."""

    def __init__(self, category: str, decided: Decided) -> None:
        self._category, self._decided = category, decided

    def to(self, row: ValidationRow, state: ValidationState, val_path: str | None) -> ValidationRow:
        """Return a row in another state; the row itself where that is its state."""
        changed = replace(row, state=state, val_path=val_path)
        if changed == row:
            return row
        if row.state != state:
            self._decided.changed.append(f"{self._category}/{row.patch_id}")
        return replace(changed, changed_at=datetime.now(UTC))


def _by_table(chosen: Iterable[ValidationPatch]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for each in chosen:
        found.setdefault((each.category, each.video), []).append(each.row.patch_id)
    return found


def _named(rows: Sequence[ValidationRow], names: Collection[str]) -> list[ValidationRow]:
    """Return the rows of some patches.

    Raises:
        DatasetAssetsError: One of them has no row any more.
    """
    found = [row for row in rows if row.patch_id in names]
    if gone := set(names) - {row.patch_id for row in found}:
        raise DatasetAssetsError(
            f"{min(gone)} is not proposed any more", "`dataset-assets validation list` shows what is"
        )
    return found
