"""Measures what it costs to register finished tables in Dagster's history, in Postgres.

    python -m benchmarks.registering [--videos 5000] [--folder FOLDER]

The data set of `benchmarks.synthetic` goes to `.cache/benchmarks/growth/<videos>/` and stays there; a new
Postgres is started for it on the loopback (Debian's package `postgresql`), with its defaults.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import dagster as dg

from benchmarks.growth import CACHE
from benchmarks.synthetic import make_data_set
from dataset_assets.assets import register
from dataset_assets.automation import NewTables
from dataset_assets.config import load_settings
from dataset_assets_tests.engines.servers import running_postgres

_Result = TypeVar("_Result")


def timed(what: str, call: Callable[[], _Result]) -> _Result:
    """Print what a call costs, and return what it does."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    result = call()
    print(
        f"{what}: {time.perf_counter() - wall_s:.1f} s, {time.process_time() - cpu_s:.1f} CPU s", flush=True
    )
    return result


def main() -> None:
    """Make the data set, measure, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--videos", type=int, default=5000)
    parser.add_argument("--folder", type=Path, default=CACHE, help="where the data set goes")
    options = parser.parse_args()
    settings = load_settings(make_data_set(options.folder / str(options.videos), options.videos))
    with tempfile.TemporaryDirectory() as home, running_postgres(fsync=True) as postgres:
        storage = f"storage: {{postgres: {{postgres_url: '{postgres.url}'}}}}\n"
        Path(home, "dagster.yaml").write_text(storage, encoding="utf-8")
        with dg.DagsterInstance.from_config(home) as instance:
            tables = NewTables()
            found = timed("looking for new tables, all new", lambda: tables.find(instance, settings, ()))
            timed(f"registering {len(found)}", lambda: list(register(instance, settings, found)))
            timed("looking again, nothing new since", lambda: tables.find(instance, settings, ()))
            timed("looking again, nothing changed", lambda: tables.find(instance, settings, ()))


if __name__ == "__main__":
    main()
