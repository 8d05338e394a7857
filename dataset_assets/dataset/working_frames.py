"""What a row of the videos table says of a film's working frame, and of what the film holds of it.

Not here: measuring that (`video`).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from dataset_assets.tables import VideoRow
from dataset_assets.video import FrameGeometry, Orientation, Rect, TrueResolution


def true_resolution(row: VideoRow) -> TrueResolution | None:
    """Return what a film holds; None where it was not measured."""
    if row.native_width is None or row.native_height is None or row.native_z is None:
        return None
    return TrueResolution(row.native_width, row.native_height, row.native_z)


def share_held(row: VideoRow) -> Fraction:
    """Return the share of the sides of its full working frame that a film holds; 1 where no less is sure."""
    held = true_resolution(row)
    return _geometry(row).share_held((held.width, held.height)) if held and held.is_sure else Fraction(1)


def is_scaled_down(row: VideoRow) -> bool:
    """Return whether a film's working frame was made smaller than its coded size asks for."""
    return (row.working_width, row.working_height) != _geometry(row).working_size


def what_it_holds(row: VideoRow) -> str:
    """Describe what a film holds, such as "1920x1080, holds 1280x720"; empty where no less was found."""
    held, coded = true_resolution(row), (row.width, row.height)
    if held is None or (held.width, held.height) == coded:
        return ""
    return f"{row.width}x{row.height}, {'' if held.is_sure else 'perhaps '}holds {held.width}x{held.height}"


def active_area(row: VideoRow, working_size: Literal["coded", "native"]) -> Rect:
    """Return the active area of a film in working-frame pixels.

    Where it was probed for the other `working_size` it is scaled, which may be off by a pixel at bars.

    Args:
        row: The film.
        working_size: The setting.
    """
    geometry, held = _geometry(row), true_resolution(row)
    if working_size == "native" and held is not None and held.is_sure:
        geometry = replace(geometry, held=(held.width, held.height))
    area = Rect(row.active_x, row.active_y, row.active_width, row.active_height)
    size, recorded = geometry.working_size, (row.working_width, row.working_height)
    if size == recorded:
        return area
    across, down = (Fraction(now, then) for now, then in zip(size, recorded, strict=True))
    left, top = ceil(area.x * across), ceil(area.y * down)
    return Rect(left, top, floor(area.right * across) - left, floor(area.bottom * down) - top)


def _geometry(row: VideoRow) -> FrameGeometry:
    width, height = row.sar.split(":")
    is_turned = row.rotation in (90, 270)
    return FrameGeometry(
        row.width, row.height, Fraction(int(width), int(height)), Orientation(transpose=is_turned)
    )
