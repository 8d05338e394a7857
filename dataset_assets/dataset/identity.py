"""What a table's contents depend on: the settings that shape them, and the version of the code.

Equal hashes mean equal contents for the same source and the same target. Whatever does not shape pixels or
rows (workers, disk limits, where the data set lies) is left out, and so is how many windows are wanted: more
of them change none that is there. A setting that has no effect on a film (`colour_order` on one whose colours
are not converted) stands as None in the hash, so that changing it makes nothing stale.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

from dataset_assets.config import DEFAULT_CROP_CANDIDATES, BaseSettings, Settings, VideoEntry
from dataset_assets.dataset.strata import scale_part
from dataset_assets.dataset.working_frames import share_held
from dataset_assets.tables import Provenance, VideoRow
from dataset_assets.video import is_converted

# One for each kind of table. Raise by one the version of a table whose rows or files would differ for the
# same settings. The windows' version makes patches stale too, the source's version nothing but itself.
SOURCE_VERSION = "3"
WINDOWS_VERSION = "4"
PATCHES_VERSION = "4"

BY_FILM: Final = frozenset({"colour_order", "interlaced"})
"""Settings that have no effect on some films."""

WORKING_SIZE: Final = "working_size"
"""A setting without effect on most films, known from a row of the videos table alone."""

_SOURCE_FIELDS = ("interlaced", WORKING_SIZE)
_SEQUENCE_FIELDS = ("seed", "sampling", "interlaced", WORKING_SIZE)
_LIMIT_FIELDS = ("cut_rule", "max_mean_abs_diff", "max_cut_score")
_PATCH_FIELDS = ("colour_order", "lr_kernel")
_SHARED_FIELDS = (
    "base_frame_limit",
    "max_attempts",
    "scale",
    "lr_stacks",
    "gt_frames",
    "crop_candidates",
    "crops_per_window",
)
_UNUSED_LIMITS = {
    "both": frozenset[str](),
    "blocks": frozenset({"max_mean_abs_diff"}),
    "legacy": frozenset({"max_cut_score"}),
}

_Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SettingsHashes:
    """The settings hashes with which one table of a video is up to date; iterates, the likeliest first.

    Besides the hash that the table gets today there are those where what made the table found that a setting
    has no effect on the film.

    Attributes:
        base: The settings.
        fields: Names of the settings in the hash.
        irrelevant: Those of `BY_FILM`, and `WORKING_SIZE`, that are known to have no effect on the film.
        hash_of: The hash for the values of `fields`.
    """

    base: BaseSettings
    fields: tuple[str, ...]
    irrelevant: frozenset[str]
    hash_of: Callable[[_Values], str]

    @property
    def written(self) -> str:
        """The hash that the table gets when it is made."""
        return self.hash_of(
            {name: None if name in self.irrelevant else self._value(name) for name in self.fields}
        )

    def __iter__(self) -> Iterator[str]:
        choices = [
            (None, self._value(name)) if name in BY_FILM else (self._value(name),) for name in self.fields
        ]
        for values in product(*choices):
            yield self.hash_of(dict(zip(self.fields, values, strict=True)))

    def _value(self, name: str) -> object:
        """Return a setting's value; None for a limit that the cut rule does not use.

        And for a working size without effect, which has to be known: a table that was made without it has
        the same hash as one of a film on which it has none.
        """
        is_unused = name in _UNUSED_LIMITS[self.base.cut_rule]
        is_unused |= name == WORKING_SIZE and name in self.irrelevant
        return None if is_unused else getattr(self.base, name)


def source_hashes(
    settings: Settings,
    entry: VideoEntry,
    irrelevant: frozenset[str] = frozenset(),
    *,
    is_measured: bool = False,
) -> SettingsHashes:
    """Identity of the settings that shape a video's row in the videos table.

    Args:
        settings: The configuration.
        entry: The video.
        irrelevant: Settings without effect on the film, from `irrelevant_settings`; none where the film is
            not known.
        is_measured: Whether the row says what the film holds; else it is made again where the working size
            depends on that.
    """
    irrelevant = irrelevant if is_measured else irrelevant - {WORKING_SIZE}

    def hash_of(values: _Values) -> str:
        return _hash({"name": entry.name, "path": str(entry.path), **values}, SOURCE_VERSION)

    return SettingsHashes(settings.base, _SOURCE_FIELDS, irrelevant, hash_of)


def sequence_hashes(
    settings: Settings, entry: VideoEntry, irrelevant: frozenset[str] = frozenset()
) -> SettingsHashes:
    """Identity of the settings that decide where candidates lie; arguments as in `source_hashes`."""

    def hash_of(values: _Values) -> str:
        return _hash({**values, "key": entry.key}, WINDOWS_VERSION)

    return SettingsHashes(settings.base, _SEQUENCE_FIELDS, irrelevant, hash_of)


def windows_hashes(
    settings: Settings,
    entry: VideoEntry,
    irrelevant: frozenset[str] = frozenset(),
    excluded: Collection[int] = (),
) -> SettingsHashes:
    """Identity of the settings that shape a video's windows table.

    Args:
        settings: The configuration.
        entry: The video.
        irrelevant: As in `source_hashes`.
        excluded: What `ExcludedWindows` holds of the video.
    """
    exclusions = _exclusions(entry, excluded)

    def hash_of(values: _Values) -> str:
        return _hash({**values, "key": entry.key, **exclusions}, WINDOWS_VERSION)

    return SettingsHashes(settings.base, _SEQUENCE_FIELDS + _LIMIT_FIELDS, irrelevant, hash_of)


def patches_hashes(
    settings: Settings,
    entry: VideoEntry,
    category: str,
    irrelevant: frozenset[str] = frozenset(),
    excluded: Collection[int] = (),
) -> SettingsHashes:
    """Identity of the settings that shape a category's patches of a video; others as in `windows_hashes`."""
    chosen = settings.categories[category]
    parts = {
        "category": category,
        "folder": chosen.folder,
        "mix": chosen.mix,
        "formats": {name: settings.formats[name].model_dump() for name in chosen.mix},
        **scale_part(settings.base),
        **_crops_part(settings.base),
    }
    windows = _SEQUENCE_FIELDS + _LIMIT_FIELDS
    exclusions = _exclusions(entry, excluded)

    @cache
    def windows_hash_of(values: tuple[object, ...]) -> str:
        parts = {**dict(zip(windows, values, strict=True)), "key": entry.key, **exclusions}
        return _hash(parts, WINDOWS_VERSION)

    def hash_of(values: _Values) -> str:
        own = {name: values[name] for name in _PATCH_FIELDS}
        of_windows = windows_hash_of(tuple(values[name] for name in windows))
        return _hash(parts | own | {"windows": of_windows}, PATCHES_VERSION)

    return SettingsHashes(settings.base, windows + _PATCH_FIELDS, irrelevant, hash_of)


def patch_hashes(
    settings: Settings, entry: VideoEntry, category: str, irrelevant: frozenset[str] = frozenset()
) -> SettingsHashes:
    """Identity of the settings that shape the pixels of one patch, given its window, format and place."""

    def hash_of(values: _Values) -> str:
        parts = {**values, "key": entry.key, "category": category, "windows": WINDOWS_VERSION}
        return _hash(parts | scale_part(settings.base), PATCHES_VERSION)

    return SettingsHashes(settings.base, _SEQUENCE_FIELDS + _PATCH_FIELDS, irrelevant, hash_of)


def shared_settings(settings: Settings) -> dict[str, object]:
    """Return the settings with which one machine would make again what another has made, by their names.

    Not the films, their weights and exclusions: each run reads them from the file, and a film that is added
    concerns no other.
    """
    base = settings.base
    names = (*_SEQUENCE_FIELDS, *_LIMIT_FIELDS, *_PATCH_FIELDS, *_SHARED_FIELDS)
    unused = _UNUSED_LIMITS[base.cut_rule]
    shared: dict[str, object] = {
        f"base_settings.{name}": getattr(base, name) for name in names if name not in unused
    }
    if base.degradations:
        steps = [step.model_dump(exclude_none=True) for step in base.degradations]
        shared["base_settings.degradations"] = steps
    for name, category in settings.categories.items():
        shared[f"categories.{name}"] = category.model_dump()
        shared |= {f"formats.{each}": settings.formats[each].model_dump() for each in category.mix}
    return dict(sorted(shared.items()))


def has_other_exclusions(
    made: Provenance,
    settings: Settings,
    entry: VideoEntry,
    irrelevant: frozenset[str],
    excluded: Collection[int],
) -> bool:
    """Return whether other exclusions alone shaped a windows table; others as in `windows_hashes`."""
    sampled, base = made.sampled, settings.base
    if sampled is None or sampled.sequence_hash not in sequence_hashes(settings, entry, irrelevant):
        return False
    limits = [name for name in _LIMIT_FIELDS if name not in _UNUSED_LIMITS[base.cut_rule]]
    return (
        all(getattr(sampled, name) == getattr(base, name) for name in limits)
        and made.code_version == WINDOWS_VERSION
        and made.settings_hash not in windows_hashes(settings, entry, irrelevant, excluded)
    )


def _crops_part(base: BaseSettings) -> dict[str, object]:
    """Return what crops are chosen by; nothing by default, as before there was a choice.

    In a table's identity alone: where a row's crop is the same by the present choice, it is kept. Windows of
    that time have no map of detail, so theirs are.
    """
    if base.crop_candidates == DEFAULT_CROP_CANDIDATES:
        return {}
    return {"crop_candidates": base.crop_candidates}


def _exclusions(entry: VideoEntry, excluded: Collection[int]) -> dict[str, object]:
    """Return what is excluded of a video; nothing where nothing is, as before there were exclusions."""
    parts: dict[str, object] = {}
    if entry.exclude:
        parts["exclude"] = [str(each) for each in entry.excluded_ranges]
    if excluded:
        parts["excluded"] = sorted(excluded)
    return parts


def irrelevant_settings(*, converted: bool, interlaced: bool, enlarged: bool) -> frozenset[str]:
    """Return the settings that give the same contents of a film whatever their value is.

    Args:
        converted: Whether the film's RGB values go through a table (`Colour.is_converted`).
        interlaced: Whether the film is deinterlaced (`VideoInfo.interlaced`).
        enlarged: Whether it holds less than its full working frame (`VideoInfo.is_enlarged`).
    """
    effective = {"colour_order": converted, "interlaced": interlaced, WORKING_SIZE: enlarged}
    return frozenset(name for name, has_effect in effective.items() if not has_effect)


def irrelevant_by_row(row: VideoRow | None) -> frozenset[str]:
    """Return the same as `irrelevant_settings` for a row of the videos table; nothing where there is none."""
    if row is None:
        return frozenset()
    converted = is_converted(row.color_transfer, row.color_primaries)
    return irrelevant_settings(converted=converted, interlaced=row.interlaced, enlarged=share_held(row) < 1)


def _hash(parts: dict[str, object], version: str) -> str:
    # Data sets that were made before there was this setting keep their hashes.
    parts = {name: each for name, each in parts.items() if name != WORKING_SIZE or each == "native"}
    # With the code's version, so that each row shows whether it is current in a table that is half remade.
    text = json.dumps(parts | {"code": version}, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
