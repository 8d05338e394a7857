"""The search for signatures that are alike, against comparing every pair by another formula."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dataset_assets.curation import signature_search
from dataset_assets.curation.signature_search import SignatureSearch

ROWS, COLUMNS = 18, 32
VIDEOS, WINDOWS = 12, 25


def correlation(first: NDArray[np.uint8], second: NDArray[np.uint8], *, is_fine: bool) -> float:
    """The correlation of two signatures, by OpenCV's cosine transform."""
    down, across = np.indices((ROWS, COLUMNS))
    frequency = np.hypot(down, across * ROWS / COLUMNS)
    weight = frequency if is_fine else frequency * np.exp(-((frequency / 6) ** 2)) * (frequency <= 9)
    vectors = [cv2.dct(each.reshape(ROWS, COLUMNS).astype(np.float64)) * weight for each in (first, second)]
    noise = np.sqrt(np.square(weight).sum())
    lengths = [np.sqrt(np.square(each).sum()) + noise for each in vectors]
    return float((vectors[0] * vectors[1]).sum() / (lengths[0] * lengths[1]))


@pytest.fixture(scope="module")
def signatures() -> NDArray[np.uint8]:
    """Smooth pictures of 12 videos; some of each are those of the video before, more and less changed."""
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 1, (VIDEOS, WINDOWS, ROWS, COLUMNS)).astype(np.float32)
    for video in noise:
        for picture in video:
            picture[:] = cv2.GaussianBlur(picture, (0, 0), 2)
            picture *= 40 / picture.std()
    for number in range(1, VIDEOS):
        shares = np.linspace(0, 1.5, 10, dtype=np.float32)[:, None, None]
        noise[number, :10] = noise[number - 1, :10] + shares * noise[number, :10]
    found = np.clip(noise + 120, 0, 255).astype(np.uint8).reshape(-1, ROWS * COLUMNS)
    return np.asarray(found, np.uint8)


def every_pair(signatures: NDArray[np.uint8]) -> set[tuple[int, int]]:
    """The three most alike pairs of each window and earlier video, within both limits."""
    found: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for later in range(len(signatures)):
        for earlier in range(later // WINDOWS * WINDOWS):
            pair = signatures[later], signatures[earlier]
            distance = 1 - correlation(*pair, is_fine=False)
            if distance <= 0.35 and 1 - correlation(*pair, is_fine=True) <= 0.7:
                found.setdefault((later, earlier // WINDOWS), []).append((distance, earlier))
    return {(later, each) for (later, _), of in found.items() for _, each in sorted(of)[:3]}


@pytest.mark.parametrize(("group", "rows"), [(8192, 1024), (60, 7), (1, 1)])
def test_it_finds_what_comparing_every_pair_finds_in_blocks_of_any_size(
    signatures: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, group: int, rows: int
) -> None:
    monkeypatch.setattr(signature_search, "GROUP_WINDOWS", group)
    monkeypatch.setattr(signature_search, "PRODUCT_ROWS", rows)
    search = SignatureSearch(signatures, np.repeat(np.arange(VIDEOS), WINDOWS))
    expected = every_pair(signatures)
    found = [pair[:2] for each in search.between(range(VIDEOS), []) for pair in each.pairs()]
    assert len(found) == len(set(found)) > 50
    assert set(found) == expected


def test_new_videos_are_compared_with_all_and_old_ones_not_among_themselves(
    signatures: NDArray[np.uint8],
) -> None:
    search = SignatureSearch(signatures, np.repeat(np.arange(VIDEOS), WINDOWS))
    new, old = [3, 4, 9], [0, 1, 2, 5, 6, 7, 8, 10, 11]
    found = {pair[:2] for each in search.between(new, old) for pair in each.pairs()}
    assert found == {
        (later, earlier)
        for later, earlier in every_pair(signatures)
        if {later // WINDOWS, earlier // WINDOWS} & set(new)
    }
    assert list(search.between([], old)) == []


def test_videos_without_windows_have_no_candidates() -> None:
    search = SignatureSearch(np.zeros((0, ROWS * COLUMNS), np.uint8), np.zeros(0, np.int64))
    assert [pair for each in search.between([], []) for pair in each.pairs()] == []
