"""The v2.0 way, to be measured against: one ffmpeg process a window, PNG temporaries, crops by OpenCV.

    python benchmarks/per_window_ffmpeg.py FILM OUT --windows 10 --categories general,space,toon

Prints one JSON line: accepted windows, attempts, CPU and wall seconds per accepted window with ffmpeg's.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from dataset_assets.config.models import DEFAULT_CATEGORIES, DEFAULT_FORMATS

HDR_CHAIN = (
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=mobius,"
    "zscale=t=bt709:m=bt709,format=yuv420p,scale=1920:1080:flags=lanczos"
)
SDR_CHAIN = "scale=1920:1080:flags=lanczos"
MAX_MEAN_ABS_DIFF = 45.0


def main() -> None:
    """Make windows until enough are accepted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("film", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--categories", default="general")
    arguments = parser.parse_args()
    started_s = time.perf_counter()
    accepted, attempts = make_windows(
        arguments.film, arguments.out, arguments.windows, arguments.categories.split(",")
    )
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_s = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    wall_s = time.perf_counter() - started_s
    print(
        json.dumps(
            {
                "windows": accepted,
                "attempts": attempts,
                "cpu_s_per_window": round(cpu_s / accepted, 4),
                "wall_s_per_window": round(wall_s / accepted, 4),
            }
        )
    )


def make_windows(film: Path, out: Path, windows: int, categories: list[str]) -> tuple[int, int]:
    """Make `windows` accepted windows; return how many were made and how many were tried."""
    chain, duration_s = _chain_and_duration(film)
    rng = random.Random(7)
    accepted = attempts = 0
    while accepted < windows:
        attempts += 1
        frames = _extract(film, chain, rng.uniform(0, max(0.0, duration_s - 0.5)))
        if len(frames) < 7:
            continue
        if np.abs(frames[0].astype(np.int16) - frames[6].astype(np.int16)).mean() >= MAX_MEAN_ABS_DIFF:
            continue
        for category in categories:
            _write_triplet(frames, category, accepted, out / category, rng)
        accepted += 1
    return accepted, attempts


def _chain_and_duration(film: Path) -> tuple[str, float]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(film)]
    banner = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    found = re.search(r"Duration: (\d+):(\d+):([\d.]+)", banner)
    if found is None:
        raise SystemExit(f"{film} has no duration")
    hours, minutes, seconds = found.groups()
    is_hdr = "smpte2084" in banner or "arib-std-b67" in banner
    return HDR_CHAIN if is_hdr else SDR_CHAIN, int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _extract(film: Path, chain: str, time_s: float) -> list[npt.NDArray[np.uint8]]:
    with tempfile.TemporaryDirectory() as folder:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", "-ss", f"{time_s:.3f}",
                   "-i", str(film), "-frames:v", "7", "-vf", chain, f"{folder}/frame_%d.png"]  # fmt: skip
        subprocess.run(command, check=True)
        read = [cv2.imread(f"{folder}/frame_{number}.png") for number in range(1, 8)]
    return [np.asarray(frame, np.uint8) for frame in read if frame is not None]


def _write_triplet(
    frames: list[npt.NDArray[np.uint8]], category: str, number: int, folder: Path, rng: random.Random
) -> None:
    mix = DEFAULT_CATEGORIES[category].mix
    chosen = DEFAULT_FORMATS[rng.choices(list(mix), list(mix.values()))[0]]
    width, height = chosen.width, chosen.height
    x, y = rng.randint(0, 1920 - width), rng.randint(0, 1080 - height)
    crops = [frame[y : y + height, x : x + width] for frame in frames]
    small = [cv2.resize(crop, (width // 3, height // 3), interpolation=cv2.INTER_AREA) for crop in crops]
    folder.mkdir(parents=True, exist_ok=True)
    for kind, picture in (("gt", crops[3]), ("lr5", np.vstack(small[1:6])), ("lr7", np.vstack(small))):
        cv2.imwrite(str(folder / f"{number:06d}_{kind}.png"), picture)


if __name__ == "__main__":
    main()
