"""Compare a video's tables and files with its film; pictures of windows that are decoded again, bit for bit.

Not here: where candidates lie (`placements`), the comparison of GT with the reference conversion (`outside`),
and the process that decodes (`apart`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from threading import Event

import cv2
import numpy as np

from dataset_assets.config import Settings, VideoEntry, fitting_remedy
from dataset_assets.dataset import (
    SOURCE_VERSION,
    DataSet,
    content_hash,
    irrelevant_by_row,
    source_hashes,
)
from dataset_assets.draws import draw
from dataset_assets.errors import SourceChangedError, SourceLostError, VideoError
from dataset_assets.frames import FRAMES_PER_WINDOW, FileKind
from dataset_assets.generate import Job, Lane, Made, VideoPlan, plan_video, video_row
from dataset_assets.patches import Plan, PlannedPatch
from dataset_assets.tables import PatchRow
from dataset_assets.verify.findings import Kind, VideoFindings
from dataset_assets.verify.outside import compare_with_reference
from dataset_assets.verify.placements import compare_exclusions, compare_placements
from dataset_assets.verify.tables import PatchOrigin, Tables, patch_origin, windows_are_current
from dataset_assets.video import Rect, probe
from dataset_assets.windows import AcceptedSignatures, Placement


def compare_with_source(
    settings: Settings,
    entry: VideoEntry,
    data_set: DataSet,
    tables: Tables,
    share: float,
) -> VideoFindings:
    """Place the candidates again, decode a share of the windows again and compare all their patches.

    Args:
        settings: The configuration.
        entry: The video.
        data_set: The data set.
        tables: The video's tables.
        share: Share of the accepted windows, 0 to 1; at least one is compared. The same ones each time.

    Returns:
        What differs. Tables that are stale, and films that cannot be read, are notes.
    """
    found = VideoFindings(entry.key)
    provenance = tables.provenances.get(data_set.tables.windows_path(entry.key))
    if provenance is None or not windows_are_current(settings, entry, data_set, tables):
        return found
    try:
        base = settings.base
        info = probe(entry.path, interlaced=base.interlaced, working_size=base.working_size)
        if not info.fingerprint.has_same_content(provenance.source_fingerprint):
            found.notes.append("the film has changed since, so nothing was compared with it")
            return found
        plan = plan_video(settings, entry, info)
        _compare_row(settings, data_set, tables, plan, found)
        if provenance.sampled is not None:
            place = data_set.relative(data_set.tables.windows_path(entry.key))
            compare_placements(settings, info, provenance.sampled, place, tables, found)
            excluded = data_set.excluded_windows.read(entry.key)
            compare_exclusions(entry, info, excluded, provenance.sampled, place, tables, found)
        rows = _current_rows(settings, entry, data_set, tables)
        # Rows with fewer frames are reported by `windows`.
        whole = [each for each, row in tables.accepted.items() if len(row.pts) == FRAMES_PER_WINDOW]
        windows = sorted(whole, key=lambda window: draw(settings.base.seed, entry.key, "verify", window))
        with closing(Lane(info, settings.base, AcceptedSignatures(), Event())) as lane:
            for window in sorted(windows[: ceil(share * len(windows))]):
                _compare_window(settings, plan, data_set, tables, window, rows[window], lane, found)
    except VideoError as error:
        remedy = fitting_remedy(error.remedy, settings, entry)
        found.notes.append(f"nothing more was compared with the film: {error.what}; {remedy}")
    return found


def _compare_row(
    settings: Settings, data_set: DataSet, tables: Tables, plan: VideoPlan, found: VideoFindings
) -> None:
    """Compare the row of the videos table with what probing finds; a stale row is rebuilt anyway."""
    entry = plan.entry
    path = data_set.tables.video_path(entry.key)
    if tables.video is None or not plan.info.fingerprint.has_same_content(tables.video.source_fingerprint):
        return
    provenance = tables.provenances[path]
    if provenance.code_version != SOURCE_VERSION or provenance.settings_hash not in source_hashes(
        settings,
        entry,
        irrelevant_by_row(tables.video),
        is_measured=tables.video.native_z is not None,
    ):
        return
    recorded = tables.video
    probed = video_row(entry, plan.info)
    probed = replace(probed, probed_at=recorded.probed_at, fingerprint=recorded.fingerprint)
    if recorded.native_z is None:  # of a release that did not measure it
        probed = replace(probed, native_width=None, native_height=None, native_z=None)
    if probed != recorded:
        found.repair.tables.add(path)
        found.add(Kind.TABLE, path.relative_to(data_set.folder), "describes another film than probing finds")


def _compare_window(
    settings: Settings,
    plan: VideoPlan,
    data_set: DataSet,
    tables: Tables,
    window: int,
    rows: Mapping[str, Sequence[_CurrentRow]],
    lane: Lane,
    found: VideoFindings,
) -> None:
    key, root = plan.entry.key, data_set.folder
    sound: dict[str, list[_CurrentRow]] = {}
    detail, fills = tables.details.get(window), tables.fills_for(window)
    for category, of_window in rows.items():
        place = data_set.tables.patches_path(category, key).relative_to(root)
        older = next((each.patch for each in of_window if not (each.row.crop or each.is_of_present)), None)
        # Of a table that was made with another number of crops too.
        crops = 1 + max(each.row.crop for each in of_window)
        as_made = replace(plan.patches[category], crops=crops)
        planned = as_made.patches(window, detail, fills, older)
        for current in of_window:
            patch = current.patch
            if not plan.info.active.contains(patch.rect) or (current.is_by_plan and patch not in planned):
                found.repair.rows[category].add(current.position)
                found.add(Kind.ROW, place, f"the row of window {window} is not what is planned")
            else:
                sound.setdefault(category, []).append(current)
    if not sound:
        return
    place = data_set.tables.windows_path(key).relative_to(root)
    found.windows_compared += 1
    row = tables.accepted[window]
    try:
        plans = {category: _always(of_window) for category, of_window in sound.items()}
        kinds = {category: _kinds_by_crop(of_window) for category, of_window in sound.items()}
        made = lane.make(Job(Placement(window, row.keyframe_pts, row.pts[0]), row, plans, kinds))
    except (SourceLostError, SourceChangedError):
        raise  # which is no fault of the window
    except VideoError:
        found.repair.windows.add(window)
        found.add(Kind.SOURCE, place, f"window {window} is not in the film as its row says")
        return
    same = _compare_files(root, window, made, sound, found)
    compare_with_reference(settings, plan.info, root, row.pts[len(row.pts) // 2], same, found)


def _always(of_window: Sequence[_CurrentRow]) -> Plan:
    """Return a plan that makes recorded patches again, whatever the window shows."""
    patches = tuple(each.patch for each in of_window)
    return lambda _window, _detail, _fills: patches


def _kinds_by_crop(of_window: Sequence[_CurrentRow]) -> list[tuple[FileKind, ...] | None]:
    """Return the kinds of the files of each patch of a window, by its number in the window."""
    kinds = {each.row.crop: each.row.kinds for each in of_window}
    return [kinds.get(crop) for crop in range(1 + max(kinds))]


def _compare_files(
    root: Path, window: int, made: Made, rows: Mapping[str, Sequence[_CurrentRow]], found: VideoFindings
) -> list[PatchRow]:
    """Compare the files of a window with what was made again; return the rows of those that are the same."""
    same = []
    compared = [
        (category, current, again.triplet)
        for category, patches in made.patches.items()
        for current, again in zip(rows[category], patches, strict=True)
    ]
    for category, current, files in compared:
        row = current.row
        differing = [
            file.path for file in row.files if _differs(root / file.path, files[file.kind], file.content_hash)
        ]
        if not differing:
            same.append(row)
            continue
        # The patch or its window's times may be wrong: both are rebuilt.
        found.repair.rows[category].add(current.position)
        found.repair.windows.add(window)
        for path in differing:
            found.add(Kind.SOURCE, path, f"is not what the film shows in window {window}")
    return same


@dataclass(frozen=True, slots=True)
class _CurrentRow:
    """A row of a patches table whose pixels the present settings make.

    Attributes:
        position: Its position in the table.
        row: The row.
        origin: How its table was made.
    """

    position: int
    row: PatchRow
    origin: PatchOrigin

    @property
    def patch(self) -> PlannedPatch:
        """The patch that it describes."""
        row = self.row
        return PlannedPatch(row.window, row.crop, row.format, Rect(row.x, row.y, row.width, row.height))

    @property
    def is_of_present(self) -> bool:
        """Whether this release made it."""
        return self.row.settings_hash in self.origin.present

    @property
    def is_by_plan(self) -> bool:
        """Whether it has to be what is planned: an unfinished table may hold rows of an earlier plan."""
        return self.origin.is_current and self.is_of_present


def _current_rows(
    settings: Settings, entry: VideoEntry, data_set: DataSet, tables: Tables
) -> Mapping[int, Mapping[str, Sequence[_CurrentRow]]]:
    """Return the rows whose pixels these settings make, by window and category."""
    found: dict[int, dict[str, list[_CurrentRow]]] = defaultdict(lambda: defaultdict(list))
    for category, rows in tables.patches.items():
        if category not in settings.categories:
            continue
        origin = patch_origin(settings, entry, data_set, tables, category)
        for position, row in enumerate(rows):
            if row.settings_hash in origin.present | origin.of_strata:
                found[row.window][category].append(_CurrentRow(position, row, origin))
    return found


def _differs(path: Path, content: bytes, hash_: str | None) -> bool:
    """Return whether a file with the bytes that were written shows another picture.

    Files with other bytes are reported by `pictures`.
    """
    try:
        there = path.read_bytes()
    except OSError:
        return False
    if there == content or content_hash(there) != hash_:
        return False
    one, other = (
        cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_UNCHANGED) for each in (there, content)
    )
    return one is None or other is None or not np.array_equal(one, other)
