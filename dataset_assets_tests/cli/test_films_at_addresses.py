"""Commands on films at addresses: run in processes of their own, from a store that the environment names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets.addresses import Address
from dataset_assets.cli import film_check
from dataset_assets.cli.doctor import examine
from dataset_assets.cli.film_check import check_films
from dataset_assets.config import find_films, load_settings, look_for_films
from dataset_assets.errors import ConfigError
from dataset_assets.video import film_files, objects
from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import pictures, write_config
from dataset_assets_tests.film_server import SECRET, FilmServer, FilmStore
from dataset_assets_tests.films import Film

WIDE = {"COLUMNS": "2000"}


@pytest.mark.slow
def test_every_command_works_on_a_store_and_shows_no_credentials(
    sdr_film: Film, tmp_path: Path, moto_films: FilmStore
) -> None:
    address = moto_films.put("sdr.mkv", sdr_film.path.read_bytes())
    changes = WIDE | moto_films.environment
    config = write_config(tmp_path, {"Film": (address, {"general": 1.0})})
    said = ""
    for command, status in (
        (("doctor",), "all 1 are there and have a video"),
        (("generate", "--dry-run"), "general"),
        (("generate",), "1 video is up to date"),
        (("stats",), "film"),
        (("verify", "--deep"), ""),
        (("generate",), "1 video is up to date"),
    ):
        done = run(*command, "--config", config, changes=changes)
        said += done.stdout + done.stderr
        assert done.returncode == 0, done.stdout + done.stderr
        assert status in done.stdout
    local = write_config(tmp_path / "local", {"Film": (sdr_film.path, {"general": 1.0})})
    assert run("generate", "--config", local).returncode == 0
    made = pictures(tmp_path / "dataset")
    assert made
    assert made == pictures(tmp_path / "local" / "dataset")
    assert SECRET not in said
    for path in (tmp_path / "dataset").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


@pytest.mark.slow
def test_a_film_that_cannot_be_read_fails_with_a_sentence_and_others_are_made(
    sdr_film: Film, tmp_path: Path, moto_films: FilmStore
) -> None:
    films = {
        "Good": (moto_films.put("sdr.mkv", sdr_film.path.read_bytes()), {"general": 1.0}),
        "Absent": (Address.parse("s3://films/absent.mkv"), {"general": 1.0}),
    }
    config = write_config(tmp_path, films)
    done = run("generate", "--config", config, changes=WIDE | moto_films.environment)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    sentence = "s3://films has no such object; correct its path in the configuration or bring the film back"
    assert f"absent (s3://films/absent.mkv): {sentence}" in done.stdout + done.stderr
    assert list((tmp_path / "dataset").rglob("GT/good_*.png"))
    for command, said in (
        (("doctor",), f"1 of 2 films is absent, first s3://films/absent.mkv: {sentence}"),
        (("videos", "list"), "absent"),
    ):
        done = run(*command, "--config", config, changes=WIDE | moto_films.environment)
        assert said in done.stdout + done.stderr


def test_films_are_looked_into_but_for_many(
    sdr_film: Film, http_films: FilmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    http_films.files |= {"a.mkv": sdr_film.path.read_bytes(), "b.mkv": b"no film"}
    films = [http_films.address(name) for name in ("a.mkv", "b.mkv")]
    found = check_films([*films, sdr_film.path])
    size = sdr_film.width, sdr_film.height
    assert (found.sizes, found.slow) == ({films[0]: size, sdr_film.path: size}, ())
    assert found.refused[films[1]].what.startswith("it cannot be opened as a film")
    monkeypatch.setattr(film_check, "MOST_AT_ADDRESSES", 1)
    found = check_films([*films, sdr_film.path])
    assert (found.unopened, found.refused) == ((films[1],), {})


def test_doctor_asks_for_all_films_and_names_the_first_that_is_absent(
    sdr_film: Film, tmp_path: Path, http_films: FilmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All are asked for at once, which takes a loaded machine more than the second of the other tests.
    monkeypatch.setattr(objects, "STALL_TIMEOUT_S", 60.0)
    http_films.files["a.mkv"] = sdr_film.path.read_bytes()
    entries = {
        name: (http_films.address(f"{name}.mkv"), {"general": 1.0}) for name in ("a", *map(str, range(30)))
    }
    settings = load_settings(write_config(tmp_path, entries))
    (films,) = (each for each in examine(settings) if each.what == "films")
    assert films.detail.startswith(
        f"30 of 31 films are absent, first {settings.videos[1].path}: "
        f"http://127.0.0.1:{http_films.port} has no such file; correct its path"
    )
    assert len(film_files._looks) == 31


def test_addresses_are_neither_searched_nor_watched(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is an address, and only folders are searched; list its films"):
        find_films([Path("s3://films/all")])
    watch = [{"folder": "s3://films/all", "categories": {"general": 1}}]
    with pytest.raises(ConfigError, match="is an address, and only folders are watched; list the films of a"):
        load_settings(write_config(tmp_path, {}, watch=watch))


def test_an_address_beside_watched_folders_is_kept(sdr_film: Film, tmp_path: Path) -> None:
    watch = [{"folder": str(sdr_film.path.parent), "categories": {"general": 1}, "settled_after_s": 0}]
    films = {"Far": (Address.parse("https://host.invalid/far.mkv"), {"general": 1.0})}
    settings = look_for_films(load_settings(write_config(tmp_path, films, watch=watch))).settings
    assert str(settings.videos[0].path) == "https://host.invalid/far.mkv"
    assert len(settings.videos) > 1


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (
            f"https://me:{SECRET}@host/a.mkv",
            "holds a user name or a password; leave it out: cred",
        ),
        (f"https://host/a.mkv?X-Amz-Signature={SECRET}", "holds a query"),
        ("s3://films/", "is the address of a folder; write that of one film"),
    ],
)
def test_an_address_that_is_wrong_is_a_mistake_of_the_configuration(
    path: str, why: str, tmp_path: Path
) -> None:
    config = write_config(tmp_path, {"Film": (Path("film.mkv"), {"general": 1.0})})
    config.write_text(config.read_text().replace('"film.mkv"', f'"{path}"'))
    with pytest.raises(ConfigError) as found:
        load_settings(config)
    (problem,) = found.value.problems
    assert f"videos[0].path: {why}" in problem
    assert SECRET not in problem
