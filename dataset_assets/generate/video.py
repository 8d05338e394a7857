"""The two jobs on one video: probing it, and making its windows and patches."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from time import sleep as pause
from typing import Literal

import cv2

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.errors import (
    BusyError,
    ConfigError,
    DatasetAssetsError,
    MissingWindowsError,
    SourceChangedError,
    SourceLostError,
    SpaceError,
    VideoError,
)
from dataset_assets.generate.failures import failure_kept, forget_failure
from dataset_assets.generate.identity import SOURCE_VERSION, irrelevant_settings, source_hashes
from dataset_assets.generate.journal import Journal, files_of, journal_kept, left_journals
from dataset_assets.generate.limits import step_done
from dataset_assets.generate.lock import video_lock
from dataset_assets.generate.plan import plan_video
from dataset_assets.generate.progress import Progress, remove_progress
from dataset_assets.generate.reports import VideoReport
from dataset_assets.generate.rows import video_row
from dataset_assets.generate.video_pass import PROGRESS_FOLDER, VideoPass
from dataset_assets.tables import VIDEOS, Provenance, TableStore, VideoRow
from dataset_assets.video.packets import LOST_ERRNOS
from dataset_assets.video.probe import VideoInfo, probe
from dataset_assets.video.source import RETRY_DELAYS_S, FileState

LOCK_FOLDER = ".locks"
# EFBIG: a limit on the size of files, by ulimit or by the file system.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# What disks, cables and network mounts that went away answer.
FAILING = (errno.EIO, errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.ETIMEDOUT)


def probe_video(settings: Settings, key: str) -> VideoRow:
    """Probes a video and replaces its row in the videos table.

    Raises:
        VideoError: The film cannot be read, or must not be used.
        BusyError: Another run works on the video.
    """
    entry = settings.video(key)
    store = TableStore(settings.base.output_base_dir)
    with failure_kept(store, key), _named(entry), _alone(store, key):
        info = _probe(settings, entry)
        row = video_row(entry, info)
        irrelevant = irrelevant_settings(converted=info.colour.is_converted, interlaced=info.interlaced)
        hash_ = source_hashes(settings, entry, irrelevant).written
        provenance = Provenance(hash_, info.fingerprint, SOURCE_VERSION, complete=True, target=1)
        store.write(store.video_path(key), VIDEOS, [row], provenance)
    return row


def generate_video(
    settings: Settings,
    key: str,
    *,
    windows: bool = True,
    categories: Sequence[str] | None = None,
    force: bool = False,
    lanes: int = 1,
    on_progress: Callable[[Progress], None] | None = None,
) -> VideoReport:
    """Make what is missing or stale of a video's windows and patches.

    Goes on where an interrupted run stopped. Asked for every category, it also removes what categories that
    left the configuration made of the video.

    Args:
        settings: The configuration.
        key: The video's key.
        windows: Whether windows are looked for; without, finished windows are replayed.
        categories: Categories to make patches of; all by default.
        force: Whether everything asked for is made anew.
        lanes: Windows that are worked on at a time, each with a decoder of its own. The result is the same.
        on_progress: Is told how far the run has come, after each window.

    Returns:
        What the tables hold now, and what this run did.

    Raises:
        ConfigError: The configuration has no such video or category.
        VideoError: The film cannot be read, or must not be used.
        MissingWindowsError: Patches were asked for without windows, and there are none to replay.
        BusyError: Another run works on the video.
        SpaceError: The disk has too little room.
    """
    cv2.setNumThreads(1)  # parallelism is by video; OpenCV's threads would only fight over the same cores
    entry = settings.video(key)
    wanted = _known_categories(settings, categories)
    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    store = TableStore(settings.base.output_base_dir)
    with failure_kept(store, key), _named(entry), _alone(store, key) as journal:
        info = _probe(settings, entry)
        step_done()
        plan = plan_video(settings, entry, info)
        video_pass = VideoPass(
            settings,
            plan,
            store,
            journal,
            windows=windows,
            categories=wanted,
            force=force,
            lanes=lanes,
            on_progress=on_progress,
        )
        video_pass.run()
        if set(wanted) == set(settings.categories):
            _remove_categories(store, journal, key, _left_categories(settings, store))
    forget_failure(store, key)
    return VideoReport(
        key=key,
        info=info,
        windows=video_pass.windows_report(),
        finds_windows=windows,
        categories=video_pass.category_reports(),
        cpu_s=time.process_time() - started_cpu_s,
        wall_s=time.perf_counter() - started_s,
    )


def remove_left_categories(settings: Settings) -> list[str]:
    """Remove the tables and files of categories that are no longer in the configuration, for every video.

    The films are not needed for it. A video that another run works on keeps them until the next call.

    Returns:
        Keys of the videos that had some, sorted.

    Raises:
        DatasetAssetsError: A table is damaged, or from a newer release.
    """
    store = TableStore(settings.base.output_base_dir)
    left = _left_categories(settings, store)
    removed = []
    for key in sorted(with_left_categories(settings, store)):
        with suppress(BusyError), _alone(store, key) as journal:
            _remove_categories(store, journal, key, left)
            removed.append(key)
    return removed


def clear_away(settings: Settings) -> list[str]:
    """Clear away what killed runs left of videos that perhaps nothing is to be made of any more.

    A video that another run works on is left alone, and one whose tables cannot be read is left to its own
    next run, which tells so.

    Returns:
        Keys of the videos that were cleared.
    """
    store = TableStore(settings.base.output_base_dir)
    cleared = []
    for key in left_journals(store):
        with suppress(DatasetAssetsError), _alone(store, key):
            remove_progress(store.root / PROGRESS_FOLDER, key)
            cleared.append(key)
    return cleared


def with_left_categories(settings: Settings, store: TableStore) -> set[str]:
    """Keys of the videos with a table of a category that is no longer in the configuration."""
    return {key for category in _left_categories(settings, store) for key in store.patches_files(category)}


def _left_categories(settings: Settings, store: TableStore) -> list[str]:
    return [category for category in store.categories() if category not in settings.categories]


@contextmanager
def _alone(store: TableStore, key: str) -> Iterator[Journal]:
    """Keep other runs from a video, and its journal for the next one if this one is killed."""
    with video_lock(store.root / LOCK_FOLDER, key), journal_kept(store, key) as journal:
        yield journal


def _remove_categories(store: TableStore, journal: Journal, key: str, categories: Sequence[str]) -> None:
    # The rows before their files, and both after the notes: see `checkpoints`.
    for category in categories:
        journal.note([files_of(row) for row in store.read_patches(category, key)])
    for category in categories:
        store.remove(store.patches_path(category, key))
    journal.settle()


def _known_categories(settings: Settings, categories: Sequence[str] | None) -> list[str]:
    for category in categories or ():
        if category not in settings.categories:
            known = ", ".join(settings.categories)
            raise ConfigError([f"no category has the name {category!r}; the configuration has {known}"])
    return list(settings.categories if categories is None else dict.fromkeys(categories))


@contextmanager
def _named(entry: VideoEntry) -> Iterator[None]:
    """Says which film an error is about, and turns what the disk refuses into a sentence."""
    try:
        yield
    except (VideoError, MissingWindowsError) as error:
        raise type(error)(f"{entry.key} ({entry.path}): {error}") from error
    except OSError as error:
        place = error.filename or "writing a patch"
        if error.errno in FULL:
            raise SpaceError(
                f"{entry.key}: the disk is full ({place}: {error.strerror}); free some space and run "
                "generate again, what is committed stays"
            ) from error
        if error.errno in FAILING:
            raise DatasetAssetsError(
                f"{entry.key}: the disk failed ({place}: {error.strerror}); look after the disk or its "
                "connection and run generate again, what is committed stays"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise DatasetAssetsError(
                f"{entry.key}: {place} cannot be written ({error.strerror}); correct its permissions, or "
                "name another base_settings.output_base_dir"
            ) from error
        raise


def _probe(settings: Settings, entry: VideoEntry) -> VideoInfo:
    """Probes a film once in a process, though several assets ask for it; again where it goes away meanwhile.

    Raises:
        VideoError: The film cannot be read, must not be used, or was changed while it was probed.
    """
    if not entry.path.exists():
        return probe(entry.path, interlaced=settings.base.interlaced)  # which says so
    for delay_s in RETRY_DELAYS_S:
        try:
            return _probe_once(entry.path, settings.base.interlaced, FileState.of(entry.path))
        except (OSError, VideoError) as error:
            is_lost = isinstance(error, SourceLostError) or (
                isinstance(error, OSError) and error.errno in LOST_ERRNOS
            )
            if entry.path.exists() and not is_lost:
                raise
        pause(delay_s)
    return probe(entry.path, interlaced=settings.base.interlaced)


@lru_cache(maxsize=8)
def _probe_once(path: Path, interlaced: Literal["refuse", "deinterlace"], state: FileState) -> VideoInfo:
    info = probe(path, interlaced=interlaced)
    now = FileState.of(path)
    if (now.size_bytes, now.modified_ns) != (state.size_bytes, state.modified_ns):
        raise SourceChangedError(
            "its file was changed while it was probed; run generate again once nobody writes to it"
        )
    if now != state:
        raise SourceLostError("its file was moved or mounted while it was probed; run generate again")
    return info
