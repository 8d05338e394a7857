"""Requests, bytes and CPU time of reading films from an object store: of a probe, and of an attempt.

    python -m benchmarks.object_reading FILM [FILM...] [--windows 24] [--films 5000]

Each film is made from a store with several sizes of blocks, and from its file. The store is a process of its
own on this machine that hands out ranges and takes any signature. What counts are the requests, the bytes and
the CPU time of the process that reads; seconds show nothing of a network. `--films` also asks for the states
of so many films.
"""

from __future__ import annotations

import argparse
import http.server
import os
import re
import socketserver
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from dataset_assets.addresses import Address, FilmPath
from dataset_assets.config import BaseSettings, Settings, VideoEntry
from dataset_assets.generate import generate_video, probe_video, video
from dataset_assets.video import kept_blocks, look_at, objects

BUCKET, KEY = "films", "film"
# Bytes of a block, and blocks that are kept: 64 MiB each.
BLOCKS = ((1 << 18, 256), (1 << 20, 64), (1 << 22, 16))


@dataclass
class Requests:
    """What was asked of the store.

    Attributes:
        count: Requests.
        size_bytes: Bytes of their answers.
    """

    count: int = 0
    size_bytes: int = 0

    def taken(self) -> str:
        """Return both as cells of a table, and begin again."""
        cells = f"{self.count} | {self.size_bytes / 1e6:.1f}"
        self.count, self.size_bytes = 0, 0
        return cells


def main() -> None:
    """Measure, and print a table for each film."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("films", type=Path, nargs="+")
    parser.add_argument("--windows", type=int, default=24)
    parser.add_argument(
        "--films", type=int, default=0, dest="states", help="ask for the states of so many films"
    )
    arguments = parser.parse_args()
    with _store(arguments.films), tempfile.TemporaryDirectory() as folder:
        requests = _counted()
        for film in arguments.films:
            _measure(film, Path(folder) / film.name, arguments.windows, requests)
        if arguments.states:
            _ask(arguments.films[0].name, arguments.states)


def _measure(film: Path, folder: Path, windows: int, requests: Requests) -> None:
    print(f"\n{film.name}, {film.stat().st_size / 1e6:.0f} MB\n")
    print("| | probe: GETs | MB | CPU s | an attempt: GETs | MB | CPU ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    _make("from its file", film, folder / "file", windows, requests)
    address = Address.parse(f"s3://{BUCKET}/{film.name}")
    for size_bytes, kept in BLOCKS:
        kept_blocks.BLOCK_BYTES = size_bytes  # type: ignore[misc]
        kept_blocks._kept = kept_blocks._KeptBlocks(kept)
        name = f"blocks of {size_bytes >> 10} KiB, {kept} kept"
        _make(name, address, folder / str(size_bytes), windows, requests)


def _make(name: str, film: FilmPath, folder: Path, windows: int, requests: Requests) -> None:
    settings = Settings(
        base=BaseSettings(output_base_dir=folder, base_frame_limit=windows, min_free_gb=0.1),
        videos=(VideoEntry(name=KEY, path=film, categories={"general": 1.0}),),
    )
    video._probe_once.cache_clear()
    requests.taken()
    began_s = time.process_time()
    probe_video(settings, KEY)
    probe_s, probe = time.process_time() - began_s, requests.taken()
    report = generate_video(settings, KEY)
    tried = report.windows.candidates
    count, size_bytes = requests.count / tried, requests.size_bytes / tried / 1e6
    print(
        f"| {name} | {probe} | {probe_s:.2f} | {count:.1f} | {size_bytes:.1f} | "
        f"{report.cpu_s / tried * 1e3:.0f} |"
    )


def _ask(name: str, count: int) -> None:
    """Print what it takes to ask for the states of many films."""
    films = [Address(f"s3://{BUCKET}/{number}", f"s3://{BUCKET}", name) for number in range(count)]
    look_at(films[:1])
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    look_at(films)
    print(
        f"\nstates of {count:,} films: {time.perf_counter() - began_s:.1f} s, "
        f"{time.process_time() - began_cpu_s:.1f} CPU s"
    )


def _counted() -> Requests:
    """Count the requests of this process from here on."""
    found, lock, read_range = Requests(), threading.Lock(), objects.read_range

    def counting(
        address: Address, start: int, end: int, known: objects.ObjectState | None = None
    ) -> tuple[objects.ObjectState, bytes]:
        state, content = read_range(address, start, end, known)
        with lock:
            found.count += 1
            found.size_bytes += len(content)
        return state, content

    for module in (objects, kept_blocks):
        setattr(module, "read_range", counting)  # noqa: B010
    return found


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    films: dict[str, Path]

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:  # the name that http.server calls
        """Hand out a range of a film."""
        film = self.films[self.path.rpartition("/")[2]]
        size_bytes = film.stat().st_size
        start, last = map(int, re.findall(r"\d+", self.headers["Range"]))
        end = min(last + 1, size_bytes)
        self.send_response(206)
        self.send_header("ETag", f'"{size_bytes}"')
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size_bytes}")
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        with film.open("rb") as file:
            file.seek(start)
            self.wfile.write(file.read(end - start))


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def _serve(films: list[Path], pipe: Connection) -> None:
    _Handler.films = {film.name: film for film in films}
    with _Server(("127.0.0.1", 0), _Handler) as server:
        pipe.send(server.server_address[1])
        server.serve_forever()


@contextmanager
def _store(films: list[Path]) -> Iterator[None]:
    """Run a store of films in a process of its own, and let this process read it."""
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(films, theirs), daemon=True)
    process.start()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ours.recv()}",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_REGION": "us-east-1",
    }
    try:
        yield
    finally:
        process.kill()


if __name__ == "__main__":
    main()
