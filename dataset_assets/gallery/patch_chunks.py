"""A video's patches as a script that the page of all patches loads: columns of numbers, texts written once.

    addPatches({head}, {columns});

Pages that are opened from the disk cannot read files, but run scripts. The head is the first line, so that
the index of chunks is made without reading the columns. Each column is the base64 text of a little-endian
array: exact, a third of the size of decimal numbers, and quickly read. Not here: how the page uses it
(`static/patch_store.js`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from dataset_assets.gallery.video_page import SCORE_NAMES, TO_DATA_SET, Crop, ShownCandidate, VideoPage

# Raised with every change of what a chunk holds: the page ignores chunks of another form.
FORM: Final = 3
# From the page of all patches to the data set's folder.
TO_DATA_SET_FROM_PATCHES: Final = "../"
# Stands for the window's number, with at least six digits, in the address of a file; no quoted path has it.
WINDOW_PLACE: Final = "{}"
_START, _BETWEEN, _END = "addPatches(", ",\n", ");\n"

_Group = tuple[tuple[str, str | int | tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True)
class ChunkHead:
    """What the index of chunks needs to know of a chunk.

    Attributes:
        key: The video's key.
        name: Its name.
        digest: Hash of the content.
        patches: Number of patches.
        counts: Patches by category and format.
    """

    key: str
    name: str
    digest: str
    patches: int
    counts: Mapping[tuple[str, str], int]


def chunk_of(key: str) -> str:
    """Return a video's chunk, relative to the gallery's folder."""
    return f"patches/{key}.js"


def encode_chunk(page: VideoPage) -> bytes:
    """Return a video's chunk: its patches in the order of time, then of categories.

    Args:
        page: What is shown of the video. The patches are those of accepted windows, as on its page.
    """
    windows = sorted((each for each in page.accepted if each.crops), key=lambda each: each.time_s)
    crops = [(number, crop) for number, window in enumerate(windows) for crop in window.crops]
    groups: dict[_Group, int] = {}
    group_of = [groups.setdefault(_group(crop), len(groups)) for _, crop in crops]
    body = _json(
        {
            "number": _column("<u4", (each.window for each in windows)),
            "time": _column("<f4", (each.time_s for each in windows)),
            "scores": _score_columns(windows),
            "pictures": _picture_names(windows),
            "window": _column("<u4", (number for number, _ in crops)),
            "group": _column("<u2", group_of),
            "x": _column("<u2", (crop.row.x for _, crop in crops)),
            "y": _column("<u2", (crop.row.y for _, crop in crops)),
            "gtBytes": _column("<u4", (crop.row.gt_bytes for _, crop in crops)),
        }
    )
    counts = Counter(group_of)
    head = {
        "form": FORM,
        "key": page.key,
        "name": page.name,
        "patches": len(crops),
        "area": _active_area(page),
        "groups": [{**dict(group), "count": counts[number]} for group, number in groups.items()],
    }
    digest = hashlib.blake2b((_json(head) + body).encode(), digest_size=6).hexdigest()
    return f"{_START}{_json({'digest': digest, **head})}{_BETWEEN}{body}{_END}".encode()


def read_head(path: Path) -> ChunkHead | None:
    """Read the head of a chunk; None where it is absent, of another form, or no chunk."""
    try:
        with path.open("rb") as file:
            line = file.readline().decode()
        head = json.loads(line.removeprefix(_START).removesuffix(_BETWEEN))
        if head["form"] != FORM:
            return None
        counts = Counter[tuple[str, str]]()
        for group in head["groups"]:
            counts[group["category"], group["format"]] += group["count"]
        return ChunkHead(head["key"], head["name"], head["digest"], head["patches"], counts)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # the video's page is written again with its chunk


def _group(crop: Crop) -> _Group:
    """Return what a patch shares with others, the addresses of its files among it, as pairs."""
    row = crop.row
    shape = (
        ("category", crop.category),
        ("format", row.format),
        ("width", row.width),
        ("height", row.height),
        ("crop", row.crop),
    )
    return (
        *shape,
        ("files", tuple((file.kind.column, _address(file.path, row.window)) for file in row.files)),
    )


def _active_area(page: VideoPage) -> list[int] | None:
    """Return the part of the working frame that the windows' pictures show; None where that is not known."""
    row = page.row
    if row is None or not any(crop.region for window in page.accepted for crop in window.crops):
        return None
    return [row.active_x, row.active_y, row.active_width, row.active_height]


def _address(path: str, window: int) -> str:
    """Return the address of a file relative to the page, with `WINDOW_PLACE` for the window's number."""
    before, digits, after = path.rpartition(f"{window:06d}")
    place = WINDOW_PLACE if digits else ""
    return TO_DATA_SET_FROM_PATCHES + quote(before, safe="/=") + place + quote(after, safe="/=")


def _score_columns(windows: Sequence[ShownCandidate]) -> dict[str, str]:
    """Return a column for each score, by the name of its column in the windows table; NaN for null."""
    measured = [{score.name: score.value for score in window.scores} for window in windows]
    return {
        column: _column("<f4", (each.get(name, np.nan) for each in measured))
        for column, name in SCORE_NAMES.items()
    }


def _picture_names(windows: Sequence[ShownCandidate]) -> dict[str, object]:
    """Return the addresses of the windows' pictures by their common beginning; null where there is none."""
    addresses = [
        None
        if each.is_coarse or not each.picture
        else each.picture.replace(TO_DATA_SET, TO_DATA_SET_FROM_PATCHES, 1)
        for each in windows
    ]
    found = [each for each in addresses if each is not None]
    start = os.path.commonprefix(found)  # noqa: RUF071 - of characters
    return {"start": start, "rest": [each and each.removeprefix(start) for each in addresses]}


def _column(kind: str, values: Iterable[float]) -> str:
    array: npt.NDArray[Any] = np.array(list(values), dtype=kind)
    return base64.b64encode(array.tobytes()).decode()


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
