from __future__ import annotations

import re
from pathlib import Path

import pytest

import dataset_assets
from dataset_assets.counting import are, counted, some_are


@pytest.mark.parametrize(
    ("count", "text", "verb"), [(0, "0 videos", "are"), (1, "1 video", "is"), (5000, "5,000 videos", "are")]
)
def test_a_noun_and_a_verb_follow_their_number(count: int, text: str, verb: str) -> None:
    assert (counted(count, "video"), are(count)) == (text, verb)


@pytest.mark.parametrize(
    ("count", "total", "text"),
    [
        (0, 1, "0 of 1 video is"),
        (1, 3, "1 of 3 videos is"),
        (0, 3, "0 of 3 videos are"),
        (2, 3, "2 of 3 videos are"),
    ],
)
def test_a_part_has_the_verb_of_its_number_or_of_the_whole(count: int, total: int, text: str) -> None:
    assert some_are(count, total, "video") == text


def test_the_plural_of_a_patch_has_another_syllable() -> None:
    assert [counted(count, "new patch") for count in (1, 2)] == ["1 new patch", "2 new patches"]


def test_no_message_has_a_plural_by_hand_after_a_number() -> None:
    nouns = "candidates|cores|files|films|partitions|patches|places|runs|triplets|windows"
    by_hand = re.compile(rf"\{{[^{{}}]+\}}+ (?:{nouns})\b")
    package = Path(dataset_assets.__file__).parent
    found = {
        f"{path.relative_to(package)}: {match[0]}"
        for pattern in ("*.py", "*.html")
        for path in package.rglob(pattern)
        for match in by_hand.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == set()
