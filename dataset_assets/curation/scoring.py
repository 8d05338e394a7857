"""Score the patches of a video from its PNG files: what has no score, or was made again since.

Here: which patches are measured, by several threads, and when the table is written. Threads, since reading,
decoding and measuring run without Python's lock. Not here: the scores themselves (`scores`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Final

import cv2

from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.curation.disk_errors import disk_errors
from dataset_assets.curation.reports import CategoryScores, ScoringReport
from dataset_assets.curation.threads import in_order
from dataset_assets.dataset import DataSet, OnBusy, VideoWork, keep_curation, read_frames
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.frames import FileKind
from dataset_assets.generate import ScoreLedger, score_row
from dataset_assets.scores import CropPlace, score_patch
from dataset_assets.tables import PatchRow, ScoreRow, VideoRow

# Writing the table of 1,000 patches takes as long as measuring one; a killed run loses seconds.
COMMIT_EVERY: Final = 200


def score_video(
    settings: Settings,
    key: str,
    *,
    categories: Collection[str] | None = None,
    workers: int = 1,
    on_patches: Callable[[int], None] = lambda _: None,
    on_busy: OnBusy | None = None,
) -> ScoringReport:
    """Measure the scores of a video's patches that have none, or were made again since.

    Rows of patches that are gone are removed. A run that is stopped or killed goes on where it was.

    Args:
        settings: The configuration.
        key: The video's key; it need not be in the configuration any more.
        categories: Names of the categories; all that have tables by default.
        workers: Threads.
        on_patches: Called with the number of further patches that have scores.
        on_busy: With many machines, called again and again while another works on the video, until it is
            free. Without, that is an error.

    Raises:
        BusyError: Another run works on the video.
        SpaceError: The disk is full.
        DatasetAssetsError: Files of patches are missing or damaged, after all others were scored; or a table
            or the disk cannot be read or written.
    """
    cv2.setNumThreads(1)  # parallelism is by patch
    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    data_set = DataSet.of(settings)
    found: dict[str, CategoryScores] = {}
    unread: list[PatchRow] = []
    with disk_errors(key, "score"), data_set.hold(key, on_busy) as work:
        keep_curation(settings)
        data_set.tables.remove_temporaries(key)
        film = data_set.tables.read_video(key)
        there = data_set.tables.categories_of(key)
        for name in there if categories is None else [each for each in there if each in categories]:
            scoring = _Scoring(data_set, work, key, name, film)
            scoring.run(workers, on_patches)
            if scoring.report.patches or scoring.report.removed:
                found[name] = scoring.report
            unread += scoring.unread
    if unread:
        raise DatasetAssetsError(
            f"{key}: the files of {counted(len(unread), 'patch')} are missing, or not what "
            f"their rows describe, first {data_set.folder / unread[0].gt_path}; all others are scored",
            "`dataset-assets verify --repair` and then `dataset-assets generate` rebuild them; score again.",
        )
    return ScoringReport(key, found, time.process_time() - started_cpu_s, time.perf_counter() - started_s)


def recorded_scores(settings: Settings, key: str) -> dict[str, CategoryScores]:
    """Return the scores that the tables of a video have; nothing is measured or written.

    Raises:
        DatasetAssetsError: A patches table is damaged, or from a newer release.
    """
    data_set = DataSet.of(settings)
    found = {}
    for name in data_set.tables.categories_of(key):
        patches = data_set.tables.read_patches(name, key)
        ledger = ScoreLedger(data_set, name, key, patches)
        if patches:
            found[name] = CategoryScores(tuple(ledger.rows(patches)), len(patches), 0, 0)
    return found


class _Scoring:
    """The scores of a video's patches in one category.

    Attributes:
        unread: Patches with a file that is missing, or is not what their row describes.
    """

    def __init__(
        self, data_set: DataSet, work: VideoWork, key: str, category: str, film: VideoRow | None
    ) -> None:
        """Read the tables.

        Args:
            data_set: The data set.
            work: The right to write the video.
            key: The video's key.
            category: Name of the category.
            film: The video's row; None where it has none.
        """
        self._data_set = data_set
        self._work = work
        self._made_from = data_set.tables.read_provenance(data_set.tables.patches_path(category, key))
        self._patches = data_set.tables.read_patches(category, key)
        self._film = film
        self._scores = ScoreLedger(data_set, category, key, self._patches)
        self._made = 0
        self.unread: list[PatchRow] = []

    @property
    def report(self) -> CategoryScores:
        """What the table holds, and what was done."""
        rows = self._scores.rows(self._patches)
        return CategoryScores(tuple(rows), len(self._patches), self._made, self._scores.removed)

    def run(self, workers: int, on_patches: Callable[[int], None]) -> None:
        """Measure what is missing, and write the table if that changes it."""
        on_patches(len(self._scores))
        missing = [patch for patch in self._patches if patch.patch_id not in self._scores]
        if missing:
            self._work.fetch_files()
        try:
            for patch, row in in_order(missing, self._measure, workers, "score"):
                if row is None:
                    self.unread.append(patch)
                    continue
                self._scores.add(row)
                self._made += 1
                if self._made % COMMIT_EVERY == 0:
                    self._commit()
                on_patches(1)
        finally:
            # Of a run that is stopped too.
            self._commit()

    def _commit(self) -> None:
        self._scores.commit(self._work, self._patches, self._made_from)

    def _measure(self, patch: PatchRow) -> ScoreRow | None:
        stack = patch.largest_stack
        if stack is None or stack.content_hash is None:
            return None
        gt, lr = (read_frames(self._data_set.folder, patch, kind) for kind in (FileKind.GT, stack.kind))
        if gt is None or lr is None:
            return None
        return score_row(patch, score_patch(gt[0], lr, _place(patch, self._film)))


def _place(patch: PatchRow, film: VideoRow | None) -> CropPlace | None:
    if film is None:
        return None
    return CropPlace.of_crop(patch.y, patch.width, patch.height, (film.working_width, film.working_height))
