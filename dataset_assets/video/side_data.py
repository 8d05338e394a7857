"""Side data of frames, as bytes.

Not here: what they mean (`geometry`, `probing`, `stereo`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import av
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType


def frame_side_data(frame: av.VideoFrame, kind: SideDataType) -> bytes | None:
    """Return the bytes of a frame's side data; None where it has none of the kind."""
    # PyAV's stubs know the names as keys only, and the members stand for them.
    found = cast("Mapping[SideDataType, SideData]", frame.side_data).get(kind)
    return None if found is None else bytes(found)
