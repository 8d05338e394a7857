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

from dataset_assets.patches.kernels import Kernel, downscale

Pictures = npt.NDArray[np.uint8]
Exact = npt.NDArray[np.float64]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)

pictures = st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda size: npst.arrays(np.uint8, (1, 3 * size[0], 3 * size[1], 3))
)
extreme_pictures = st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda size: npst.arrays(np.uint8, (1, 3 * size[0], 3 * size[1], 3), elements=st.sampled_from([0, 255]))
)


def keys_cubic(x: Exact) -> Exact:
    """Keys' cubic convolution kernel with a = -0.5, as in MATLAB's imresize."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


def imresize_matrix(length: int) -> Exact:
    """The rows of MATLAB's imresize by 1/3 along one axis, antialiased, with its mirrored borders."""
    scale, out = 1 / 3, length // 3
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


def filter_matrix(length: int, kernel: Callable[[int], float], reach: int) -> Exact:
    """A symmetric filter centred on every third sample from the second on, borders mirrored."""
    mirror = np.concatenate([np.arange(length), np.arange(length)[::-1]])
    matrix = np.zeros((length // 3, length))
    for row in range(length // 3):
        for offset in range(-reach, reach + 1):
            matrix[row, mirror[(3 * row + 1 + offset) % len(mirror)]] += kernel(offset)
    normalised: Exact = matrix / matrix.sum(axis=1, keepdims=True)
    return normalised


def lanczos(offset: int) -> float:
    return float(np.sinc(offset / 3) * np.sinc(offset / 9))


def gaussian(offset: int) -> float:
    return float(np.exp(-(offset**2) / (2 * 1.6**2)))


def exactly(stack: Pictures, matrix: Callable[[int], Exact]) -> Exact:
    down, across = matrix(stack.shape[1]), matrix(stack.shape[2])
    exact: Exact = np.einsum("ij,njkc,lk->nilc", down, stack.astype(np.float64), across, optimize=True)
    return exact


MATRICES: dict[str, Callable[[int], Exact]] = {
    "bicubic": imresize_matrix,
    "area": lambda length: filter_matrix(length, lambda offset: 1.0, 1),
    "lanczos": lambda length: filter_matrix(length, lanczos, 9),
    "gaussian": lambda length: filter_matrix(length, gaussian, 6),
}


def noise(height: int, width: int, count: int = 1) -> Pictures:
    return np.random.default_rng(height * width).integers(0, 256, (count, height, width, 3), np.uint8)


@settings(max_examples=60)
@given(pictures | extreme_pictures)
def test_bicubic_equals_matlabs_imresize_in_every_pixel(stack: Pictures) -> None:
    exact = exactly(stack, imresize_matrix)
    assert np.array_equal(downscale(stack, "bicubic"), np.clip(np.rint(exact), 0, 255))


@pytest.mark.parametrize("size", [(540, 540), (405, 720), (3, 3), (3, 300)])
def test_bicubic_equals_matlabs_imresize_at_every_size(size: tuple[int, int]) -> None:
    stack = noise(*size)
    exact = exactly(stack, imresize_matrix)
    assert np.array_equal(downscale(stack, "bicubic"), np.clip(np.rint(exact), 0, 255))


@settings(max_examples=40)
@given(pictures | extreme_pictures)
def test_area_is_the_rounded_mean_of_each_block(stack: Pictures) -> None:
    assert np.array_equal(downscale(stack, "area"), np.rint(exactly(stack, MATRICES["area"])))


@settings(max_examples=40)
@given(pictures | extreme_pictures, st.sampled_from(["lanczos", "gaussian"]))
def test_float_kernels_round_their_formula(stack: Pictures, kernel: Kernel) -> None:
    exact = np.clip(exactly(stack, MATRICES[kernel]), 0, 255)
    assert np.abs(downscale(stack, kernel) - exact).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_constant_picture_stays_constant(kernel: Kernel) -> None:
    stack = np.arange(256, dtype=np.uint8)[:, None, None, None] * np.ones((1, 12, 9, 3), np.uint8)
    assert np.array_equal(downscale(stack, kernel), stack[:, :4, :3])


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_mirrored_picture_gives_the_mirrored_result(kernel: Kernel) -> None:
    stack = noise(51, 66)
    small = downscale(stack, kernel)
    assert np.array_equal(downscale(stack[:, ::-1], kernel), small[:, ::-1])
    assert np.array_equal(downscale(stack[:, :, ::-1], kernel), small[:, :, ::-1])


@pytest.mark.parametrize("kernel", KERNELS)
def test_output_pixels_are_centred_on_every_third_input_pixel(kernel: Kernel) -> None:
    ramp = np.broadcast_to(np.arange(0, 240, 2, dtype=np.uint8)[:, None], (120, 120))
    stack = np.stack([ramp, ramp.T, ramp], axis=-1)[None]
    small = downscale(stack, kernel)
    inside = slice(4, -4)
    assert np.array_equal(small[:, inside, inside], stack[:, 1::3, 1::3][:, inside, inside])


@pytest.mark.parametrize("kernel", KERNELS)
def test_each_picture_of_a_stack_is_downscaled_alone(kernel: Kernel) -> None:
    stack = noise(30, 45, count=4)
    alone = np.concatenate([downscale(stack[i : i + 1], kernel) for i in range(4)])
    assert np.array_equal(downscale(stack, kernel), alone)


def test_an_unknown_kernel_is_no_other_one() -> None:
    with pytest.raises(AssertionError, match="mitchell"):
        downscale(np.zeros((1, 3, 3, 3), np.uint8), cast("Kernel", "mitchell"))
