"""Check the rows of the patches tables against the windows table, the configuration and the plan.

Not here: pictures, which are not read (`pictures`), and files without a row (`run`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset import DataSet, TripletPaths, patch_id, triplet_paths
from dataset_assets.detail_map import DetailMap
from dataset_assets.frames import SCALES
from dataset_assets.generate import PatchKey, evenly_first, key_of
from dataset_assets.patches import Kernel, PatchPlan, PlannedPatch, plan_patches
from dataset_assets.tables import PatchRow, Provenance
from dataset_assets.verify.findings import Kind, VideoFindings
from dataset_assets.verify.tables import PatchOrigin, Tables, patch_origin, strata_below, windows_are_current
from dataset_assets.video import Rect

KERNELS = get_args(Kernel)


def check_patches(
    settings: Settings, entry: VideoEntry | None, data_set: DataSet, tables: Tables, found: VideoFindings
) -> dict[str, list[int]]:
    """Check that each row names its own files, is as planned, has an accepted window, and none is missing.

    A table that is unfinished or was made with other settings may hold rows of an earlier plan: of these only
    the names and sizes are checked.

    Returns:
        The positions of the valid rows, whose files are worth reading, by category.
    """
    sound: dict[str, list[int]] = {}
    windows = None if entry is None else _windows(settings, entry, data_set, tables, found)
    for category, rows in tables.patches.items():
        path = data_set.tables.patches_path(category, found.key)
        place = data_set.relative(path)
        check = None
        if entry is not None and category in settings.categories:
            check = _check_of(settings, entry, data_set, tables, category)
        taken = check.taken(windows, rows) if check is not None and windows is not None else None
        sound[category] = []
        seen: set[PatchKey] = set()
        firsts = {row.window: row for row in rows if not row.crop}
        for position, row in enumerate(rows):
            problem = _row_problem(found.key, row)
            if not problem and key_of(row) in seen:
                problem = "is duplicated"
            if not problem and check is not None and check.origin.is_current:
                problem = check.problem(row, firsts.get(row.window))
                if not problem and windows is not None and row.window not in windows.known:
                    problem = "is of a window that was not accepted"
                    found.repair.windows.add(row.window)
            if not problem and taken is not None and row.window not in taken:
                problem = f"is of a window that {category} does not take"
            seen.add(key_of(row))
            if problem:
                found.repair.rows[category].add(position)
                found.add(Kind.ROW, place, f"the row of {_named(*key_of(row))} {problem}")
            else:
                sound[category].append(position)
        wanted = {(window, 0) for window in taken or ()}
        if check is not None:
            wanted |= {each for window in taken or () for each in check.further(window, firsts.get(window))}
        for patch in sorted(wanted - seen):
            found.repair.reopened.add(path)
            found.add(Kind.ROW, place, f"the row of {_named(*patch)} is missing")
    return sound


def _named(window: int, crop: int) -> str:
    return f"crop {crop} of window {window}" if crop else f"window {window}"


def own_files(key: str, row: PatchRow) -> TripletPaths | None:
    """Return the files that a row names if they are those of its window's patch, else None.

    So a damaged row never makes a file outside the data set be read or deleted.
    """
    files = TripletPaths.of(row)
    folder = files.gt.parent.parent
    own_id = patch_id(key, row.window, row.crop)
    expected = triplet_paths(folder.parent.as_posix(), folder.name, own_id, row.kinds)
    is_inside = not folder.is_absolute() and ".." not in folder.parts and folder.name != ""
    return files if is_inside and files == expected else None


def _row_problem(key: str, row: PatchRow) -> str:
    is_named = row.patch_id == patch_id(key, row.window, row.crop)
    if min(row.window, row.crop) < 0 or own_files(key, row) is None or not is_named:
        return "names other files than those of its window"
    if not any(kind.is_lr for kind in row.kinds) or None in {
        value for file in row.files for value in (file.size_bytes, file.content_hash)
    }:
        return "lacks a stack, or the size or hash of a file"
    if row.kernel not in KERNELS or row.scale not in SCALES:
        return f"names the kernel {row.kernel!r} and the scale {row.scale}, which no patch has"
    is_divisible = not (row.width % row.scale or row.height % row.scale)
    if min(row.width, row.height) <= 0 or not is_divisible or min(row.x, row.y) < 0:
        return f"names an impossible crop of {row.width}x{row.height} at ({row.x}, {row.y})"
    return ""


@dataclass(frozen=True, slots=True)
class _Windows:
    """The windows of a finished table that the present settings made.

    Attributes:
        known: Accepted windows, and those whose rows are broken, which may be accepted.
        order: Accepted windows in the order in which categories take them; None where rows are broken.
        strata: Windows below this number were placed by the release before.
    """

    known: frozenset[int]
    order: Sequence[int] | None
    strata: int


def _windows(
    settings: Settings, entry: VideoEntry, data_set: DataSet, tables: Tables, found: VideoFindings
) -> _Windows | None:
    path = data_set.tables.windows_path(entry.key)
    made = tables.provenances.get(path)
    if tables.windows is None or made is None or not made.complete:
        return None
    if not windows_are_current(settings, entry, data_set, tables):
        return None
    below = strata_below(made)
    accepted = tables.accepted
    order = [*evenly_first([each for each in accepted if each < below])]
    order += sorted(each for each in accepted if each >= below)
    is_sound = not found.repair.windows and path not in found.repair.reopened
    return _Windows(frozenset(accepted) | found.repair.windows, order if is_sound else None, below)


@dataclass(frozen=True, slots=True)
class _Check:
    """What the rows of one category are held against.

    Attributes:
        settings: The configuration.
        category: Name of the category.
        made: What the table was made from.
        origin: How that compares with the present settings.
        plan: The plan as the tables imply it; None where the active area is not known.
        details: Where each accepted window holds detail; None where it has no map.
        fills_for: Gives what is known of the film's detail for the format of a window.
    """

    settings: Settings
    category: str
    made: Provenance
    origin: PatchOrigin
    plan: PatchPlan | None
    details: Mapping[int, DetailMap | None]
    fills_for: Callable[[int], Sequence[float]]

    def taken(self, windows: _Windows, rows: Collection[PatchRow]) -> frozenset[int] | None:
        """Return the windows that a finished table has patches of; None where that cannot be said.

        The release before chose windows by their rank among all: its tables do not say which ones. Where a
        row is of a window that was not accepted, either may be wrong.
        """
        if not self.origin.is_current or self.origin.is_of_strata or self.plan is None:
            return None
        there = {row.window for row in rows}
        if windows.order is None or not there <= windows.known:
            return None
        if not self.plan.mix:
            return frozenset()
        order = sorted(windows.order, key=lambda number: number < windows.strata and number not in there)
        return frozenset(order[: self.made.target])

    def further(self, window: int, first: PatchRow | None) -> Collection[PatchKey]:
        """Return the patches of a window that it is to have besides its first one, whose row this is."""
        if self.plan is None or first is None or window not in self.details or self.has_other_crops:
            return ()
        return [key_of(patch) for patch in self._planned(first) if patch.crop]

    @property
    def has_other_crops(self) -> bool:
        """Whether the table was made with another number of crops, so that it is stale."""
        return self.made.crops_per_window != self.settings.base.crops_per_window

    def _planned(self, first: PatchRow) -> Collection[PlannedPatch]:
        """Return the patches of a window, given the row of the first one."""
        if self.plan is None:
            return ()
        window = first.window
        is_older = first.settings_hash in self.origin.of_strata
        kept = PlannedPatch(window, 0, first.format, Rect(first.x, first.y, first.width, first.height))
        return self.plan.patches(
            window, self.details[window], self.fills_for(window), kept if is_older else None
        )

    def problem(self, row: PatchRow, first: PatchRow | None) -> str:
        """Describe how a row of a finished table differs from what is planned; empty if it does not.

        Args:
            row: The row.
            first: That of the first patch of its window; None where there is none.
        """
        is_older = row.settings_hash in self.origin.of_strata
        if not is_older and row.settings_hash not in self.origin.present:
            return "was made with other settings than its table"
        category = self.settings.categories[self.category]
        crop = self.settings.formats.get(row.format)
        if crop is None or row.format not in category.mix:
            return f"has the format {row.format!r}, which {self.category} does not use"
        if row.kinds != self.made.kinds:
            return "has files of other kinds than its table"
        files = triplet_paths(category.folder, crop.folder, row.patch_id, row.kinds)
        if TripletPaths.of(row) != files or (row.width, row.height) != (crop.width, crop.height):
            return f"does not have the size or the folder of {row.format}"
        if row.kernel != self.settings.base.lr_kernel:
            return f"names the kernel {row.kernel}"
        if row.scale != self.settings.base.scale:
            return f"names the scale {row.scale}"
        if self.plan is None:
            return ""
        if row.format not in self.plan.formats:
            return f"has the format {row.format}, which does not fit the film"
        if row.window not in self.details:
            return ""  # what is planned for it depends on what it shows
        detail = self.details[row.window]
        rect = Rect(row.x, row.y, row.width, row.height)
        if is_older:
            # The release before chose formats by the rank among the windows that a category takes.
            is_planned = self.plan.crop(row.window, row.format, detail) == rect
            return "" if is_planned else "has another crop than planned"
        if first is None:
            return "" if self.has_other_crops else "lacks the first patch of its window"
        planned = next((each for each in self._planned(first) if each.crop == row.crop), None)
        if planned is None:
            return "" if self.has_other_crops else "is beyond the patches that its window has"
        if planned.format != row.format:
            return f"has the format {row.format} instead of {planned.format}, which is planned"
        if planned.rect != rect:
            return "has another crop than planned"
        return ""


def _check_of(
    settings: Settings, entry: VideoEntry, data_set: DataSet, tables: Tables, category: str
) -> _Check:
    made = tables.provenances[data_set.tables.patches_path(category, entry.key)]
    origin = patch_origin(settings, entry, data_set, tables, category)
    plan, video = None, tables.video
    if video is not None and made.source_fingerprint.has_same_content(video.source_fingerprint):
        plan = plan_patches(
            seed=settings.base.seed,
            key=entry.key,
            category=category,
            target=settings.target(entry, category),
            formats=settings.formats,
            mix=settings.categories[category].mix,
            area=Rect(video.active_x, video.active_y, video.active_width, video.active_height),
            candidates=settings.base.crop_candidates,
            crops=max(settings.base.crops_per_window, made.crops_per_window),
        )
    return _Check(settings, category, made, origin, plan, tables.details, tables.fills_for)
