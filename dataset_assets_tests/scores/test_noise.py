"""Noise and coding blocks: added ones are read as such, detail is not."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from dataset_assets.scores import blockiness, noise_sigma
from dataset_assets_tests.scores.samples import Picture, blurred, grey, noisy, smooth, textured


@pytest.mark.parametrize("sigma", [1.0, 2.0, 5.0, 10.0])
@pytest.mark.parametrize("base", [smooth, lambda: blurred(textured(), 3)])
def test_added_noise_is_read_as_its_sigma(base: object, sigma: float) -> None:
    picture = grey(base())  # type: ignore[operator]
    # The quarter of the blocks with the least noise is measured, so it reads a little less.
    assert noise_sigma(noisy(picture, sigma)) == pytest.approx(sigma, rel=0.2)


def test_more_noise_reads_higher_and_blur_lower() -> None:
    picture = grey(textured())
    found = [noise_sigma(noisy(picture, sigma)) for sigma in (0, 2, 4, 8)]
    assert found == sorted(found)
    assert noise_sigma(blurred(picture, 2)) < noise_sigma(picture)


def test_clipped_black_does_not_hide_the_noise_beside_it() -> None:
    picture = grey(smooth())
    picture[:, :240] = 0
    grainy = noisy(picture, 5)
    grainy[:, :240] = 0
    assert noise_sigma(grainy) == pytest.approx(5, rel=0.2)


@pytest.mark.parametrize("measure", [noise_sigma, blockiness])
def test_a_picture_without_blocks_or_steps_reads_nothing(measure: object) -> None:
    for shape in ((8, 8), (12, 200), (96, 96)):
        assert measure(np.full(shape, 50, np.uint8)) == 0.0  # type: ignore[operator]


def jpeg(picture: Picture, quality: int) -> Picture:
    coded = io.BytesIO()
    Image.fromarray(picture).save(coded, "jpeg", quality=quality)
    return np.asarray(Image.open(coded).convert("L"))


def mpeg2(picture: Picture, quantizer: int) -> Picture:
    """The picture as an intra frame of MPEG-2 with one quantizer."""
    coded = io.BytesIO()
    height, width = picture.shape
    with av.open(coded, "w", format="mpeg") as container:
        stream = container.add_stream(
            "mpeg2video", 25, options={"qmin": str(quantizer), "qmax": str(quantizer)}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, 25)
        frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
        container.mux([*stream.encode(frame), *stream.encode()])
    coded.seek(0)
    with av.open(coded, "r") as film:
        return next(film.decode(video=0)).to_ndarray(format="gray").astype(np.uint8)


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_coarser_coding_reads_blockier(seed: int) -> None:
    picture = grey(textured(seed))
    by_jpeg = [blockiness(picture), *(blockiness(jpeg(picture, quality)) for quality in (50, 20, 8))]
    assert by_jpeg == sorted(by_jpeg)
    assert by_jpeg[0] < 0.05
    assert by_jpeg[-1] > 0.3
    by_mpeg2 = [blockiness(mpeg2(picture, quantizer)) for quantizer in (2, 10, 30)]
    assert by_mpeg2 == sorted(by_mpeg2)
    assert by_mpeg2[-1] > 0.2


def test_blocks_are_found_wherever_a_crop_begins_and_along_either_axis() -> None:
    coded = jpeg(grey(textured()), 8)
    found = [blockiness(coded[y : y + 300, x : x + 300]) for y, x in ((0, 0), (3, 5), (7, 1))]
    assert found == pytest.approx([found[0]] * 3, rel=0.25)
    steps = np.repeat(np.repeat(np.random.default_rng(0).integers(0, 255, (20, 1)), 8, axis=0), 160, axis=1)
    assert blockiness(steps.astype(np.uint8)) > 1
    assert blockiness(steps.T.astype(np.uint8)) > 1


def test_noise_and_blur_are_no_blocks() -> None:
    picture = grey(textured())
    assert blockiness(noisy(picture, 8)) < 0.05
    assert blockiness(blurred(picture, 3)) < 0.05
