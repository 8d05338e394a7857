"""Compare the tables of a video with one another, the configuration and the plan.

Not here: pictures, which are not read (`pictures`), and files without a row (`run`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TypeVar, get_args

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset import (
    DataSet,
    TripletPaths,
    irrelevant_by_row,
    patch_id,
    patches_hashes,
    triplet_paths,
    windows_hashes,
)
from dataset_assets.errors import DamagedTableError, DatasetAssetsError
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.patches import SCALE, Kernel, PatchPlan, plan_patches
from dataset_assets.tables import PatchRow, Provenance, Row, VideoRow, WindowRow, count
from dataset_assets.verify.findings import Kind, VideoFindings
from dataset_assets.video import Rect
from dataset_assets.windows import SIGNATURE_HEIGHT, SIGNATURE_WIDTH

KERNELS = get_args(Kernel)
SIGNATURE_BYTES = SIGNATURE_WIDTH * SIGNATURE_HEIGHT
# How many windows fit into a film depends on time stamps that are in no table; all fit into a film that is so
# many times longer than they need.
SURE_LENGTH = 1.5

_T = TypeVar("_T")


@dataclass(slots=True)
class Tables:
    """The tables of a video, as far as they could be read.

    Attributes:
        video: Its row; None where it has none.
        windows: Every attempt; None where the table is absent or damaged.
        patches: Rows by category.
        provenances: What each table was made from.
    """

    video: VideoRow | None = None
    windows: Sequence[WindowRow] | None = None
    patches: dict[str, Sequence[PatchRow]] = field(default_factory=dict)
    provenances: dict[Path, Provenance] = field(default_factory=dict)

    @property
    def accepted(self) -> dict[int, WindowRow]:
        """The accepted attempt of each window."""
        return {row.window: row for row in self.windows or () if row.accepted}


def read_tables(data_set: DataSet, key: str, found: VideoFindings) -> Tables:
    """Read all tables of a video, checksums included; what cannot be read is a finding."""
    tables = Tables()

    def read(path: Path, rows: Callable[[], _T]) -> _T | None:
        try:
            footer = data_set.tables.read_footer(path)
            if footer is None:
                return None
            content = rows()
        except DamagedTableError as error:
            found.repair.tables.add(path)
            found.add(Kind.TABLE, _place(data_set, path), str(error))
            return None
        except DatasetAssetsError as error:
            # Of a newer release, or unreadable for a reason that people can correct (permissions, a disk).
            found.is_repairable = False
            found.add(Kind.TABLE, _place(data_set, path), str(error))
            return None
        tables.provenances[path], counts = footer
        listed: Sequence[Row] = content if isinstance(content, list) else []
        if count(listed) != counts:
            found.repair.reopened.add(path)
            found.add(Kind.TABLE, _place(data_set, path), "has other rows than its footer counts")
        return content

    tables.video = read(data_set.tables.video_path(key), lambda: data_set.tables.read_video(key))
    tables.windows = read(data_set.tables.windows_path(key), lambda: data_set.tables.read_windows(key))
    for category in data_set.tables.categories():

        def rows(category: str = category) -> list[PatchRow]:
            return data_set.tables.read_patches(category, key)

        patches = read(data_set.tables.patches_path(category, key), rows)
        if patches is not None:
            tables.patches[category] = patches
    path = data_set.tables.windows_path(key)
    if any(tables.patches.values()) and tables.windows is None and path not in found.repair.tables:
        found.add(Kind.TABLE, _place(data_set, path), "is missing, though patches were made of its windows")
    return tables


def check_windows(
    settings: Settings, entry: VideoEntry | None, data_set: DataSet, tables: Tables, found: VideoFindings
) -> None:
    """Check that the attempts of each window are complete and in order, and that no windows overlap."""
    if tables.windows is None:
        return
    path = data_set.tables.windows_path(found.key)
    is_current = entry is not None and windows_are_current(settings, entry, data_set, tables)
    target = settings.window_target(entry) if entry and is_current else None
    before: WindowRow | None = None
    for window, group in groupby(sorted(tables.windows, key=lambda row: row.window), lambda row: row.window):
        attempts = list(group)
        problem = _window_problem(attempts)
        if target is not None and not 0 <= window < target:
            problem = f"is not one of the {target} windows of this video"
        if target is not None and len(attempts) > settings.base.max_attempts:
            problem = f"has {len(attempts)} attempts"
        last = attempts[-1]
        if not problem and last.accepted:
            if before is not None and last.pts[0] <= before.pts[-1]:
                problem = f"overlaps window {before.window}"
                found.repair.windows.add(before.window)
            before = last
        if problem:
            found.repair.windows.add(window)
            found.add(Kind.WINDOW, _place(data_set, path), f"window {window} {problem}")


def _window_problem(attempts: Sequence[WindowRow]) -> str:
    if [row.attempt for row in attempts] != list(range(len(attempts))):
        return "has attempts that are duplicated, missing or out of order"
    for row in attempts:
        if any(late >= later for late, later in zip(row.pts, row.pts[1:], strict=False)):
            return "has times that are not in ascending order"
        if len(row.pts) > FRAMES_PER_WINDOW or (row.accepted and len(row.pts) < FRAMES_PER_WINDOW):
            return f"has {len(row.pts)} frames"
        if row.accepted and row is not attempts[-1]:
            return "has attempts after the accepted one"
        scores = (row.mean_abs_diff, row.cut_score, row.brightness, row.contrast, row.sharpness)
        if row.accepted and not all(score is not None and math.isfinite(score) for score in scores):
            return "was accepted without scores"
        if len(row.signature or b"") != SIGNATURE_BYTES * row.accepted:
            return "has no signature, or one of another size"
    return ""


def check_patches(
    settings: Settings, entry: VideoEntry | None, data_set: DataSet, tables: Tables, found: VideoFindings
) -> dict[str, list[int]]:
    """Check that each row names its own files, is as planned, has an accepted window, and none is missing.

    Returns:
        The positions of the valid rows, whose files are worth reading, by category.
    """
    sound: dict[str, list[int]] = {}
    accepted = tables.accepted
    has_current_windows = (
        entry is not None
        and tables.windows is not None
        and windows_are_current(settings, entry, data_set, tables)
    )
    for category, rows in tables.patches.items():
        path = data_set.tables.patches_path(category, found.key)
        provenance = tables.provenances[path]
        plan, hashes = None, frozenset[str]()
        if entry is not None and category in settings.categories:
            hashes = current_hashes(settings, entry, tables, category)
            plan = _plan(settings, entry, category, tables, path)
        sound[category] = []
        seen: set[int] = set()
        for position, row in enumerate(rows):
            problem = _row_problem(found.key, row)
            if not problem and row.window in seen:
                problem = "is duplicated"
            if not problem and provenance.complete and row.settings_hash != provenance.settings_hash:
                problem = "was made with other settings than its table"
            if not problem and row.settings_hash in hashes:
                problem = _unplanned(settings, category, plan, row)
                if not problem and has_current_windows and row.window not in accepted:
                    problem = "is of a window that was not accepted"
                    found.repair.windows.add(row.window)
            seen.add(row.window)
            if problem:
                found.repair.rows[category].add(position)
                found.add(Kind.ROW, _place(data_set, path), f"the row of window {row.window} {problem}")
            else:
                sound[category].append(position)
        is_current = provenance.complete and provenance.settings_hash in hashes
        if is_current and has_current_windows and plan is not None and plan.windows:
            for window in _lacking(plan, accepted, seen):
                found.repair.reopened.add(path)
                found.add(Kind.ROW, _place(data_set, path), f"the row of window {window} is missing")
    return sound


def windows_are_current(settings: Settings, entry: VideoEntry, data_set: DataSet, tables: Tables) -> bool:
    """Return whether the windows table was made with settings that give the same windows as the present."""
    provenance = tables.provenances.get(data_set.tables.windows_path(entry.key))
    hashes = windows_hashes(settings, entry, irrelevant_by_row(tables.video))
    return provenance is not None and provenance.settings_hash in hashes


def current_hashes(settings: Settings, entry: VideoEntry, tables: Tables, category: str) -> frozenset[str]:
    """Return the settings hashes of patches that are what the present settings make."""
    return frozenset(patches_hashes(settings, entry, category, irrelevant_by_row(tables.video)))


def own_files(key: str, row: PatchRow) -> TripletPaths | None:
    """Return the files that a row names if they are those of its window's patch, else None.

    So a damaged row never makes a file outside the data set be read or deleted.
    """
    files = TripletPaths.of(row)
    folder = files.gt.parent.parent
    expected = triplet_paths(folder.parent.as_posix(), folder.name, patch_id(key, row.window))
    is_inside = not folder.is_absolute() and ".." not in folder.parts and folder.name != ""
    return files if is_inside and files == expected else None


def _row_problem(key: str, row: PatchRow) -> str:
    if row.window < 0 or own_files(key, row) is None or row.patch_id != patch_id(key, row.window):
        return "names other files than those of its window"
    if row.kernel not in KERNELS or row.scale != SCALE:
        return f"names the kernel {row.kernel!r} and the scale {row.scale}, which no patch has"
    if min(row.width, row.height) <= 0 or row.width % SCALE or row.height % SCALE or min(row.x, row.y) < 0:
        return f"names an impossible crop of {row.width}x{row.height} at ({row.x}, {row.y})"
    return ""


def _unplanned(settings: Settings, category: str, plan: PatchPlan | None, row: PatchRow) -> str:
    """Describe how a row that these settings made differs from what they plan; empty if it does not."""
    crop = settings.formats.get(row.format)
    if crop is None or row.format not in settings.categories[category].mix:
        return f"has the format {row.format!r}, which {category} does not use"
    files = triplet_paths(settings.categories[category].folder, crop.folder, row.patch_id)
    if TripletPaths.of(row) != files or (row.width, row.height) != (crop.width, crop.height):
        return f"does not have the size or the folder of {row.format}"
    if row.kernel != settings.base.lr_kernel:
        return f"names the kernel {row.kernel}"
    if plan is None:
        return ""
    planned = plan.patch(row.window) if 0 <= row.window < plan.windows else None
    if plan.windows and (planned is None or planned.format != row.format):
        return "is of another format than planned, or of a window that is left out"
    if row.format not in plan.formats:
        return f"has the format {row.format}, which does not fit the film"
    if plan.crop(row.window, row.format) != Rect(row.x, row.y, row.width, row.height):
        return "has another crop than planned"
    return ""


def _lacking(plan: PatchPlan, accepted: Mapping[int, WindowRow], there: Collection[int]) -> list[int]:
    return [
        window
        for window in sorted(accepted)
        if 0 <= window < plan.windows and window not in there and plan.patch(window) is not None
    ]


def _plan(
    settings: Settings, entry: VideoEntry, category: str, tables: Tables, path: Path
) -> PatchPlan | None:
    """Return the plan as the tables imply it: None without the active area, 0 `windows` if unknown."""
    video = tables.video
    if video is None or not tables.provenances[path].source_fingerprint.has_same_content(
        video.source_fingerprint
    ):
        return None
    target = settings.window_target(entry)
    fitting = video.duration_s * video.frame_rate / FRAMES_PER_WINDOW
    windows = target if fitting > SURE_LENGTH * target else 0
    return plan_patches(
        seed=settings.base.seed,
        key=entry.key,
        category=category,
        windows=windows,
        target=settings.target(entry, category),
        formats=settings.formats,
        mix=settings.categories[category].mix,
        area=Rect(video.active_x, video.active_y, video.active_width, video.active_height),
    )


def _place(data_set: DataSet, path: Path) -> Path:
    return data_set.relative(path)
