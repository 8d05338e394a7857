"""PNG files, read back by PIL, OpenCV and ffmpeg."""

from __future__ import annotations

import io
import subprocess
from hashlib import sha256

import cv2
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from dataset_assets.patches.png import encode_png, whole_png_size

RNG = np.random.default_rng(5)
SMOOTH = np.add.outer(np.arange(60), np.arange(96))[..., None] * np.array([1, 2, 3])
PICTURES = {
    "noise": RNG.integers(0, 256, (45, 33, 3), dtype=np.uint8),
    "smooth": (SMOOTH % 256).astype(np.uint8),
    "one pixel": np.array([[[1, 2, 3]]], np.uint8),
    "one line": RNG.integers(0, 256, (1, 50, 3), dtype=np.uint8),
    "mirrored": RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)[::-1, ::-1],
    "part": RNG.integers(0, 256, (90, 70, 3), dtype=np.uint8)[11:41, 7:37],
    "black": np.zeros((540, 540, 3), np.uint8),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_other_programs_read_the_picture(kind: str) -> None:
    picture = PICTURES[kind]
    content = encode_png(picture)
    with Image.open(io.BytesIO(content)) as image:
        image.verify()
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        assert np.array_equal(np.asarray(image), picture[..., ::-1])
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    assert np.array_equal(decoded, picture)


def test_ffmpeg_reads_the_picture_without_a_warning() -> None:
    picture: npt.NDArray[np.uint8] = PICTURES["smooth"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "warning", "-f", "png_pipe", "-i", "-"]
    command += ["-f", "rawvideo", "-pix_fmt", "bgr24", "-"]
    done = subprocess.run(command, input=encode_png(picture), capture_output=True, check=True)
    assert done.stderr == b""
    assert done.stdout == picture.tobytes()


def test_the_bytes_are_those_of_the_release_that_is_pinned() -> None:
    assert sha256(encode_png(PICTURES["smooth"])).hexdigest()[:16] == "90f960422915c6d8"


@pytest.mark.parametrize("kind", PICTURES)
def test_the_size_of_a_complete_file_is_read(kind: str) -> None:
    picture = PICTURES[kind]
    assert whole_png_size(encode_png(picture)) == (picture.shape[1], picture.shape[0])
    written_by_another = io.BytesIO()
    Image.fromarray(picture).save(written_by_another, "PNG")
    assert whole_png_size(written_by_another.getvalue()) == (picture.shape[1], picture.shape[0])


@pytest.mark.parametrize("place", [0, 17, 40, 2000, -20, -1])
def test_one_changed_byte_anywhere_is_a_damaged_file(place: int) -> None:
    content = bytearray(encode_png(PICTURES["noise"]))
    content[place] ^= 1
    assert whole_png_size(bytes(content)) is None


@pytest.mark.parametrize("kept", [0, 8, 20, 33, 1000, -12, -1])
def test_a_file_that_ends_early_is_not_whole(kept: int) -> None:
    content = encode_png(PICTURES["noise"])
    assert whole_png_size(content[:kept]) is None
    assert whole_png_size(content + b"x") is None
