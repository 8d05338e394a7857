"""Verify a data set video by video, with several threads that read the pictures.

Threads, since the expensive work (reading, hashing, decoding, downscaling) runs without Python's lock. The
tables of as many videos as there are threads are in memory at a time. Not here: the checks themselves
(`windows`, `patches`, `pictures`, `deep`) and deleting (`repair`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event

import cv2

from dataset_assets.checks import MAX_SHARE_BARRED
from dataset_assets.config import Settings, VideoEntry
from dataset_assets.counting import counted
from dataset_assets.dataset import DataSet, Strays, TripletPaths, files_without_row, wanted_statuses
from dataset_assets.disk import TEMPORARY_SUFFIX
from dataset_assets.errors import BusyError, DatasetAssetsError
from dataset_assets.tables import PatchRow
from dataset_assets.verify.degraded import (
    Pair,
    check_degraded,
    degrade_again,
    degraded_notes,
    degraded_pairs,
    stacks_to_degrade,
)
from dataset_assets.verify.findings import Finding, Kind, VideoFindings
from dataset_assets.verify.isolation import compare_isolated
from dataset_assets.verify.patches import check_patches
from dataset_assets.verify.pictures import check_triplet
from dataset_assets.verify.repair import Marks, delete_broken, table_marks
from dataset_assets.verify.tables import Tables, read_tables
from dataset_assets.verify.validation import check_validation
from dataset_assets.verify.windows import check_windows
from dataset_assets.video import is_there, look_at

# Triplets that a thread takes at a time: about a second's work.
BATCH = 32


def keys_of(settings: Settings) -> list[str]:
    """Return the keys of the videos that are configured or have tables, sorted."""
    data_set = DataSet.of(settings)
    return sorted({*data_set.tables.keys(), *(video.key for video in settings.videos)})


def verify(
    settings: Settings,
    keys: Collection[str] | None = None,
    *,
    deep_share: float = 0.0,
    repair: bool = False,
    workers: int = 1,
    on_triplets: Callable[[int], None] = lambda _: None,
) -> Generator[VideoFindings, None, None]:
    """Read a data set back.

    Args:
        settings: The configuration.
        keys: Videos; all that are configured or have tables by default.
        deep_share: Share of each video's windows that is decoded from the source again; 0 for none.
        repair: Whether what is broken is deleted, so that `generate` rebuilds it.
        workers: Threads.
        on_triplets: Called with the number of further triplets that have been read.

    Yields:
        What was found in each video, by key; at the end the files that belong to no video, if all videos
        were requested and there are such files.
    """
    cv2.setNumThreads(1)  # parallelism is by triplet
    data_set = DataSet.of(settings)
    data_set.copy.refresh()
    known = keys_of(settings)
    chosen = known if keys is None else sorted(set(keys))
    data_set.copy.compare((Path(category.folder) for category in settings.categories.values()), chosen)
    strays = data_set.strays(settings, chosen, known)
    look_at(video.path for video in settings.videos)
    stop = Event()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="verify")
    try:
        running: deque[_Verification] = deque()
        for key in chosen:
            running.append(_Verification(settings, data_set, key, strays, deep_share))
            running[-1].start(pool, stop, on_triplets)
            if len(running) > workers:
                yield running.popleft().finish(repair=repair)
        while running:
            yield running.popleft().finish(repair=repair)
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    if keys is None and strays.foreign:
        found = VideoFindings(
            "", left_out="not named as this data set's files are; move or delete them yourself"
        )
        for path in sorted(strays.foreign):
            found.add(Kind.EXTRA, path, "belongs to no video of this data set")
        yield found


class _Verification:
    """The verification of one video."""

    def __init__(
        self, settings: Settings, data_set: DataSet, key: str, strays: Strays, deep_share: float
    ) -> None:
        self._settings = settings
        self._data_set = data_set
        self._key = key
        self._entry = next((video for video in settings.videos if video.key == key), None)
        self._strays = strays
        self._deep_share = deep_share
        self._found = VideoFindings(key)
        self._tables = Tables()
        self._marks: Marks = ()
        self._batches: list[Future[list[_Broken]]] = []
        self._degraded: list[Future[_CheckedStacks]] = []
        self._deep: Future[VideoFindings] | None = None

    def start(self, pool: ThreadPoolExecutor, stop: Event, on_triplets: Callable[[int], None]) -> None:
        """Read the tables, and submit the valid rows to the threads."""
        if (run := self._data_set.run_on(self._key)) is not None:
            self._found.left_out = f"{run.who} works on it"
            return
        self._marks = table_marks(self._data_set, self._key)
        found, entry = self._found, self._entry
        tables = self._tables = read_tables(self._data_set, self._key, found)
        check_windows(self._settings, entry, self._data_set, tables, found)
        sound = check_patches(self._settings, entry, self._data_set, tables, found)
        found.triplets = sum(map(len, tables.patches.values()))
        on_triplets(found.triplets - sum(map(len, sound.values())))
        check_validation(self._data_set, self._key, self._settings.categories, found)
        root = self._data_set.folder
        for category, positions in sound.items():
            rows = tables.patches[category]
            for start in range(0, len(positions), BATCH):
                batch = [
                    (category, position, rows[position]) for position in positions[start : start + BATCH]
                ]
                self._batches.append(pool.submit(_check_batch, root, batch, stop, on_triplets))
        pairs = list(degraded_pairs(tables))
        again = stacks_to_degrade(self._settings, self._key, pairs, self._deep_share)
        degrade = partial(degrade_again, self._settings, self._data_set, self._key)
        for start in range(0, len(pairs), BATCH):
            stacks = pairs[start : start + BATCH]
            self._degraded.append(pool.submit(_check_stacks, root, stacks, again, degrade, stop))
        if entry is not None and self._deep_share:
            self._deep = pool.submit(
                compare_isolated, self._settings, entry, self._data_set, tables, self._deep_share, stop
            )

    def finish(self, *, repair: bool) -> VideoFindings:
        """Wait for the threads, add the checks of the video as a unit, and repair it on request."""
        found = self._found
        if found.left_out:
            return found
        self._take_broken([each for batch in self._batches for each in batch.result()])
        other_builds = 0
        for checked in (batch.result() for batch in self._degraded):
            other_builds += checked.other_builds
            for broken in checked.broken:
                found.findings += broken.findings
                found.repair.degraded[broken.category].append(broken.patch)
        if other_builds:
            stacks = counted(other_builds, "degraded stack")
            found.notes.append(f"{stacks} of another build of the encoder not degraded again")
        found.notes += degraded_notes(self._settings, self._tables)
        if self._deep is not None:
            self._take(self._deep.result())
        self._add_strays()
        if self._entry is not None:
            self._note_states(self._entry)
        if found.findings and (busy := self._busy()):
            return VideoFindings(self._key, left_out=busy)
        if found.findings and repair:
            self._repair()
        return found

    def _busy(self) -> str:
        """Return who works, or worked meanwhile, on the video; empty where nobody does."""
        run = self._data_set.run_on(self._key)
        if run is not None:
            return f"{run.who} works on it"
        has_changed = table_marks(self._data_set, self._key) != self._marks
        return "a run has changed it meanwhile" if has_changed else ""

    def _note_states(self, entry: VideoEntry) -> None:
        """Note what is missing or stale; of a film that was refused, why."""
        states = wanted_statuses(self._settings, entry, self._data_set.statuses(self._settings, entry))
        failure = self._data_set.failures.read_one(self._key)
        if failure is not None and failure.refuses(entry.path):
            self._found.notes.append(f"refused: {failure.sentence}")
            states = {name: status for name, status in states.items() if status.state != "missing"}
        self._found.notes += [
            f"{name} is {s.state}: {s.reason}" for name, s in states.items() if not s.is_done
        ]

    def _take_broken(self, broken: Sequence[_Broken]) -> None:
        """Add the findings of triplets; a few black bars are only noted, since they may be dark scenes."""
        found = self._found
        barred = [each for each in broken if each.is_barred]
        is_alarm = 0 < len(barred) <= MAX_SHARE_BARRED * found.triplets
        if is_alarm:
            first = barred[0].findings[0].place
            found.notes.append(
                f"{len(barred):,} of {counted(found.triplets, 'patch')} may have a black bar, first {first}"
            )
        for each in broken:
            if each.is_barred:
                if is_alarm:
                    continue
                # Its window would be accepted again from the table.
                found.repair.windows.add(each.window)
            found.repair.rows[each.category].add(each.position)
            found.findings += each.findings

    def _take(self, deep: VideoFindings) -> None:
        found = self._found
        found.windows_compared = deep.windows_compared
        found.findings += deep.findings
        found.notes += deep.notes
        found.repair.windows |= deep.repair.windows
        found.repair.tables |= deep.repair.tables
        for category, positions in deep.repair.rows.items():
            found.repair.rows[category] |= positions

    def _add_strays(self) -> None:
        root, found = self._data_set.folder, self._found
        rows = [row for rows in self._tables.patches.values() for row in rows]
        named = {path for row in rows for path in TripletPaths.of(row)} | self._tables.degraded_files
        for triplet in sorted(self._strays.by_key.get(self._key, ())):
            for path in files_without_row(root, triplet, named):
                found.repair.triplets.add(triplet)
                if path.name.endswith(TEMPORARY_SUFFIX):
                    found.repair.leftovers.add(root / path)
                    found.add(Kind.LEFTOVER, path, "was left behind by a killed run")
                else:
                    found.add(Kind.EXTRA, path, "has no row")
        for path in self._data_set.left_by_killed_runs(self._key):
            found.repair.leftovers.add(path)
            found.add(Kind.LEFTOVER, path.relative_to(root), "was left behind by a killed run")

    def _repair(self) -> None:
        found, entry = self._found, self._entry
        if entry is None:
            found.left_out = "not repaired: it is not in the configuration, so nothing could recreate it"
        elif not is_there(entry.path):
            found.left_out = f"not repaired: its film {entry.path} is absent, so nothing could recreate it"
        elif (empty := self._empty_folder()) is not None:
            found.left_out = (
                f"not repaired: {empty} is empty; mount its drive if it is away, else delete the tables of "
                "its category and run generate"
            )
        elif all(finding.kind is Kind.COLOUR for finding in found.findings):
            found.left_out = "not repaired: generate would make the same pictures again"
        elif not any(finding.kind.is_deletable for finding in found.findings):
            found.left_out = "not repaired: what was decided for validation is not deleted"
        elif not found.is_repairable:
            found.left_out = "not repaired: a table cannot be read, but may be undamaged"
        else:
            try:
                delete_broken(self._data_set, self._key, found.repair, self._marks)
                found.repaired = True
            except BusyError:
                found.left_out = f"not repaired: {self._busy() or 'a run works on it'}"
            except (DatasetAssetsError, OSError) as error:
                found.left_out = f"not repaired: {error}"

    def _empty_folder(self) -> Path | None:
        """Return a category's folder that is empty or missing, as if its drive were not mounted."""
        for category in self._found.repair.rows:
            if category in self._settings.categories:
                folder = self._data_set.category_folder(self._settings, category)
                if not folder.is_dir() or not any(folder.iterdir()):
                    return folder
        return None


@dataclass(frozen=True, slots=True)
class _Broken:
    category: str
    position: int
    window: int
    findings: Sequence[Finding]

    @property
    def is_barred(self) -> bool:
        """Whether only black bars are wrong."""
        return all(finding.kind is Kind.BAR for finding in self.findings)


@dataclass(frozen=True, slots=True)
class _BrokenStack:
    category: str
    patch: PatchRow
    findings: Sequence[Finding]


@dataclass(slots=True)
class _CheckedStacks:
    """What is wrong with degraded stacks, and how many could not be made again."""

    broken: list[_BrokenStack] = field(default_factory=list)
    other_builds: int = 0


def _check_stacks(
    root: Path,
    batch: Sequence[tuple[str, Pair]],
    again: Collection[tuple[str, str]],
    degrade: Callable[[str, Pair], list[Finding] | None],
    stop: Event,
) -> _CheckedStacks:
    checked = _CheckedStacks()
    for category, pair in batch:
        if stop.is_set():
            break
        patch, row = pair
        findings: list[Finding] | None = check_degraded(root, patch, row)
        if not findings and (category, row.patch_id) in again:
            findings = degrade(category, pair)
            checked.other_builds += findings is None
        if findings:
            checked.broken.append(_BrokenStack(category, patch, findings))
    return checked


def _check_batch(
    root: Path,
    batch: Sequence[tuple[str, int, PatchRow]],
    stop: Event,
    on_triplets: Callable[[int], None],
) -> list[_Broken]:
    broken = []
    for category, position, row in batch:
        if stop.is_set():
            break
        if findings := check_triplet(root, row):
            broken.append(_Broken(category, position, row.window, findings))
    on_triplets(len(batch))
    return broken
