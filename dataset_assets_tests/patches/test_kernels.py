"""The LR kernels against formulas in float64 that know nothing of how the project computes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast, get_args

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from dataset_assets.patches.kernels import BICUBIC_WEIGHTS, Kernel, downscale

Pictures = npt.NDArray[np.uint8]
Exact = npt.NDArray[np.float64]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)

scales = st.sampled_from([2, 3, 4])


@st.composite
def scaled_pictures(draw: st.DrawFn) -> tuple[Pictures, int]:
    """Pictures of any values, or of the extreme ones, with a scale that divides them."""
    scale, height, width = draw(scales), draw(st.integers(1, 8)), draw(st.integers(1, 8))
    values = draw(st.sampled_from([st.integers(0, 255), st.sampled_from([0, 255])]))
    return draw(npst.arrays(np.uint8, (1, scale * height, scale * width, 3), elements=values)), scale


def keys_cubic(x: Exact) -> Exact:
    """Keys' cubic convolution kernel with a = -0.5, as in MATLAB's imresize."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


def imresize_matrix(length: int, times: int) -> Exact:
    """The rows of MATLAB's imresize by 1/times along one axis, antialiased, with its mirrored borders."""
    scale, out = 1 / times, length // times
    width = 4 / scale
    centre = np.arange(1, out + 1) / scale + 0.5 * (1 - 1 / scale)
    left = np.floor(centre - width / 2)
    taps = left[:, None] + np.arange(int(np.ceil(width)) + 2)
    weights = scale * keys_cubic(scale * (centre[:, None] - taps))
    weights /= weights.sum(axis=1, keepdims=True)
    mirror = np.concatenate([np.arange(length), np.arange(length)[::-1]])
    columns = mirror[np.mod(taps.astype(int) - 1, len(mirror))]
    matrix = np.zeros((out, length))
    np.add.at(matrix, (np.arange(out)[:, None], columns), weights)
    return matrix


def filter_matrix(length: int, scale: int, kernel: Callable[[float, int], float]) -> Exact:
    """A symmetric filter centred on the middle of every block of samples, borders mirrored."""
    mirror = np.concatenate([np.arange(length), np.arange(length)[::-1]])
    matrix = np.zeros((length // scale, length))
    for row in range(length // scale):
        centre = scale * row + (scale - 1) / 2
        for sample in range(int(centre) - 4 * scale - 8, int(centre) + 4 * scale + 9):
            matrix[row, mirror[sample % len(mirror)]] += kernel(sample - centre, scale)
    normalised: Exact = matrix / matrix.sum(axis=1, keepdims=True)
    return normalised


def box(offset: float, scale: int) -> float:
    return float(abs(offset) < scale / 2)


def lanczos(offset: float, scale: int) -> float:
    return float(np.sinc(offset / scale) * np.sinc(offset / scale / 3) * (abs(offset) < 3 * scale))


def gaussian(offset: float, _: int) -> float:
    return float(np.exp(-(offset**2) / (2 * 1.6**2)) * (abs(offset) <= 6.5))


def exactly(stack: Pictures, scale: int, matrix: Callable[[int, int], Exact]) -> Exact:
    down, across = matrix(stack.shape[1], scale), matrix(stack.shape[2], scale)
    exact: Exact = np.einsum("ij,njkc,lk->nilc", down, stack.astype(np.float64), across, optimize=True)
    return exact


MATRICES: dict[str, Callable[[int, int], Exact]] = {
    "bicubic": imresize_matrix,
    "area": lambda length, scale: filter_matrix(length, scale, box),
    "lanczos": lambda length, scale: filter_matrix(length, scale, lanczos),
    "gaussian": lambda length, scale: filter_matrix(length, scale, gaussian),
}


def noise(height: int, width: int, count: int = 1) -> Pictures:
    return np.random.default_rng(height * width).integers(0, 256, (count, height, width, 3), np.uint8)


def rounded(exact: Exact) -> Exact:
    """As MATLAB rounds to uint8: halves up; at scales 2 and 4 the sums are exact in float64."""
    up: Exact = np.clip(np.floor(exact + 0.5), 0, 255)
    return up


@settings(max_examples=120)
@given(scaled_pictures())
def test_bicubic_equals_matlabs_imresize_in_every_pixel(scaled: tuple[Pictures, int]) -> None:
    stack, scale = scaled
    exact = exactly(stack, scale, imresize_matrix)
    assert np.array_equal(downscale(stack, "bicubic", scale), rounded(exact))


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [(180, 180), (135, 240), (1, 1), (1, 100)])
def test_bicubic_equals_matlabs_imresize_at_every_size(size: tuple[int, int], scale: int) -> None:
    stack = noise(scale * size[0], scale * size[1])
    exact = exactly(stack, scale, imresize_matrix)
    assert np.array_equal(downscale(stack, "bicubic", scale), rounded(exact))


@pytest.mark.parametrize("scale", [2, 4])
def test_bicubic_rounds_what_lies_half_way_up_as_matlab_does(scale: int) -> None:
    """At scale 3 nothing can lie half-way."""
    lines = np.arange(64 * scale, dtype=np.uint8)[:, None, None] % 2
    stripes = np.broadcast_to(lines, (1, 64 * scale, 8 * scale, 3))
    exact = exactly(stripes, scale, imresize_matrix)[:, 8:-8]
    assert (exact == 0.5).all()
    assert (downscale(stripes, "bicubic", scale)[:, 8:-8] == 1).all()


@pytest.mark.parametrize(
    ("scale", "weights"),
    [
        (2, [-3, -9, 29, 111, 111, 29, -9, -3]),
        (3, [-1, -2, 0, 9, 21, 27, 21, 9, 0, -2, -1]),
        (4, [-7, -45, -75, -49, 93, 399, 745, 987, 987, 745, 399, 93, -49, -75, -45, -7]),
    ],
)
def test_bicubic_has_the_weights_of_the_formula(scale: int, weights: list[int]) -> None:
    assert list(BICUBIC_WEIGHTS[scale]) == weights
    row = imresize_matrix(100 * scale, scale)[50]
    exact = row[row != 0] * sum(weights)
    assert np.allclose(exact, [each for each in weights if each], atol=1e-9)


@settings(max_examples=80)
@given(scaled_pictures())
def test_area_is_the_rounded_mean_of_each_block(scaled: tuple[Pictures, int]) -> None:
    stack, scale = scaled
    exact = exactly(stack, scale, MATRICES["area"])
    assert np.abs(downscale(stack, "area", scale) - exact).max() <= 0.5 + 1e-6


@settings(max_examples=80)
@given(scaled_pictures(), st.sampled_from(["lanczos", "gaussian"]))
def test_float_kernels_round_their_formula(scaled: tuple[Pictures, int], kernel: Kernel) -> None:
    stack, scale = scaled
    exact = np.clip(exactly(stack, scale, MATRICES[kernel]), 0, 255)
    assert np.abs(downscale(stack, kernel, scale) - exact).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_constant_picture_stays_constant(kernel: Kernel, scale: int) -> None:
    stack = np.arange(256, dtype=np.uint8)[:, None, None, None] * np.ones((1, 12, 24, 3), np.uint8)
    assert np.array_equal(downscale(stack, kernel, scale), stack[:, : 12 // scale, : 24 // scale])


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_mirrored_picture_gives_the_mirrored_result(kernel: Kernel, scale: int) -> None:
    stack = noise(17 * scale, 22 * scale)
    small = downscale(stack, kernel, scale)
    assert np.array_equal(downscale(stack[:, ::-1], kernel, scale), small[:, ::-1])
    assert np.array_equal(downscale(stack[:, :, ::-1], kernel, scale), small[:, :, ::-1])


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("kernel", KERNELS)
def test_output_pixels_are_centred_on_the_middle_of_their_blocks(kernel: Kernel, scale: int) -> None:
    ramp = np.broadcast_to(np.arange(0, 240, 2, dtype=np.uint8)[:, None], (120, 120))
    stack = np.stack([ramp, ramp.T, ramp], axis=-1)[None]
    small = downscale(stack, kernel, scale)
    # Of an even block the mean of its two middle pixels, which is a whole number in this ramp.
    centres = (2 * (scale * np.arange(120 // scale) + (scale - 1) / 2)).astype(np.uint8)
    down = np.broadcast_to(centres[:, None], small.shape[1:3])
    inside = slice(5, -5)
    for channel, expected in enumerate((down, down.T, down)):
        assert np.array_equal(small[0, inside, inside, channel], expected[inside, inside])


@pytest.mark.parametrize("kernel", KERNELS)
def test_each_picture_of_a_stack_is_downscaled_alone(kernel: Kernel) -> None:
    stack = noise(36, 48, count=4)
    for scale in (2, 3, 4):
        alone = np.concatenate([downscale(stack[i : i + 1], kernel, scale) for i in range(4)])
        assert np.array_equal(downscale(stack, kernel, scale), alone)


def test_an_unknown_kernel_is_no_other_one() -> None:
    with pytest.raises(AssertionError, match="mitchell"):
        downscale(np.zeros((1, 3, 3, 3), np.uint8), cast("Kernel", "mitchell"), 3)
