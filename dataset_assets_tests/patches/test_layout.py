"""The layout of the LR stacks and the place of the crops, for any crop of any frames."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dataset_assets.frames import DEFAULT_KINDS
from dataset_assets.patches.kernels import Kernel
from dataset_assets.patches.triplets import stack_triplet
from dataset_assets.video.geometry import FrameGeometry, Orientation, Rect

few = settings(max_examples=30, derandomize=True, deadline=None)
sides = st.integers(1, 12)

few_of_each = settings(max_examples=8, derandomize=True, deadline=None)


@pytest.mark.parametrize("kernel", ["bicubic", "area", "lanczos", "gaussian"])
@few_of_each
@given(sides, sides, st.sampled_from([2, 3, 4]), st.permutations(range(7)))
def test_a_stack_holds_its_frames_from_top_to_bottom(
    kernel: Kernel, small_width: int, small_height: int, scale: int, order: list[int]
) -> None:
    """Each frame is of one grey of its own, so that every line tells which frame it is of."""
    width, height = scale * small_width, scale * small_height
    crops = np.stack([np.full((height, width, 3), 20 + 30 * grey, np.uint8) for grey in order])
    gt, lr5, lr7 = stack_triplet(crops, DEFAULT_KINDS, kernel, scale).values()
    assert np.array_equal(gt, crops[3])
    for stack, frames in ((lr5, range(1, 6)), (lr7, range(7))):
        assert stack.shape == (len(frames) * small_height, small_width, 3)
        expected = np.repeat([20 + 30 * order[frame] for frame in frames], small_height)
        assert np.array_equal(stack, np.broadcast_to(expected[:, None, None], stack.shape))


@few
@given(
    st.integers(16, 4096),
    st.integers(16, 4096),
    st.sampled_from([(1, 1), (4, 3), (3, 4), (64, 45)]),
    st.builds(Orientation, st.booleans(), st.booleans(), st.booleans()),
    st.data(),
)
def test_a_crop_lies_in_the_coded_picture_whatever_the_shape(
    width: int, height: int, aspect: tuple[int, int], orientation: Orientation, data: st.DataObject
) -> None:
    geometry = FrameGeometry(width, height, Fraction(*aspect), orientation)
    working = geometry.working_rect
    assert 1 <= max(working.width, working.height) <= 1920
    assume(min(working.width, working.height) >= 16)
    x = data.draw(st.integers(0, working.width - 3))
    y = data.draw(st.integers(0, working.height - 3))
    crop = Rect(
        x,
        y,
        data.draw(st.integers(3, working.width - x)),
        data.draw(st.integers(3, working.height - y)),
    )
    assert geometry.after_turning(geometry.before_turning(crop)) == crop
    coded = geometry.coded_rect(crop)
    assert Rect(0, 0, width, height).contains(coded)
    assert coded.width >= 1
    assert coded.height >= 1
