"""Search watched folders for films that are new and complete.

Belongs here: what counts as complete, new, deleted, and as the same film. Not here: listing folders
(listing.py), what films are called (scan.py), and remembering them (register.py). No film is opened.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dataset_assets.config.keys import is_unicode, video_key
from dataset_assets.config.listing import Listing, Seen, list_films, patiently
from dataset_assets.config.models import Settings, VideoEntry, WatchedVideo
from dataset_assets.config.operation import WatchFolder, watching
from dataset_assets.config.register import (
    Film,
    Register,
    Sighting,
    listed_videos,
    read_register,
    register_path,
    with_watched,
    write_register,
)
from dataset_assets.config.scan import free_name
from dataset_assets.config.skipping import messages_about, unsearched
from dataset_assets.counting import are, counted
from dataset_assets.disk import is_file, locked

_LISTED = "listed"


@dataclass(frozen=True, slots=True)
class Look:
    """The result of a search of the watched folders.

    Attributes:
        settings: The settings, with all films that have been found so far.
        added: The videos that are new.
        waiting: Films that are still being written.
        problems: What could not be done, one message each; everything else was done.
        skipped: What was skipped and a user might miss, one message for each kind.
    """

    settings: Settings
    added: tuple[VideoEntry, ...] = ()
    waiting: tuple[Path, ...] = ()
    problems: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def look_for_films(settings: Settings, *, is_kept: bool = True) -> Look:
    """Search the watched folders and register new films.

    A film is complete if it is not empty and has been unchanged for `settled_after_s`: by the later of its
    modification and its status change, or, if that is in the future, as seen by two searches. A film whose
    copy paused for longer is rebuilt when it has grown, since its tables are stale then.

    A deleted film stays registered. A film that appears later with its name and size is the same film in
    another place, and takes over its video.

    Args:
        settings: The configuration, as `load_settings` returns it.
        is_kept: Whether new films are registered; else nothing is written.

    Returns:
        What was found. If no folder is watched, nothing is changed.

    Raises:
        ConfigError: The register is damaged.
    """
    if not settings.watch:
        return Look(settings)
    listed = [str(entry.path) for entry in listed_videos(settings)]
    listings = patiently({each.folder: partial(list_films, each.folder) for each in settings.watch})
    # Without an answer (the drive of a listed film is away), a link to a film counts as another film.
    real: Mapping[Hashable, set[str] | None] = patiently({_LISTED: partial(_resolved, listed)})
    search = _Search(settings, listings, {*listed, *(real[_LISTED] or ())})
    try:
        with _locked(settings) if is_kept else nullcontext():
            before = read_register(settings)
            after = search.register(before)
            if is_kept and after != before:
                write_register(settings, after)
    except OSError as error:
        why = f"{register_path(settings)}: cannot be written ({error.strerror})"
        remedy = "so no film of a watched folder is added; correct its permissions, or free some space"
        return Look(settings, problems=(f"{why}, {remedy}.",))
    now = with_watched(settings, after)
    known = {entry.key for entry in with_watched(settings, before).videos}
    added = tuple(entry for entry in now.videos if entry.key not in known)
    return Look(now, added, tuple(search.waiting), tuple(search.problems), search.skipped())


def would_return(settings: Settings, entry: WatchedVideo) -> bool:
    """Return whether a search finds a film again: it is in a watched folder, or may be, as that is away."""
    folder = watching(settings.watch, entry.path)
    return is_file(entry.path) or folder is None or not folder.folder.is_dir()


def is_registered(settings: Settings, key: str) -> bool:
    """Return whether a video is a film that was found in a watched folder.

    Raises:
        ConfigError: The register is damaged.
    """
    return any(film.key == key for film in read_register(settings).films)


def forget_film(settings: Settings, key: str) -> None:
    """Remove a film from the register, which finds it again where it still is in a watched folder.

    Raises:
        ConfigError: The register is damaged.
        OSError: It cannot be written.
    """
    with _locked(settings):
        before = read_register(settings)
        films = tuple(film for film in before.films if film.key != key)
        if films != before.films:
            write_register(settings, replace(before, films=films))


def _resolved(paths: Iterable[str]) -> set[str]:
    return {os.path.realpath(path) for path in paths}


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    """Let one process at a time name films: a name is permanent, as a part of file names."""
    path = register_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    # With many machines a lease lets one at a time come here.
    is_needed = settings.base.machines == "one"
    with locked(path.with_name(f".{path.stem}.lock"), is_needed=is_needed):
        yield


class _Search:
    """What is new in listings.

    Attributes:
        problems: What could not be done, one message each.
        waiting: Films that are still being written.
        empty: Files without content that nobody writes.
    """

    def __init__(
        self, settings: Settings, listings: Mapping[Hashable, Listing | None], listed: set[str]
    ) -> None:
        self.problems: list[str] = []
        self.waiting: list[Path] = []
        self.empty: list[Path] = []
        self._settings = settings
        self._listings = listings
        self._listed = listed
        seen = {each.path: each for listing in listings.values() if listing for each in listing.films}
        self._seen = {str(path): seen[path] for path in sorted(seen)}
        self._real = {each.real for each in self._seen.values()}

    def register(self, before: Register) -> Register:
        """Return the register after the search; called once."""
        unknown = self._unknown_places(before)
        films = {film.path: self._as_seen(film) for film in before.films if not self._is_listed(film.path)}
        keys = {entry.key for entry in listed_videos(self._settings)}
        # A listed video takes precedence for its key; a film with the same key that exists gets another one.
        films = {path: film for path, film in films.items() if film.key not in keys or path not in self._seen}
        present = {self._seen[path].real for path in films if path in self._seen} | films.keys()
        keys |= {film.key for film in films.values()}
        # A film of the same name and size as a deleted one is that film in another place.
        gone: dict[tuple[str, int], list[str]] = {}
        for film in films.values():
            if self._has_gone(film, unknown):
                gone.setdefault((Path(film.path).name, film.size_bytes), []).append(film.path)
        sightings = {each.path: each for each in before.waiting}
        waiting = []
        for path, seen in self._seen.items():
            folder = watching(self._settings.watch, seen.path)
            is_known = path in films or seen.real in present or self._is_listed(path)
            if is_known or folder is None or folder.weights_of(seen.path) is None:
                continue
            if not is_unicode(path):
                self.problems.append(
                    f"{path!a}: the name is not UTF-8, so no table can hold it; rename the film."
                )
                continue
            sighting = self._sighting(seen, sightings.get(path))
            if not (seen.size_bytes and self._is_settled(seen, folder, sighting)):
                is_settled = self._is_settled(seen, folder, sighting)
                (self.empty if is_settled else self.waiting).append(seen.path)
                waiting += [sighting] if sighting else []
                continue
            earlier = gone.get((seen.path.name, seen.size_bytes))
            film = replace(films.pop(earlier.pop()), path=path) if earlier else self._named(seen, keys)
            films[path] = film
            keys.add(film.key)
            present.add(seen.real)
        return Register(tuple(films.values()), tuple(waiting))

    def skipped(self) -> tuple[str, ...]:
        """Return messages about what was skipped, except for what `exclude` names."""
        folders = [each.folder for each in self._settings.watch]
        answered = [listing for listing in self._listings.values() if listing]
        left_out = []
        for each in unsearched(
            (each for listing in answered for each in listing.skipped),
            folders,
            [listing.real for listing in answered if listing.real],
        ):
            folder = watching(self._settings.watch, each.path)
            if folder is not None and folder.weights_of(each.path) is not None:
                left_out.append(each)
        messages = list(messages_about(left_out, folders))
        if self.empty:
            count = f"{counted(len(self.empty), 'file')} {are(len(self.empty))}"
            messages.append(
                f"{count} empty, first {self.empty[0]}: copy the film again, or delete the file; it becomes "
                "a video once it has content."
            )
        return tuple(messages)

    def _is_listed(self, path: str) -> bool:
        return path in self._listed or (path in self._seen and self._seen[path].real in self._listed)

    def _as_seen(self, film: Film) -> Film:
        seen = self._seen.get(film.path)
        return replace(film, size_bytes=seen.size_bytes) if seen else film

    def _sighting(self, seen: Seen, before: Sighting | None) -> Sighting | None:
        """Return what is kept of a film whose time stamps do not show how long it has been unchanged."""
        if seen.changed_s <= seen.seen_s:
            return None
        now = Sighting(str(seen.path), seen.size_bytes, seen.changed_s, seen.seen_s)
        is_same = before is not None and replace(before, since_s=now.since_s) == now
        return before if is_same else now

    def _is_settled(self, seen: Seen, folder: WatchFolder, sighting: Sighting | None) -> bool:
        since_s = sighting.since_s if sighting else seen.changed_s
        return seen.seen_s - since_s >= folder.settled_after_s

    def _named(self, seen: Seen, keys: set[str]) -> Film:
        film = Film(str(seen.path), free_name(seen.path, keys), seen.size_bytes)
        own_key = video_key(free_name(seen.path, ()))
        if film.key != own_key:
            self.problems.append(f"{film.path}: another film has the key {own_key}, so it is {film.key}.")
        return film

    def _has_gone(self, film: Film, unknown: tuple[Path, ...]) -> bool:
        is_here = film.path in self._seen or film.path in self._real
        return not is_here and not any(Path(film.path).is_relative_to(folder) for folder in unknown)

    def _unknown_places(self, before: Register) -> tuple[Path, ...]:
        """Return the folders that cannot be listed; no film in them counts as deleted."""
        unknown = []
        for folder in (each.folder for each in self._settings.watch):
            listing = self._listings[folder]
            found = sum(Path(film.path).is_relative_to(folder) for film in before.films)
            stay = f"; what was found in it ({found}) stays" if found else ""
            remedy = f"mount its drive, or correct `watch` in the configuration{stay}"
            if listing is None:
                self.problems.append(
                    f"{folder}: did not answer, so it was left out; is its drive away?{stay}."
                )
            elif not listing.is_there:
                self.problems.append(f"{folder}: there is no such folder; {remedy}.")
            elif found and not listing.films and not listing.unread:
                self.problems.append(f"{folder}: holds no film any more; {remedy}.")
            else:
                for error in listing.unread:
                    unknown.append(Path(error.filename))
                    why = f"cannot be read ({error.strerror}), so its films are left out"
                    self.problems.append(f"{error.filename}: {why}; correct its permissions.")
                continue
            unknown.append(folder)
        return tuple(unknown)
