"""Films of watched folders: which become videos, under which key, and what stays when they go."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.config import Look, Settings, WatchedVideo, load_settings, look_for_films
from dataset_assets.config.listing import patiently
from dataset_assets.errors import ConfigError
from dataset_assets_tests.configurations import write_config

GENERAL = {"general": 1.0}


class Place:
    """A configuration that watches folders beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.films = folder / "films"
        self.films.mkdir()
        self.config = folder / "config.json"
        self.register = folder / "dataset/metadata/watched.json"
        self.watch({})

    def watch(self, *folders: dict[str, Any], listed: dict[str, Path] | None = None) -> None:
        """Watches `films` with changes, or several folders."""
        common = {"folder": "films", "categories": GENERAL, "settled_after_s": 0}
        videos = {name: (path, GENERAL) for name, path in (listed or {}).items()}
        write_config(self.folder, videos, watch=[common | each for each in folders])

    def film(self, name: str, size_bytes: int = 3) -> Path:
        path = self.films / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"." * size_bytes)
        return path

    def look(self) -> Look:
        """Looks; what the look gives is what every process reads from then on."""
        found = look_for_films(load_settings(self.config))
        assert load_settings(self.config) == found.settings
        return found

    def keys(self) -> list[str]:
        return keys(load_settings(self.config))


def keys(settings: Settings) -> list[str]:
    return [entry.key for entry in settings.videos]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_new_film_is_a_video_for_every_process_that_loads_the_configuration(place: Place) -> None:
    film = place.film("New Film (2024).mkv")
    assert place.keys() == []
    found = place.look()
    (entry,) = load_settings(place.config).videos
    assert isinstance(entry, WatchedVideo)
    assert (entry.key, entry.path, entry.categories) == ("new-film-2024", film, GENERAL)
    assert found.added == (entry,)
    assert (found.problems, found.waiting) == ((), ())
    assert place.look().added == ()


def test_what_a_watched_folder_leaves_out_is_reported_but_for_what_is_excluded(place: Place) -> None:
    place.film("#recycle/old.mkv")
    place.film("a.mkv")
    for name in ("disc.iso", "Extras/disc.iso"):
        place.film(name)
    (place.folder / "elsewhere").mkdir()
    (place.films / "link").symlink_to("../elsewhere")
    (place.films / "gone.mkv").symlink_to("../away/gone.mkv")
    found = place.look()
    assert (place.keys(), found.problems) == (["a"], ())
    named = [sentence.partition(":")[0] for sentence in found.skipped]
    recycled, linked, other, dangling = (
        "films/#recycle",
        "films/link",
        "films/Extras/disc.iso",
        "films/gone.mkv",
    )
    assert named == [
        f"1 skipped, {recycled}",
        f"1 skipped, {linked}",
        f"2 skipped, {other}, films/disc.iso",
        f"1 skipped, {dangling}",
    ]
    place.watch({"exclude": ["Extras/*", "#recycle", "gone*"]}, {"folder": "elsewhere"})
    named = [sentence.partition(":")[0] for sentence in place.look().skipped]
    assert named == ["1 skipped, films/disc.iso"]


def test_no_folder_is_watched_nothing_is_touched(place: Place) -> None:
    place.film("a.mkv")
    place.watch(listed={"A": place.films / "a.mkv"})
    settings = load_settings(place.config)
    assert look_for_films(settings) == Look(settings)
    assert not place.register.exists()


def test_only_films_that_are_no_longer_written_are_added(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.watch({"settled_after_s": 60})
    film, empty = place.film("film.mkv"), place.film("empty.mkv", 0)
    young = place.look()
    assert (keys(young.settings), young.waiting) == ([], (empty, film))
    later_s = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later_s)
    found = place.look()
    assert (found.waiting, place.keys()) == ((), ["film"])
    assert found.skipped == (
        f"1 file is empty, first {empty}: copy the film again, or delete the file; it becomes a video once "
        "it has content.",
    )


def test_a_film_from_the_future_is_added_once_two_looks_saw_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.watch({"settled_after_s": 60})
    film = place.film("film.mkv")
    start_s, tomorrow_s = time.time(), time.time() + 86400
    os.utime(film, (tomorrow_s, tomorrow_s))
    seen = []
    for offset_s in (0, 30, 61):
        monkeypatch.setattr(time, "time", lambda moment_s=start_s + offset_s: moment_s)
        seen.append(len(place.look().added))
    assert seen == [0, 0, 1]


def test_a_film_from_the_future_that_grows_is_waited_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.watch({"settled_after_s": 60})
    start_s, tomorrow_s = time.time(), time.time() + 86400
    for offset_s in (0, 61):
        os.utime(place.film("film.mkv", 3 + offset_s), (tomorrow_s, tomorrow_s))
        monkeypatch.setattr(time, "time", lambda moment_s=start_s + offset_s: moment_s)
        assert place.look().added == ()


def test_a_film_that_is_listed_too_is_one_video(place: Place) -> None:
    film = place.film("film.mkv")
    link = place.folder / "link.mkv"
    link.symlink_to(film)
    for path in (film, link):
        place.watch({}, listed={"Listed": path})
        place.look()
        assert place.keys() == ["listed"]


def test_a_watched_film_that_gets_listed_is_the_listed_video(place: Place) -> None:
    film = place.film("film.mkv")
    place.look()
    place.watch({}, listed={"My Film": film})
    assert place.keys() == ["my-film"]
    place.look()
    assert place.keys() == ["my-film"]
    place.watch({})
    assert place.look().added[0].key == "film"


def test_a_key_that_a_listed_video_takes_is_given_up_by_the_watched_one(place: Place) -> None:
    place.film("film.mkv")
    place.look()
    place.watch({}, listed={"Film": place.folder / "another.mkv"})
    assert place.keys() == ["film"]
    (problem,) = place.look().problems
    assert place.keys() == ["film", "film-films"]
    assert problem.endswith("films/film.mkv: another film has the key film, so it is film-films.")


def test_two_films_of_one_slug_have_two_keys_that_stay(place: Place) -> None:
    place.film("B Film.mkv")
    place.look()
    place.film("b-film.mkv")
    place.film("extras/A Film.mkv")
    problems = place.look().problems
    assert [problem.split("films/")[1] for problem in problems] == [
        "b-film.mkv: another film has the key b-film, so it is b-film-films."
    ]
    assert place.keys() == ["b-film", "b-film-films", "a-film"] or place.keys() == [
        "b-film",
        "a-film",
        "b-film-films",
    ]
    assert place.look().problems == ()


def test_a_film_that_has_gone_stays_a_video(place: Place) -> None:
    film = place.film("film.mkv")
    place.film("other.mkv")
    place.look()
    film.unlink()
    found = place.look()
    assert keys(found.settings) == ["film", "other"]
    assert found.problems == ()


def test_a_film_that_moves_keeps_its_key(place: Place) -> None:
    film = place.film("film.mkv", 5)
    place.film("other.mkv")
    place.look()
    moved = place.films / "sorted" / "film.mkv"
    moved.parent.mkdir()
    film.rename(moved)
    place.look()
    assert sorted(place.keys()) == ["film", "other"]
    assert load_settings(place.config).video("film").path == moved
    place.films.rename(place.folder / "elsewhere")
    place.watch({"folder": "elsewhere"})
    place.look()
    assert sorted(place.keys()) == ["film", "other"]


def test_another_film_takes_over_nothing(place: Place) -> None:
    film = place.film("one/movie.mkv", 5)
    place.film("other.mkv")
    place.look()
    film.unlink()
    place.film("two/movie.mkv", 6)
    place.look()
    assert sorted(place.keys()) == ["movie", "movie-two", "other"]
    assert load_settings(place.config).video("movie").path == film


def remove_the_folder(films: Path) -> str:
    films.rename(films.with_name("away"))
    return "there is no such folder"


def put_a_file_there(films: Path) -> str:
    remove_the_folder(films)
    films.write_text("")
    return "there is no such folder"


def leave_an_empty_mount_point(films: Path) -> str:
    remove_the_folder(films)
    films.mkdir()
    return "holds no film any more"


@pytest.mark.parametrize("unmount", [remove_the_folder, leave_an_empty_mount_point, put_a_file_there])
def test_a_folder_that_is_away_is_reported_and_the_others_go_on(
    place: Place, unmount: Callable[[Path], str]
) -> None:
    place.watch({}, {"folder": "more"})
    (place.folder / "more").mkdir()
    film = place.film("film.mkv")
    place.look()
    # The same name and size as the film that is away: that may come back, so it is another one.
    shutil.copyfile(film, place.folder / "more" / film.name)
    sentence = unmount(place.films)
    found = place.look()
    assert keys(found.settings) == ["film", "film-more"]
    assert found.problems[0] == (
        f"{place.films}: {sentence}; mount its drive, or correct `watch` in the configuration; what was "
        "found in it (1) stays."
    )


def test_a_folder_that_may_not_be_read_is_reported(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = place.film("closed/film.mkv").parent
    place.film("open.mkv")
    scandir = os.scandir

    def as_nobody(path: str) -> Any:
        if path == str(closed):  # root, as whom these tests may run, reads everything
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", as_nobody)
    found = place.look()
    assert keys(found.settings) == ["open"]
    sentence = "cannot be read (Permission denied), so its films are left out; correct its permissions."
    assert found.problems == (f"{closed}: {sentence}",)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Makes every listing hang as on a server that is away, until the event is set."""
    answer = threading.Event()

    def hang(*_: object) -> list[Path]:
        answer.wait()
        return []

    monkeypatch.setattr("dataset_assets.config.listing.films_below", hang)
    monkeypatch.setattr("dataset_assets.config.watch.patiently", lambda works: patiently(works, 0.05))
    yield answer
    answer.set()


def test_a_folder_that_hangs_keeps_nothing_waiting_and_is_asked_once(
    place: Place, hanging: threading.Event
) -> None:
    place.register.parent.mkdir(parents=True)
    film = {"path": str(place.films / "film.mkv"), "name": "Film", "size_bytes": 3}
    place.register.write_text(json.dumps({"films": [film], "waiting": []}))
    threads = threading.active_count()
    for _ in range(3):
        found = place.look()
        assert keys(found.settings) == ["film"]
        assert "did not answer" in found.problems[0]
    assert threading.active_count() <= threads + 1


def test_weights_come_from_the_innermost_folder_and_its_first_rule_that_fits(place: Place) -> None:
    place.film("Star One.mkv")
    place.film("Star Toon.mkv")
    place.film("plain.mkv")
    place.film("anime/plain two.mkv")
    rules = {"*TOON*": {"toon": 0.25}, "star*": {"space": 1}}
    place.watch({"rules": rules}, {"folder": "films/anime", "categories": {"toon": 1}})
    place.look()
    weights = {entry.key: entry.categories for entry in load_settings(place.config).videos}
    assert weights == {
        "star-one": {"space": 1},
        "star-toon": {"toon": 0.25},
        "plain": GENERAL,
        "plain-two": {"toon": 1},
    }


def test_weights_follow_the_configuration_without_a_look(place: Place) -> None:
    place.film("film.mkv")
    place.look()
    place.watch({"categories": {"TOON": 0.5}})
    assert load_settings(place.config).video("film").categories == {"toon": 0.5}


def test_excluded_films_are_no_videos_until_they_are_excluded_no_more(place: Place) -> None:
    for name in ("film.mkv", "film-SAMPLE.mkv", "Extras/making of.mkv", ".hidden.mkv", "notes.txt"):
        place.film(name)
    place.watch({"exclude": ["*sample*", "extras/*"]})
    place.look()
    assert place.keys() == ["film"]
    place.watch({})
    place.look()
    assert sorted(place.keys()) == ["film", "film-sample", "making-of"]
    place.watch({"exclude": ["*sample*"]})
    assert sorted(place.keys()) == ["film", "making-of"]


def test_a_folder_that_is_watched_no_more_takes_its_videos_along(place: Place) -> None:
    place.film("film.mkv")
    place.look()
    place.watch(listed={"Other": place.folder / "other.mkv"})
    assert place.keys() == ["other"]


def test_a_register_that_is_none_is_reported(place: Place) -> None:
    place.register.parent.mkdir(parents=True)
    for text in (
        "{",
        '{"films": [{"path": "a"}]}',
        '{"films": [{"path": "/a", "name": "?", "size_bytes": 1}]}',
    ):
        place.register.write_text(text)
        with pytest.raises(ConfigError, match=r"metadata/watched\.json: "):
            load_settings(place.config)


def test_a_data_set_that_cannot_be_written_is_reported(place: Place) -> None:
    place.film("film.mkv")
    (place.folder / "dataset").write_text("a file where the data set goes")
    found = place.look()
    assert found.added == ()
    assert "so no film of a watched folder is added" in found.problems[0]
