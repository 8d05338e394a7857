"""Files that no row names, and what runs that were killed left behind.

The folders of a data set hold tens of millions of files, so their names are gone through once and never
kept: what is kept is a bit for each row of the tables (1 MB for 7.5 million rows), and the files without one.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path

from dataset_assets.config import Settings
from dataset_assets.disk import TEMPORARY_SUFFIX, temporary
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.generate.journal import JOURNAL_FOLDER
from dataset_assets.generate.progress import read_all_progress
from dataset_assets.generate.video_pass import PROGRESS_FOLDER, VALIDATION_FOLDER
from dataset_assets.patches.triplets import KINDS, TripletPaths, patch_id, triplet_paths
from dataset_assets.tables import TableStore

PICTURE = re.compile(
    rf"(?P<hidden>\.?)(?P<key>[a-z0-9][a-z0-9-]*)_(?P<window>\d{{6,9}})\.png(?P<temporary>{re.escape(TEMPORARY_SUFFIX)})?"
)


@dataclass(slots=True)
class Strays:
    """Files in the folders of the categories that no row named when they were listed.

    Attributes:
        by_key: The triplets that such files belong to, by video.
        foreign: Files whose name is no patch's of a video of this data set, relative to its folder.
    """

    by_key: dict[str, set[TripletPaths]] = field(default_factory=lambda: defaultdict(set))
    foreign: list[Path] = field(default_factory=list)


def find_strays(
    settings: Settings, store: TableStore, keys: Collection[str], known: Collection[str]
) -> Strays:
    """Goes through the folders of all categories.

    Args:
        settings: The configuration.
        store: The data set's tables.
        keys: Videos to look for.
        known: Videos of the data set; files of others are foreign.
    """
    strays = Strays()
    wanted, known = set(keys), set(known)
    named = _windows_with_rows(store, wanted)
    for folder in _format_folders(settings, store.output_base_dir, named):
        for kind in KINDS:
            for name in _names(store.output_base_dir / folder / kind):
                match = PICTURE.fullmatch(name)
                if (
                    match is None
                    or bool(match["hidden"]) != bool(match["temporary"])
                    or match["key"] not in known
                ):
                    strays.foreign.append(folder / kind / name)
                    continue
                key, window = match["key"], int(match["window"])
                has_row = named.get(folder, {}).get(key, 0) >> window & 1
                if key in wanted and (match["temporary"] or not has_row):
                    files = triplet_paths(folder.parent.as_posix(), folder.name, patch_id(key, window))
                    strays.by_key[key].add(files)
    return strays


def left_by_killed_runs(store: TableStore, key: str) -> list[Path]:
    """Return notes, progress and unfinished tables of a video that no run works on."""
    found = store.leftovers(key)
    progress = store.root / PROGRESS_FOLDER / f"{key}.json"
    candidates = [store.root / JOURNAL_FOLDER / key, progress, temporary(progress)]
    return found + [path for path in candidates if path.exists()]


def worked_on(store: TableStore) -> set[str]:
    """Keys of the videos that a live run works on."""
    progress = read_all_progress(store.root / PROGRESS_FOLDER)
    return {each.key for each in progress if each.is_alive}


def files_without_row(root: Path, triplet: TripletPaths, named: Collection[TripletPaths]) -> Iterator[Path]:
    """Yield the files of a triplet that exist without a row, temporary ones last; relative to `root`."""
    if triplet not in named:
        yield from (path for path in triplet if (root / path).exists())
    yield from (temporary(path) for path in triplet if temporary(root / path).exists())


def _windows_with_rows(store: TableStore, keys: Set[str]) -> dict[Path, dict[str, int]]:
    """By format folder and video a number whose bit n says that window n has a row."""
    named: dict[Path, dict[str, int]] = defaultdict(dict)
    for category in store.categories():
        for key in keys & store.patches_files(category).keys():
            try:
                rows = store.read_patches(category, key)
            except DatasetAssetsError:
                continue  # told where the table is verified
            for row in rows:
                file = Path(row.gt)
                match = PICTURE.fullmatch(file.name)
                if match is not None and match["key"] == key:
                    windows = named[file.parent.parent]
                    windows[key] = windows.get(key, 0) | 1 << int(match["window"])
    return named


def _format_folders(settings: Settings, root: Path, named: Collection[Path]) -> list[Path]:
    """Return the folders that hold GT and LR folders, by configuration and by rows; relative to `root`."""
    folders = {folder for folder in named if not folder.is_absolute() and ".." not in folder.parts}
    for category in settings.categories.values():
        folder = Path(category.folder)
        for name in _names(root / folder):
            if name != VALIDATION_FOLDER.parts[0] and any(
                (root / folder / name / kind).is_dir() for kind in KINDS
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
