from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.config import video_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Dune: Part Two (2024)", "dune-part-two-2024"),
        ("Amélie", "amelie"),
        ("AME\u0301LIE", "amelie"),
        ("  -- Straße --  ", "strasse"),
        ("\uff21\uff42\uff43\u3000\u2461", "abc-2"),
        ("../../etc/passwd", "etc-passwd"),
        ("千と千尋", ""),
        ("...", ""),
    ],
)
def test_a_key_is_the_slug_of_the_name(name: str, key: str) -> None:
    assert video_key(name) == key


def test_a_long_name_keeps_its_beginning_and_its_difference() -> None:
    first, second = video_key("Film " * 40 + "1"), video_key("Film " * 40 + "2")
    assert first != second
    assert first.startswith("film-film-film-")
    assert len(first) <= 100
    assert video_key("a" * 100) == "a" * 100


@given(st.text(max_size=200) | st.text("aA0 -é", min_size=90, max_size=120))
def test_a_key_is_safe_short_and_its_own_key(name: str) -> None:
    key = video_key(name)
    assert re.fullmatch(r"(?:[a-z0-9][a-z0-9-]{0,99})?", key)
    assert video_key(key) == key
    assert video_key(name) == key


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=100))
def test_a_plain_word_is_its_own_key(word: str) -> None:
    assert video_key(word) == word
    assert video_key(word.upper()) == word
