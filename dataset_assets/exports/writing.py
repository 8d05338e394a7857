"""Write an export: what of it is there, what is taken over, what is read and written.

Here: the pass over the units, with several threads that read and encode. Threads, since reading, decoding and
compressing run without Python's lock. Not here: what an export holds (`planning`), how a layout
writes a unit (`layouts`), and how the export gets its folder (`publishing`).
"""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
from rich.filesize import decimal

from dataset_assets.dataset import keep_curation
from dataset_assets.errors import SpaceError
from dataset_assets.exports.all_gt import AllGt
from dataset_assets.exports.disk_errors import disk_errors
from dataset_assets.exports.layouts.protocol import Job, Writer
from dataset_assets.exports.pictures import TripletReader
from dataset_assets.exports.planning import ExportPlan
from dataset_assets.exports.publishing import (
    Workplace,
    count_files,
    read_record,
    workplace,
)
from dataset_assets.exports.record import (
    README_FILE,
    SPLIT_FILE,
    identity,
    paste_of,
    write_readme,
    write_record,
    write_split,
)
from dataset_assets.exports.units import Unit, WrittenUnits, read_units

# Units between two commits: a killed process loses at most so many.
COMMIT_UNITS: Final = 16
# Seconds between two times that everything is written to the disk: a power cut loses at most so much.
SYNC_S: Final = 30.0
# Units that are prepared ahead, for each thread: enough to keep it busy, few enough to hold in memory.
AHEAD: Final = 2


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did.

    Attributes:
        folder: Its folder.
        written: Triplets that were read and written.
        resumed: Triplets that a stopped run had written.
        reused: Triplets that were taken over from the former export.
        removed: Triplets, or shards, of the former export that are not in this one.
        files: Its files.
        size_bytes: Bytes of its files, with those that are linked.
        wall_s: Seconds it took.
        is_unchanged: Whether the former export was up to date, and so nothing was written.
    """

    folder: Path
    written: int
    resumed: int
    reused: int
    removed: int
    files: int
    size_bytes: int
    wall_s: float
    is_unchanged: bool


def write_export(
    plan: ExportPlan, *, workers: int = 1, on_triplets: Callable[[int], None] = lambda _: None
) -> ExportReport:
    """Write an export, or what of it has changed.

    A run that is stopped or killed leaves the former export and what it has written in `FOLDER.partial`,
    which the next run resumes.

    Args:
        plan: The export.
        workers: Threads that read and encode.
        on_triplets: Called with the number of further triplets that are in the export.

    Raises:
        BusyError: Another process exports to the folder.
        SpaceError: The disk is full, or has too little space.
        DatasetAssetsError: A file of the data set is not what its row describes, or the disk cannot be
            written.
    """
    started_s = time.monotonic()
    cv2.setNumThreads(1)  # parallelism is by triplet
    export_identity = identity(plan.selected, plan.units, plan.folder)
    with disk_errors(plan.folder), workplace(plan.folder) as place:
        # Only loaders need it: a data set that must not be written can be exported too.
        with suppress(OSError):
            keep_curation(plan.settings)
        record = read_record(plan.folder) if place.former else None
        if record is not None and _is_up_to_date(plan.folder, record, export_identity):
            place.discard()
            on_triplets(len(plan.selected.items))
            return _report(plan, _Counts(reused=len(plan.selected.items)), record, started_s, unchanged=True)
        counts = _write(plan, place, workers, on_triplets)
        write_split(place.partial / SPLIT_FILE, plan.selected)
        paste = paste_of(plan.data_set, plan.selected, plan.folder)
        write_readme(place.partial / README_FILE, plan.layout, plan.selected, paste)
        record = write_record(place.partial, plan.layout, plan.data_set, plan.selected, export_identity)
        written = WrittenUnits(place.partial)
        written.sync()
        written.keep_only(plan.units)
        place.publish()
    return _report(plan, counts, record, started_s)


def _is_up_to_date(folder: Path, record: Mapping[str, Any], export_identity: str) -> bool:
    """Return whether an export is what would be written, and no file of it was deleted."""
    return bool(record.get("identity") == export_identity and record["files"] == count_files(folder))


@dataclass(slots=True)
class _Counts:
    written: int = 0
    resumed: int = 0
    reused: int = 0
    removed: int = 0


def _write(plan: ExportPlan, place: Workplace, workers: int, on_triplets: Callable[[int], None]) -> _Counts:
    """Write all units to the partial folder."""
    resumable = read_units(place.partial)
    former = read_units(place.former) if place.former else {}
    there = [unit for unit in plan.units if resumable.get(unit.name) == unit.digest]
    reader = TripletReader(plan.data_set, plan.selected.options.frames)
    all_gt = AllGt(plan.settings, plan.data_set, reader, plan.selected.items)
    job = Job(
        partial=place.partial,
        former=place.former,
        selected=plan.selected,
        reader=reader,
        all_gt=all_gt if plan.selected.options.gt == "all" else None,
        workers=workers,
    )
    with closing(all_gt), closing(plan.layout.writer(job)) as writer:
        there = writer.keep(there)
        written = WrittenUnits(place.partial)
        written.sync()
        written.keep_only(there)
        gone = former.keys() - {unit.name for unit in plan.units}
        counts = _Counts(resumed=_triplets(there), removed=len(gone))
        on_triplets(counts.resumed)
        names = {unit.name for unit in there}
        missing = [unit for unit in plan.units if unit.name not in names]
        _check_space(plan, missing, former)
        with _Committing(writer, written) as committing:
            changed = []
            for unit in missing:
                if former.get(unit.name) == unit.digest and writer.reuse(unit):
                    committing.stored(unit)
                    counts.reused += len(unit.items)
                    on_triplets(len(unit.items))
                else:
                    changed.append(unit)
            for unit, store in _prepared(writer, changed, workers):
                store()
                committing.stored(unit)
                counts.written += len(unit.items)
                on_triplets(len(unit.items))
        writer.finish()
    return counts


class _Committing:
    """Commit units in groups, also those of a run that is stopped."""

    def __init__(self, writer: Writer, written: WrittenUnits) -> None:
        self._writer = writer
        self._written = written
        self._stored: list[Unit] = []
        self._synced_s = time.monotonic()

    def stored(self, unit: Unit) -> None:
        """Count a unit as stored, and commit when enough are."""
        self._stored.append(unit)
        if len(self._stored) >= COMMIT_UNITS:
            self._commit()
        if time.monotonic() - self._synced_s > SYNC_S:
            self._written.sync()
            self._synced_s = time.monotonic()

    def _commit(self) -> None:
        self._writer.commit()
        self._written.add(self._stored)
        self._stored.clear()

    def __enter__(self) -> _Committing:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After an error of the disk this fails too, and the first error is the one to report.
        if kind is None or not issubclass(kind, Exception):
            self._commit()


def _prepared(
    writer: Writer, units: Sequence[Unit], workers: int
) -> Iterator[tuple[Unit, Callable[[], None]]]:
    """Yield units in their order as they are ready to be stored."""
    waiting: deque[tuple[Unit, Future[Callable[[], None]]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="export")
    try:
        for unit in units:
            waiting.append((unit, pool.submit(writer.prepare, unit)))
            if len(waiting) >= workers * AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _triplets(units: Sequence[Unit]) -> int:
    return sum(len(unit.items) for unit in units)


def _check_space(plan: ExportPlan, missing: Sequence[Unit], former: dict[str, str]) -> None:
    """Refuse to begin what the disk has no room for."""
    fresh = [unit for unit in missing if former.get(unit.name) != unit.digest]
    share = _triplets(fresh) / len(plan.selected.items)
    needed = plan.size.peak_bytes * share
    free = shutil.disk_usage(plan.folder.parent).free
    kept_free = plan.settings.base.min_free_gb * 1e9
    if needed + kept_free > free:
        raise SpaceError(
            f"The export takes about {decimal(round(needed))}, and {decimal(round(kept_free))} stay free "
            f"(base_settings.min_free_gb), but the disk of {plan.folder} has {decimal(free)}",
            "free some space, select less, or name a folder on another disk.",
        )


def _report(
    plan: ExportPlan, counts: _Counts, record: dict[str, Any], started_s: float, *, unchanged: bool = False
) -> ExportReport:
    sizes = [path.stat().st_size for path in plan.folder.rglob("*") if path.is_file()]
    return ExportReport(
        folder=plan.folder,
        written=counts.written,
        resumed=counts.resumed,
        reused=counts.reused,
        removed=counts.removed,
        files=int(record["files"]),
        size_bytes=sum(sizes),
        wall_s=time.monotonic() - started_s,
        is_unchanged=unchanged,
    )
