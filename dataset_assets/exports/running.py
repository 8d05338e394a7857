"""Plan and write an export: what of it is there, what is taken over, what is read and written.

Here: the pass over the units, with several threads that read and encode. Threads, since reading, decoding and
compressing run without Python's lock. Not here: how a layout writes a unit (`layouts`), and how the export
gets its folder (`publishing`).
"""

from __future__ import annotations

import importlib.util
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet
from dataset_assets.disk import FAILING_ERRNOS, FORBIDDEN_ERRNOS, FULL_ERRNOS
from dataset_assets.errors import DatasetAssetsError, SpaceError
from dataset_assets.exports.all_gt import AllGt, check_films
from dataset_assets.exports.layouts import LAYOUTS
from dataset_assets.exports.layouts.protocol import Job, Layout, Size, Writer
from dataset_assets.exports.options import ExportOptions
from dataset_assets.exports.pictures import TripletReader
from dataset_assets.exports.publishing import (
    FORMER_SUFFIX,
    PARTIAL_SUFFIX,
    Workplace,
    read_record,
    refuse_foreign,
    workplace,
)
from dataset_assets.exports.record import (
    README_FILE,
    SPLIT_FILE,
    identity,
    paste_of,
    recorded_options,
    write_readme,
    write_record,
    write_split,
)
from dataset_assets.exports.selected import Selected, selected
from dataset_assets.exports.units import Unit, WrittenUnits, read_units

# Units between two commits: a killed process loses at most so many.
COMMIT_UNITS: Final = 16
# Seconds between two times that everything is written to the disk: a power cut loses at most so much.
SYNC_S: Final = 30.0
# Units that are prepared ahead, for each thread: enough to keep it busy, few enough to hold in memory.
AHEAD: Final = 2


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """An export before it is written.

    Attributes:
        settings: The configuration.
        data_set: The data set.
        layout: The layout.
        folder: The export's folder, absolute.
        selected: The triplets.
        units: What is written in one step each.
        size: What it takes; no more than that is written.
        free_bytes: Free bytes of its disk.
        links_gt: Whether GT files are hard-linked.
    """

    settings: Settings
    data_set: DataSet
    layout: Layout
    folder: Path
    selected: Selected
    units: tuple[Unit, ...]
    size: Size
    free_bytes: int
    links_gt: bool


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


def default_folder(settings: Settings, layout: str) -> Path:
    """Return the folder of an export that names no other: `exports/<layout>` in the data set's."""
    return DataSet.of(settings).exports_folder / layout


def finished_exports(settings: Settings) -> dict[Path, ExportOptions]:
    """Return the exports in the data set's own folder for them, and the options that each was made with."""
    folder = DataSet.of(settings).exports_folder
    places = sorted(folder.iterdir()) if folder.is_dir() else []
    records = {
        place: read_record(place)
        for place in places
        if not place.name.endswith((PARTIAL_SUFFIX, FORMER_SUFFIX))
    }
    found = {place: recorded_options(record) for place, record in records.items() if record is not None}
    return {place: options for place, options in found.items() if options is not None}


def options_to_paste(plan: ExportPlan) -> str:
    """Return the trainers' option blocks of an export, in Markdown."""
    return plan.layout.block(paste_of(plan.data_set, plan.selected, plan.folder))


def plan_export(settings: Settings, options: ExportOptions, folder: Path | None = None) -> ExportPlan:
    """Find out what an export holds and takes; nothing is written.

    Args:
        settings: The configuration.
        options: What is asked for.
        folder: The export's folder; `default_folder` where None.

    Raises:
        DatasetAssetsError: The options contradict or name something unknown, nothing is selected, a package
            is missing, a file of the data set is, or the folder holds anything but an export.
    """
    options.check()
    layout = LAYOUTS[options.layout]
    _check_packages(layout)
    folder = (folder or default_folder(settings, options.layout)).expanduser().absolute()
    data_set = DataSet.of(settings)
    _refuse_own_folders(settings, data_set, folder)
    refuse_foreign(folder)
    chosen = selected(data_set, options)
    TripletReader(data_set, options.frames).check_files(chosen.items)
    if options.gt == "all":
        check_films(settings, chosen.items)
    place = next(each for each in (folder, *folder.parents) if each.exists())
    can_link = layout.links_gt and not options.copies_gt
    links_gt = can_link and place.stat().st_dev == data_set.folder.stat().st_dev
    return ExportPlan(
        settings=settings,
        data_set=data_set,
        layout=layout,
        folder=folder,
        selected=chosen,
        units=tuple(layout.units(chosen)),
        size=layout.size(chosen, links_gt=links_gt),
        free_bytes=shutil.disk_usage(place).free,
        links_gt=links_gt,
    )


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
    with _disk_errors(plan.folder), workplace(plan.folder) as place:
        record = read_record(plan.folder) if place.former else None
        if record is not None and record.get("identity") == export_identity:
            place.discard()
            on_triplets(len(plan.selected.items))
            return _report(plan, _Counts(reused=len(plan.selected.items)), record, started_s, unchanged=True)
        counts = _write(plan, place, workers, on_triplets)
        counts.removed = (
            len(read_units(place.former).keys() - {unit.name for unit in plan.units}) if (place.former) else 0
        )
        record = write_record(place.partial, plan.layout, plan.data_set, plan.selected, export_identity)
        place.publish()
    return _report(plan, counts, record, started_s)


@dataclass(slots=True)
class _Counts:
    written: int = 0
    resumed: int = 0
    reused: int = 0
    removed: int = 0


def _write(plan: ExportPlan, place: Workplace, workers: int, on_triplets: Callable[[int], None]) -> _Counts:
    """Write all units and lists to the partial folder, and those to the disk."""
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
        counts = _Counts(resumed=_triplets(there))
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
    write_split(place.partial / SPLIT_FILE, plan.selected)
    write_readme(
        place.partial / README_FILE,
        plan.layout,
        plan.selected,
        paste_of(plan.data_set, plan.selected, plan.folder),
    )
    written.sync()
    written.keep_only(plan.units)
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


def _check_packages(layout: Layout) -> None:
    for module, extra in layout.needs.items():
        if importlib.util.find_spec(module) is None:
            raise DatasetAssetsError(
                f"The layout {layout.name} needs the package {module}, which is not installed",
                f"install it: pip install 'dataset-assets[{extra}]'.",
            )


def _refuse_own_folders(settings: Settings, data_set: DataSet, folder: Path) -> None:
    """Refuse a folder in which the data set would take the export for its own files."""
    own = [data_set.metadata_folder, data_set.gallery_folder]
    own += [data_set.category_folder(settings, category) for category in settings.categories]
    for each in own:
        if folder.is_relative_to(each.absolute()):
            raise DatasetAssetsError(
                f"{folder} is in a folder of the data set ({each})",
                f"name a folder outside the data set, or one in {data_set.exports_folder}.",
            )


def _check_space(plan: ExportPlan, missing: Sequence[Unit], former: dict[str, str]) -> None:
    """Refuse to begin what the disk has no room for."""
    fresh = [unit for unit in missing if former.get(unit.name) != unit.digest]
    share = _triplets(fresh) / len(plan.selected.items)
    needed = plan.size.peak_bytes * share
    free = shutil.disk_usage(plan.folder.parent).free
    kept_free = plan.settings.base.min_free_gb * 1e9
    if needed + kept_free > free:
        raise SpaceError(
            f"The export takes about {needed / 1e9:.1f} GB, and {kept_free / 1e9:g} GB stay free "
            f"(base_settings.min_free_gb), but the disk of {plan.folder} has {free / 1e9:.1f} GB",
            "free some space, select less, or name a folder on another disk.",
        )


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """Convert errors of the disk to ones for the user."""
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        if error.errno in FULL_ERRNOS:
            raise SpaceError(
                f"The disk of the export is full ({place}: {error.strerror})",
                "free some space and export again: what is written stays.",
            ) from error
        if error.errno in FAILING_ERRNOS:
            raise DatasetAssetsError(
                f"The disk failed ({place}: {error.strerror})",
                "look after the disk or its connection and export again: what is written stays.",
            ) from error
        if error.errno in FORBIDDEN_ERRNOS:
            raise DatasetAssetsError(
                f"{place} cannot be read or written ({error.strerror})",
                "correct its permissions, or name another folder.",
            ) from error
        raise


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
