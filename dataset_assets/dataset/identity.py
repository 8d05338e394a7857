"""What a table's contents depend on: the settings that shape them, and the version of the code.

Equal hashes mean equal contents for the same source; whatever does not shape pixels or rows (workers, disk
limits, where the data set lies) is left out.
"""

from __future__ import annotations

import hashlib
import json

from dataset_assets.config import Settings, VideoEntry

# Raised by one whenever the same settings would give other rows or other pixels than before.
CODE_VERSION = "3"

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


def source_hash(settings: Settings, entry: VideoEntry) -> str:
    """Identity of the settings that shape a video's row in the videos table."""
    return _hash({"name": entry.name, "path": str(entry.path), "interlaced": settings.base.interlaced})


def windows_hash(settings: Settings, entry: VideoEntry) -> str:
    """Identity of the settings that shape a video's windows table."""
    base = {name: getattr(settings.base, name) for name in _WINDOW_FIELDS}
    return _hash(base | {"key": entry.key, "windows": settings.window_target(entry)})


def patches_hash(settings: Settings, entry: VideoEntry, category: str) -> str:
    """Identity of the settings that shape a video's patches in a category."""
    chosen = settings.categories[category]
    base = {name: getattr(settings.base, name) for name in _PATCH_FIELDS}
    return _hash(
        base
        | {
            "windows": windows_hash(settings, entry),
            "category": category,
            "target": settings.target(entry, category),
            "folder": chosen.folder,
            "mix": chosen.mix,
            "formats": {name: settings.formats[name].model_dump() for name in chosen.mix},
        }
    )


def _hash(parts: dict[str, object]) -> str:
    # With the code's version, so that each row tells whether it is current in a table that is half remade.
    text = json.dumps(parts | {"code": CODE_VERSION}, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
