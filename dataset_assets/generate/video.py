"""The two jobs on one video: probing it, and making its windows and patches.

Here: locking, probing, errors that name the film. Not here: the pass over the film (`video_pass`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from time import sleep as pause
from typing import Literal

import cv2

from dataset_assets.addresses import Address, FilmPath
from dataset_assets.config import Settings, VideoEntry, fitting_remedy
from dataset_assets.dataset import (
    SOURCE_VERSION,
    DataSet,
    Holder,
    OnBusy,
    Progress,
    ProgressFile,
    VideoWork,
    irrelevant_settings,
    keep_curation,
    source_hashes,
)
from dataset_assets.disk import FAILING_ERRNOS, FORBIDDEN_ERRNOS, FULL_ERRNOS
from dataset_assets.errors import (
    BRING_BACK,
    ConfigError,
    DatasetAssetsError,
    MissingWindowsError,
    SourceChangedError,
    SourceLostError,
    SpaceError,
    UnreachableFileError,
    VideoError,
)
from dataset_assets.generate.changes import refuse_run
from dataset_assets.generate.limits import step_done
from dataset_assets.generate.plan import plan_video
from dataset_assets.generate.reports import VideoReport
from dataset_assets.generate.restacking import has_other_files, restack
from dataset_assets.generate.rows import video_row
from dataset_assets.generate.video_pass import VideoPass
from dataset_assets.object_store import StoreError
from dataset_assets.process import host_name
from dataset_assets.tables import VIDEOS, Provenance, VideoRow
from dataset_assets.video import RETRY_DELAYS_S, FileState, VideoInfo, is_there, probe


def probe_video(settings: Settings, key: str, *, on_busy: OnBusy | None = None) -> VideoRow:
    """Probe a video and replace its row in the videos table.

    Args:
        settings: The configuration.
        key: The video's key.
        on_busy: With many machines, called again and again while another works on the video, until it is
            free. Without, that is an error.

    Raises:
        VideoError: The film cannot be read, or must not be used.
        BusyError: Another run works on the video.
    """
    entry = settings.video(key)
    data_set = DataSet.of(settings)
    with (
        data_set.failures.kept(key, entry.path),
        _named(settings, entry),
        data_set.work_on(key, _waiting(on_busy)) as work,
    ):
        info = _probe(settings, entry, data_set, work)
        row = video_row(entry, info)
        irrelevant = irrelevant_settings(
            converted=info.colour.is_converted, interlaced=info.interlaced, enlarged=info.is_enlarged
        )
        is_measured = info.true_resolution is not None
        hash_ = source_hashes(settings, entry, irrelevant, is_measured=is_measured).written
        provenance = Provenance(hash_, info.fingerprint, SOURCE_VERSION, complete=True, target=1)
        work.write_table(data_set.tables.video_path(key), VIDEOS, [row], provenance)
    return row


def generate_video(
    settings: Settings,
    key: str,
    *,
    windows: bool = True,
    categories: Sequence[str] | None = None,
    force: bool = False,
    may_replace: bool = False,
    lanes: int = 1,
    on_progress: Callable[[Progress], None] | None = None,
    on_busy: OnBusy | None = None,
) -> VideoReport:
    """Make what is missing or stale of a video's windows and patches.

    Resumes where an interrupted run stopped. If all categories are requested, it also deletes what was made
    for categories that are not configured any more.

    Args:
        settings: The configuration.
        key: The video's key.
        windows: Whether windows are searched; else finished windows are replayed.
        categories: Categories to make patches of; all by default.
        force: Whether to rebuild what is up to date.
        may_replace: Whether more than a tenth of the video's finished patches may be deleted or made again.
        lanes: Windows that are made at a time, each with its own decoder. The result is the same.
        on_progress: Called with the progress after each window.
        on_busy: With many machines, called again and again while another works on the video, until it is
            free. Without, that is an error.

    Returns:
        What the tables hold now, and what this run did.

    Raises:
        ConfigError: The configuration has no such video or category.
        VideoError: The film cannot be read, or must not be used.
        MissingWindowsError: Patches were requested without windows, and there are none to replay.
        BusyError: Another run works on the video.
        ReplacingError: Many finished patches would be deleted or made again, which nobody asked for.
        SpaceError: The disk has too little space.
    """
    cv2.setNumThreads(1)  # parallelism is by video; OpenCV's threads would only compete for the same cores
    entry = settings.video(key)
    wanted = _known_categories(settings, categories)
    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    data_set = DataSet.of(settings)
    with (
        data_set.failures.kept(key, entry.path),
        _named(settings, entry),
        data_set.work_on(key, _waiting(on_busy)) as work,
    ):
        keep_curation(settings)
        work.fetch_files()
        may_replace = may_replace or force or settings.base.allow_replacing
        if not force and has_other_files(settings, data_set, key, wanted):
            if not may_replace:
                refuse_run(settings, data_set, entry, wanted)
            restack(settings, data_set, entry, work, wanted)
        info = _probe(settings, entry, data_set, work)
        step_done()
        plan = plan_video(settings, entry, info)
        video_pass = VideoPass(
            settings,
            plan,
            data_set,
            work,
            windows=windows,
            categories=wanted,
            force=force,
            lanes=lanes,
            on_progress=on_progress,
        )
        is_of_all = set(wanted) == set(settings.categories)
        left = data_set.left_categories(settings).get(key, ()) if is_of_all else ()
        if not may_replace and (left or not video_pass.is_done):
            refuse_run(settings, data_set, entry, wanted, plan=plan)
        video_pass.run()
        data_set.remove_categories(key, left, work)
    return VideoReport(
        key=key,
        info=info,
        windows=video_pass.windows_report(),
        finds_windows=windows,
        categories=video_pass.category_reports(),
        cpu_s=time.process_time() - started_cpu_s,
        wall_s=time.perf_counter() - started_s,
    )


def _waiting(on_busy: OnBusy | None) -> OnBusy | None:
    """Return what is called while another run works on the video; waiting counts as no step of this one."""
    if on_busy is None:
        return None

    def wait(holder: Holder) -> None:
        step_done()
        on_busy(holder)

    return wait


def _known_categories(settings: Settings, categories: Sequence[str] | None) -> list[str]:
    for category in categories or ():
        if category not in settings.categories:
            known = ", ".join(settings.categories)
            raise ConfigError([f"no category has the name {category!r}; the configuration has {known}"])
    return list(settings.categories if categories is None else dict.fromkeys(categories))


@contextmanager
def _named(settings: Settings, entry: VideoEntry) -> Iterator[None]:
    """Add the film to errors, and convert disk errors to ones for the user."""
    try:
        yield
    except StoreError as error:
        raise StoreError(f"{entry.key}: {error.what}", error.remedy) from error
    except (VideoError, MissingWindowsError) as error:
        what, remedy = error.what, error.remedy
        if isinstance(error, UnreachableFileError) and settings.base.machines == "many":
            what, remedy = f"{what} on {host_name()}", remedy.replace(BRING_BACK, "mount its disk there")
        remedy = fitting_remedy(remedy, settings, entry)
        raise type(error)(f"{entry.key} ({entry.path}): {what}", remedy) from error
    except OSError as error:
        place = error.filename or "writing a patch"
        if error.errno in FULL_ERRNOS:
            raise SpaceError(
                f"{entry.key}: the disk is full ({place}: {error.strerror})",
                "free some space and run generate again, what is committed stays",
            ) from error
        if error.errno in FAILING_ERRNOS:
            raise DatasetAssetsError(
                f"{entry.key}: the disk failed ({place}: {error.strerror})",
                "look after the disk or its connection and run generate again, what is committed stays",
            ) from error
        if error.errno in FORBIDDEN_ERRNOS:
            raise DatasetAssetsError(
                f"{entry.key}: {place} cannot be written ({error.strerror})",
                "correct its permissions, or name another base_settings.output_base_dir",
            ) from error
        raise


def _probe(settings: Settings, entry: VideoEntry, data_set: DataSet, work: VideoWork) -> VideoInfo:
    """Probe a film once in a process, though several assets need it; retry while it is away, and show that.

    Raises:
        VideoError: The film cannot be read, must not be used, or was changed while it was probed.
    """
    base, is_object = settings.base, isinstance(entry.path, Address)
    if not is_object and not is_there(entry.path):
        return probe(entry.path, interlaced=base.interlaced, working_size=base.working_size)  # which says so
    away: ProgressFile | None = None
    try:
        for delay_s in RETRY_DELAYS_S:
            try:
                state = FileState.of(entry.path)
                if away is not None:
                    away.remove()
                return _probe_once(entry.path, base.interlaced, base.working_size, state)
            except (OSError, VideoError) as error:
                is_lost = isinstance(error, SourceLostError) or (
                    isinstance(error, OSError) and error.errno in FAILING_ERRNOS
                )
                if not is_lost and (is_object or is_there(entry.path)):
                    raise
            if away is None:
                progress = Progress(entry.key, film_away_s=time.time(), is_probe=True)
                away = data_set.progress_file(progress, work)
            away.update(is_news=True)
            pause(delay_s)
        return probe(entry.path, interlaced=base.interlaced, working_size=base.working_size)
    finally:
        if away is not None:
            away.remove()


@lru_cache(maxsize=8)
def _probe_once(
    path: FilmPath,
    interlaced: Literal["refuse", "deinterlace"],
    working_size: Literal["coded", "native"],
    state: FileState,
) -> VideoInfo:
    info = probe(path, interlaced=interlaced, working_size=working_size)
    now = FileState.of(path)
    if (now.size_bytes, now.version) != (state.size_bytes, state.version):
        raise SourceChangedError(
            "its file was changed while it was probed", "run generate again once nobody writes to it"
        )
    if now != state:
        raise SourceLostError("its file was moved or mounted while it was probed", "run generate again")
    return info
