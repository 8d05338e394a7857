"""What probing finds of films that were enlarged, and what it takes for it in films that were not.

    python -m benchmarks.true_resolution [--no-fakes] FILM...

Every film is probed as it is. Of each that is at least 1200 pixels wide and native, 13 places of 4 frames are
coded again: as they are, and scaled down and enlarged again by shares of its size, by bicubic and Lanczos.
The encoder is x264 at several qualities, a keyframe for each place. ffmpeg scales, and not this package.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import av
import imageio_ffmpeg

from dataset_assets.errors import VideoError
from dataset_assets.video import TrueResolution, VideoInfo, probe

PLACES, FRAMES = 13, 4
MIN_WIDTH = 1200
SHARES = (2 / 3, 5 / 6, 4 / 9, 8 / 15, 3 / 4, 1 / 2)
KERNELS = ("bicubic", "lanczos")
QUALITIES = (14, 18, 24, 30)
# Of the side, by which a share counts as found.
TOLERANCE = 0.004


@dataclass(frozen=True, slots=True)
class Case:
    """A film that is coded again: the share of its size that it holds, and how it was enlarged and coded."""

    share: float
    kernel: str
    crf: int

    def filters(self, width: int, height: int) -> str:
        """Return ffmpeg's filters that scale down and enlarge again."""
        small = (round(width * self.share / 2) * 2, round(height * self.share / 2) * 2)
        return (
            f"scale={small[0]}:{small[1]}:flags=area+accurate_rnd,"
            f"scale={width}:{height}:flags={self.kernel}+accurate_rnd"
        )


def main() -> None:
    """Probe all films, then their copies, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("films", nargs="+", type=Path)
    parser.add_argument("--no-fakes", action="store_true", help="probe the films as they are, and no copies")
    arguments = parser.parse_args()
    infos = [info for film in arguments.films if (info := _probed(film)) is not None]
    if arguments.no_fakes:
        return
    counts: dict[tuple[float, int], Counter[str]] = defaultdict(Counter)
    native = [info for info in infos if info.geometry.coded_width >= MIN_WIDTH and not info.is_enlarged]
    for info in native:
        for case, held in _copies(info):
            counts[case.share, case.crf][_outcome(info, case, held)] += 1
    print(f"{len(native)} films; share of the size, crf: copies by what was found")
    for (share, crf), found in sorted(counts.items()):
        print(
            f"{share:.3f}, {crf}:",
            ", ".join(f"{count} {outcome}" for outcome, count in sorted(found.items())),
        )


def _probed(film: Path) -> VideoInfo | None:
    started_s = time.process_time()
    try:
        info = probe(film, interlaced="deinterlace")
    except VideoError as error:
        print(f"{film.name}: {error.what}")
        return None
    cpu_s, held = time.process_time() - started_s, info.true_resolution
    size = f"{info.geometry.coded_width}x{info.geometry.coded_height}"
    what = f"holds {held.width}x{held.height}, z {held.z}" if held else "not measured"
    print(f"{film.name}: {info.codec} {size} {what} ({cpu_s:.2f} CPU s)", flush=True)
    return info


def _copies(info: VideoInfo) -> Iterator[tuple[Case, TrueResolution | None]]:
    width, height = info.geometry.coded_width, info.geometry.coded_height
    with tempfile.TemporaryDirectory() as folder:
        raw, copy = Path(folder, "frames.yuv"), Path(folder, "copy.mkv")
        _extract(Path(str(info.path)), raw)
        cases = [Case(1, "bicubic", crf) for crf in QUALITIES]
        cases += [Case(*each) for each in product(SHARES, KERNELS, QUALITIES)]
        for case in cases:
            filters = [] if case.share == 1 else ["-vf", case.filters(width, height)]
            command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo"]
            command += [
                "-pix_fmt",
                "yuv420p",
                "-s",
                f"{width}x{height}",
                "-r",
                "24",
                "-i",
                str(raw),
                *filters,
            ]
            command += ["-threads", "1", "-c:v", "libx264", "-preset", "veryfast", "-crf", str(case.crf)]
            command += ["-g", str(FRAMES), "-sc_threshold", "0", str(copy)]
            subprocess.run(command, check=True)
            held = probe(copy).true_resolution
            print(f"  {info.path.name} {case.share:.3f} {case.kernel} crf {case.crf}: {held}", flush=True)
            yield case, held


def _extract(film: Path, raw: Path) -> None:
    """Write 8-bit frames of places spread over a film."""
    with av.open(str(film)) as container:
        total = sum(1 for _ in container.decode(video=0))
    step = max(FRAMES, total // PLACES)
    with av.open(str(film)) as container, raw.open("wb") as out:
        for number, frame in enumerate(container.decode(video=0)):
            if number % step < FRAMES and number // step < PLACES:
                out.write(frame.reformat(format="yuv420p").to_ndarray().tobytes())


def _outcome(info: VideoInfo, case: Case, held: TrueResolution | None) -> str:
    """Return whether an enlargement was found, and whether its share is right along the axis with less."""
    if held is None:
        return "not measured"
    share = min(held.width / info.geometry.coded_width, held.height / info.geometry.coded_height)
    if share == 1:
        return "nothing"
    is_right = abs(share - case.share) <= TOLERANCE
    return f"{'sure' if held.is_sure else 'suspected'}{'' if is_right else ', of a wrong share'}"


if __name__ == "__main__":
    main()
