"""`videos remove`: shows what there is of a video, asks, and removes it.

Not here: cutting an entry out of the configuration (`config`), deleting files of a data set (`dataset`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.prompt import Confirm

from dataset_assets.assets import PATCH_DEGRADATIONS, PATCH_SCORES, SCENE_WINDOWS, SOURCE_VIDEO, patches_asset
from dataset_assets.config import (
    Settings,
    WatchedVideo,
    forget_film,
    how_to_exclude,
    is_registered,
    load_settings,
    replace_config,
    without_entry,
    would_return,
)
from dataset_assets.counting import counted
from dataset_assets.dagster_internals import forget_partition, is_initialised
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.gallery import index_path, refresh_gallery
from dataset_assets.launch import dagster_home, enter_home, reporting_history_errors
from dataset_assets.monitor import size
from dataset_assets.object_store import StoreError
from dataset_assets.partitions import has_partition, remove


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is of a video.

    Attributes:
        line: Line of its entry in the configuration; None where it has none.
        is_registered: Whether it was found in a watched folder.
        has_partition: Whether Dagster has a partition for it.
        has_tables: Whether it has tables.
        patches: Its patches, all categories.
        in_val: Its patches that were accepted for validation.
        size_bytes: Their size.
    """

    line: int | None
    is_registered: bool
    has_partition: bool
    has_tables: bool
    patches: int
    in_val: int
    size_bytes: int

    @property
    def is_anything(self) -> bool:
        return self.line is not None or self.is_registered or self.has_partition or self.has_tables

    def lines(self, config: Path, *, with_files: bool) -> Iterator[str]:
        """Yield a line for each part that is removed, and one for what stays."""
        if self.line is not None:
            yield f"its entry in {config}, line {self.line}"
        if self.is_registered:
            yield "its place among the films of watched folders"
        if self.has_partition:
            yield "its partition in Dagster"
        if self.has_tables:
            files = f"its tables and {counted(self.patches, 'patch')} ({size(self.size_bytes)})"
            yield files if with_files else f"{files} stay: --files deletes them too"
        if self.in_val and with_files:
            files = counted(self.in_val, "patch")
            yield f"not its {files} in Val/GT: `dataset-assets validation decline` deletes them"


def remove_video(config: Path, key: str, console: Console, *, with_files: bool, is_sure: bool) -> bool:
    """Remove a video from the configuration and from Dagster, and on request all that was made of it.

    Args:
        config: The configuration file.
        key: The video's key; it need not be in the configuration any more.
        console: Where it is shown what is removed, and asked.
        with_files: Whether tables, patches and pictures are deleted too.
        is_sure: Whether nobody is asked.

    Returns:
        Whether it was removed; False if the answer was no.

    Raises:
        ConfigError: The configuration holds mistakes, the video is not known, or its entry cannot be cut out.
        DatasetAssetsError: A run works on the video, its film is still in a watched folder, a table is
            damaged, or the disk cannot be written.
    """
    settings = load_settings(config, may_lack_videos=True)
    DataSet.of(settings).copy.refresh()
    _refuse_present(settings, key)
    with _history(settings, config) as instance:
        found = _find(config, settings, key, instance)
        if not found.is_anything:
            settings.video(key)  # raises, with the keys that are alike
        console.print(f"remove {escape(key)}:", soft_wrap=True)
        for line in found.lines(config, with_files=with_files):
            console.print(f"  {escape(line)}", soft_wrap=True)
        if not is_sure and not _agrees(console, key):
            return False
        try:
            _remove(config, settings, key, instance, with_files=with_files)
        except StoreError:
            raise
        except OSError as error:
            place = error.filename or settings.base.output_base_dir
            raise DatasetAssetsError(
                f"{key}: {place} cannot be written ({error.strerror})",
                "look after the disk or its permissions and remove it again: what is removed stays removed.",
            ) from error
    console.print(f"removed {escape(key)}", soft_wrap=True)
    return True


def _refuse_present(settings: Settings, key: str) -> None:
    """Raise if the next search of the watched folders would find the film again."""
    entry = next((video for video in settings.videos if video.key == key), None)
    if isinstance(entry, WatchedVideo) and would_return(settings, entry):
        raise DatasetAssetsError(
            f"{key} ({entry.path}): the next search of its watched folder would find it again",
            f"{how_to_exclude(settings, entry)} first",
        )


@contextmanager
def _history(settings: Settings, config: Path) -> Iterator[dg.DagsterInstance | None]:
    """Open Dagster's history; None where there is none yet."""
    home = dagster_home(settings)
    if not is_initialised(home):
        yield None
        return
    with reporting_history_errors(enter_home(settings, config)), dg.DagsterInstance.get() as instance:
        yield instance


def _find(config: Path, settings: Settings, key: str, instance: dg.DagsterInstance | None) -> _Found:
    data_set = DataSet.of(settings)
    entry = without_entry(config, key)
    keys = data_set.tables.keys()
    rows = [triplet.row for triplet in data_set.triplets([key])]
    return _Found(
        line=entry.line if entry else None,
        is_registered=is_registered(settings, key),
        has_partition=instance is not None and has_partition(instance, key),
        has_tables=key in keys,
        patches=len(rows),
        in_val=sum(each.video == key for each in data_set.validation.accepted()),
        size_bytes=sum(row.size_bytes for row in rows),
    )


def _agrees(console: Console, key: str) -> bool:
    if not sys.stdin.isatty():
        raise DatasetAssetsError(f"{key}: nothing was removed, since nobody can be asked", "add --yes")
    try:
        return Confirm.ask("Remove it?", console=console, default=False)
    except KeyboardInterrupt:
        console.print()
        return False


def _remove(
    config: Path, settings: Settings, key: str, instance: dg.DagsterInstance | None, *, with_files: bool
) -> None:
    """Remove the entry first: a run that begins meanwhile must not make the video again."""
    data_set = DataSet.of(settings)
    with data_set.hold(key):
        entry = without_entry(config, key)
        if entry is not None:
            replace_config(config, entry.text)
        if is_registered(settings, key):
            forget_film(settings, key)
    if with_files:
        data_set.remove_video(key)
    data_set.failures.forget(key)
    if instance is not None:
        remove(instance, key)
        if with_files:
            assets = [SOURCE_VIDEO, SCENE_WINDOWS, *map(patches_asset, settings.categories)]
            forget_partition(instance, [*assets, PATCH_SCORES, PATCH_DEGRADATIONS], key)
    if index_path(settings).exists():
        refresh_gallery(load_settings(config, may_lack_videos=True))
        data_set.statistics_due.touch()
