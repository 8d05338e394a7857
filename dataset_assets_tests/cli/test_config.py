from __future__ import annotations

import json
from pathlib import Path

from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import write_config


def test_a_file_without_mistakes_is_summed_up(tmp_path: Path) -> None:
    config = write_config(tmp_path, {"Film": (tmp_path / "film.mkv", {"toon": 1})})
    done = run("config", "check", "--config", config)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{config}: no mistakes; 1 video, categories general, space, toon, data set in {tmp_path}/dataset\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json"]


def test_videos_that_nothing_is_made_of_are_mentioned(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    config = write_config(tmp_path, {"Film": (film, {"toon": 1}), "Other": (film, {"toon": 0, "space": 0})})
    done = run("config", "check", "--config", config)
    remedy = "all weights are 0, so nothing is made; give a category a weight, or remove the entry"
    assert (done.returncode, done.stdout.splitlines()[1:]) == (0, [f"warning 1 video, first other: {remedy}"])
    config = write_config(tmp_path, {"Film": (film, {"toon": 0})})
    done = run("config", "check", "--config", config)
    assert done.stdout.splitlines()[1:] == [f"warning 1 video, every one: {remedy}"]


def test_all_mistakes_are_listed_with_their_lines(tmp_path: Path) -> None:
    config = write_config(tmp_path, {"Film": (tmp_path / "film.mkv", {"tune": 1})}, nightly={"cron": "x"})
    content = json.loads(config.read_text(encoding="utf-8")) | {"$schema": 7}
    config.write_text(json.dumps(content, indent=2), encoding="utf-8")
    done = run("config", "check", "--config", config)
    assert (done.returncode, done.stdout) == (2, "")
    lines = config.read_text(encoding="utf-8").splitlines()
    places = {
        place: next(n for n, line in enumerate(lines, 1) if place in line) for place in ("cron", "tune")
    }
    first, second, third = done.stderr.splitlines()
    assert first.startswith(f"error {config}:{places['cron']} nightly.cron: is no cron expression")
    assert second.startswith(f"error {config}:{places['tune']} videos[0].categories.tune: no such category")
    assert third == f'error {config}:{len(lines) - 1} ["$schema"]: 7 does not fit; use text in quotes.'
