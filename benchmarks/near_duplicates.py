"""What comparing the windows of thousands of videos costs: CPU seconds and memory, on made signatures.

    python -m benchmarks.near_duplicates [VIDEOS] [WINDOWS]

Writes the windows tables of so many videos (5,000 of 100 windows by default) to a temporary folder, compares
them as `dataset-assets duplicates` does, adds a video and compares again. Signatures are noise whose
amplitude falls with the frequency, as that of pictures does; one video in ten repeats ten windows of another
with noise of 2 levels. There are no pictures to confirm: what a candidate costs is measured apart.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from dataset_assets.config import BaseSettings, Settings
from dataset_assets.curation import DuplicatesReport, find_duplicates
from dataset_assets.dataset import DataSet, TableStore
from dataset_assets.tables import WINDOWS, Provenance, WindowRow
from dataset_assets.video import Fingerprint
from dataset_assets.windows import ComparablePicture, likeness

ROWS, COLUMNS = 18, 32
SHARED: Final = 10
ROUNDS: Final = 50
FINGERPRINT: Final = Fingerprint(1, "1", "0")

Signatures = npt.NDArray[np.uint8]


def main() -> None:
    """Make the tables, compare, add a video, compare again."""
    videos, windows = (int(each) for each in (*sys.argv[1:], *("5000", "100")[len(sys.argv) - 1 :]))
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(base=BaseSettings(output_base_dir=Path(folder)), videos=())
        tables = DataSet.of(settings).tables
        before = _signatures(rng, windows)
        for number in range(videos):
            made = _signatures(rng, windows)
            if number % 10 == 9:
                made[:SHARED] = _again(rng, before[:SHARED])
            _write(tables, f"film-{number:05d}", made)
            before = made
        print(f"{videos:,} videos of {windows:,} windows", flush=True)
        _show("all", _measured(settings))
        _write(tables, "film-new", _again(rng, before))
        _show("one more", _measured(settings))
        _show("nothing new", _measured(settings))
        print(f"table: {DataSet.of(settings).duplicates.path.stat().st_size / 1e6:.1f} MB")
    _confirming(rng)


def _measured(settings: Settings) -> tuple[DuplicatesReport, float]:
    began_s = time.process_time()
    report = find_duplicates(settings)
    return report, time.process_time() - began_s


def _show(what: str, measured: tuple[DuplicatesReport, float]) -> None:
    report, cpu_s = measured
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"{what}: {cpu_s:.1f} CPU s, {report.made:,} videos compared, {report.confirmed:,} candidates, "
        f"{report.windows:,} windows found, largest memory {peak_mb:,.0f} MB",
        flush=True,
    )


def _signatures(rng: np.random.Generator, count: int) -> Signatures:
    spectrum = np.fft.rfft2(rng.standard_normal((count, ROWS, COLUMNS)).astype(np.float32))
    frequency = np.hypot(np.fft.fftfreq(ROWS)[:, None], np.fft.rfftfreq(COLUMNS)[None])
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(spectrum / frequency**1.5, (ROWS, COLUMNS))
    noise *= rng.uniform(10, 50, (count, 1, 1)) / noise.std(axis=(1, 2), keepdims=True)
    found = np.clip(noise + rng.uniform(40, 160, (count, 1, 1)), 0, 255).astype(np.uint8)
    return found.reshape(count, ROWS * COLUMNS)


def _again(rng: np.random.Generator, signatures: Signatures) -> Signatures:
    noisy = signatures + rng.normal(0, 2, signatures.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _write(tables: TableStore, key: str, signatures: Signatures) -> None:
    rows = [
        WindowRow(
            window=number,
            keyframe_pts=24 * number,
            start_pts=24 * number,
            time_s=float(number),
            pts=tuple(range(24 * number, 24 * number + 7)),
            keyframe=True,
            mean_abs_diff=1.0,
            cut_score=0.1,
            brightness=100.0,
            contrast=30.0,
            sharpness=0.8,
            repeated_frames=0,
            window_combing=0.0,
            bits_per_pixel=0.1,
            detail_map=None,
            signature=signature.tobytes(),
            accepted=True,
            reason=None,
        )
        for number, signature in enumerate(signatures)
    ]
    provenance = Provenance("0", FINGERPRINT, "1", complete=True, target=len(rows))
    tables.write(tables.windows_path(key), WINDOWS, rows, provenance)


def _confirming(rng: np.random.Generator) -> None:
    """Print what reading and comparing two pictures costs."""
    signature = _signatures(rng, 1)[0].reshape(ROWS, COLUMNS)
    picture = cv2.resize(signature, (480, 270), interpolation=cv2.INTER_CUBIC)
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 75])
    began_s = time.process_time()
    for _ in range(ROUNDS):
        read = [cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE) for _ in range(2)]
        first, second = (ComparablePicture.of(np.asarray(each, np.uint8)) for each in read)
        likeness(first, second)
    print(f"confirming: {1000 * (time.process_time() - began_s) / ROUNDS:.2f} CPU ms a candidate")


if __name__ == "__main__":
    main()
