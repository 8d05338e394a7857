"""The register of films that were found in watched folders, with the name of each.

It is in the data set, so that every process sees the same videos under the same keys without listing folders,
even if films were added or deleted or their drive is away. Belongs here: the file, and the videos that follow
from it. Not here: finding films (watch.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from dataset_assets import layout
from dataset_assets.config.keys import video_key
from dataset_assets.config.models import Settings, VideoEntry, WatchedVideo
from dataset_assets.config.operation import watching
from dataset_assets.config.replacing import replace_text
from dataset_assets.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Film:
    """A film that was found.

    Attributes:
        path: Its absolute path.
        name: The video's name, which its key is made from.
        size_bytes: Its size when it was last seen.
    """

    path: str
    name: str
    size_bytes: int

    @property
    def key(self) -> str:
        """The video's key."""
        return video_key(self.name)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A film whose time stamps are in the future, so that they do not show how long it has been unchanged.

    Attributes:
        path: Its absolute path.
        size_bytes: Its size.
        changed_s: Its last change by its own stamps, Unix time.
        since_s: When it was first seen like this, Unix time.
    """

    path: str
    size_bytes: int
    changed_s: float
    since_s: float


@dataclass(frozen=True, slots=True)
class Register:
    """The films in the order in which they were found, and those that may still be written."""

    films: tuple[Film, ...] = ()
    waiting: tuple[Sighting, ...] = ()


_FORM: Final = TypeAdapter(Register)


def register_path(settings: Settings) -> Path:
    """Return the path of a data set's register."""
    return settings.base.output_base_dir / layout.REGISTER


def read_register(settings: Settings) -> Register:
    """Read the register; an empty one if there is none.

    Raises:
        ConfigError: It cannot be read, or is not a register.
    """
    path = register_path(settings)
    try:
        found = _FORM.validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return Register()
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read ({error.strerror}); check its permissions."]) from None
    except ValidationError:
        remedy = "correct it, or delete it and the films are found again"
        raise ConfigError([f"{path}: is no register of films in watched folders; {remedy}."]) from None
    nameless = [film.path for film in found.films if not film.key]
    if nameless:
        raise ConfigError([f"{path}: {nameless[0]} has a name without a letter a-z or a digit; add one."])
    return found


def write_register(settings: Settings, register: Register) -> None:
    """Replace the register in one step.

    Raises:
        OSError: It cannot be written.
    """
    replace_text(register_path(settings), json.dumps(asdict(register), indent=1, ensure_ascii=False))


def listed_videos(settings: Settings) -> tuple[VideoEntry, ...]:
    """Return the videos that the file itself lists."""
    return tuple(entry for entry in settings.videos if not isinstance(entry, WatchedVideo))


def with_watched(settings: Settings, register: Register) -> Settings:
    """Return settings whose videos are the listed ones followed by the registered films.

    A film is left out if it is listed itself, if it is in no watched folder or excluded by a pattern, and if
    a listed video has its key, until `look_for_films` has given it another one. If two have the same key,
    the first counts.
    """
    listed = listed_videos(settings)
    return settings.model_copy(update={"videos": (*listed, *_watched(settings, listed, register.films))})


def _watched(
    settings: Settings, listed: Iterable[VideoEntry], films: Iterable[Film]
) -> Iterable[WatchedVideo]:
    paths = {str(entry.path) for entry in listed}
    keys = {entry.key for entry in listed}
    for film in films:
        path = Path(film.path)
        folder = watching(settings.watch, path)
        weights = folder.weights_of(path) if folder else None
        if weights is None or film.path in paths or film.key in keys:
            continue
        keys.add(film.key)
        # Checked already: the name by `read_register`, the weights with the configuration.
        yield WatchedVideo.model_construct(name=film.name, path=path, categories=dict(weights))
