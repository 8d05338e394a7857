"""What `subtitle` and `combing` find in crops of real films, and what they take for it.

    python -m benchmarks.score_trials FILM...

From each film up to 12 windows of 7 frames. Into every one text is drawn by Pillow, as players draw it, and
crops of 540x540 and 720x405 are taken anywhere, and where they hold most of the text. For combs the lines of
two neighbouring frames are woven where they move. Films that are narrower than 600 pixels are left out.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from dataset_assets.patches import downscale
from dataset_assets.scores import CropPlace, luma, subtitle
from dataset_assets.video import MAX_LONGER_SIDE, combed_share

Picture = npt.NDArray[np.uint8]

WINDOWS, STEP, FRAMES = 12, 15, 7
LINES = (
    "We should go back there tomorrow",
    "- Where is he?\n- I don't know, somewhere else.",
    "Ich habe dir doch gesagt, dass er kommt.",
)
TEXT_TOP, TEXT_MIDDLE, TEXT_BOTTOM = 0.84, 0.88, 0.92
MIN_WIDTH, WIDE = 600, 1000
MOVING = 2.0
CROPS = ((540, 540), (720, 405))
SUBTITLE_LIMITS, COMB_LIMITS = (0.08, 0.12, 0.15, 0.2), (0.003, 0.01, 0.02, 0.05)


def main() -> None:
    """Measure all films, and print the share of each kind of picture above some limits."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(1)
    found: dict[str, list[float]] = defaultdict(list)
    films = 0
    for path in map(Path, sys.argv[1:]):
        windows = _windows(path)
        films += bool(windows)
        for index, window in enumerate(windows):
            for kind, score in _subtitles(window, _drawn(window, LINES[index % len(LINES)]), rng):
                found[kind].append(score)
            for kind, score in _combs(window, rng):
                found[kind].append(score)
    print(f"{films} films")
    for kind, scores in sorted(found.items()):
        limits = COMB_LIMITS if kind.startswith("combing") else SUBTITLE_LIMITS
        shares = ", ".join(f"{np.mean(np.array(scores) >= limit):.3f} from {limit:g} on" for limit in limits)
        print(f"{kind}: {len(scores)}, of which {shares}")


def _windows(path: Path) -> list[Picture]:
    """Read windows of frames as (7, height, width, 3), working size, blue, green, red."""
    found, frames = [], list[Picture]()
    try:
        with av.open(str(path), "r") as film:
            for index, frame in enumerate(film.decode(video=0)):
                if index % STEP < FRAMES:
                    frames.append(_working(frame.to_ndarray(format="bgr24").astype(np.uint8)))
                elif frames:
                    found.append(np.stack(frames))
                    frames = []
                if len(found) == WINDOWS:
                    break
    except (av.FFmpegError, IndexError, ValueError) as error:
        print(f"{path.name} is left out: {error}", file=sys.stderr)
    wide = [window for window in found if len(window) == FRAMES and window.shape[2] >= MIN_WIDTH]
    return [window for window in wide if window.std() > 12]


def _working(picture: Picture) -> Picture:
    height, width, _ = picture.shape
    share = min(1.0, MAX_LONGER_SIDE / max(height, width))
    size = (round(share * width), round(share * height))
    return picture if share == 1 else cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _drawn(window: Picture, text: str) -> Picture:
    """Draw text into all frames."""
    _, height, width, _ = window.shape
    font = ImageFont.load_default(size=max(12, round(height / 18)))
    frames = []
    for frame in window:
        page = Image.fromarray(frame)
        ImageDraw.Draw(page).multiline_text(
            (width // 2, int(TEXT_MIDDLE * height)),
            text,
            fill=(238, 238, 238),
            font=font,
            anchor="mm",
            align="center",
            stroke_width=max(1, height // 300),
            stroke_fill=(0, 0, 0),
        )
        frames.append(np.asarray(page))
    return np.stack(frames)


def _subtitles(window: Picture, drawn: Picture, rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    _, height, width, _ = window.shape
    whole = (0, 0, width // 3 * 3, height // 3 * 3)
    size = "" if width >= WIDE else f" of films narrower than {WIDE}"
    yield f"subtitle, whole frames without text{size}", _subtitle(window, *whole)
    yield f"subtitle, whole frames with text{size}", _subtitle(drawn, *whole)
    for _ in range(4):
        crop_width, crop_height = _crop(width, height, rng)
        x, y = (int(rng.integers(0, room + 1)) for room in (width - crop_width, height - crop_height))
        yield f"subtitle, crops without text{size}", _subtitle(window, x, y, crop_width, crop_height)
        x = (width - crop_width) // 2 + int(rng.integers(-crop_width // 4, crop_width // 4))
        y = int(TEXT_BOTTOM * height) - crop_height + int(rng.integers(0, crop_height // 2))
        x, y = (int(np.clip(v, 0, top)) for v, top in ((x, width - crop_width), (y, height - crop_height)))
        if y <= TEXT_TOP * height and y + crop_height >= TEXT_BOTTOM * height:
            yield f"subtitle, crops with text{size}", _subtitle(drawn, x, y, crop_width, crop_height)


def _crop(width: int, height: int, rng: np.random.Generator) -> tuple[int, int]:
    crop_width, crop_height = CROPS[int(rng.integers(len(CROPS)))]
    return min(crop_width, width // 3 * 3), min(crop_height, height // 3 * 3)


def _subtitle(window: Picture, x: int, y: int, width: int, height: int) -> float:
    _, frame_height, frame_width, _ = window.shape
    crops = np.ascontiguousarray(window[:, y : y + height, x : x + width])
    lr = np.stack([luma(frame) for frame in downscale(crops, "bicubic", 3)])
    place = CropPlace(y / frame_height, width / frame_width, height / frame_height)
    return subtitle(luma(crops[FRAMES // 2]), lr, place)


def _combs(window: Picture, rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    first, second = (luma(window[index]) for index in (3, 4))
    height, width = first.shape
    for _ in range(3):
        crop_width, crop_height = _crop(width, height, rng)
        x, y = (int(rng.integers(0, room + 1)) for room in (width - crop_width, height - crop_height))
        area = np.s_[y : y + crop_height, x : x + crop_width]
        yield "combing, crops as they are", combed_share(first[area])
        if cv2.absdiff(first[area], second[area]).mean() > MOVING:
            woven = first[area].copy()
            woven[1::2] = second[area][1::2]
            yield "combing, moving crops of woven lines", combed_share(woven)


if __name__ == "__main__":
    main()
