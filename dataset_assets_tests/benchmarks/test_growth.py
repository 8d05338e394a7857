from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dataset_assets_tests.command import PATIENCE_S, ROOT, environment

VIDEOS = 3


@pytest.mark.slow
def test_the_growth_benchmark_runs_to_its_end_on_a_data_set_of_the_size_asked_for(tmp_path: Path) -> None:
    options = ["--videos", str(VIDEOS), "--rounds", "1", "--folder", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth", *options],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / str(VIDEOS)
    figures = json.loads((folder / "results.json").read_text())["figures"]
    assert len(figures) == 6
    lines = [line for line in done.stdout.splitlines() if line.startswith("| ")][2:]
    for figure, line in zip(figures, lines, strict=True):
        assert line.startswith(f"| {figure['name']} | {figure['cpu_s']:.2f} |")
        assert figure["cpu_s"] > 0
        assert figure["max_rss_mib"] > 30
        assert (figure["step_cpu_s"] or 0) < figure["cpu_s"]
    tables = folder / "dataset/metadata"
    with duckdb.connect() as connection:
        patches = f"read_parquet('{tables}/patches/*/*/*.parquet', hive_partitioning = true)"
        windows = f"read_parquet('{tables}/windows/*/*.parquet', hive_partitioning = true)"
        assert connection.execute(
            f"select count(*), count(distinct gt_path), count(distinct video) from {patches}"
        ).fetchall() == [(VIDEOS * 500 * 3, VIDEOS * 500 * 3, VIDEOS)]
        assert connection.execute(f"select count(*), count_if(accepted) from {windows}").fetchall() == [
            (VIDEOS * 600, VIDEOS * 500)
        ]
        assert connection.execute(
            f"select format, count(*) from {patches} where category = 'general' group by all order by all"
        ).fetchall() == [("large_720", 300), ("medium_169", 525), ("small_540", 675)]
