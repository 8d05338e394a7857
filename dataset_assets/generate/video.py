"""The two jobs on one video: probing it, and making its windows and patches."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.errors import MissingWindowsError, SpaceError, VideoError
from dataset_assets.generate.identity import CODE_VERSION, source_hash
from dataset_assets.generate.ledger import remove_files
from dataset_assets.generate.lock import video_lock
from dataset_assets.generate.plan import plan_video
from dataset_assets.generate.reports import CategoryReport, VideoReport
from dataset_assets.generate.rows import video_row
from dataset_assets.generate.video_pass import VideoPass
from dataset_assets.tables import VIDEOS, Provenance, TableStore, VideoRow
from dataset_assets.video.probe import VideoInfo, probe

LOCK_FOLDER = ".locks"


def probe_video(settings: Settings, key: str) -> VideoRow:
    """Probes a video and replaces its row in the videos table.

    Raises:
        VideoError: The film cannot be read, or must not be used.
        BusyError: Another run works on the video.
    """
    entry = settings.video(key)
    store = TableStore(settings.base.output_base_dir)
    with _named(entry), video_lock(store.root / LOCK_FOLDER, key):
        info = _probe(settings, entry)
        row = video_row(entry, info)
        provenance = Provenance(
            source_hash(settings), info.fingerprint, CODE_VERSION, complete=True, target=1
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
) -> VideoReport:
    """Makes what is missing or stale of a video's windows and patches; goes on where an interrupted run stopped.

    Args:
        settings: The configuration.
        key: The video's key.
        windows: Whether windows are looked for; without, finished windows are replayed.
        categories: Categories to make patches of; all by default.
        force: Whether everything asked for is made anew.

    Returns:
        What the tables hold now, and what this run did.

    Raises:
        VideoError: The film cannot be read, or must not be used.
        MissingWindowsError: Patches were asked for without windows, and there are none to replay.
        BusyError: Another run works on the video.
        SpaceError: The disk has too little room.
    """
    cv2.setNumThreads(1)  # parallelism is by video; OpenCV's threads would only fight over the same cores
    entry = settings.video(key)
    wanted = list(settings.categories) if categories is None else list(categories)
    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    store = TableStore(settings.base.output_base_dir)
    with _named(entry), video_lock(store.root / LOCK_FOLDER, key):
        info = _probe(settings, entry)
        plan = plan_video(settings, entry, info)
        video_pass = VideoPass(settings, plan, store, windows=windows, categories=wanted, force=force)
        made = video_pass.run()
        if categories is None:
            _remove_categories_not_in(settings, store, key)
    return VideoReport(
        key=key,
        info=info,
        windows=video_pass.windows_report() if windows else None,
        categories={
            ledger.plan.category: CategoryReport(
                target=settings.target(entry, ledger.plan.category),
                made=made[ledger.plan.category],
                rows=tuple(ledger.rows()),
                mix=ledger.plan.mix,
                left_out=ledger.plan.left_out,
            )
            for ledger in video_pass.patches
        },
        cpu_s=time.process_time() - started_cpu_s,
        wall_s=time.perf_counter() - started_s,
    )


@contextmanager
def _named(entry: VideoEntry) -> Iterator[None]:
    """Says which film an error is about, and turns a full disk into a sentence."""
    try:
        yield
    except (VideoError, MissingWindowsError) as error:
        raise type(error)(f"{entry.key} ({entry.path}): {error}") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SpaceError(
                f"{entry.key}: the disk is full ({error.filename or 'writing a patch'}); free some space and run "
                "generate again, what is committed stays"
            ) from error
        raise


def _probe(settings: Settings, entry: VideoEntry) -> VideoInfo:
    """Probes a film once in a run, though several assets ask for it."""
    try:
        stat = os.stat(entry.path)
    except OSError:
        return probe(entry.path, interlaced=settings.base.interlaced)
    return _probe_once(entry.path, settings.base.interlaced, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=8)
def _probe_once(
    path: Path, interlaced: Literal["refuse", "deinterlace"], size_bytes: int, modified_ns: int
) -> VideoInfo:
    return probe(path, interlaced=interlaced)


def _remove_categories_not_in(settings: Settings, store: TableStore, key: str) -> None:
    """A category that left the configuration leaves nothing of the video behind."""
    for category in store.categories():
        if category not in settings.categories:
            rows = store.read_patches(category, key)
            store.remove(store.patches_path(category, key))
            for row in rows:
                remove_files(store.output_base_dir, row)
