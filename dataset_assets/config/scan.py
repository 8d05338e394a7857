"""Add found films to a configuration file.

Belongs here: which films are new, what they are called, and replacing the file in one step. Not here: finding
films (films.py) and the layout of the text (editing.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from dataset_assets.config.editing import NewVideo, with_videos
from dataset_assets.config.fields import is_protocol
from dataset_assets.config.films import Rule, absolute
from dataset_assets.config.keys import is_unicode, near_names, short_hash, video_key
from dataset_assets.config.loading import read_config, settings_from_text, tree_of
from dataset_assets.config.models import Settings, VideoEntry
from dataset_assets.config.replacing import replace_config
from dataset_assets.config.tree import Entries
from dataset_assets.errors import ConfigError


def append_videos(
    config: Path,
    films: Iterable[Path],
    weights: Mapping[str, float],
    rules: Sequence[Rule] = (),
    choose: Callable[[Sequence[Path]], Iterable[Path]] = iter,
) -> list[VideoEntry]:
    """Append films to the list of videos in a configuration file.

    The text is edited, not rewritten: comments and layout are kept. The new text is read back before it
    replaces the file in one step. A film that is already listed, under any link to it, is skipped.

    Args:
        config: The configuration file, YAML or JSON. Its list may be empty or absent.
        films: Films, such as from `find_films`.
        weights: Weight by category of a film that no rule matches.
        rules: The first rule that matches a film gives its weights.
        choose: Called with the films that are not listed yet; returns those to add.

    Returns:
        The entries that were added, in the order of `films`. Each name is the file's stem; where its key is
        taken, the parent folder's name follows it, then a number.

    Raises:
        ConfigError: The file is missing or invalid, a category is unknown, a film's name is not UTF-8, or the
            list is written in a way that cannot be extended. The file is then unchanged.
    """
    text = read_config(config)
    settings = settings_from_text(text, config, may_lack_videos=True)
    _check_categories([weights, *(rule.weights for rule in rules)], settings)
    new = _new_videos(config, choose(_unlisted(films, settings)), settings, weights, rules)
    root = tree_of(text, config)
    if not new or not isinstance(root, Entries):
        return []
    edited = with_videos(text, root, new)
    added = _read_back(edited, config, settings.videos, new)
    replace_config(config, edited)
    return added


def _check_categories(given: Iterable[Mapping[str, float]], settings: Settings) -> None:
    names = dict.fromkeys(name for weights in given for name in weights)
    unknown = [name for name in names if name.lower() not in settings.categories]
    if unknown:
        known = settings.categories
        raise ConfigError(
            [f"{name}: there is no such category; {near_names(name, known)}" for name in unknown]
        )


def _unlisted(films: Iterable[Path], settings: Settings) -> list[Path]:
    """Return the absolute paths of the films that are not listed under any link to them, each film once."""
    listed = {os.path.realpath(entry.path) for entry in settings.videos if isinstance(entry.path, Path)}
    found: dict[str, Path] = {}
    for film in map(absolute, films):
        if (real := os.path.realpath(film)) not in listed:
            found.setdefault(real, film)
    return list(found.values())


def _new_videos(
    config: Path,
    films: Iterable[Path],
    settings: Settings,
    weights: Mapping[str, float],
    rules: Sequence[Rule],
) -> list[NewVideo]:
    keys = {entry.key for entry in settings.videos}
    new: list[NewVideo] = []
    unwritable: list[str] = []
    for film in films:
        if not is_unicode(str(film)):
            unwritable.append(
                f"{str(film)!a}: the name is not UTF-8, so no file can list it; rename the film."
            )
            continue
        name = free_name(film, keys)
        keys.add(video_key(name))
        fitting = next((rule.weights for rule in rules if rule.matches(film)), weights)
        new.append(NewVideo(name, _written_path(film, config), fitting))
    if unwritable:
        raise ConfigError(unwritable)
    return new


def free_name(film: Path, taken: Collection[str]) -> str:
    """Name a film by its stem; a name in another script gets a hash to make a key from."""
    stem = film.stem if video_key(film.stem) else f"{film.stem} {short_hash(film.stem)}"
    if video_key(stem) not in taken:
        return stem
    name = longer = f"{stem} {film.parent.name}".rstrip()
    number = 1
    while video_key(name) in taken:
        number += 1
        name = f"{longer} {number}"
    return name


def _written_path(film: Path, config: Path) -> str:
    """Write a path relative to the configuration's folder where the film lies below it."""
    folder = absolute(config).parent
    if not film.is_relative_to(folder):
        return str(film)
    path = film.relative_to(folder).as_posix()
    return f"./{path}" if path.startswith("~") or is_protocol(path) else path


def _read_back(
    text: str, config: Path, old: tuple[VideoEntry, ...], new: Sequence[NewVideo]
) -> list[VideoEntry]:
    """Return the added entries as the new text has them, if it has exactly these after the old ones."""
    remedy = "write each video on lines of its own, or add the films by hand"
    refusal = ConfigError([f"{config} videos: the list cannot be extended as it is written; {remedy}."])
    try:
        videos = settings_from_text(text, config).videos
    except ConfigError:
        raise refusal from None
    added = videos[len(old) :]
    if videos[: len(old)] != old or [entry.name for entry in added] != [video.name for video in new]:
        raise refusal
    return list(added)
