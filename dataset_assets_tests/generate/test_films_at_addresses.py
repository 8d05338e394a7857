"""Films at addresses give what their files give, whatever servers do meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from dataset_assets.addresses import FilmPath
from dataset_assets.dataset import SOURCE_CHANGED, WINDOWS, DataSet
from dataset_assets.errors import SourceChangedError, SourceLostError, VideoError
from dataset_assets.generate import generate_video, lane, probe_video, reaching, video, video_pass
from dataset_assets.generate.lane import Job, Lane, Made
from dataset_assets.video import RETRY_DELAYS_S, containers, film_files, kept_blocks, look_at, objects
from dataset_assets_tests.film_places import FEW_BLOCKS
from dataset_assets_tests.film_server import FilmServer, FilmStore
from dataset_assets_tests.generate.samples import (
    KEY,
    files_named_by_rows,
    pictures,
    small_settings,
    tables,
    window_rows,
)
from dataset_assets_tests.torture.sources import source_film, source_named

NAME = "h264.mp4"
OF_THE_PLACE = {"path", "fingerprint"}


def film_named(name: str, films_folder: Path) -> Path:
    return source_film(source_named(name), films_folder)


@pytest.fixture
def content(films_folder: Path) -> bytes:
    """A film."""
    return film_named(NAME, films_folder).read_bytes()


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays that were to be waited."""
    found: list[float] = []

    def stopped(stop: threading.Event, delay_s: float) -> bool:
        found.append(delay_s)
        return stop.is_set()

    monkeypatch.setattr(lane, "_is_stopped_within", stopped)
    for module in (reaching, video):
        monkeypatch.setattr(module, "pause", found.append)
    return found


def without_place(output: Path) -> dict[str, Any]:
    """All tables, but for what they say of the film's place."""
    return {
        path: (
            [{name: value for name, value in row.items() if name not in OF_THE_PLACE} for row in rows],
            {
                name: value
                for name, value in provenance.items()
                if name != "source_fingerprint" and not (name == "settings_hash" and "/videos/" in path)
            },
        )
        for path, (rows, provenance) in tables(output).items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["h264.mp4", "hevc10.mkv", "mpeg2.ts", "mpeg4.avi", "prores.mov"])
def test_all_that_is_made_is_what_is_made_of_the_file(
    name: str, films_folder: Path, tmp_path: Path, http_films: FilmServer, s3_films: FilmStore
) -> None:
    film = film_named(name, films_folder)
    http_films.files[f"a/{name}"] = film.read_bytes()
    places: dict[str, FilmPath] = {
        "file": film,
        "http": http_films.address(f"a/{name}"),
        "s3": s3_films.put(f"a/{name}", film.read_bytes()),
    }
    for folder, place in places.items():
        settings = small_settings(tmp_path / folder, place)
        row = probe_video(settings, KEY)
        assert row.path == str(place)
        generate_video(settings, KEY, lanes=1 if folder == "file" else 3)
        assert len(kept_blocks._kept._blocks) <= FEW_BLOCKS
    for folder in ("http", "s3"):
        assert pictures(tmp_path / folder) == pictures(tmp_path / "file")
        assert without_place(tmp_path / folder) == without_place(tmp_path / "file")


def test_joined_films_are_read_in_their_parts(
    films_folder: Path, tmp_path: Path, http_films: FilmServer
) -> None:
    part = film_named("mpeg2.ts", films_folder).read_bytes()
    film = tmp_path / "joined.ts"
    film.write_bytes(part + part)
    http_films.files["joined.ts"] = film.read_bytes()
    for folder, place in (("file", film), ("http", http_films.address("joined.ts"))):
        generate_video(small_settings(tmp_path / folder, place), KEY)
    assert pictures(tmp_path / "http") == pictures(tmp_path / "file")


def test_ffmpeg_opens_nothing_itself(
    content: bytes, tmp_path: Path, http_films: FilmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[object, dict[str, str]]] = []
    real_open = av.open

    def spying_open(file: Any, **options: Any) -> Any:
        opened.append((file, options["options"]))
        return real_open(file, **options)

    monkeypatch.setattr(av, "open", spying_open)
    http_films.files[NAME] = content
    generate_video(small_settings(tmp_path, http_films.address(NAME)), KEY)
    assert opened
    assert {(type(file), options["protocol_whitelist"]) for file, options in opened} == {
        (kept_blocks.FFmpegFile, "none")
    }
    with pytest.raises(av.FFmpegError):
        real_open(str(http_films.address(NAME)), options=containers.OBJECT_OPTIONS)
    with pytest.raises(av.FFmpegError):
        real_open(__file__, options=containers.OBJECT_OPTIONS, format="mov")


def at_window(number: int, happens: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Has something happen right before a lane begins with the candidate after so many."""
    make, begun = Lane._make, [0]

    def made(lane: Lane, job: Job) -> Made:
        if begun[0] == number:
            happens()
        begun[0] += 1
        return make(lane, job)

    monkeypatch.setattr(Lane, "_make", made)


def test_an_object_that_is_replaced_under_a_run_fails_it_and_mixes_nothing(
    content: bytes,
    films_folder: Path,
    tmp_path: Path,
    http_films: FilmServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    http_films.files[NAME] = content
    donor = source_film(source_named(NAME), films_folder, is_donor=True).read_bytes()
    settings = small_settings(tmp_path / "out", http_films.address(NAME), checkpoint_every=2)
    at_window(4, lambda: http_films.files.update({NAME: donor}), monkeypatch)
    with pytest.raises(SourceChangedError, match=r"a-film \(http://.*h264\.mp4\): .*run generate again"):
        generate_video(settings, KEY)
    assert len([row for row in window_rows(tmp_path / "out") if row["pts"]]) <= 4
    assert set(pictures(tmp_path / "out")) == files_named_by_rows(tmp_path / "out")
    failure = DataSet.of(settings).failures.read_one(KEY)
    assert failure is not None
    assert not failure.is_refusal
    look_at([settings.videos[0].path], max_age_s=0)
    assert DataSet.of(settings).statuses(settings, settings.videos[0])[WINDOWS].reason == SOURCE_CHANGED
    generate_video(settings, KEY)
    generate_video(small_settings(tmp_path / "clean", http_films.address(NAME)), KEY)
    assert pictures(tmp_path / "out") == pictures(tmp_path / "clean")
    assert tables(tmp_path / "out") == tables(tmp_path / "clean")


FAULTS: dict[str, Callable[[FilmServer], object]] = {
    "an error of the server": lambda films: setattr(films, "status", 503),
    "refused for a while": lambda films: setattr(films, "status", 403),
    "gone for a while": lambda films: setattr(films, "status", 404),
    "connections that are cut": lambda films: setattr(films, "cut", True),
    "no answer": lambda films: films.stalled.set(),
}


def recover(films: FilmServer) -> None:
    films.status, films.cut = None, False
    films.stalled.clear()
    films.released.set()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_that_is_away_for_a_while_changes_nothing(
    fault: str,
    content: bytes,
    tmp_path: Path,
    http_films: FilmServer,
    delays: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    http_films.files[NAME] = content
    generate_video(small_settings(tmp_path / "whole", http_films.address(NAME)), KEY)
    kept_blocks._kept._blocks.clear()
    settings = small_settings(tmp_path / "out", http_films.address(NAME))
    away: list[float] = []
    film_away = video_pass.VideoPass._film_away

    def noted(self: video_pass.VideoPass, is_away: bool) -> None:
        film_away(self, is_away)
        away.append(self._progress.film_away_s)
        if is_away:
            recover(http_films)

    def breaks() -> None:
        kept_blocks._kept._blocks.clear()
        FAULTS[fault](http_films)

    monkeypatch.setattr(video_pass.VideoPass, "_film_away", noted)
    at_window(3, breaks, monkeypatch)
    generate_video(settings, KEY)
    assert delays == [RETRY_DELAYS_S[0]]
    assert [each > 0 for each in away] == [True, False]
    assert pictures(tmp_path / "out") == pictures(tmp_path / "whole")
    assert tables(tmp_path / "out") == tables(tmp_path / "whole")


def test_a_store_that_stays_away_ends_the_run_behind_its_commits(
    content: bytes,
    tmp_path: Path,
    http_films: FilmServer,
    delays: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    http_films.files[NAME] = content
    settings = small_settings(tmp_path, http_films.address(NAME), checkpoint_every=2)

    def breaks() -> None:
        kept_blocks._kept._blocks.clear()
        http_films.status = 503

    at_window(4, breaks, monkeypatch)
    with pytest.raises(SourceLostError, match=r"a-film \(http.*cannot be read.*what is committed stays"):
        generate_video(settings, KEY)
    assert delays == list(RETRY_DELAYS_S)
    assert window_rows(tmp_path)
    assert set(pictures(tmp_path)) == files_named_by_rows(tmp_path)


def test_a_store_that_is_away_at_the_start_is_waited_for_and_an_absent_film_is_not(
    content: bytes,
    tmp_path: Path,
    http_films: FilmServer,
    delays: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = small_settings(tmp_path, http_films.address(NAME))
    with pytest.raises(VideoError, match=r"has no such file; correct its path in the configuration") as why:
        probe_video(settings, KEY)
    assert not isinstance(why.value, SourceLostError)
    assert delays == []
    http_films.files[NAME] = content
    http_films.status = 503

    def back(delay_s: float) -> None:
        delays.append(delay_s)
        http_films.status = None

    monkeypatch.setattr(video, "pause", back)
    probe_video(settings, KEY)
    assert delays == [RETRY_DELAYS_S[0]]


def test_an_interrupt_while_a_film_is_read_ends_the_run(
    content: bytes, tmp_path: Path, http_films: FilmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    http_films.files[NAME] = content
    read_range, asked = objects.read_range, [0]

    def interrupted(*arguments: Any) -> Any:
        asked[0] += 1
        if asked[0] == 5:
            raise KeyboardInterrupt
        return read_range(*arguments)

    monkeypatch.setattr(kept_blocks, "read_range", interrupted)
    with pytest.raises(KeyboardInterrupt):
        probe_video(small_settings(tmp_path, http_films.address(NAME)), KEY)


def test_a_refused_film_is_refused_until_it_is_replaced(
    content: bytes, tmp_path: Path, http_films: FilmServer
) -> None:
    address = http_films.address(NAME)
    http_films.files[NAME] = b"no film" * 1000
    settings = small_settings(tmp_path, address)
    with pytest.raises(VideoError, match="cannot be opened as a film"):
        generate_video(settings, KEY)
    failure = DataSet.of(settings).failures.read_one(KEY)
    assert failure is not None
    assert failure.is_refusal
    assert failure.refuses(address)
    http_films.files[NAME] = content
    look_at([address], max_age_s=0)
    assert not failure.refuses(address)


def test_what_is_up_to_date_is_found_so_from_a_file_that_was_uploaded(
    content: bytes, films_folder: Path, tmp_path: Path, http_films: FilmServer
) -> None:
    """A data set whose films are moved into a store is not made again."""
    http_films.files[NAME] = content
    generate_video(small_settings(tmp_path, film_named(NAME, films_folder)), KEY)
    made = pictures(tmp_path)
    settings = small_settings(tmp_path, http_films.address(NAME))
    states = DataSet.of(settings).statuses(settings, settings.videos[0])
    assert {name: status.state for name, status in states.items() if not status.is_done} == {
        "source": "missing"
    }
    report = generate_video(settings, KEY)
    assert report.made == 0
    assert pictures(tmp_path) == made


def test_states_of_many_films_ask_a_store_once(
    content: bytes, tmp_path: Path, http_films: FilmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    http_films.files[NAME] = content
    settings = small_settings(tmp_path, http_films.address(NAME))
    probe_video(settings, KEY)
    generate_video(settings, KEY)
    film_files._looks.clear()
    data_set = DataSet.of(settings)
    http_films.requests.clear()
    for _ in range(3):
        overview = data_set.overview(settings)
        assert all(status.is_done for status in overview.statuses[KEY].values())
    assert len(http_films.requests) == 1
