"""Films in folders, and the weights that a user gives them on the command line.

Belongs here: finding film files, the syntax of weights and rules. Not here: the configuration file
(scan.py), and whether a file can be decoded, which its own partition finds out.
"""

from __future__ import annotations

import fnmatch
import logging
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from dataset_assets.addresses import is_address
from dataset_assets.config.skipping import (
    FILM_SUFFIXES,
    Kind,
    Report,
    Skipped,
    is_skipped,
    kind_of_file,
    kind_of_folder,
    messages_about,
    unsearched,
)
from dataset_assets.errors import ConfigError

_log = logging.getLogger(__name__)


def find_films(folders: Sequence[Path], report: Callable[[str], None] = _log.warning) -> list[Path]:
    """Find the films below folders by their suffix.

    Args:
        folders: Folders to search, with their subfolders; the path of a film itself is returned as it is.
        report: Called with a message about each kind of thing that is skipped: recycle bins, links to
            folders, files that could be films but for their suffix, and folders that may not be read.

    Returns:
        Absolute paths, sorted, each file once (links to one file count as one). Hidden files and folders are
        skipped without a report.

    Raises:
        ConfigError: A folder does not exist.
    """
    # A path has one slash where an address has two.
    addresses = [folder for folder in folders if is_address(str(folder).replace(":/", "://", 1))]
    if addresses:
        raise ConfigError(
            [
                f"{folder}: is an address, and only folders are searched; list its films in `videos`."
                for folder in addresses
            ]
        )
    missing = [folder for folder in folders if not folder.exists()]
    if missing:
        raise ConfigError([f"{folder}: there is no such folder; check its spelling." for folder in missing])

    def report_unread(error: OSError) -> None:
        report(f"{error.filename}: cannot be read ({error.strerror}), so its films are left out.")

    searched = [absolute(folder) for folder in folders]
    skipped: list[Skipped] = []
    found: dict[str, Path] = {}
    films = (films_below(folder, report_unread, skipped.append) for folder in searched)
    for film in sorted({*chain.from_iterable(films)}):
        if film.exists():
            found.setdefault(os.path.realpath(film), film)
        else:
            skipped.append(Skipped(film, Kind.DANGLING))
    real = [os.path.realpath(folder) for folder in searched]
    for message in messages_about(unsearched(skipped, searched, real), searched):
        report(message)
    return list(found.values())


def absolute(path: Path) -> Path:
    """Make a path absolute as text: home folder, `.` and `..` resolved, links kept."""
    return Path(os.path.normpath(Path.cwd() / path.expanduser()))


def films_below(folder: Path, unread: Callable[[OSError], None], skipped: Report) -> Iterator[Path]:
    """Find the films below a folder, each path of a film that has several.

    Args:
        folder: The folder, absolute; the path of a film itself is yielded as it is.
        unread: Called with the error of each folder that may not be read.
        skipped: Called with each skipped path that a user might miss.
    """
    if folder.is_file():
        yield folder
    for parent, folders, files in os.walk(folder, onerror=unread):
        for name in folders:
            path = Path(parent, name)
            if (kind := kind_of_folder(name)) is not None:
                skipped(Skipped(path, kind))
            elif not is_skipped(name) and path.is_symlink():
                skipped(Skipped(path, Kind.LINK, os.path.realpath(path)))
        folders[:] = [name for name in folders if not is_skipped(name)]
        for name in files:
            if name.startswith("."):
                continue
            film = Path(parent, name)
            if film.suffix.lower() in FILM_SUFFIXES:
                yield film
            elif (kind := kind_of_file(name)) is not None:
                skipped(Skipped(film, kind))
            elif not film.suffix and film.is_symlink() and not film.exists():
                skipped(Skipped(film, Kind.DANGLING))  # to a folder, it seems


def parse_weights(text: str) -> dict[str, float]:
    """Read weights such as `general=0.5,space`.

    Args:
        text: Categories separated by commas, each with `=` and a weight of 0 to 1; without one it is 1.

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
    """Weights for the films whose file name matches a pattern.

    Attributes:
        pattern: A shell pattern (`*`, `?`, `[...]`) for the entire file name, ignoring case.
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
        """Return whether a film's file name matches."""
        return fits(film.name, self.pattern)


def fits(name: str, pattern: str) -> bool:
    """Return whether an entire name matches a shell pattern, ignoring case."""
    return fnmatch.fnmatchcase(_folded(name), _folded(pattern))


def _folded(name: str) -> str:
    """Normalise a name, since file systems spell it differently (macOS splits accents from letters)."""
    return unicodedata.normalize("NFC", name).casefold()
