"""The two jobs on one video: probing it, and making its windows and patches."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from time import sleep as pause
from typing import Literal

import cv2

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.errors import (
    ConfigError,
    DatasetAssetsError,
    MissingWindowsError,
    SourceChangedError,
    SourceLostError,
    SpaceError,
    VideoError,
)
from dataset_assets.generate.failures import failure_kept, forget_failure
from dataset_assets.generate.identity import CODE_VERSION, source_hash
from dataset_assets.generate.journal import Journal, files_of
from dataset_assets.generate.limits import step_done
from dataset_assets.generate.lock import video_lock
from dataset_assets.generate.plan import plan_video
from dataset_assets.generate.reports import VideoReport
from dataset_assets.generate.rows import video_row
from dataset_assets.generate.video_pass import VideoPass
from dataset_assets.tables import VIDEOS, Provenance, TableStore, VideoRow
from dataset_assets.video.probe import VideoInfo, probe
from dataset_assets.video.source import RETRY_DELAYS_S, FileState

LOCK_FOLDER = ".locks"


def probe_video(settings: Settings, key: str) -> VideoRow:
    """Probes a video and replaces its row in the videos table.

    Raises:
        VideoError: The film cannot be read, or must not be used.
        BusyError: Another run works on the video.
    """
    entry = settings.video(key)
    store = TableStore(settings.base.output_base_dir)
    with failure_kept(store, key), _named(entry), video_lock(store.root / LOCK_FOLDER, key):
        info = _probe(settings, entry)
        row = video_row(entry, info)
        provenance = Provenance(
            source_hash(settings, entry), info.fingerprint, CODE_VERSION, complete=True, target=1
        )
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
) -> VideoReport:
    """Makes what is missing or stale of a video's windows and patches.

    Goes on where an interrupted run stopped. Asked for every category, it also removes what categories that
    left the configuration made of the video.

    Args:
        settings: The configuration.
        key: The video's key.
        windows: Whether windows are looked for; without, finished windows are replayed.
        categories: Categories to make patches of; all by default.
        force: Whether everything asked for is made anew.
        lanes: Windows that are worked on at a time, each with a decoder of its own. The result is the same.

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
    with failure_kept(store, key), _named(entry), video_lock(store.root / LOCK_FOLDER, key):
        info = _probe(settings, entry)
        step_done()
        plan = plan_video(settings, entry, info)
        video_pass = VideoPass(
            settings, plan, store, windows=windows, categories=wanted, force=force, lanes=lanes
        )
        video_pass.run()
        if set(wanted) == set(settings.categories):
            _remove_categories(store, key, _left_categories(settings, store))
    forget_failure(store, key)
    return VideoReport(
        key=key,
        info=info,
        windows=video_pass.windows_report() if windows else None,
        categories=video_pass.category_reports(),
        cpu_s=time.process_time() - started_cpu_s,
        wall_s=time.perf_counter() - started_s,
    )


def remove_left_categories(settings: Settings) -> None:
    """Removes the tables and files of categories that are no longer in the configuration, for every video.

    Raises:
        BusyError: Another run works on one of the videos.
        DatasetAssetsError: A table is damaged, or from a newer release.
    """
    store = TableStore(settings.base.output_base_dir)
    left = _left_categories(settings, store)
    for key in sorted(with_left_categories(settings, store)):
        with video_lock(store.root / LOCK_FOLDER, key):
            _remove_categories(store, key, left)


def with_left_categories(settings: Settings, store: TableStore) -> set[str]:
    """Keys of the videos with a table of a category that is no longer in the configuration."""
    return {key for category in _left_categories(settings, store) for key in store.patches_files(category)}


def _left_categories(settings: Settings, store: TableStore) -> list[str]:
    return [category for category in store.categories() if category not in settings.categories]


def _remove_categories(store: TableStore, key: str, categories: Sequence[str]) -> None:
    journal = Journal(store, key)
    for category in categories:
        journal.note([files_of(row) for row in store.read_patches(category, key)])
    journal.sync()
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
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SpaceError(
                f"{entry.key}: the disk is full ({place}); free some space and run generate again, what is "
                "committed stays"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise DatasetAssetsError(
                f"{entry.key}: {place} cannot be written ({error.strerror}); mend its permissions, or name "
                "another base_settings.output_base_dir"
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
            if entry.path.exists() and not isinstance(error, OSError | SourceLostError):
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
