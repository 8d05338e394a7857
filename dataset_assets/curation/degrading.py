"""Degrade the LR of a video's patches, from their PNG files: what has no degraded stack, or a stale one.

Here: which patches are degraded, by several threads, and when files and rows are written. Threads, since
reading, coding and compressing run without Python's lock. Not here: what degrading does to pixels
(`degradation`).

The order that survives any end of a run is that of `generate.checkpoints`: files are recorded in the journal;
rows that are stale leave the table; files are written, then get their names; rows are written; what no row
names is deleted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.curation.disk_errors import disk_errors
from dataset_assets.curation.reports import CategoryDegradations, DegradingReport
from dataset_assets.curation.threads import in_order
from dataset_assets.dataset import (
    DataSet,
    OnBusy,
    VideoWork,
    content_hash,
    current_degraded,
    degradation_hash,
    degradation_steps,
    degraded_path,
    read_frames,
    read_recorded,
)
from dataset_assets.degradation import (
    DEGRADATION_VERSION,
    Degraded,
    Drawn,
    Encoding,
    degrade,
    draw_steps,
    missing_encoders,
)
from dataset_assets.errors import DatasetAssetsError, SpaceError
from dataset_assets.frames import FileKind
from dataset_assets.patches import encode_png
from dataset_assets.tables import DEGRADATIONS, DegradedRow, PatchRow

# A commit reads every table of the video, 50 ms for 1,000 patches; a stack takes 50 ms and more.
COMMIT_EVERY: Final = 100


def degrade_video(
    settings: Settings,
    key: str,
    *,
    categories: Collection[str] | None = None,
    workers: int = 1,
    on_patches: Callable[[int], None] = lambda _: None,
    on_busy: OnBusy | None = None,
) -> DegradingReport:
    """Make the degraded stacks of a video's patches that have none, or stale ones.

    Stacks of patches that are gone are removed, and those of categories that are not to be degraded. A run
    that is stopped or killed goes on where it was.

    Args:
        settings: The configuration.
        key: The video's key; it need not be in the configuration any more.
        categories: Names of the categories; all that have tables by default.
        workers: Threads.
        on_patches: Called with the number of further patches that have a degraded stack.
        on_busy: With many machines, called again and again while another works on the video, until it is
            free. Without, that is an error.

    Raises:
        BusyError: Another run works on the video.
        SpaceError: The disk is full, or has less space than `min_free_gb`.
        DatasetAssetsError: A codec is not in this machine's PyAV, patches have no LR of 7 frames, or their
            files are missing or damaged, after all others were degraded; or a table or the disk cannot be
            read or written.
    """
    refuse_missing_encoders(settings, categories)
    cv2.setNumThreads(1)  # parallelism is by patch
    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    data_set = DataSet.of(settings)
    found: dict[str, CategoryDegradations] = {}
    unread: list[PatchRow] = []
    with disk_errors(key, "degrade"), data_set.work_on(key, on_busy) as work:
        there = data_set.tables.categories_of(key)
        for name in there if categories is None else [each for each in there if each in categories]:
            degrading = _Degrading(settings, data_set, work, key, name)
            degrading.run(workers, on_patches)
            if degrading.report.patches or degrading.report.removed:
                found[name] = degrading.report
            unread += degrading.unread
    if unread:
        raise _unread(data_set, key, unread)
    return DegradingReport(key, found, time.process_time() - started_cpu_s, time.perf_counter() - started_s)


def refuse_missing_encoders(settings: Settings, categories: Collection[str] | None = None) -> None:
    """Refuse codecs that this machine's PyAV has not.

    Raises:
        DatasetAssetsError: One is asked for.
    """
    chosen = settings.categories if categories is None else categories
    steps = [step for name in chosen for step in degradation_steps(settings, name)]
    codecs = {name for step in steps if step.codec is not None for name in step.codec.choices}
    if missing := missing_encoders(sorted(codecs)):
        raise DatasetAssetsError(
            f"This machine's PyAV has no encoder or decoder of {', '.join(missing)}",
            "install PyAV as a wheel (`pip install --only-binary av av`), or name other codecs in the "
            "degradations.",
        )


def degrade_patch(
    settings: Settings, data_set: DataSet, key: str, category: str, patch: PatchRow
) -> tuple[bytes, DegradedRow] | None:
    """Degrade the LR of a patch, from its PNG file; nothing is written.

    Args:
        settings: The configuration.
        data_set: The data set.
        key: The video's key.
        category: Name of the category.
        patch: The patch.

    Returns:
        The PNG file and its row; None where the LR of 7 frames is missing, or is not what the row of the
        patch describes.
    """
    path = degraded_path(patch)
    frames = None if path is None else read_frames(data_set.folder, patch, FileKind.LR7)
    if path is None or patch.lr7_hash is None or frames is None:
        return None
    drawn = draw_steps(
        degradation_steps(settings, category),
        seed=settings.base.seed,
        key=key,
        window=patch.window,
        category=category,
        crop=patch.crop,
    )
    found = degrade(frames, drawn)
    content = encode_png(_stacked(found.frames))
    encoding = next((each for each in drawn if isinstance(each, Encoding)), None)
    row = DegradedRow(
        patch_id=patch.patch_id,
        window=patch.window,
        lr7_hash=patch.lr7_hash,
        lr7d_path=path.as_posix(),
        lr7d_bytes=len(content),
        lr7d_hash=content_hash(content),
        db=found.db,
        codec=None if encoding is None else encoding.codec,
        quality=None if encoding is None else encoding.quality,
        coded_bytes=None if found.coding is None else found.coding.coded_bytes,
        degradation=_recorded(drawn, found),
        degradation_hash=degradation_hash(settings, category),
    )
    return content, row


class _Degrading:
    """The degraded stacks of a video's patches in one category.

    Attributes:
        unread: Patches whose LR of 7 frames is missing, or is not what their row describes.
    """

    def __init__(
        self, settings: Settings, data_set: DataSet, work: VideoWork, key: str, category: str
    ) -> None:
        """Read the tables.

        Args:
            settings: The configuration.
            data_set: The data set.
            work: The right to write the video.
            key: The video's key.
            category: Name of the category.
        """
        tables = data_set.tables
        self._settings = settings
        self._data_set = data_set
        self._work = work
        self._key, self._category = key, category
        self._hash = degradation_hash(settings, category)
        self._kept_free_bytes = settings.base.min_free_gb * 1e9
        self._path = tables.degradations_path(category, key)
        self._made_from = tables.read_provenance(tables.patches_path(category, key))
        self._patches = tables.read_patches(category, key) if degradation_steps(settings, category) else []
        recorded = read_recorded(tables, category, key)
        self._rows = current_degraded(self._patches, recorded or (), self._hash)
        self._rows = {name: row for name, row in self._rows.items() if self._is_there(row)}
        kept = {row.path for row in self._rows.values()}
        self._gone = [Path(row.path) for row in recorded or () if row.path not in kept]
        made = None if recorded is None else tables.read_provenance(self._path)
        # Also where patches are gone that had no stack.
        self._is_outdated = made is not None and (made.target != len(self._patches) or not made.complete)
        # A damaged table names nothing: whatever lies where it may have named something is looked at.
        self._is_damaged = recorded is None
        if self._is_damaged:
            every = tables.read_patches(category, key)
            self._gone = [path for row in every if (path := degraded_path(row)) is not None]
        self._removed = len(recorded or ()) - len(self._rows)
        self._written: list[tuple[Path, DegradedRow]] = []
        self._writer = work.triplet_writer()
        self._made = 0
        self.unread: list[PatchRow] = []

    @property
    def report(self) -> CategoryDegradations:
        """What the table holds, and what was done."""
        return CategoryDegradations(tuple(self._ordered()), len(self._patches), self._made, self._removed)

    def run(self, workers: int, on_patches: Callable[[int], None]) -> None:
        """Degrade what is missing, and write files and table if that changes them."""
        on_patches(len(self._rows))
        missing = [patch for patch in self._patches if patch.patch_id not in self._rows]
        if missing:
            self._work.fetch_files()
        try:
            for patch, made in in_order(missing, self._degraded, workers, "degrade"):
                if made is None:
                    self.unread.append(patch)
                    continue
                content, row = made
                self._write(row, content)
                if len(self._written) >= COMMIT_EVERY:
                    self._commit()
                on_patches(1)
            self._commit()
        except (KeyboardInterrupt, DatasetAssetsError):
            # Of a run that is stopped too.
            self._commit()
            raise
        finally:
            self._writer.discard()

    def _degraded(self, patch: PatchRow) -> tuple[bytes, DegradedRow] | None:
        return degrade_patch(self._settings, self._data_set, self._key, self._category, patch)

    def _is_there(self, row: DegradedRow) -> bool:
        try:
            return self._data_set.path_of(Path(row.path)).stat().st_size == row.size_bytes
        except OSError:
            return False

    def _write(self, row: DegradedRow, content: bytes) -> None:
        path = Path(row.path)
        self._work.journal.note([[path]])
        self._writer.write_file(path, content)
        self._written.append((path, row))

    def _commit(self) -> None:
        written, self._written = self._written, []
        gone, self._gone = self._gone, []
        if not (written or gone or self._is_damaged or self._is_outdated):
            return
        self._refuse_full_disk()
        self._work.journal.note([[path] for path in gone])
        if gone:
            self._write_table()
        self._writer.commit([[path] for path, _ in written])
        for _, row in written:
            self._rows[row.patch_id] = row
            self._made += 1
        self._is_damaged = self._is_outdated = False
        self._write_table()
        self._work.journal.settle({path for path, _ in written})

    def _refuse_full_disk(self) -> None:
        free_bytes = self._data_set.free_bytes
        if free_bytes < self._kept_free_bytes:
            raise SpaceError(
                f"{self._key}: {free_bytes / 1e9:.1f} GB are free for degraded stacks, and "
                f"base_settings.min_free_gb keeps {self._kept_free_bytes / 1e9:.1f} GB",
                "free some space and degrade again: what is written stays.",
            )

    def _write_table(self) -> None:
        rows = self._ordered()
        if self._made_from is None or not rows:
            if self._path.exists():
                self._work.remove_table(self._path)
            return
        provenance = replace(
            self._made_from,
            settings_hash=self._hash,
            code_version=str(DEGRADATION_VERSION),
            complete=len(rows) == len(self._patches),
            target=len(self._patches),
            chosen=None,
            mix=None,
            strata_target=None,
            outdated=0,
        )
        self._work.write_table(self._path, DEGRADATIONS, rows, provenance)

    def _ordered(self) -> list[DegradedRow]:
        rows = (self._rows.get(patch.patch_id) for patch in self._patches)
        return [row for row in rows if row is not None]


def _stacked(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return frames.reshape(-1, *frames.shape[2:])


def _recorded(drawn: Sequence[Drawn], found: Degraded) -> str:
    """Return all that was drawn as JSON: a list of steps; of a codec also its build and options."""
    steps = [{"step": each.step, **asdict(each)} for each in drawn]
    for step, each in zip(steps, drawn, strict=True):
        if isinstance(each, Encoding) and found.coding is not None:
            step |= {"encoder": found.coding.encoder, "options": found.coding.options}
    return json.dumps(steps)


def _unread(data_set: DataSet, key: str, unread: Sequence[PatchRow]) -> DatasetAssetsError:
    """Return what to tell of patches whose clean frames could not be read."""
    without = [row for row in unread if row.lr7_path is None]
    if without:
        return DatasetAssetsError(
            f"{key}: {counted(len(without), 'patch')} have no LR stack of 7 frames to degrade, first "
            f"{data_set.folder / without[0].gt_path}; all others are degraded",
            "add 7 to base_settings.lr_stacks and run generate; degrade again.",
        )
    return DatasetAssetsError(
        f"{key}: the LR of {counted(len(unread), 'patch')} is missing, or not what its row describes, first "
        f"{data_set.folder / str(unread[0].lr7_path)}; all others are degraded",
        "`dataset-assets verify --repair` and then `dataset-assets generate` rebuild it; degrade again.",
    )
