"""Measures what a random crop for training costs, read from every layout side by side in one run.

    python -m benchmarks.reading [--rounds 3] [--samples 60] [--films FILE ...] [--folder FOLDER]

Two data sets of a made 1080p film or of the given ones, of 540x540 and of 1920x1080, go to
`.cache/benchmarks/reading/` and stay there, as do their exports. Every reader gives the samples of the same
`TripletDataset`: 7 LR frames of 64x64 and GT of 192x192, with their views drawn, one thread, files in the
page cache. `reading.md` in that folder holds the last run. A peer whose package is missing is left out by
name: `pip install mosaicml-streaming webdataset`.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import lmdb
import numpy as np
from numpy.typing import NDArray

from benchmarks.films import make_hd_film
from dataset_assets.config import BaseSettings, Category, Settings, VideoEntry
from dataset_assets.dataset import DataSet, Triplet, select
from dataset_assets.exports import ExportOptions, LayoutName, plan_export, write_export
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.patches import encode_png
from dataset_assets.training import TripletDataset
from dataset_assets.training.reading import Area, Pictures, Source, cropped

CACHE = Path(__file__).parent.parent / ".cache" / "benchmarks" / "reading"
FILM_S, WINDOWS = 30, 20
PNG, LMDB, TAR, MDS, PACKED = (
    "PNG stacks, as `generate` writes them",
    "LMDB of PNG, a value for each frame (`vimeo90k-lmdb`)",
    "WebDataset, PNG stacks in tar, in sequence (`webdataset`)",
    "MosaicML MDS, raw arrays",
    "`packed`",
)
PACKAGES = {LMDB: "lmdb", TAR: "webdataset", MDS: "streaming", PACKED: "blosc2"}


@dataclass(frozen=True, slots=True)
class Size:
    """A size of patches.

    Attributes:
        format: The format that makes them.
        name: Width and height in pixels.
        goal: How many times cheaper than PNG stacks `packed` should be.
    """

    format: str
    name: str
    goal: float


SIZES = (Size("small_540", "540x540", 10), Size("fullhd_1920", "1920x1080", 40))


@dataclass(frozen=True, slots=True)
class Way:
    """A layout, written.

    Attributes:
        name: What it is.
        dataset: A data set that reads from it.
        bytes: Bytes of a triplet on disk.
        write_ms: CPU milliseconds of a triplet to write; NaN where it was written by an earlier run.
    """

    name: str
    dataset: TripletDataset
    bytes: float
    write_ms: float


class LmdbSource:
    """Frames as PNG in LMDB, under BasicSR's keys."""

    description = "LMDB"

    def __init__(self, folder: Path, triplets: Sequence[Triplet], scale: int) -> None:
        self._keys = [f"{each.video}/{each.row.window:06d}" for each in triplets]
        self._gt, self._lq = (
            lmdb.open(str(folder / f"{name}.lmdb"), readonly=True, lock=False).begin(buffers=True)
            for name in ("gt", "lq")
        )
        self._scale = scale

    def read(self, index: int, area: Area) -> tuple[Pictures, Pictures]:
        """Read a crop."""
        key = self._keys[index]
        lr = np.stack([_decoded(self._lq.get(f"{key}/im{number}".encode())) for number in range(1, 8)])
        gt = _decoded(self._gt.get(f"{key}/im4".encode()))[None]
        return cropped(lr, area, 1), cropped(gt, area, self._scale)


class TarSource:
    """PNG stacks in tar; which triplet comes is its order's choice."""

    description = "tar"

    def __init__(self, folder: Path, scale: int) -> None:
        self._samples = self._endless([str(path) for path in sorted(folder.glob("*.tar"))])
        self._scale = scale

    @staticmethod
    def _endless(shards: Sequence[str]) -> Iterator[Any]:
        import webdataset

        while True:
            yield from webdataset.WebDataset(list(shards), shardshuffle=False)

    def read(self, index: int, area: Area) -> tuple[Pictures, Pictures]:
        """Read a crop of the next triplet."""
        sample = next(self._samples)
        gt, lr = _decoded(sample["gt.png"]), _decoded(sample["lr7.png"])
        height, width = (side // self._scale for side in gt.shape[:2])
        return cropped(lr.reshape(7, height, width, 3), area, 1), cropped(gt[None], area, self._scale)


class MdsSource:
    """Raw arrays in MosaicML's shards."""

    description = "MDS"

    def __init__(self, folder: Path, scale: int) -> None:
        from streaming import StreamingDataset

        self._samples = StreamingDataset(local=str(folder), shuffle=False, batch_size=1)
        self._scale = scale

    def read(self, index: int, area: Area) -> tuple[Pictures, Pictures]:
        """Read a crop."""
        sample = self._samples[index]
        return cropped(sample["lr"], area, 1), cropped(sample["gt"][None], area, self._scale)


def write_mds(folder: Path, triplets: Sequence[Triplet], root: Path) -> None:
    """Write the pictures of triplets as MDS, from their files."""
    from streaming import MDSWriter

    with MDSWriter(out=str(folder), columns={"lr": "ndarray:uint8", "gt": "ndarray:uint8"}) as writer:
        for triplet in triplets:
            row = triplet.row
            gt, lr = (_decoded((root / str(path)).read_bytes()) for path in (row.gt_path, row.lr7_path))
            small = (7, row.height // row.scale, row.width // row.scale, 3)
            writer.write({"lr": np.ascontiguousarray(lr).reshape(small), "gt": np.ascontiguousarray(gt)})


def main() -> None:
    """Make what is missing, measure, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=60, help="samples of each layout in a round")
    parser.add_argument("--folder", type=Path, default=CACHE, help="where films, data sets and exports go")
    parser.add_argument("--films", type=Path, nargs="+", default=[], help="instead of the made film")
    chosen = parser.parse_args()
    films = chosen.films or [make_hd_film(chosen.folder, seconds=FILM_S)]
    cv2.setNumThreads(1)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [f"Random crops of 192x192; {machine}; median of {chosen.rounds} rounds.", ""]
    for size in SIZES:
        settings = make_data_set(chosen.folder / size.format, films, size)
        ways = list(_ways(settings))
        seen = _measured(ways, chosen.rounds, chosen.samples)
        lines += [*_table(size, ways, seen), ""]
    missing = [name for name, package in PACKAGES.items() if find_spec(package) is None]
    lines += [f"Not installed, so not measured: {', '.join(missing)}.", ""] if missing else []
    text = "\n".join(lines)
    print(text)
    (chosen.folder / "reading.md").write_text(text.rstrip() + "\n", encoding="utf-8")


def make_data_set(folder: Path, films: Sequence[Path], size: Size) -> Settings:
    """Make a data set of patches of one size, or take over what is there."""
    base = BaseSettings(
        output_base_dir=folder / "dataset",
        base_frame_limit=WINDOWS,
        sampling="uniform",
        min_free_gb=0,
        allow_replacing=True,
    )
    entries = tuple(VideoEntry(name=film.stem, path=film, categories={"general": 1.0}) for film in films)
    category = Category(folder="Learn", mix={size.format: 1.0})
    settings = Settings(base=base, videos=entries, categories={"general": category})
    for entry in entries:
        probe_video(settings, entry.key)
        generate_video(settings, entry.key)
    return settings


def _ways(settings: Settings) -> Iterator[Way]:
    """Write every layout whose package is installed."""
    root = settings.base.output_base_dir
    triplets = select(DataSet(root)).triplets
    count, scale = len(triplets), triplets[0].row.scale
    yield Way(
        PNG, _dataset(root), sum(each.row.size_bytes for each in triplets) / count, _png_ms(root, triplets)
    )
    layouts: Mapping[str, tuple[LayoutName, Callable[[Path], Source]]] = {
        LMDB: ("vimeo90k-lmdb", lambda folder: LmdbSource(folder, triplets, scale)),
        TAR: ("webdataset", lambda folder: TarSource(folder, scale)),
    }
    exports = root.parent / "exports"
    for name, (layout, opened) in layouts.items():
        if find_spec(PACKAGES[name]):
            folder, write_ms = _exported(settings, layout, exports, count)
            yield Way(name, _dataset(root, opened(folder)), _bytes_of(folder) / count, write_ms)
    if find_spec(PACKAGES[MDS]):
        folder = exports / "mds"
        shutil.rmtree(folder, ignore_errors=True)
        started_s = time.process_time()
        write_mds(folder, triplets, root)
        write_ms = 1000 * (time.process_time() - started_s) / count
        yield Way(MDS, _dataset(root, MdsSource(folder, scale)), _bytes_of(folder) / count, write_ms)
    folder, write_ms = _exported(settings, "packed", exports, count)
    yield Way(PACKED, TripletDataset(root, packed=folder), _bytes_of(folder) / count, write_ms)


def _dataset(root: Path, source: Source | None = None) -> TripletDataset:
    dataset = TripletDataset(root, packed=False)
    dataset.source = source or dataset.source
    return dataset


def _exported(settings: Settings, layout: LayoutName, exports: Path, count: int) -> tuple[Path, float]:
    """Export by one thread; return the folder and the CPU milliseconds of a triplet."""
    folder = exports / layout
    shutil.rmtree(folder, ignore_errors=True)
    plan = plan_export(settings, ExportOptions(layout), folder)
    started_s = time.process_time()
    write_export(plan)
    return folder, 1000 * (time.process_time() - started_s) / count


def _png_ms(root: Path, triplets: Sequence[Triplet]) -> float:
    """Return the CPU milliseconds of encoding the three PNGs of a triplet."""
    rows = [triplet.row for triplet in triplets]
    paths = [root / str(path) for row in rows for path in (row.gt_path, row.lr5_path, row.lr7_path)]
    pictures = [np.ascontiguousarray(_decoded(path.read_bytes())[..., ::-1]) for path in paths]
    started_s = time.process_time()
    for picture in pictures:
        encode_png(picture)
    return 1000 * (time.process_time() - started_s) / len(triplets)


def _measured(ways: Sequence[Way], rounds: int, samples: int) -> list[dict[str, float]]:
    """Return CPU milliseconds of a sample by layout for every round; the layouts take turns."""
    for way in ways:  # into the page cache
        _read(way.dataset, len(way.dataset), 0)
    return [{way.name: _read(way.dataset, samples, number) for way in ways} for number in range(rounds)]


def _read(dataset: TripletDataset, samples: int, draw: int) -> float:
    order = np.random.default_rng(draw).integers(0, len(dataset), samples) + draw * len(dataset)
    started_s = time.process_time()
    for index in order:
        dataset[int(index)]
    return 1000 * (time.process_time() - started_s) / samples


def _table(size: Size, ways: Sequence[Way], seen: Sequence[Mapping[str, float]]) -> list[str]:
    lines = [
        f"| {size.name} | CPU ms a sample | cheaper than PNG stacks | samples/s a core | MB a triplet "
        "| CPU ms a triplet to write |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for way in ways:
        ms = statistics.median(each[way.name] for each in seen)
        ratio = statistics.median(each[PNG] / each[way.name] for each in seen)
        goal = f" (goal {size.goal:g}, {'reached' if ratio >= size.goal else 'NOT reached'})"
        lines.append(
            f"| {way.name} | {ms:.2f} | {ratio:.1f}{goal if way.name == PACKED else ''} | {1000 / ms:.0f} "
            f"| {way.bytes / 1e6:.2f} | {way.write_ms:.0f} |"
        )
    return lines


def _bytes_of(folder: Path) -> int:
    """Return the bytes on disk: a database's file has holes."""
    return sum(512 * path.stat().st_blocks for path in folder.rglob("*") if path.is_file())


def _decoded(content: Any) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture[..., ::-1].astype(np.uint8, copy=False)


if __name__ == "__main__":
    main()
