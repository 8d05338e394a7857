from __future__ import annotations

import pytest

from dataset_assets.counting import are, counted


@pytest.mark.parametrize(
    ("count", "text", "verb"), [(0, "0 videos", "are"), (1, "1 video", "is"), (5000, "5,000 videos", "are")]
)
def test_a_noun_and_a_verb_follow_their_number(count: int, text: str, verb: str) -> None:
    assert (counted(count, "video"), are(count)) == (text, verb)


def test_an_irregular_plural_is_given() -> None:
    assert [counted(count, "patch", "patches") for count in (1, 2)] == ["1 patch", "2 patches"]
