"""Convert films, attempts and triplets to rows of the tables.

Not here: the columns (`tables`), and which rows a table has (`ledger`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath

import numpy as np

from dataset_assets.config import VideoEntry
from dataset_assets.dataset import TripletPaths, content_hash
from dataset_assets.frames import FileKind
from dataset_assets.patches import EncodedTriplet, Kernel, PlannedPatch
from dataset_assets.tables import PatchFile, PatchRow, VideoRow, WindowRow
from dataset_assets.video import VideoInfo
from dataset_assets.windows import Placement, Tried


def window_row(tried: Tried) -> WindowRow:
    """Return the row of a candidate that was tried."""
    measured = tried.judgement.measured
    return WindowRow(
        window=tried.placement.number,
        keyframe_pts=tried.placement.keyframe,
        start_pts=tried.placement.start,
        time_s=tried.time_s,
        pts=tried.pts,
        keyframe=tried.keyframe,
        mean_abs_diff=measured.mean_abs_diff if measured else None,
        cut_score=measured.cut_score if measured else None,
        brightness=measured.brightness if measured else None,
        contrast=measured.contrast if measured else None,
        sharpness=measured.sharpness if measured else None,
        repeated_frames=measured.repeated_frames if measured else None,
        window_combing=measured.combing if measured else None,
        bits_per_pixel=measured.bits_per_pixel if measured else None,
        detail_map=measured.detail.content if measured else None,
        signature=measured.signature.tobytes() if measured else None,
        accepted=tried.reason is None,
        reason=tried.reason,
    )


def untried_row(placement: Placement, reason: str, time_s: float = 0.0) -> WindowRow:
    """Return the row of a candidate that is not tried.

    Args:
        placement: Where it lies.
        reason: Why it is not tried, one of `UNTRIED`.
        time_s: Its place in seconds of film time; 0 where it has none.
    """
    return WindowRow(
        window=placement.number,
        keyframe_pts=placement.keyframe,
        start_pts=placement.start,
        time_s=time_s,
        pts=(),
        keyframe=False,
        mean_abs_diff=None,
        cut_score=None,
        brightness=None,
        contrast=None,
        sharpness=None,
        repeated_frames=None,
        window_combing=None,
        bits_per_pixel=None,
        detail_map=None,
        signature=None,
        accepted=False,
        reason=reason,
    )


def video_row(entry: VideoEntry, info: VideoInfo) -> VideoRow:
    """Return the row of a probed film; what is absent is null in the table and 0 in `VideoInfo`."""
    geometry, colour, held = info.geometry, info.colour, info.true_resolution
    working_width, working_height = geometry.working_size
    return VideoRow(
        name=entry.name,
        path=str(info.path),
        fingerprint=str(info.fingerprint),
        size_bytes=info.size_bytes,
        container=info.container,
        codec=info.codec,
        profile=info.profile,
        pix_fmt=colour.pix_fmt,
        bit_depth=colour.bit_depth,
        width=geometry.coded_width,
        height=geometry.coded_height,
        rotation=geometry.orientation.rotation,
        sar=f"{geometry.sar.numerator}:{geometry.sar.denominator}",
        frame_rate=float(info.frame_rate),
        duration_s=info.duration_s,
        vfr=info.vfr,
        interlaced=info.interlaced,
        color_primaries=colour.primaries,
        color_transfer=colour.transfer,
        color_space=colour.matrix,
        color_range=colour.range_name,
        hdr_format=colour.hdr_format,
        max_cll=info.max_cll or None,
        mastering_max_nits=info.mastering_max_nits or None,
        peak=colour.peak or None,
        active_x=info.active.x,
        active_y=info.active.y,
        active_width=info.active.width,
        active_height=info.active.height,
        working_width=working_width,
        working_height=working_height,
        warnings=info.warnings,
        probed_at=datetime.now(UTC),
        native_width=held.width if held else None,
        native_height=held.height if held else None,
        # With the precision of its column.
        native_z=float(np.float32(held.z)) if held else None,
    )


def patch_row(
    planned: PlannedPatch,
    files: Iterable[PatchFile],
    *,
    kernel: Kernel,
    scale: int,
    settings_hash: str,
) -> PatchRow:
    """Return the row of a triplet that was written.

    Args:
        planned: What it was planned as.
        files: Its files, GT first.
        kernel: Kernel of the LR.
        scale: How many times smaller LR is.
        settings_hash: Identity of the settings.
    """
    rect, files = planned.rect, tuple(files)
    gt = files[0]
    row = PatchRow(
        patch_id=PurePosixPath(gt.path).stem,
        window=planned.window,
        crop=planned.crop,
        format=planned.format,
        x=rect.x,
        y=rect.y,
        width=rect.width,
        height=rect.height,
        gt_path=gt.path,
        lr5_path=None,
        lr7_path=None,
        gt7_path=None,
        gt_bytes=gt.size_bytes or 0,
        lr5_bytes=None,
        lr7_bytes=None,
        gt7_bytes=None,
        gt_hash=gt.content_hash or "",
        lr5_hash=None,
        lr7_hash=None,
        gt7_hash=None,
        kernel=kernel,
        scale=scale,
        settings_hash=settings_hash,
        created_at=datetime.now(UTC),
    )
    return row.with_files(files)


def written_files(paths: TripletPaths, files: EncodedTriplet) -> dict[FileKind, PatchFile]:
    """Return what a row says of files that were written.

    Args:
        paths: Their names.
        files: Their contents.
    """
    names = paths.by_kind
    return {
        kind: PatchFile(kind, names[kind].as_posix(), len(content), content_hash(content))
        for kind, content in files.items()
    }


def with_kinds(row: PatchRow, made: Mapping[FileKind, PatchFile], kinds: Collection[FileKind]) -> PatchRow:
    """Return a row with the files of these kinds: those that were made, and its own."""
    files = {file.kind: file for file in row.files} | dict(made)
    return row.with_files(files[kind] for kind in kinds)
