"""What is wrong between the entries of a configuration, as a path of keys and a sentence with its remedy.

Here: rules between entries that may be invalid themselves, in a file's form. Not here: what one entry may
hold (models.py, operation.py), and how mistakes are worded and placed (problems.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final, TypeVar

from dataset_assets.config.keys import near_names, video_key
from dataset_assets.config.operation import watch_contradictions
from dataset_assets.frames import DEFAULT_SCALE, FRAMES_PER_WINDOW, SCALES

MAX_WORKING_SIDE: Final = 1920  # pixels; a wider format could be cut from no working frame
NOTHING_TO_DEGRADE: Final = (
    "degradations need LR stacks of 7 frames; add 7 to base_settings.lr_stacks, or leave the degradations out"
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_Kind = TypeVar("_Kind")


def contradictions(
    videos: Sequence[object],
    formats: Mapping[str, object],
    categories: Mapping[str, object],
    watch: Sequence[object] = (),
    scale: int = DEFAULT_SCALE,
    *,
    is_in_store: bool = False,
    stacks: Collection[object] = (FRAMES_PER_WINDOW,),
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find what is wrong between entries.

    Args:
        videos: The videos in a file's form (mappings with `name` and `categories`). An entry, or a value in
            it, that is invalid itself is skipped, so that it hides no contradiction between the others.
        formats: Formats by name, likewise.
        categories: Categories by name, likewise.
        watch: The watched folders, likewise.
        scale: What divides the sides of formats.
        is_in_store: Whether the data set is in an object store.
        stacks: Frames of the LR stacks that patches have.

    Yields:
        The place as a path of keys and indices, and what is wrong there with its remedy.
    """
    for section, names in (("formats", formats), ("categories", categories)):
        for name in names:
            if not _NAME.fullmatch(name):
                yield (section, name), "not a name; use small letters, digits and _, a letter first"
    if not categories:
        yield ("categories",), "no category is left; keep one, or add one"
    for name, category in categories.items():
        for wanted in _value(category, "mix", dict) or ():
            if wanted not in formats:
                yield ("categories", name, "mix", wanted), f"no such format; {near_names(wanted, formats)}"
        if _value(category, "degradations", list) and FRAMES_PER_WINDOW not in stacks:
            yield ("categories", name, "degradations"), NOTHING_TO_DEGRADE
    yield from _indivisible_sides(formats, scale)
    yield from _shared_folders("formats", formats)
    yield from _shared_folders("categories", categories)
    yield from _video_contradictions(videos, categories)
    yield from watch_contradictions(watch, categories)
    if is_in_store and watch:
        yield (
            ("watch",),
            "the films of watched folders are registered in a folder, and base_settings.output_url puts the "
            "data set into an object store; list them in videos, as `dataset-assets videos scan` does",
        )


def _value(entry: object, name: str, kind: type[_Kind]) -> _Kind | None:
    value = entry.get(name) if isinstance(entry, dict) else None
    return value if isinstance(value, kind) else None


def _video_contradictions(
    videos: Sequence[object], categories: Mapping[str, object]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    owners: dict[str, int] = {}
    for index, entry in enumerate(videos):
        key = video_key(_value(entry, "name", str) or "")
        owner = owners.setdefault(key, index)
        if key and owner != index:
            remedy = "give one of them another name"
            yield ("videos", index, "name"), f"has the key {key}, as videos[{owner}] has; {remedy}"
        for category in _value(entry, "categories", dict) or ():
            if category.lower() not in categories:
                hint = near_names(category, categories)
                yield ("videos", index, "categories", category), f"no such category; {hint}"


def _indivisible_sides(
    formats: Mapping[str, object], scale: int
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find sides of formats that the scale does not divide."""
    for name, entry in formats.items():
        for side in ("width", "height"):
            pixels = _value(entry, side, int)
            if pixels is None or not min(SCALES) <= pixels <= MAX_WORKING_SIDE or pixels % scale == 0:
                continue
            below = pixels // scale * scale
            nearest = [each for each in (below, below + scale) if 0 < each <= MAX_WORKING_SIDE]
            yield (
                ("formats", name, side),
                f"{pixels} is not divisible by the scale {scale}; use {' or '.join(map(str, nearest))}",
            )


def _shared_folders(
    section: str, entries: Mapping[str, object]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find folders that are the same or nested, ignoring case (Windows, macOS)."""
    seen: dict[str, tuple[str, ...]] = {}
    for name, entry in entries.items():
        parts = PurePosixPath((_value(entry, "folder", str) or "").lower()).parts
        if not parts:
            continue
        for other, other_parts in seen.items():
            shared = min(len(parts), len(other_parts))
            if parts[:shared] == other_parts[:shared]:
                yield (
                    (section, name, "folder"),
                    f"shares its folder with {section}.{other}; use one of its own",
                )
        seen[name] = parts
