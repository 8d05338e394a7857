"""Data sets of the release before, which placed one window in each stratum of a film.

Their tables stay valid while their settings stand: here is how that release hashed settings, with the number
of windows in the hash, so that a table says what it was made with. Nothing is written with these hashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final, get_args

from dataset_assets.config import BaseSettings, Settings, VideoEntry
from dataset_assets.frames import DEFAULT_SCALE

VERSION: Final = "3"
"""The version of windows and patches that were placed in strata, and of the videos table of that release."""

_WINDOW_FIELDS = (
    "seed",
    "max_attempts",
    "sampling",
    "cut_rule",
    "max_mean_abs_diff",
    "max_cut_score",
    "interlaced",
)
_PATCH_FIELDS = ("colour_order", "lr_kernel")

_Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class StrataHashes:
    """The settings hashes of one table that mean what the present settings mean; iterates over them.

    A setting that is known to have no effect on the film may have had any value.

    Attributes:
        base: The settings.
        fields: Names of the settings in the hash.
        irrelevant: Settings that are known to have no effect on the film.
        hash_of: The hash for the values of `fields`.
    """

    base: BaseSettings
    fields: tuple[str, ...]
    irrelevant: frozenset[str]
    hash_of: Callable[[_Values], str]

    def __iter__(self) -> Iterator[str]:
        if self.base.working_size == "native" and "working_size" not in self.irrelevant:
            return  # that release knew no such setting
        choices = [
            get_args(BaseSettings.model_fields[name].annotation)
            if name in self.irrelevant
            else (getattr(self.base, name),)
            for name in self.fields
        ]
        for values in product(*choices):
            yield self.hash_of(dict(zip(self.fields, values, strict=True)))


def source_hashes(
    settings: Settings, entry: VideoEntry, irrelevant: frozenset[str] = frozenset()
) -> StrataHashes:
    """Return the hashes of a videos table; `irrelevant` are settings without effect on the film."""

    def hash_of(values: _Values) -> str:
        return _hash({"name": entry.name, "path": str(entry.path), **values})

    return StrataHashes(settings.base, ("interlaced",), irrelevant - {"working_size"}, hash_of)


def windows_hashes(
    settings: Settings, entry: VideoEntry, windows: int, irrelevant: frozenset[str] = frozenset()
) -> StrataHashes:
    """Return the hashes of a windows table.

    Args:
        settings: The configuration.
        entry: The video.
        windows: Windows that were asked for.
        irrelevant: Settings without effect on the film.
    """

    def hash_of(values: _Values) -> str:
        return _windows_hash(entry, windows, values)

    return StrataHashes(settings.base, _WINDOW_FIELDS, irrelevant, hash_of)


def patches_hashes(
    settings: Settings,
    entry: VideoEntry,
    category: str,
    windows: int,
    target: int,
    irrelevant: frozenset[str] = frozenset(),
) -> StrataHashes:
    """Return the hashes of a patches table.

    `target` patches were asked for; the other arguments as in `windows_hashes`.
    """
    chosen = settings.categories[category]
    parts = {
        "category": category,
        "target": target,
        "folder": chosen.folder,
        "mix": chosen.mix,
        "formats": {name: settings.formats[name].model_dump() for name in chosen.mix},
        **scale_part(settings.base),
    }

    @cache
    def windows_hash_of(values: tuple[object, ...]) -> str:
        return _windows_hash(entry, windows, dict(zip(_WINDOW_FIELDS, values, strict=True)))

    def hash_of(values: _Values) -> str:
        own = {name: values[name] for name in _PATCH_FIELDS}
        of_windows = windows_hash_of(tuple(values[name] for name in _WINDOW_FIELDS))
        return _hash(parts | own | {"windows": of_windows})

    return StrataHashes(settings.base, _WINDOW_FIELDS + _PATCH_FIELDS, irrelevant, hash_of)


def scale_part(base: BaseSettings) -> dict[str, object]:
    """Return the scale's part of a hash; nothing for the scale of all data sets of earlier releases."""
    return {} if base.scale == DEFAULT_SCALE else {"scale": base.scale}


def _windows_hash(entry: VideoEntry, windows: int, values: _Values) -> str:
    return _hash({**values, "key": entry.key, "windows": windows})


def _hash(parts: dict[str, object]) -> str:
    text = json.dumps(parts | {"code": VERSION}, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
