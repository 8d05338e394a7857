"""Requests and CPU time of a data set in an object store: commits, taking up a film, the tables of all films.

    python -m benchmarks.mirroring [--windows 40] [--videos 5000]

The store is moto, a process of its own on this machine, whose log counts the requests. CPU time is that of
this process, or of the run's. Seconds are mostly moto's, which answers one request at a time: they show
nothing of a network.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from dataset_assets.config import BaseSettings, Settings, VideoEntry
from dataset_assets.dataset import DataSet
from dataset_assets.dataset.mirror import REQUESTS_AT_A_TIME, Mirror
from dataset_assets.demo.encode import write_video
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.command import wait_until
from dataset_assets_tests.films import X264_OPTIONS, Shot, sdr_frames

BUCKET, KEY = "films", "film"
CATEGORIES = ("general", "space", "toon")
SHOTS = tuple(Shot(number, 48) for number in range(31, 39))
# The mean of the files of 540x540 patches of films, and of small tables.
FILE_BYTES, TABLE_BYTES = 418_000, 8_000
FILES_OF_A_COMMIT, COMMITS = 30, 4
_REQUEST = re.compile(r'"([A-Z]+) (/\S*) HTTP')


class Store:
    """A moto server, and what was asked of it."""

    def __init__(self, folder: Path, port: int) -> None:
        """Start it."""
        self._log = (folder / "requests.log").open("w+", encoding="utf-8")
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        self._process = subprocess.Popen(command, stderr=self._log, stdout=subprocess.DEVNULL)
        self._seen = 0
        wait_until(lambda: bool(self._lines("Running on")), "the store listens")

    def requests(self) -> str:
        """Return the requests since the last call, by kind."""
        lines = self._lines("HTTP")
        new, self._seen = lines[self._seen :], len(lines)
        kinds = Counter(
            "LIST"
            if match[1] == "GET" and "list-type" in match[2]
            else "DELETE"
            if match[1] == "POST"
            else match[1]
            for match in map(_REQUEST.search, new)
            if match is not None
        )
        return ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items())) or "none"

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def _lines(self, word: str) -> list[str]:
        return [
            line for line in Path(self._log.name).read_text(encoding="utf-8").splitlines() if word in line
        ]


@contextmanager
def measured(what: str, store: Store) -> Iterator[None]:
    """Print what a block costs."""
    store.requests()
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    yield
    wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    print(f"| {what} | {store.requests()} | {cpu_s:.2f} | {wall_s:.1f} |", flush=True)


def settings_of(folder: Path, film: Path, windows: int, **base: Any) -> Settings:
    """Return a configuration of one film in one category."""
    chosen: dict[str, Any] = {"base_frame_limit": windows, "min_free_gb": 0.0} | base
    entry = VideoEntry(name=KEY, path=film, categories={"general": 1.0})
    return Settings(base=BaseSettings(output_base_dir=folder, **chosen), videos=(entry,))


def make(settings: Settings) -> None:
    """Make the film of a configuration."""
    probe_video(settings, KEY)
    generate_video(settings, KEY)


def measure_film(folder: Path, store: Store, windows: int) -> None:
    """Make a film in a folder and in a store, and take it up from an empty folder."""
    film, url = folder / "film.mkv", f"s3://{BUCKET}/one"
    write_video(film, sdr_frames(SHOTS, 1280, 720), keyint=24, options=X264_OPTIONS)
    stored = {"machines": "many", "output_url": url}
    make(settings_of(folder / "warm", film, 2))
    with measured(f"{windows} windows in a folder", store):
        make(settings_of(folder / "local", film, windows))
    with measured(f"{windows} windows in the store", store):
        make(settings_of(folder / "a", film, windows, **stored))
    settings = settings_of(folder / "b", film, windows, **stored)
    with measured("take up the film: tables", store), DataSet.of(settings).work_on(KEY) as work:
        pass
    with measured("take up the film: its files too", store), DataSet.of(settings).work_on(KEY) as work:
        work.fetch_files()
    with measured("take up the film where it was made", store), DataSet.of(settings).work_on(KEY) as work:
        work.fetch_files()


def measure_put(folder: Path, store: Store) -> None:
    """Upload the files of some commits."""
    root = folder / "put"
    root.mkdir()
    paths = [root / f"{number}.png" for number in range(FILES_OF_A_COMMIT * COMMITS)]
    for path in paths:
        path.write_bytes(os.urandom(FILE_BYTES))
    mirror = Mirror(root, f"s3://{BUCKET}/put")
    with measured(f"upload {len(paths)} files of {FILE_BYTES / 1e3:.0f} kB", store):
        for start in range(0, len(paths), FILES_OF_A_COMMIT):
            mirror.put(paths[start : start + FILES_OF_A_COMMIT])


def measure_tables(folder: Path, store: Store, videos: int, endpoint: str) -> None:
    """Mirror the tables of many films down: all, none, and those of ten."""
    client = boto3.client("s3", endpoint_url=endpoint)
    names = [
        f"many/metadata/{kind}/video=film-{number:04d}/part-0.parquet"
        for kind in ("videos", "windows", *(f"patches/category={each}" for each in CATEGORIES))
        for number in range(videos)
    ]

    def put(name: str) -> None:
        client.put_object(Bucket=BUCKET, Key=name, Body=os.urandom(TABLE_BYTES))

    with ThreadPoolExecutor(REQUESTS_AT_A_TIME) as pool:
        list(pool.map(put, names))
    settings = settings_of(
        folder / "many", folder / "film.mkv", 1, machines="many", output_url=f"s3://{BUCKET}/many"
    )
    data_set = DataSet.of(settings)
    with measured(f"tables of {videos:,} films, empty folder", store):
        data_set.copy.refresh()
    with measured(f"tables of {videos:,} films, unchanged", store):
        data_set.copy.refresh()
    for name in names[:10]:
        put(name)
    with measured(f"tables of {videos:,} films, 10 changed", store):
        data_set.copy.refresh()


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--windows", type=int, default=40)
    parser.add_argument("--videos", type=int, default=5000)
    parser.add_argument("--port", type=int, default=5099)
    options = parser.parse_args()
    endpoint = f"http://127.0.0.1:{options.port}"
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
    }
    folder = Path(tempfile.mkdtemp())
    store = Store(folder, options.port)
    try:
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=BUCKET)
        print("| what | requests | CPU s | s |\n| --- | --- | ---: | ---: |")
        measure_film(folder, store, options.windows)
        measure_put(folder, store)
        measure_tables(folder, store, options.videos, endpoint)
    finally:
        store.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
