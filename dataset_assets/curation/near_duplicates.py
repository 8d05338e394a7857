"""Find the windows that show what windows of other videos show: intros, recaps, trailers, one film twice.

Here: which videos are compared, what decides on a candidate, and when the table is written. A row is a
function of two videos alone. So a new video is compared with all others and no other pair again, and neither
order nor number of the runs changes the table. Nothing is deleted. Not here: what makes pictures alike
(`windows`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import pairwise
from typing import Final

import cv2
import numpy as np

from dataset_assets.config import Settings
from dataset_assets.curation.compared_windows import ComparedWindows, read_windows
from dataset_assets.curation.duplicate_reports import DuplicatesReport
from dataset_assets.curation.signature_search import Candidates, SignatureSearch, distances
from dataset_assets.dataset import DataSet, picture_name, shows_set_apart, signature_hash
from dataset_assets.disk import FULL_ERRNOS
from dataset_assets.errors import DamagedTableError, DatasetAssetsError, SpaceError
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.object_store import StoreError
from dataset_assets.tables import DuplicateRow, DuplicatesTable, ValidationRow
from dataset_assets.windows import ALONE_LIMIT, ComparablePicture, Likeness, likeness

# Windows that are compared before the table is written: of 5,000 videos a killed run loses minutes.
COMMIT_WINDOWS: Final = 50_000
# Pictures that are kept in the memory, of 150 kB.
PICTURES_KEPT: Final = 1000


def find_duplicates(
    settings: Settings, *, on_videos: Callable[[int, int], None] = lambda _done, _total: None
) -> DuplicatesReport:
    """Compare the videos that are new or have other windows since with all others, and update the table.

    Rows of videos that are gone, or have other windows, are removed, but for those of windows that are set
    apart for validation: what shows the same is still not to be trained on. A run that is stopped or killed
    goes on where it was.

    Args:
        settings: The configuration.
        on_videos: Called with how many videos are compared, and how many there are.

    Raises:
        SpaceError: The disk is full.
        DatasetAssetsError: The disk cannot be read or written, or the table is from a newer release.
    """
    cv2.setNumThreads(1)  # a picture is too small to be divided
    started_cpu_s, started_s = time.process_time(), time.perf_counter()
    data_set = DataSet.of(settings)
    with _disk_errors(data_set), data_set.duplicates.changing(), read_windows(data_set) as windows:
        run = _Run(data_set, windows, _table(data_set))
        run.compare(on_videos)
        return DuplicatesReport(
            rows=tuple(sorted(run.rows, key=lambda row: (row.video, row.window, row.of_video))),
            videos=len(run.compared),
            made=run.made,
            removed=run.removed,
            confirmed=run.confirmed,
            problems=windows.problems,
            cpu_s=time.process_time() - started_cpu_s,
            wall_s=time.perf_counter() - started_s,
        )


class _Run:
    """One update of the table.

    Attributes:
        rows: The near-duplicates of the videos that are compared.
        compared: What each of these videos was, by key.
        made: Videos that were compared just now.
        removed: Videos of the last run that are gone.
        confirmed: Candidates that were looked at.
    """

    def __init__(self, data_set: DataSet, windows: ComparedWindows, before: DuplicatesTable) -> None:
        """Find out which videos are as they were.

        Args:
            data_set: The data set.
            windows: The windows of all videos.
            before: The table of the last run.
        """
        self._data_set = data_set
        self._windows = windows
        self._picture = lru_cache(PICTURES_KEPT)(self._read_picture)
        states = windows.states
        self.compared = {key: state for key, state in states.items() if before.compared.get(key) == state}
        self.rows: list[DuplicateRow] = []
        self._kept: list[DuplicateRow] = []
        accepted: dict[str, list[ValidationRow]] = {}
        for each in data_set.validation.accepted():
            accepted.setdefault(each.video, []).append(each.row)
        for row in before.rows:
            is_unchanged = row.video in self.compared and row.of_video in self.compared
            is_apart = shows_set_apart(row, accepted)
            if is_unchanged and not (is_apart and self._is_gone(row)):
                self.rows.append(row)
            elif is_apart:
                self._kept.append(row)
        self.made = self.confirmed = 0
        self.removed = len(before.compared.keys() - states.keys())
        self._is_written = len(self.compared) == len(before.compared)

    def compare(self, on_videos: Callable[[int, int], None]) -> None:
        """Compare what is not compared yet, some videos at a time, and write the table after each."""
        windows = self._windows
        search = SignatureSearch(windows.signatures, windows.video_of)
        old = [index for index, key in enumerate(windows.keys) if key in self.compared]
        new = [index for index, key in enumerate(windows.keys) if key not in self.compared]
        on_videos(len(old), len(windows.keys))
        for batch in self._batches(new):
            for candidates in search.between(batch, old):
                self.rows += self._confirmed(candidates)
            old += batch
            self.compared |= {windows.keys[index]: windows.states[windows.keys[index]] for index in batch}
            self.made += len(batch)
            self._write()
            on_videos(len(old), len(windows.keys))
        if not self._is_written:
            self._write()

    def _is_gone(self, row: DuplicateRow) -> bool:
        """Return whether one of its windows is no more what it was."""
        later = self._windows.signature_hash(row.video, row.window)
        earlier = self._windows.signature_hash(row.of_video, row.of_window)
        return (later, earlier) != (row.signature_hash, row.of_signature_hash)

    def _write(self) -> None:
        found = {(row.video, row.window, row.of_video) for row in self.rows}
        kept = [row for row in self._kept if (row.video, row.window, row.of_video) not in found]
        self._data_set.duplicates.write([*self.rows, *kept], self.compared)
        self._is_written = True

    def _batches(self, videos: list[int]) -> Iterator[list[int]]:
        counts = np.bincount(self._windows.video_of, minlength=len(self._windows.keys))[videos]
        numbers = np.cumsum(counts) // COMMIT_WINDOWS
        ends = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(videos)]
        for start, end in pairwise(ends):
            if start < end:
                yield videos[start:end]

    def _confirmed(self, candidates: Candidates) -> Iterator[DuplicateRow]:
        """Yield a row for each window and earlier video whose pictures show the same."""
        windows, found = self._windows, set()
        for later, earlier, distance in candidates.pairs():
            place = later, int(windows.video_of[earlier])
            if place in found:
                continue
            self.confirmed += 1
            alike = self._likeness(later, earlier)
            if alike is None and self._fine_distance(later, earlier) > ALONE_LIMIT:
                continue
            if alike is None or alike.is_same:
                found.add(place)
                yield self._row(later, earlier, distance, alike)

    def _likeness(self, later: int, earlier: int) -> Likeness | None:
        """Compare the pictures of two windows; None where one is missing."""
        if not self._data_set.duplicates.has_all_pictures:
            return None
        # The earlier one first: candidates are sorted by the later window, which is the same for some.
        first, second = self._picture(earlier), self._picture(later)
        return None if first is None or second is None else likeness(first, second)

    def _fine_distance(self, later: int, earlier: int) -> float:
        pair = (np.array([each], np.int64) for each in (later, earlier))
        return float(distances(self._windows.signatures, *pair, is_fine=True)[0])

    def _read_picture(self, index: int) -> ComparablePicture | None:
        windows = self._windows
        key = windows.key_of(index)
        fingerprint = windows.fingerprint(key)
        if fingerprint is None:
            return None
        name = picture_name(fingerprint, [int(windows.middle_pts[index])] * FRAMES_PER_WINDOW, None)
        path = self._data_set.pictures(key).find(name)
        luma = None if path is None else cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        return None if luma is None else ComparablePicture.of(luma.astype(np.uint8, copy=False))

    def _row(self, later: int, earlier: int, distance: float, alike: Likeness | None) -> DuplicateRow:
        windows = self._windows
        hashes = [signature_hash(windows.signatures[each].tobytes()) for each in (later, earlier)]
        return DuplicateRow(
            video=windows.key_of(later),
            window=int(windows.windows[later]),
            of_video=windows.key_of(earlier),
            of_window=int(windows.windows[earlier]),
            time_s=float(windows.times_s[later]),
            of_time_s=float(windows.times_s[earlier]),
            # As a file keeps them, so that rows of this run equal those of the table.
            distance=float(np.float32(distance)),
            block_error=None if alike is None else float(np.float32(alike.block_error)),
            peak=None if alike is None else float(np.float32(alike.peak)),
            signature_hash=hashes[0],
            of_signature_hash=hashes[1],
        )


def _table(data_set: DataSet) -> DuplicatesTable:
    try:
        return data_set.tables.read_duplicates() or DuplicatesTable()
    except DamagedTableError:
        return DuplicatesTable()  # all videos are compared again


@contextmanager
def _disk_errors(data_set: DataSet) -> Iterator[None]:
    """Convert errors of the disk to ones for the user."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        place = error.filename or data_set.duplicates.path
        if error.errno in FULL_ERRNOS:
            raise SpaceError(
                f"The disk is full ({place}: {error.strerror})",
                "free some space and run duplicates again: what is written stays.",
            ) from error
        raise DatasetAssetsError(
            f"{place} cannot be read or written ({error.strerror})",
            "look after the disk or its permissions and run duplicates again: what is written stays.",
        ) from error
