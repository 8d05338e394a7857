"""Compare where the candidates of a film lie, and which are excluded, with the windows table.

Not here: the frames that lie there (`deep`).
"""

from __future__ import annotations

from contextlib import closing
from itertools import takewhile
from pathlib import Path

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.generate import KeyframeIndex
from dataset_assets.reasons import EXCLUDED
from dataset_assets.tables import Sampled
from dataset_assets.verify.findings import Kind, VideoFindings
from dataset_assets.verify.tables import Tables
from dataset_assets.video import Extent, VideoInfo
from dataset_assets.windows import CandidateSequence, Exclusions, Placement


def compare_placements(
    settings: Settings, info: VideoInfo, sampled: Sampled, place: Path, tables: Tables, found: VideoFindings
) -> None:
    """Compare the places of all recorded candidates with those that the film's keyframes give.

    Nothing is decoded. Candidates that were placed between windows of the release before are not compared:
    some of these windows may be gone since.

    Args:
        settings: The configuration, which gives the same windows as the table's.
        info: What probing finds; the extent is the recorded one.
        sampled: How the candidates were placed.
        place: The windows table, relative to the data set's folder.
        tables: The video's tables.
        found: Gets what differs.

    Raises:
        VideoError: The film cannot be read.
    """
    if sampled.strata:
        return
    base = settings.base
    recorded = {
        row.window: Placement(row.window, row.keyframe_pts, row.start_pts) for row in tables.windows or ()
    }
    last = max(recorded, default=-1)
    with closing(KeyframeIndex(info)) as index:
        sequence = CandidateSequence(
            Extent(sampled.spans, sampled.frame_ticks), index.keyframe_at, base.seed, found.key, base.sampling
        )
        placed = {each.number: each for each in takewhile(lambda each: each.number <= last, sequence)}
    for number, there in recorded.items():
        right = placed.get(number)
        if there != right:
            found.repair.windows.add(number)
            where = "nowhere" if right is None else _place_of(right)
            found.add(Kind.SOURCE, place, f"window {number} is {_place_of(there)}, but belongs {where}")


def compare_exclusions(
    entry: VideoEntry,
    info: VideoInfo,
    excluded: frozenset[int],
    sampled: Sampled,
    place: Path,
    tables: Tables,
    found: VideoFindings,
) -> None:
    """Compare which candidates are recorded as excluded with what the user excludes.

    Args:
        entry: The video, whose configuration gives the same windows as the table's.
        info: What probing finds.
        excluded: What `ExcludedWindows` holds of it.
        sampled: How the candidates were placed.
        place: The windows table, relative to the data set's folder.
        tables: The video's tables.
        found: Gets what differs.
    """
    extent = Extent(sampled.spans, sampled.frame_ticks)
    exclusions = Exclusions.of(extent, info.time_base, entry.excluded_ranges, excluded)
    for row in tables.windows or ():
        is_excluded = exclusions.hold_window(row.pts) or (
            row.start_pts is not None and exclusions.hold_place(row.start_pts)
        )
        if row.accepted and is_excluded:
            problem = "is accepted, but touches what is excluded"
        elif row.reason == EXCLUDED and not is_excluded:
            problem = "is recorded as excluded, but touches nothing that is"
        else:
            continue
        found.repair.windows.add(row.window)
        found.add(Kind.SOURCE, place, f"window {row.window} {problem}")


def _place_of(placement: Placement) -> str:
    if placement.start is None:
        return f"passed over at keyframe {placement.keyframe}"
    return f"at PTS {placement.start} behind keyframe {placement.keyframe}"
