from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.generated import Generated, two_films_config


def files(folder: Path) -> dict[str, str]:
    """Every file with the hash of its bytes, but for the shared memory of SQLite, which readers make."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def rows(output: str) -> list[list[str]]:
    lines = [line.strip("│").split("│") for line in output.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line] for line in lines]


@pytest.fixture
def copied(generated: Generated, tmp_path: Path, sdr_film: Film, vfr_film: Film) -> Path:
    """The data set of `generated` somewhere else: its configuration."""
    shutil.copytree(generated.root, tmp_path / "dataset")
    return two_films_config(tmp_path, sdr_film, vfr_film)


def change(config: Path, **base: object) -> None:
    content = json.loads(config.read_text(encoding="utf-8"))
    content["base_settings"] |= base
    config.write_text(json.dumps(content), encoding="utf-8")


def test_of_films_that_were_never_made_it_guesses_and_makes_no_folder(sdr_film: Film, tmp_path: Path) -> None:
    films = {name: (sdr_film.path, {"general": 1.0, "toon": 0.5}) for name in ("A", "B")}
    config = write_config(tmp_path, films)
    before = files(tmp_path)
    done = run("generate", "--dry-run", "--config", config)
    assert done.returncode == 0, done.stderr
    assert files(tmp_path) == before
    assert not (tmp_path / "dataset").exists()
    assert rows(done.stdout) == [
        ["general", "never made", "2", "0", "12", "0", "0", "a"],
        ["toon", "never made", "2", "0", "6", "0", "0", "a"],
    ]
    assert "guessed from pictures of 0.9 megapixels, since no run has ended yet" in done.stdout
    assert done.stdout.endswith("nothing was changed\n")


def test_what_a_change_would_do_is_what_generate_then_does(copied: Path) -> None:
    change(copied, base_frame_limit=3, allow_replacing=True)
    before = files(copied.parent)
    dry = run("generate", "--dry-run", "--config", copied)
    assert dry.returncode == 0, dry.stderr
    assert files(copied.parent) == before
    whys = [row[1] for row in rows(dry.stdout) if row[0] == "general"]
    assert sorted(whys) == ["2 wanted instead of 3", "3 wanted instead of 6"]
    assert " s a window, as in the last 2 runs" in dry.stdout
    real = run("generate", "--config", copied)
    assert dry.stdout.splitlines()[0].split(";")[0] == real.stdout.splitlines()[0].split(";")[0]


def test_it_says_what_would_be_refused(copied: Path) -> None:
    change(copied, base_frame_limit=2, allow_replacing=False)
    done = run("generate", "--dry-run", "--config", copied)
    assert done.returncode == 0
    assert f"would be refused {copied.parent}/dataset, general, toon of 2 videos: of 11 " in done.stdout
    change(copied, base_frame_limit=20, min_free_gb=1e6)
    done = run("generate", "--dry-run", "--config", copied)
    assert "base_settings.min_free_gb keeps 1.0 PB; free some space" in done.stdout


def test_of_a_finished_data_set_nothing_is_to_be_made(copied: Path) -> None:
    done = run("generate", "--dry-run", "--config", copied)
    assert done.stdout.splitlines()[0].startswith("0 videos to work on: keeps 0 patches, adds 0")
    assert "nothing to write" in done.stdout
    assert rows(done.stdout) == []


def test_a_table_that_cannot_be_counted_is_named(copied: Path) -> None:
    table = copied.parent / "dataset/metadata/patches/category=general/video=alpha/part-0.parquet"
    table.write_bytes(b"no table")
    done = run("generate", "--dry-run", "--config", copied)
    assert done.returncode == 0
    assert f"not counted alpha: The table {table} is damaged" in done.stdout
