from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets.cli.doctor import Diagnosis, examine
from dataset_assets.config import load_settings, look_for_films
from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.generated import Generated
from dataset_assets_tests.sounds import write_sound

WHATS = [
    "decoders",
    "tone mapping in the bundled ffmpeg",
    "data set folder",
    "Dagster home",
    "free space",
    "films",
]


def failed(findings: list[Diagnosis]) -> dict[str, str]:
    return {finding.what: finding.detail for finding in findings if not finding.passed}


def test_a_sound_place_passes(generated: Generated) -> None:
    done = run("doctor", "--config", generated.config)
    assert done.returncode == 0, done.stdout
    lines = [line.split("│")[1:3] for line in done.stdout.splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in line] for line in lines] == [["ok", what] for what in WHATS]


def test_each_fault_is_reported_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    file = tmp_path / "file"
    file.touch()
    config = write_config(
        tmp_path,
        {"A": (tmp_path / "a.mkv", {"general": 1.0}), "B": (file, {"general": 1.0})},
        base_settings={"output_base_dir": str(file / "dataset"), "min_free_gb": 1e6},
    )
    faults = failed(examine(load_settings(config)))
    assert faults == {
        "data set folder": f"{file} cannot be written (Not a directory); "
        "choose another folder or correct its permissions",
        "Dagster home": f"{file} cannot be written (Not a directory); "
        "choose another folder or correct its permissions",
        "free space": faults["free space"],
        "films": f"1 of 2 films is absent, first {tmp_path / 'a.mkv'}; "
        "correct its path in the configuration, or mount its disk\n"
        "1 of 2 films cannot be used:\n"
        f"b ({file}): it cannot be opened as a film (Invalid data found when processing input); "
        "replace the file",
    }
    assert faults["free space"].endswith(
        "GB free, and min_free_gb keeps 1000000.0 GB; free some space or lower it"
    )
    done = run("doctor", "--config", config)
    assert done.returncode == 1
    marks = [line.split("│")[1].strip() for line in done.stdout.splitlines() if line.startswith("│")]
    assert [mark for mark in marks if mark] == [*["ok"] * 2, *["no"] * 4]


def test_a_film_that_no_format_fits_is_named(sdr_film: Film, tmp_path: Path) -> None:
    formats = {"wide": {"width": 1440, "height": 480, "folder": "Wide"}}
    categories = {"toon": {"folder": "Toon/Learn", "mix": {"wide": 1.0}}}
    films = {name: (sdr_film.path, {name: 1.0}) for name in ("toon", "general")}
    config = write_config(tmp_path, films, formats=formats, categories=categories)
    (found,) = (each.detail for each in examine(load_settings(config)) if each.what == "films")
    assert found == (
        "all 2 are there and have a video; 1 too small, first toon: no format fits: the largest crop would "
        "be 1280x720, at least 1440x480 (wide) is needed"
    )


def test_films_that_cannot_be_used_are_named_with_a_remedy_that_fits(sdr_film: Film, tmp_path: Path) -> None:
    sound, watched = write_sound(tmp_path / "sound.mkv"), write_sound(tmp_path / "films/found.mkv")
    watch = [{"folder": str(watched.parent), "categories": {"toon": 1}, "settled_after_s": 0}]
    films = {"Sound": (sound, {"toon": 1.0}), "Good": (sdr_film.path, {"toon": 1.0})}
    config = write_config(tmp_path, films, watch=watch)
    settings = look_for_films(load_settings(config)).settings
    assert failed(examine(settings))["films"].splitlines() == [
        "2 of 3 films cannot be used:",
        f"sound ({sound}): it has no video stream; remove it from the configuration by "
        "`dataset-assets videos remove sound`",
        f'found ({watched}): it has no video stream; add "found.mkv" to `exclude` of the watched folder '
        f"{watched.parent}, then call `dataset-assets videos remove found`",
    ]
