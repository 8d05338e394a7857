"""Films that were not probed yet: what is known of them before their runs, from a brief look or without one.

Here: which they are, and for which categories they are too small. Not here: how a film is looked into
(`film_check`), and what a run would do to patches (`preview`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console

from dataset_assets.cli.film_check import Size, check_films
from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset import SOURCE, SOURCE_CHANGED, AssetStatus
from dataset_assets.errors import VideoError
from dataset_assets.patches import misfit
from dataset_assets.video import Rect

# A look takes 30 CPU ms with its process: half a minute of a core.
MOST_LOOKED_INTO = 1000


@dataclass(frozen=True, slots=True)
class Unprobed:
    """What is known of films that were not probed yet.

    Attributes:
        unseen: Keys of those that no look has shown anything of: all their windows count.
        sizes: Width and height of the coded frame of the others, by key, pixels.
        too_small: Why no format of any category that wants patches of a film fits it, by key.
        misfits: Categories that want patches of a film and of which no format fits it, by key of the film.
        refused: Why a film cannot be used, by key.
    """

    unseen: Sequence[str] = ()
    sizes: Mapping[str, Size] = field(default_factory=dict)
    too_small: Mapping[str, str] = field(default_factory=dict)
    misfits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    refused: Mapping[str, VideoError] = field(default_factory=dict)


def unprobed_keys(statuses: Mapping[str, Mapping[str, AssetStatus]], keys: Iterable[str]) -> list[str]:
    """Return the keys of the videos whose film, as it is now, has no row in the videos table.

    Args:
        statuses: The states of the videos' tables, by key and table.
        keys: The videos.
    """
    sources = {key: statuses[key][SOURCE] for key in keys}
    return [
        key for key, status in sources.items() if status.state == "missing" or status.reason == SOURCE_CHANGED
    ]


def look_into(settings: Settings, keys: Sequence[str], console: Console) -> Unprobed:
    """Look briefly into films; those beyond `MOST_LOOKED_INTO` stay unseen.

    Args:
        settings: The configuration.
        keys: The videos.
        console: Where progress is shown, if it is a terminal.
    """
    entries = [settings.video(key) for key in keys[:MOST_LOOKED_INTO]]
    videos = {entry.key: entry for entry in entries}
    checked = check_films([entry.path for entry in entries], console)
    sizes = {entry.key: checked.sizes[entry.path] for entry in entries if entry.path in checked.sizes}
    too_small = {key: too_small_for_all(settings, videos[key], size) for key, size in sizes.items()}
    misfits = {
        key: [name for name in settings.wanting(videos[key]) if _misfit(settings, [name], size)]
        for key, size in sizes.items()
    }
    refused = {entry.key: checked.refused[entry.path] for entry in entries if entry.path in checked.refused}
    return Unprobed(
        unseen=[key for key in keys if key not in sizes and key not in refused],
        sizes=sizes,
        too_small={key: why for key, why in too_small.items() if why},
        misfits=misfits,
        refused=refused,
    )


def too_small_for_all(settings: Settings, video: VideoEntry, size: Size) -> str:
    """Return why no format of any category that wants patches of a film fits it; empty where one does.

    A film with black bars may turn out to be too small only when it is probed.

    Args:
        settings: The configuration.
        video: The film.
        size: Width and height of its coded frame, pixels; it may be shown turned.
    """
    return _misfit(settings, settings.wanting(video), size)


def _misfit(settings: Settings, categories: Sequence[str], size: Size) -> str:
    """Return why no format of some categories fits a film, upright or turned; empty where one does."""
    width, height = size
    mixes = [settings.categories[name].mix for name in categories]
    whys = [
        misfit(settings.formats, mixes, Rect(0, 0, *sides)) for sides in ((width, height), (height, width))
    ]
    return whys[0] if all(whys) else ""
