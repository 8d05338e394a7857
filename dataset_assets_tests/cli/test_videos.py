from __future__ import annotations

import json
from pathlib import Path

from dataset_assets_tests.command import run
from dataset_assets_tests.generated import Generated


def rows(table: str) -> dict[str, list[str]]:
    """Cells of a table in the terminal, by its first column."""
    lines = [line.strip("│┃").split("│") for line in table.splitlines() if line.startswith("│")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def empty_config(folder: Path) -> Path:
    config = folder / "config.json"
    config.write_text('{\n  "base_settings": {"output_base_dir": "dataset"},\n  "videos": []\n}\n')
    return config


def test_scanned_films_are_listed(tmp_path: Path) -> None:
    films = tmp_path / "films"
    (films / "more").mkdir(parents=True)
    (films / "[#recycle]").mkdir()
    for name in ("Star Film.mkv", "Other Film.mp4", "more/Third.mkv", "notes.txt", "[#recycle]/[b].iso"):
        (films / name).touch()
    config = empty_config(tmp_path)
    weights = ("--category", "general=0.5,space=0.25", "--rule", "star*=space")
    done = run("videos", "scan", films, *weights, "--config", config)
    assert done.returncode == 0, done.stderr
    assert "added star-film (space 1)" in done.stdout
    assert "added other-film (general 0.5, space 0.25)" in done.stdout
    assert done.stdout.endswith("3 films added\n")
    assert done.stderr.startswith("scan 1 skipped, films/[#recycle]/[b].iso: kinds that cannot be read")
    assert done.stderr.count("\n") == 1
    assert len(json.loads(config.read_text(encoding="utf-8"))["videos"]) == 3
    again = run("videos", "scan", films, *weights, "--config", config)
    assert again.stdout == "0 films added\n"
    listed = rows(run("videos", "list", "--config", config).stdout)
    assert listed == {key: ["ok", *["missing"] * 5] for key in ("star-film", "other-film", "third")}


def test_the_list_shows_what_is_done_missing_stale_and_absent(generated: Generated, tmp_path: Path) -> None:
    settings = json.loads(generated.config.read_text(encoding="utf-8"))
    settings["base_settings"]["output_base_dir"] = str(generated.root)
    settings["videos"][0]["categories"]["toon"] = 0.5
    absent = {"name": "Absent", "path": "absent.mkv", "categories": {"toon": 1}}
    settings["videos"].append(absent)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings), encoding="utf-8")
    listed = rows(run("videos", "list", "--config", config).stdout)
    assert listed == {
        "alpha": ["ok", "done", "done", "done", "done", "stale"],
        "beta": ["ok", *["done"] * 5],
        "absent": ["absent", *["missing"] * 5],
    }


def test_an_unknown_category_leaves_the_configuration_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "film.mkv").touch()
    config = empty_config(tmp_path)
    before = config.read_bytes()
    done = run("videos", "scan", tmp_path, "--category", "genral=1", "--config", config)
    assert done.returncode == 2
    assert "genral: there is no such category" in done.stderr
    assert config.read_bytes() == before


def test_a_long_key_stays_on_one_line_of_a_pipe(tmp_path: Path) -> None:
    key = "a-film-" + "x" * 90
    config = empty_config(tmp_path)
    (tmp_path / f"{key}.mkv").touch()
    assert run("videos", "scan", tmp_path, "--category", "general=1", "--config", config).returncode == 0
    assert key in rows(run("videos", "list", "--config", config).stdout)
