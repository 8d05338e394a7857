"""Measures `generate` against the v2.0 way and against decoding alone, in one run, alternating.

    python -m benchmarks.run [--quick] [--rounds 3]

Films and data sets go to `.cache/benchmarks/`; `benchmarks/results.json`, `results.md` and `results.svg` hold
the last full run. Every figure is a ratio of CPU seconds of the same minutes on the same machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import pyarrow.parquet as pq

from benchmarks.chart import bars
from benchmarks.films import make_films
from benchmarks.measure import apart, measure
from dataset_assets.reasons import PASSED_OVER

HERE = Path(__file__).parent
CACHE = HERE.parent / ".cache" / "benchmarks"
ALL_CATEGORIES = ("general", "space", "toon")
# Videos of one `generate`: the same film under as many names, so that each draws windows of its own. One film
# looped to their length would be the same to a decoder, but its windows are duplicates, and rejected.
COPIES = 2
PEAK_GOAL_MIB = 700


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table.

    Attributes:
        name: What is measured.
        film: `uhd` or `hd`.
        sampling: `keyframe` or `uniform`.
        categories: Categories that patches are made of.
        colour_order: `exact` or `fast`.
        times_faster: Goal: how many times cheaper than the v2.0 way.
        times_decoding: Goal: how many times the price of decoding the same frames.
    """

    name: str
    film: str
    sampling: str
    categories: tuple[str, ...]
    colour_order: str
    times_faster: float
    times_decoding: float


CASES = (
    Case("UHD HDR10, keyframe, general, exact", "uhd", "keyframe", ("general",), "exact", 16, 1.35),
    Case("UHD HDR10, keyframe, general, fast", "uhd", "keyframe", ("general",), "fast", 19, 1.2),
    Case("UHD HDR10, keyframe, three categories, exact", "uhd", "keyframe", ALL_CATEGORIES, "exact", 10, 2.3),
    Case("UHD HDR10, keyframe, three categories, fast", "uhd", "keyframe", ALL_CATEGORIES, "fast", 14, 1.7),
    Case("UHD HDR10, uniform, general, exact", "uhd", "uniform", ("general",), "exact", 12, 1.3),
    Case("1080p SDR H.264, keyframe, general", "hd", "keyframe", ("general",), "exact", 10, 1.6),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """CPU seconds per accepted window, one of each way."""

    product: float
    legacy: float
    decoding: float
    ffmpeg_decoding: float
    max_rss_mib: float


def main() -> None:
    """Run all cases, round by round, and write what was seen after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one round, few windows, the first case of each film"
    )
    parser.add_argument("--rounds", type=int, default=3, help="runs of each way; the median counts")
    arguments = parser.parse_args()
    quick = arguments.quick
    uhd_seconds, hd_seconds = (5, 30) if quick else (100, 200)
    uhd, hd = apart(make_films, CACHE / "films", uhd_seconds=uhd_seconds, hd_seconds=hd_seconds)
    films = {"uhd": uhd, "hd": hd}
    cases = (CASES[0], CASES[-1]) if quick else CASES
    windows, legacy_windows, rounds = (3, 1, 1) if quick else (50, 3, arguments.rounds)
    target = CACHE if quick else HERE
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    seen: list[list[Figures]] = [[] for _ in cases]
    for number in range(1, rounds + 1):
        others = _Others(legacy_windows)
        for case, figures in zip(cases, seen, strict=True):
            figures.append(_measured(case, films[case.film], windows, others))
            print(f"round {number}: {_line(_summary(case, figures))}", flush=True)
        results = [_summary(case, figures) for case, figures in zip(cases, seen, strict=True)]
        content = {"machine": machine, "rounds": number, "windows": COPIES * windows, "cases": results}
        (target / "results.json").write_text(json.dumps(content, indent=2) + "\n")
        (target / "results.md").write_text(_markdown(f"{machine}, median of {number}", results))
        (target / "results.svg").write_text(_chart(results))
    print((target / "results.md").read_text())


def _measured(case: Case, film: Path, windows: int, others: _Others) -> Figures:
    """Each way once, one after the other."""
    folder = CACHE / "dataset"
    shutil.rmtree(folder, ignore_errors=True)
    product, max_rss_mib, tables = _generate(case, film, folder, windows)
    return Figures(
        product,
        others.legacy(film, case.categories),
        others.decoding(film, case.sampling, tables[0]),
        others.ffmpeg_decoding(film, case.sampling, tables[0]),
        max_rss_mib,
    )


class _Others:
    """The other ways in one round, CPU seconds per window: once each, for cases that share them.

    They know no colour order, and a window lies where it lies for every category.
    """

    def __init__(self, legacy_windows: int) -> None:
        self._legacy_windows = legacy_windows
        self._seen: dict[tuple[object, ...], float] = {}

    def legacy(self, film: Path, categories: Sequence[str]) -> float:
        """Return the v2.0 way."""
        out = CACHE / "legacy"
        command = [sys.executable, str(HERE / "per_window_ffmpeg.py"), str(film), str(out)]
        command += ["--categories", ",".join(categories), "--windows", str(self._legacy_windows)]
        return self._once(("legacy", film, *categories), lambda: _cpu_s_per_window(command))

    def decoding(self, film: Path, sampling: str, table: Path) -> float:
        """PyAV decoding the accepted windows of a table, and nothing else."""
        command = [sys.executable, str(HERE / "decode_only.py"), str(film), str(table)]
        return self._once(("decoding", film, sampling), lambda: _cpu_s_per_window(command))

    def ffmpeg_decoding(self, film: Path, sampling: str, table: Path) -> float:
        """Return the ffmpeg command decoding them, a process each."""
        return self._once(("ffmpeg", film, sampling), lambda: _ffmpeg_decoding(film, table))

    def _once(self, key: tuple[object, ...], measured: Callable[[], float]) -> float:
        if key not in self._seen:
            self._seen[key] = measured()
        return self._seen[key]


def _generate(case: Case, film: Path, folder: Path, windows: int) -> tuple[float, float, list[Path]]:
    """CPU s per accepted window of the whole `generate`, Dagster and all; its peak; its windows tables."""
    weights = {name: 1.0 if name in case.categories else 0.0 for name in ALL_CATEGORIES}
    config = {
        "base_settings": {
            "base_frame_limit": windows,
            "output_base_dir": str(folder),
            "sampling": case.sampling,
            "colour_order": case.colour_order,
            "max_workers": 1,
            "min_free_gb": 1.0,
        },
        "videos": [
            {"name": f"film {copy}", "path": str(film), "categories": weights} for copy in range(COPIES)
        ],
    }
    path = CACHE / "config.json"
    path.write_text(json.dumps(config))
    done = measure([str(Path(sys.executable).with_name("dataset-assets")), "generate", "--config", str(path)],
                   {"DAGSTER_HOME": str(folder / "home")})  # fmt: skip
    tables = sorted(folder.glob("metadata/windows/*/part-0.parquet"))
    return done.cpu_s / accepted_windows(folder), done.max_rss_mib, tables


def accepted_windows(folder: Path) -> int:
    """Return accepted windows of all videos of a data set."""
    tables = folder.glob("metadata/windows/*/part-0.parquet")
    return sum(sum(pq.ParquetFile(table).read(["accepted"])["accepted"].to_pylist()) for table in tables)


def candidates(folder: Path) -> int:
    """Return the candidates that were tried of all videos of a data set."""
    tables = folder.glob("metadata/windows/*/part-0.parquet")
    reasons = [
        reason for table in tables for reason in pq.ParquetFile(table).read(["reason"])["reason"].to_pylist()
    ]
    return sum(reason != PASSED_OVER for reason in reasons)


def _ffmpeg_decoding(film: Path, table: Path, most: int = 10) -> float:
    """One ffmpeg process for each of some windows: 7 frames decoded, nothing done with them."""
    rows = pq.ParquetFile(table).read(["time_s", "accepted"]).to_pylist()
    times = [row["time_s"] for row in rows if row["accepted"]][:most]
    cpu_s = 0.0
    for time_s in times:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-threads", "1"]
        command += ["-ss", f"{time_s:.3f}", "-i", str(film), "-frames:v", "7", "-f", "null", "-"]
        cpu_s += measure(command).cpu_s
    return cpu_s / len(times)


def _cpu_s_per_window(command: Sequence[str]) -> float:
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(json.loads(output.strip().splitlines()[-1])["cpu_s_per_window"])


def _summary(case: Case, seen: Sequence[Figures]) -> dict[str, object]:
    """Medians of the rounds; ratios are taken within each round first."""
    return {
        "name": case.name,
        "product_cpu_s": round(statistics.median(each.product for each in seen), 4),
        "legacy_cpu_s": round(statistics.median(each.legacy for each in seen), 4),
        "decoding_cpu_s": round(statistics.median(each.decoding for each in seen), 4),
        "ffmpeg_decoding_cpu_s": round(statistics.median(each.ffmpeg_decoding for each in seen), 4),
        "max_rss_mib": round(max(each.max_rss_mib for each in seen)),
        "times_faster": round(statistics.median(each.legacy / each.product for each in seen), 2),
        "times_faster_goal": case.times_faster,
        "times_decoding": round(statistics.median(each.product / each.decoding for each in seen), 3),
        "times_decoding_goal": case.times_decoding,
    }


def _line(result: Mapping[str, object]) -> str:
    return (
        f"{result['name']}: {result['product_cpu_s']} CPU s a window; "
        f"{_held(result, 'times_faster')} cheaper than the v2.0 way, "
        f"{_held(result, 'times_decoding')} decoding alone; peak {_peak(result)}"
    )


def _held(result: Mapping[str, object], name: str) -> str:
    """Return a ratio held against its goal."""
    ratio, goal = float(str(result[name])), float(str(result[f"{name}_goal"]))
    is_reached = ratio >= goal if name == "times_faster" else ratio <= goal
    return f"{ratio}x (goal {goal:g}, {'reached' if is_reached else 'NOT reached'})"


def _peak(result: Mapping[str, object]) -> str:
    """Return the largest worker held against its goal."""
    peak_mib = int(str(result["max_rss_mib"]))
    is_reached = peak_mib <= PEAK_GOAL_MIB
    return f"{peak_mib} MiB (goal {PEAK_GOAL_MIB}, {'reached' if is_reached else 'NOT reached'})"


def _markdown(machine: str, results: Sequence[Mapping[str, object]]) -> str:
    lines = [
        f"CPU seconds per accepted window with all its patches written; {machine}.",
        "",
        "| film, sampling, categories, order | generate | v2.0 way | decoding alone | ffmpeg decoding "
        "| cheaper than the v2.0 way | times decoding alone | peak |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {each['name']} | {each['product_cpu_s']} | {each['legacy_cpu_s']} | {each['decoding_cpu_s']} "
        f"| {each['ffmpeg_decoding_cpu_s']} | {_held(each, 'times_faster')} "
        f"| {_held(each, 'times_decoding')} | {_peak(each)} |"
        for each in results
    ]
    return "\n".join(lines) + "\n"


def _chart(results: Sequence[Mapping[str, object]]) -> str:
    ways = {
        "generate": "product_cpu_s",
        "PyAV, decoding alone": "decoding_cpu_s",
        "ffmpeg, decoding alone": "ffmpeg_decoding_cpu_s",
        "one ffmpeg a window (v2.0)": "legacy_cpu_s",
    }
    groups = {
        str(each["name"]): {way: float(str(each[name])) for way, name in ways.items()} for each in results
    }
    return bars("CPU seconds per accepted window", groups)


if __name__ == "__main__":
    main()
