"""Files of triplets that no row names.

The folders of a data set hold tens of millions of files, so their names are iterated over once and not kept:
in memory are a bit for each row of the tables (1 MB for 7.5 million rows) and the files without a row. Not
here: deleting them (`verify.repair`, `journal`).
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Final

from dataset_assets import layout
from dataset_assets.config import Category, Settings
from dataset_assets.dataset.degraded import named_degraded
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.dataset.triplets import FILE_NAME, TripletPaths, patch_id, triplet_paths
from dataset_assets.disk import temporaries, temporary
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.frames import DEGRADED_FOLDER, FileKind
from dataset_assets.tables import PatchRow

# Of 1000 windows in three categories with five formats some 5000 names, half a second on a network drive.
FILES_SAMPLE: Final = 50


@dataclass(slots=True)
class Strays:
    """Files in the folders of the categories that no row named when they were listed.

    Attributes:
        by_key: The files of each triplet that such files belong to, or its degraded stack, by video.
        foreign: Files that are not named as a patch of this data set's videos, relative to its folder.
    """

    by_key: dict[str, set[tuple[Path, ...]]] = field(default_factory=lambda: defaultdict(set))
    foreign: list[Path] = field(default_factory=list)


def find_strays(
    settings: Settings,
    folder: Path,
    tables: TableStore,
    keys: Collection[str],
    known: Collection[str],
) -> Strays:
    """Search the folders of all categories.

    Args:
        settings: The configuration.
        folder: The data set's folder.
        tables: Its tables.
        keys: Videos to look for.
        known: Videos of the data set; files of others are foreign.
    """
    strays = Strays()
    wanted, known = set(keys), set(known)
    named = _windows_with_rows(tables, wanted)
    for place in _format_folders(settings, folder, named):
        for kind in (*FileKind, DEGRADED_FOLDER):
            for name in _names(folder / place / kind):
                match = FILE_NAME.fullmatch(name)
                if (
                    match is None
                    or bool(match["hidden"]) != bool(match["temporary"])
                    or match["key"] not in known
                ):
                    strays.foreign.append(place / kind / name)
                    continue
                key, window, crop = match["key"], int(match["window"]), int(match["crop"] or 0)
                has_row = named.get(place / kind, {}).get((key, crop), 0) >> window & 1
                if key in wanted and (match["temporary"] or not has_row):
                    strays.by_key[key].add(_files(place, kind, patch_id(key, window, crop)))
    return strays


@dataclass(frozen=True, slots=True)
class FileSample:
    """Files of a sample of a video's candidates, compared with the rows that name them.

    Attributes:
        candidates: Candidates in the sample.
        named: Files that rows name of these.
        missing: Those of them that do not exist.
        unnamed: Files that exist and that no row names, unfinished ones too.
    """

    candidates: int
    named: int
    missing: Sequence[Path]
    unnamed: Sequence[Path]


def compare_sample(
    root: Path, key: str, category: Category, rows: Sequence[PatchRow], candidates: int
) -> FileSample:
    """Compare the files of a sample of candidates, spread evenly over a video, with the rows of a category.

    Names are looked up one by one: a folder holds the files of all videos, and listing it for each of them
    costs the more the larger the data set is.

    Args:
        root: The data set's folder.
        key: The video's key.
        category: The category.
        rows: Its rows of the video.
        candidates: Candidates of the video, accepted or not.
    """
    numbers = range(max([candidates, *(row.window + 1 for row in rows)]))
    sample = numbers[:: max(1, -(-len(numbers) // FILES_SAMPLE))]
    named = {path for row in rows if row.window in sample for path in TripletPaths.of(row)}
    missing = [path for path in named if not (root / path).is_file()]
    unnamed = []
    # One more than there are, which a smaller number of crops would have left behind.
    crops = range(2 + max((row.crop for row in rows), default=0))
    # Folders of formats that left the configuration too; the user's Val/GT is not made by us.
    folders = {path.parent for path in named} | {
        (Path(category.folder) / name / kind)
        for name in _names(root / category.folder)
        if name != layout.VALIDATION.parts[0]
        for kind in FileKind
    }
    for folder in (each for each in folders if (root / each).is_dir()):
        for number, crop in product(sample, crops):
            path = folder / f"{patch_id(key, number, crop)}.png"
            for each in (path, temporary(path)):
                if each not in named and (root / each).exists():
                    unnamed.append(each)
    return FileSample(len(sample), len(named), sorted(missing), sorted(unnamed))


def files_without_row(root: Path, triplet: Iterable[Path], named: Collection[Path]) -> Iterator[Path]:
    """Yield the files of a triplet that exist without a row, temporary ones last; relative to `root`.

    Args:
        root: The data set's folder.
        triplet: The files, of one triplet.
        named: The files that rows of the video name.
    """
    paths = tuple(triplet)
    yield from (path for path in paths if path not in named and (root / path).exists())
    for path in paths:
        yield from (each.relative_to(root) for each in temporaries(root / path))


def _windows_with_rows(tables: TableStore, keys: Set[str]) -> dict[Path, dict[tuple[str, int], int]]:
    """By folder, video and crop a number whose bit n says that a row names that file of window n there."""
    named: dict[Path, dict[tuple[str, int], int]] = defaultdict(dict)
    for category in tables.categories():
        for key in keys & tables.patches_files(category).keys():
            try:
                rows = tables.read_patches(category, key)
            except DatasetAssetsError:
                continue  # reported where the table is verified
            files = [file for row in rows for file in TripletPaths.of(row)]
            files += [Path(row.path) for row in named_degraded(tables, category, key)]
            for file in files:
                match = FILE_NAME.fullmatch(file.name)
                if match is not None and match["key"] == key:
                    windows = named[file.parent]
                    of_crop = key, int(match["crop"] or 0)
                    windows[of_crop] = windows.get(of_crop, 0) | 1 << int(match["window"])
    return named


def _files(place: Path, kind: str, name: str) -> tuple[Path, ...]:
    """Return the files that belong together: those of a triplet, or its degraded stack."""
    if kind == DEGRADED_FOLDER:
        return (place / kind / f"{name}.png",)
    return tuple(triplet_paths(place.parent.as_posix(), place.name, name, tuple(FileKind)))


def _format_folders(settings: Settings, root: Path, named: Collection[Path]) -> list[Path]:
    """Return the folders that hold GT and LR folders, by configuration and by rows; relative to `root`."""
    folders = {folder.parent for folder in named if not folder.is_absolute() and ".." not in folder.parts}
    for category in settings.categories.values():
        folder = Path(category.folder)
        for name in _names(root / folder):
            if name != layout.VALIDATION.parts[0] and any(
                (root / folder / name / kind).is_dir() for kind in FileKind
            ):
                folders.add(folder / name)
        # A format's folder may have several parts.
        folders.update(folder / settings.formats[name].folder for name in category.mix)
    return sorted(folders)


def _names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield entry.name
    except (FileNotFoundError, NotADirectoryError):
        return
