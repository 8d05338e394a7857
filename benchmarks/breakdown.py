"""Where the CPU seconds of a window go: a whole `generate`, and its parts, timed from outside in one process.

    python -m benchmarks.breakdown [--windows 50]

The result goes to `benchmarks/breakdown.md`.
"""

from __future__ import annotations

import argparse
import functools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.films import make_films
from benchmarks.measure import apart, measure
from benchmarks.run import CACHE, HERE, accepted_windows, candidates
from benchmarks.scaling import FOLDER, HD_S, UHD_S, prepared
from dataset_assets.config import load_settings
from dataset_assets.generate import checkpoints, generate_video, lane, probe_video, video
from dataset_assets.patches import triplets
from dataset_assets.video.decode import FrameReader
from dataset_assets.video.render import CropRenderer
from dataset_assets.windows import candidate, finding

# What is timed: its owner and its name there. A part that another one calls counts as that one.
PARTS: dict[str, Sequence[tuple[Any, str]]] = {
    "probing the film, once": [(video, "probe")],
    "decoding the candidates": [(FrameReader, "_next")],
    "tone-mapping and scaling the crops": [(CropRenderer, "crops")],
    "judging": [(finding, "judge")],
    "maps of detail": [(candidate, "measure_detail")],
    "looking for a lost decoder's blocks": [(candidate, "show_blocks")],
    "scores": [(lane, "score_patch")],
    "LR stacks": [(triplets, "downscale")],
    "PNG": [(triplets, "encode_png")],
    "small pictures for the gallery": [(lane, "encode_picture")],
    "files and tables": [(checkpoints.Checkpoints, "write"), (checkpoints.Checkpoints, "commit")],
}
KEY = "film-0"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=50)
    windows = parser.parse_args().windows
    film, _ = apart(make_films, CACHE / "films", uhd_seconds=UHD_S, hd_seconds=HD_S)
    whole_cpu_s = measure(*prepared(film, videos=1, windows=windows, workers=1)).cpu_s
    prepared(film, videos=1, windows=windows, workers=1)
    settings = load_settings(FOLDER / "config.json")
    cpu_s: dict[str, float] = defaultdict(float)
    with _timed(cpu_s):
        started_cpu_s = time.process_time()
        probe_video(settings, KEY)
        generate_video(settings, KEY)
        cpu_s["the rest of it"] = time.process_time() - started_cpu_s - sum(cpu_s.values())
    cpu_s["starts, Dagster, checks, sheets, pages"] = whole_cpu_s - sum(cpu_s.values())
    accepted = accepted_windows(FOLDER)
    lines = [
        f"UHD film, one category, `exact`: {accepted} windows in {candidates(FOLDER)} candidates.",
        "",
        "| CPU seconds a window | |",
        "| --- | ---: |",
        *(
            f"| {part} | {cpu_s[part] / accepted:.3f} |"
            for part in sorted(cpu_s, key=lambda part: -cpu_s[part])
        ),
        f"| the whole `generate` | {whole_cpu_s / accepted:.3f} |",
    ]
    text = "\n".join(lines) + "\n"
    (HERE / "breakdown.md").write_text(text)
    print(text)


@contextmanager
def _timed(cpu_s: dict[str, float]) -> Iterator[None]:
    """Add up what each part takes, in any thread, while it is open."""
    kept = [(owner, name, getattr(owner, name)) for places in PARTS.values() for owner, name in places]
    within = threading.local()
    for part, places in PARTS.items():
        for owner, name in places:
            setattr(owner, name, _counted(getattr(owner, name), part, cpu_s, within))
    try:
        yield
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


def _counted(
    function: Callable[..., Any], part: str, cpu_s: dict[str, float], within: threading.local
) -> Callable[..., Any]:
    @functools.wraps(function)
    def counted(*arguments: Any, **options: Any) -> Any:
        if getattr(within, "part", None):
            return function(*arguments, **options)
        within.part = part
        started_cpu_s = time.thread_time()
        try:
            return function(*arguments, **options)
        finally:
            cpu_s[part] += time.thread_time() - started_cpu_s
            within.part = None

    return counted


if __name__ == "__main__":
    main()
