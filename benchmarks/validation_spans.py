"""How long a film goes on showing the same: what the span of validation patches is chosen by.

    python -m benchmarks.validation_spans FILM...

Of each film a picture a second is compared with those up to 15 s after it, as pictures of several films are
(`windows.likeness`). Printed is the share of pairs that show the same, by the seconds between them, for each
film that is at least 30 s long, and over all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from dataset_assets.video import luma_8bit
from dataset_assets.windows import ComparablePicture, likeness

LONGEST_S: Final = 15
MIN_PICTURES: Final = 30
# Pictures of longer films beyond it are left out: half an hour is enough of one.
MOST_PICTURES: Final = 1800
# Seconds between two pictures: from, to.
DISTANCES_S: Final = ((1, 3), (3, 5), (5, 8), (8, 12), (12, LONGEST_S))


def main() -> None:
    """Compare the pictures of all films and print the shares."""
    cv2.setNumThreads(1)
    print(f"{'film':40}" + "".join(f"{f'{first} to {last} s':>13}" for first, last in DISTANCES_S))
    found = []
    for path in map(Path, sys.argv[1:]):
        pictures = list(_pictures(path))
        if len(pictures) >= MIN_PICTURES:
            shares = _shares(pictures)
            found.append(shares)
            _print(path.stem, shares)
    if found:
        _print(f"median of {len(found)} films", list(np.median(found, axis=0)))
        _print("largest", list(np.max(found, axis=0)))


def _pictures(path: Path) -> Iterator[ComparablePicture]:
    """Yield a picture a second; of a stream without time stamps by its frame rate."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        rate, next_s, taken = float(stream.guessed_rate or 24), 0.0, 0
        for number, frame in enumerate(container.decode(stream)):
            time_s = number / rate if frame.time is None else frame.time
            if number == 0 or time_s >= next_s:
                next_s = time_s + 1
                taken += 1
                yield ComparablePicture.of(luma_8bit(frame))
            if taken == MOST_PICTURES:
                return


def _shares(pictures: list[ComparablePicture]) -> list[float]:
    """Return the share of pairs that show the same, by the seconds between them."""
    shares = []
    for first, last in DISTANCES_S:
        same = [
            likeness(pictures[at], pictures[at + seconds]).is_same
            for seconds in range(first, last)
            for at in range(len(pictures) - seconds)
        ]
        shares.append(float(np.mean(same)))
    return shares


def _print(name: str, shares: list[float]) -> None:
    print(f"{name[:39]:40}" + "".join(f"{share:>13.1%}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
