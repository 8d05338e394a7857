"""The files of accepted patches in `Val/GT`: their names, contents, and when they may be deleted.

The user's own files there are neither replaced nor deleted. Not here: which patches are accepted
(`validation`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dataset_assets import layout
from dataset_assets.config import Settings
from dataset_assets.dataset.mirror import Mirror
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.dataset.triplets import content_hash
from dataset_assets.disk import flush, temporaries
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import PatchRow, ValidationRow


@dataclass(slots=True)
class Decided:
    """What a decision did.

    Attributes:
        changed: Names of the patches whose state it changed.
        written: Files that were put into `Val/GT`.
        removed: Files that were deleted there.
        kept: One sentence for each file that is not as it should be, and was left alone.
    """

    changed: list[str] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


class ValFiles:
    """The files in `Val/GT` of a data set."""

    def __init__(self, folder: Path, tables: TableStore, mirror: Mirror | None) -> None:
        """Read nothing yet.

        Args:
            folder: The data set's folder.
            tables: Its tables.
            mirror: The data set in an object store; None where it is in its folder.
        """
        self._folder = folder
        self._tables = tables
        self._mirror = mirror

    def state(self, row: ValidationRow) -> str:
        """Return what is wrong with the file of an accepted patch, in a few words; empty where nothing is."""
        if row.state != "accepted" or row.val_path is None:
            return ""
        try:
            content = (self._folder / row.val_path).read_bytes()
        except OSError:
            return f"{row.val_path} is missing"
        return "" if content_hash(content) == row.gt_hash else f"{row.val_path} was changed"

    def fetch(self, path: Path) -> None:
        """Download a file of the data set that this machine lacks, where it is in an object store.

        Raises:
            StoreError: The store cannot be read.
            OSError: The disk is full or cannot be written.
        """
        if self._mirror is not None and not (self._folder / path).exists():
            self._mirror.fetch(path)

    def hashes(self, folder: Path, own: Collection[str | None]) -> frozenset[str]:
        """Return the hashes of the user's own files in a folder `Val/GT`.

        Args:
            folder: The folder; may be absent.
            own: Files that were put there for accepted patches, relative to the data set's folder.
        """
        taken = {self._folder / each for each in own if each is not None}
        paths = [path for path in folder.glob("[!.]*") if path.is_file() and path not in taken]
        return frozenset(content_hash(path.read_bytes()) for path in paths)

    def contents(
        self, category: str, key: str, rows: Iterable[ValidationRow], decided: Decided
    ) -> dict[str, bytes]:
        """Return the GT files of the patches that need one in `Val/GT`, by `patch_id`."""
        patches = {row.patch_id: row for row in self._tables.read_patches(category, key)}
        found = {
            row.patch_id: self._content(category, row, patches.get(row.patch_id), decided) for row in rows
        }
        return {name: content for name, content in found.items() if content is not None}

    def _content(
        self, category: str, row: ValidationRow, patch: PatchRow | None, decided: Decided
    ) -> bytes | None:
        """Return the GT file of a patch; None where it is accepted and needs none."""
        if row.state == "accepted" and (row.val_path is None or (self._folder / row.val_path).exists()):
            return None
        name = f"{category}/{row.patch_id}"
        if patch is None or patch.gt_hash != row.gt_hash:
            what = f"{name} {'is gone' if patch is None else 'was made again'} since it was proposed"
            if row.state == "accepted":
                decided.kept.append(f"{what}, so its missing file {row.val_path} cannot be put back")
                return None
            raise DatasetAssetsError(what, "propose again: `dataset-assets validation propose`")
        self.fetch(Path(patch.gt_path))
        path = self._folder / patch.gt_path
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            content = b""
        if content_hash(content) != row.gt_hash:
            raise DatasetAssetsError(
                f"{name}: {path} is missing or damaged",
                "`dataset-assets verify --repair` and then `dataset-assets generate` rebuild it",
            )
        return content

    def free_name(
        self, folder: Path, row: ValidationRow, content: bytes, taken: Collection[str | None]
    ) -> str | None:
        """Return the path of a file that does not exist yet; None where the user has put the same there."""
        number = 1
        while True:
            ending = "" if number == 1 else f"-{number}"
            path = folder / f"{row.patch_id}{ending}.png"
            name = path.relative_to(self._folder).as_posix()
            if name == row.val_path and not path.exists():
                return name
            if name not in taken:
                if not path.exists():
                    return name
                if path.is_file() and path.read_bytes() == content:
                    return None
            number += 1

    def remove_unfinished(self, rows: Iterable[ValidationRow]) -> None:
        """Delete what a killed process left of the files of some patches."""
        for row in rows:
            if row.val_path is not None:
                for path in temporaries(self._folder / row.val_path):
                    path.unlink(missing_ok=True)

    def remove(self, row: ValidationRow, decided: Decided) -> None:
        """Delete the file of a patch, unless it was changed since."""
        if row.val_path is None:
            return
        path = self._folder / row.val_path
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return
        if content_hash(content) != row.gt_hash:
            decided.kept.append(f"{path} was changed since, so it stays")
            return
        path.unlink()
        flush(path.parent)
        decided.removed.append(path)

    def folder_of(self, settings: Settings, category: str) -> Path:
        """Return the folder `Val/GT` of a category.

        Raises:
            DatasetAssetsError: It is not configured.
        """
        if category not in settings.categories:
            raise DatasetAssetsError(
                f"The category {category!r} is not in the configuration any more",
                f"add it again, or decline its patches: {', '.join(settings.categories)} are there",
            )
        return self._folder / settings.categories[category].folder / layout.VALIDATION
