from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from dataset_assets.config import load_settings
from dataset_assets_tests.command import run
from dataset_assets_tests.curation.scored import drop_scores, score_all
from dataset_assets_tests.generated import Generated


def test_the_terminal_shows_what_duckdb_adds_up(generated: Generated) -> None:
    done = run("stats", "--config", generated.config)
    assert done.returncode == 0, done.stderr
    patches = f"read_parquet('{generated.root}/metadata/patches/*/*/*.parquet', hive_partitioning = true)"
    with duckdb.connect() as connection:
        formats = connection.execute(
            f"select category, format, count(*) from {patches} group by all"
        ).fetchall()
        videos = connection.execute(f"select video, count(*) from {patches} group by all").fetchall()
    cells = [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in done.stdout.splitlines()
        if line.startswith("│")
    ]
    total = sum(count for _, _, count in formats)
    assert done.stdout.startswith(f"2 videos, {total} of ")
    for category, name, count in formats:
        assert [row[2] for row in cells if row[:2] == [category, name]] == [str(count)]
    for video, count in videos:
        assert [row[4].split("/")[0] for row in cells if row[0] == video] == [str(count)]


def test_it_says_what_curation_leaves_out_and_what_is_not_scored(
    generated: Generated, tmp_path: Path
) -> None:
    shutil.copytree(generated.config.parent, tmp_path / "copy")
    config = tmp_path / "copy" / generated.config.name
    drop_scores(load_settings(config))
    unscored = "curation leaves out 0 of 11 patches, 11 not scored: `dataset-assets score` measures them"
    assert unscored in run("stats", "--config", config).stdout.splitlines()
    score_all(load_settings(config), lambda category, _: {"detail_db": 70.0 if category == "toon" else 30.0})
    lines = run("stats", "--config", config).stdout.splitlines()
    assert "curation leaves out 4 of 11 patches" in lines
    texts = (line.replace("┃", "│").strip("│").split("│") for line in lines if line[:1] in ("┃", "│"))
    heads, *rows = [[cell.strip() for cell in cells] for cells in texts]
    place = heads.index("left out")
    assert {row[0]: row[place] for row in rows[:3]} == {"general": "0", "space": "0", "toon": "4"}
