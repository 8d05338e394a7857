"""`DataSet`: the only interface to what is in a data set's folder.

Here: which parts there are. Not here: how each part works (the other modules of the package), and what is
made of films (`generate`).
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from dataset_assets import layout
from dataset_assets.config import Category, Settings, VideoEntry
from dataset_assets.dataset.at_work import AtWork, runs_at_work
from dataset_assets.dataset.cached_footers import CachedFooters
from dataset_assets.dataset.completion import Completion, completions_of
from dataset_assets.dataset.copying import Copy
from dataset_assets.dataset.duplicates import Duplicates
from dataset_assets.dataset.excluded_windows import ExcludedWindows
from dataset_assets.dataset.failures import Failures
from dataset_assets.dataset.holding import Holding, Machines, OnBusy, SharedTask, refuse_to_wait
from dataset_assets.dataset.hosts import HostRecord, Hosts, join_hosts, machines_of
from dataset_assets.dataset.journal import Journal, journal_kept, journal_paths, keys_with_journals
from dataset_assets.dataset.leases import Beat
from dataset_assets.dataset.mirror import Mirror
from dataset_assets.dataset.overview import Overview, read_overview
from dataset_assets.dataset.pictures import VideoPictures
from dataset_assets.dataset.progress import Progress, ProgressFile, progress_paths, read_progress_files
from dataset_assets.dataset.status import AssetStatus, statuses_of
from dataset_assets.dataset.strays import FileSample, Strays, compare_sample, find_strays
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.dataset.triplets import Triplet
from dataset_assets.dataset.validation import Validation
from dataset_assets.dataset.work import VideoWork
from dataset_assets.errors import BusyError, DatasetAssetsError
from dataset_assets.frames import MIDDLE_FRAME
from dataset_assets.reasons import EXCLUDED
from dataset_assets.tables import PatchRow, WindowRow
from dataset_assets.video import look_at

# Leases that are waited for at a time: of a host with so many places that was cut off.
_WAITING_THREADS: Final = 32


class DataSet:
    """The contents of one data set's folder.

    Nothing is read or created until a method needs it; several objects may share one folder.

    Attributes:
        folder: The folder, `output_base_dir` in the configuration.
        tables: Its Parquet tables.
        failures: Why the last runs on videos failed.
        excluded_windows: Windows that users excluded by hand.
        validation: Patches that were proposed or accepted for validation.
        duplicates: Windows that show what those of other videos show.
        copy: What brings the folder up to date where the data set is in an object store.
    """

    def __init__(
        self, folder: Path, *, machines: Machines | None = None, caches_footers: bool = False
    ) -> None:
        """Store the arguments; nothing is opened.

        Args:
            folder: The data set's folder; may be absent.
            machines: Which machines make it, by the configuration; by default as the data set itself says.
            caches_footers: Whether footers are read again only if a table was replaced: for views that
                refresh every few seconds, not for decisions about what is made.
        """
        self.folder = folder
        self.tables = CachedFooters(folder) if caches_footers else TableStore(folder)
        self._mirror = Mirror(folder, machines.output_url) if machines and machines.output_url else None
        self.failures = Failures(folder / layout.FAILURES, self._mirror)
        self.excluded_windows = ExcludedWindows(folder / layout.EXCLUDED_WINDOWS, folder, self._mirror)
        self.validation = Validation(folder, self.tables, self._mirror)
        self._holding = Holding(folder, machines)
        self.duplicates = Duplicates(folder, self.tables, self._holding, self._mirror)
        self.copy = Copy(folder, self._mirror, self._holding, self.tables)
        self._hosts = Hosts(folder / layout.HOSTS, folder, self._mirror)

    @classmethod
    def of(cls, settings: Settings, *, caches_footers: bool = False) -> DataSet:
        """Return the data set of a configuration."""
        machines = machines_of(settings)
        return cls(settings.base.output_base_dir, machines=machines, caches_footers=caches_footers)

    @property
    def metadata_folder(self) -> Path:
        """The folder of the tables, to show to users."""
        return self.folder / layout.METADATA

    @property
    def gallery_folder(self) -> Path:
        """The folder of the gallery's pages."""
        return self.folder / layout.GALLERY

    @property
    def exports_folder(self) -> Path:
        """The folder of the exports that name no other, one in it for each layout."""
        return self.folder / layout.EXPORTS

    @property
    def dagster_home(self) -> Path:
        """The default folder of Dagster's history."""
        return self.folder / layout.DAGSTER_HOME

    @property
    def statistics_due(self) -> Path:
        """A file that exists while statistics and pages are older than the tables."""
        return self.folder / layout.STATISTICS_DUE

    @property
    def free_bytes(self) -> int:
        """Free bytes of the data set's disk; the folder may be absent."""
        place = next(each for each in (self.folder, *self.folder.parents) if each.exists())
        return shutil.disk_usage(place).free

    def path_of(self, name: Path) -> Path:
        """Return the path of a file that a row names."""
        return self.folder / name

    def relative(self, path: Path) -> Path:
        """Return a path of the data set relative to its folder."""
        return path.relative_to(self.folder)

    def category_folder(self, settings: Settings, category: str) -> Path:
        """Return the folder of a category's triplets."""
        return self.folder / settings.categories[category].folder

    @property
    def is_made_by_many(self) -> bool:
        """Whether many machines make it at once.

        Raises:
            DatasetAssetsError: The data set is made in another way than the configuration says.
        """
        return self._holding.leases is not None

    def beats(self) -> dict[str, Beat]:
        """Return which machine holds each video, by key: also of those that were killed."""
        return self._holding.beats()

    def is_held(self, key: str) -> bool:
        """Return whether a run holds a video, as far as this machine can see at once."""
        return self._holding.is_held(key)

    def alone(self, task: SharedTask) -> AbstractContextManager[None]:
        """Let one of many machines at a time do what concerns all videos; on one machine it does nothing."""
        return self._holding.alone(task)

    @contextmanager
    def hold(self, key: str, on_busy: OnBusy | None = None) -> Iterator[VideoWork]:
        """Hold a video, so that no other run writes it.

        Args:
            key: The video's key.
            on_busy: With many machines, called again and again while another run holds it, until it is
                free. Without, that is an error.

        Raises:
            BusyError: Another run works on it.
            DatasetAssetsError: The data set is made in another way than the configuration says.
            OSError: The disk cannot be written.
        """
        mirror = self._mirror
        with self._holding.hold(key, on_busy) as lease:
            if mirror is not None:
                mirror.pull_film(key)
            journal = Journal(self.folder, self.folder / layout.JOURNALS, self.tables, key, lease, mirror)
            yield VideoWork(self.folder, key, self.tables, journal, lease, mirror)

    @contextmanager
    def work_on(self, key: str, on_busy: OnBusy | None = None) -> Iterator[VideoWork]:
        """Hold a video, and keep a journal for the next run if this one is killed.

        What an earlier run left behind is deleted first.

        Args:
            key: The video's key.
            on_busy: See `hold`.

        Raises:
            BusyError: Another run works on it.
            DatasetAssetsError: A table is damaged, or from a newer release.
            OSError: The disk is full or cannot be written.
        """
        with self.hold(key, on_busy) as work, journal_kept(work.journal):
            yield work

    def pictures(self, key: str) -> VideoPictures:
        """Return the small pictures of a video's candidates."""
        return VideoPictures(self.folder / layout.PICTURES / f"video={key}")

    def progress_file(self, progress: Progress, work: VideoWork) -> ProgressFile:
        """Return the file that shows a run's progress to other processes."""
        return ProgressFile(self.folder / layout.PROGRESS, progress, work.writer)

    def progress(self) -> list[Progress]:
        """Read the progress of each run, by key; also of runs that were killed."""
        return read_progress_files(self.folder / layout.PROGRESS)

    def at_work(self, keys: Collection[str] | None = None) -> dict[str, AtWork]:
        """Return the run that works on each video, or did until it was killed, see `runs_at_work`."""
        return runs_at_work(self.folder / layout.PROGRESS, self._holding.leases, keys)

    def run_on(self, key: str) -> AtWork | None:
        """Return the live run that works on a video; None where there is none."""
        found = self.at_work([key]).get(key)
        return found if found is not None and found.is_alive else None

    def join_hosts(self, settings: Settings, configuration: Path) -> None:
        """With many machines, record this one and refuse to work beside others with which it disagrees.

        Args:
            settings: The configuration.
            configuration: Its file.

        Raises:
            ConfigError: A machine that works now has another release, or another configuration that was
                changed later.
            OSError: The disk cannot be written.
        """
        leases = self._holding.leases
        if leases is not None:
            join_hosts(self._hosts, leases, settings, configuration)

    def host_records(self) -> dict[str, HostRecord]:
        """Return what each of many machines recorded of itself when it last began to work, by its name."""
        return self._hosts.read()

    def left_by_killed_runs(self, key: str) -> list[Path]:
        """List the files except triplets that killed runs left of a video; used while no run works on it."""
        journals = journal_paths(self.folder / layout.JOURNALS, key)
        state = [*journals, *progress_paths(self.folder / layout.PROGRESS, key)]
        return [*self.tables.temporaries(key), *(path for path in state if path.exists())]

    def clear_up(self, *, waits: bool = False) -> list[str]:
        """Delete leftovers of killed runs, also of videos that are up to date.

        A video that another run works on is skipped. So is one whose tables cannot be read: its next run
        reports that.

        Args:
            waits: With many machines, whether leases of killed runs are waited for until they expire, all at
                once; else their videos are skipped.

        Returns:
            Keys of the videos that were cleared.
        """
        keys = keys_with_journals(self.folder / layout.JOURNALS, self._mirror)
        at_work = self.at_work(keys)
        dead = [key for key in keys if key not in at_work or not at_work[key].is_alive]
        with ThreadPoolExecutor(_WAITING_THREADS if waits and self.is_made_by_many else 1) as pool:
            cleared = list(pool.map(partial(self._clear_up, waits=waits), dead))
        return [key for key, is_cleared in zip(dead, cleared, strict=True) if is_cleared]

    def _clear_up(self, key: str, *, waits: bool) -> bool:
        with suppress(DatasetAssetsError), self.work_on(key, None if waits else refuse_to_wait):
            for path in progress_paths(self.folder / layout.PROGRESS, key):
                path.unlink(missing_ok=True)
            return True
        return False

    def left_categories(self, settings: Settings) -> dict[str, list[str]]:
        """Return the videos with tables of categories that are not configured, and these categories."""
        left: dict[str, list[str]] = {}
        for category in self.tables.categories():
            if category not in settings.categories:
                for key in self.tables.patches_files(category):
                    left.setdefault(key, []).append(category)
        return dict(sorted(left.items()))

    def remove_left_categories(self, settings: Settings) -> list[str]:
        """Delete the tables and files of categories that are not configured any more, for every video.

        The films are not needed for it. A video that another run works on keeps them until the next call.

        Returns:
            Keys of the videos that had some, sorted.

        Raises:
            DatasetAssetsError: A table is damaged, or from a newer release.
        """
        removed = []
        for key, categories in self.left_categories(settings).items():
            with suppress(BusyError), self.work_on(key) as work:
                self.remove_categories(key, categories, work)
                removed.append(key)
        return removed

    def remove_categories(self, key: str, categories: Collection[str], work: VideoWork) -> None:
        """Delete a video's tables and files of some categories."""
        # First the journal, then scores and rows, then their files: see `generate.checkpoints`.
        for category in categories:
            work.give_up(category, self.tables.read_patches(category, key))
        for path in self.tables.paths_of_categories(key, categories):
            work.remove_table(path)
        work.journal.settle()

    def remove_video(self, key: str) -> None:
        """Delete all that was made of a video: tables, patches, pictures, and what its last run reported.

        Windows excluded by hand are forgotten too; what was accepted for validation stays in `Val/GT`.

        Raises:
            BusyError: Another process works on it.
            DatasetAssetsError: A table is damaged, or from a newer release.
            OSError: The disk cannot be written.
        """
        with self.work_on(key) as work:
            self.remove_categories(key, self.tables.categories_of(key), work)
            work.remove_table(self.tables.windows_path(key))
            work.remove_table(self.tables.video_path(key))
            self.pictures(key).keep_only(())
            for path in progress_paths(self.folder / layout.PROGRESS, key):
                path.unlink(missing_ok=True)
        self.failures.forget(key)
        self.excluded_windows.forget(key)
        self.validation.forget(key)

    def triplets(
        self, videos: Collection[str] | None = None, categories: Collection[str] | None = None
    ) -> Iterator[Triplet]:
        """Iterate over the finished triplets, by category, video and row.

        Args:
            videos: Keys of the videos; all that have tables by default.
            categories: Names of the categories; all that have tables by default.

        Raises:
            DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
        """
        for category in self.tables.categories() if categories is None else categories:
            keys = self.tables.patches_files(category) if videos is None else videos
            for key in keys:
                for row in self.tables.read_patches(category, key):
                    yield Triplet(key, category, row)

    def excludable_windows(self, key: str) -> list[WindowRow]:
        """Return the windows of a video, and those that were excluded by hand, by number.

        Raises:
            DatasetAssetsError: The table is damaged, from a newer release, or cannot be read.
        """
        rows = self.tables.read_windows(key)
        return [row for row in rows if row.accepted or (row.reason == EXCLUDED and row.pts)]

    def window_at(self, key: str, frame: int) -> WindowRow | None:
        """Return the window whose middle frame has this PTS; None where there is none."""
        windows = self.excludable_windows(key)
        return next((row for row in windows if row.pts[MIDDLE_FRAME] == frame), None)

    def compare_sample(
        self, key: str, category: Category, rows: Sequence[PatchRow], candidates: int
    ) -> FileSample:
        """Compare the files of a sample of candidates with their rows, see `strays.compare_sample`."""
        return compare_sample(self.folder, key, category, rows, candidates)

    def strays(self, settings: Settings, keys: Collection[str], known: Collection[str]) -> Strays:
        """Find files that no row names in the folders of all categories, see `strays.find_strays`."""
        return find_strays(settings, self.folder, self.tables, keys, known)

    def statuses(self, settings: Settings, entry: VideoEntry) -> dict[str, AssetStatus]:
        """Return what of a video is done, missing or stale, see `AssetStatus`.

        Returns:
            A status under `SOURCE`, `WINDOWS` and each category's name. A missing source file counts as
            unchanged: what was made of it stays.
        """
        return statuses_of(settings, entry, self.tables, self.excluded_windows)

    def completions(
        self,
        settings: Settings,
        entry: VideoEntry,
        statuses: Mapping[str, AssetStatus],
        progress: Progress | None = None,
    ) -> dict[str, Completion]:
        """Return how far a video has come, see `completions_of`."""
        return completions_of(
            settings,
            entry,
            self.tables,
            statuses,
            self.excluded_windows,
            progress,
            failure=self.failures.read_one(entry.key),
        )

    def overview(self, settings: Settings) -> Overview:
        """Read the state of the data set."""
        tables = self.tables if isinstance(self.tables, CachedFooters) else CachedFooters(self.folder)
        look_at(entry.path for entry in settings.videos)
        overview = read_overview(settings, tables, self.excluded_windows, self.failures.read())
        runs = self.at_work() if self.is_made_by_many else {}
        return replace(overview, hosts={key: run.host for key, run in runs.items() if run.is_alive})
