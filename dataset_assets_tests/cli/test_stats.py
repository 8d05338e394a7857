from __future__ import annotations

import duckdb

from dataset_assets_tests.command import run
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
