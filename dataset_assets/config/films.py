"""Films in folders, and the weights that a person gives them on the command line.

Belongs here: finding film files, the small language of weights and rules. Not here: the configuration file
(scan.py), and whether a file can be decoded, which its own partition finds out.
"""

from __future__ import annotations

import fnmatch
import logging
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dataset_assets.errors import ConfigError

# fmt: off
FILM_SUFFIXES: Final = frozenset((
    ".3gp", ".asf", ".avi", ".dv", ".f4v", ".flv", ".h264", ".h265", ".hevc", ".ivf",
    ".m2t", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
    ".mxf", ".nut", ".obu", ".ogm", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m",
))
# fmt: on

_log = logging.getLogger(__name__)


def find_films(folders: Sequence[Path]) -> list[Path]:
    """Find the films below folders, told by their suffix.

    Args:
        folders: Folders to search with all that is below them; a film's own path is taken as it is.

    Returns:
        Absolute paths, sorted, each file once (links to one file count as one). Hidden files and folders are
        left out, links to folders are not followed, a folder that may not be read is logged and left out.

    Raises:
        ConfigError: A folder is not there.
    """
    missing = [folder for folder in folders if not folder.exists()]
    if missing:
        raise ConfigError([f"{folder}: there is no such folder; check its spelling." for folder in missing])
    found: dict[str, Path] = {}
    for film in sorted({film for folder in folders for film in films_below(absolute(folder), _log_unread)}):
        found.setdefault(os.path.realpath(film), film)
    return list(found.values())


def absolute(path: Path) -> Path:
    """Make a path absolute as text: home folder, `.` and `..` resolved, links kept."""
    return Path(os.path.normpath(Path.cwd() / path.expanduser()))


def films_below(folder: Path, unread: Callable[[OSError], None]) -> Iterator[Path]:
    """Find the films below a folder, each path of a film that has several.

    Args:
        folder: The folder, absolute; a film's own path is taken as it is.
        unread: Told of each folder that may not be read.
    """
    if folder.is_file():
        yield folder
    for parent, folders, files in os.walk(folder, onerror=unread):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            film = Path(parent, name)
            if not name.startswith(".") and film.suffix.lower() in FILM_SUFFIXES:
                yield film


def _log_unread(error: OSError) -> None:
    _log.warning("%s: cannot be read (%s), so its films are left out", error.filename, error.strerror)


def parse_weights(text: str) -> dict[str, float]:
    """Read weights such as `general=0.5,space`.

    Args:
        text: Categories with commas between; `=` and a weight of 0 to 1 behind each, 1 where it is left out.

    Returns:
        Weight by category, names in lower case, in the text's order.

    Raises:
        ConfigError: All the mistakes in the text.
    """
    weights: dict[str, float] = {}
    problems: list[str] = []
    for part in text.split(","):
        name, equals, written = (piece.strip() for piece in part.partition("="))
        try:
            weight = float(written) if equals else 1.0
        except ValueError:
            weight = float("nan")
        if not name:
            problems.append(f"{text!r}: a category's name is missing; write such as general=0.5,space.")
        elif name.lower() in weights:
            problems.append(f"{text!r}: names {name} twice; keep one of them.")
        elif not 0 <= weight <= 1:
            problems.append(f"{text!r}: {written!r} is no weight of {name}; use a number between 0 and 1.")
        weights[name.lower()] = weight
    if problems:
        raise ConfigError(problems)
    return weights


@dataclass(frozen=True, slots=True)
class Rule:
    """Weights for the films whose file name fits a pattern.

    Attributes:
        pattern: A shell pattern (`*`, `?`, `[...]`) for the whole file name, upper and lower case alike.
        weights: Weight by category, instead of those that hold for other films.
    """

    pattern: str
    weights: Mapping[str, float]

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read a rule such as `star*=space` or `star*=space=0.8,general=0.2`; the first `=` ends the pattern.

        Raises:
            ConfigError: All the mistakes in the text.
        """
        pattern, equals, weights = (piece.strip() for piece in text.partition("="))
        if not pattern or not equals:
            raise ConfigError(
                [f"{text!r}: is no rule; write a pattern, = and weights, such as star*=space=0.8."]
            )
        return cls(pattern, parse_weights(weights))

    def matches(self, film: Path) -> bool:
        """Tell whether a film's file name fits."""
        return fits(film.name, self.pattern)


def fits(name: str, pattern: str) -> bool:
    """Tell whether a whole name fits a shell pattern, upper and lower case alike."""
    return fnmatch.fnmatchcase(_folded(name), _folded(pattern))


def _folded(name: str) -> str:
    """Make names comparable that a file system spells otherwise (macOS splits accents from letters)."""
    return unicodedata.normalize("NFC", name).casefold()
