"""Names and keys: the slug of a video's name, and near names for messages.

Belongs here: what turns or compares names. Not here: which names a configuration may use (models.py).
"""

from __future__ import annotations

import difflib
import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import cache

MAX_KEY_LENGTH = 100
_NOT_IN_A_KEY = re.compile(r"[^a-z0-9]+")
_LISTED_AT_MOST = 20


def short_hash(text: str) -> str:
    """Return 8 hexadecimal digits that depend on `text` only."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


@cache
def video_key(name: str) -> str:
    """Return the key of a video: the slug of its name, which is its partition key and part of its file names.

    Compatibility forms and accents are folded (NFKD, "Amélie" is `amelie`), every run of other characters
    becomes one `-`, and a slug beyond 100 characters is cut and ends in 8 hexadecimal digits of the complete
    slug's hash.

    Args:
        name: The video's name, any text.

    Returns:
        `[a-z0-9][a-z0-9-]*` of at most 100 characters; empty where `name` has no letter a-z and no digit,
        which the configuration reports as a mistake. A key is its own key.
    """
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    folded = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    key = _NOT_IN_A_KEY.sub("-", folded).strip("-")
    if len(key) <= MAX_KEY_LENGTH:
        return key
    digest = short_hash(key)
    return f"{key[: MAX_KEY_LENGTH - len(digest) - 1].rstrip('-')}-{digest}"


def is_unicode(text: str) -> bool:
    """Return whether text can be UTF-8; other bytes of a file name are lone surrogates in it."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def near_names(word: str, known: Iterable[str]) -> str:
    """Return a hint which known names were probably meant, as the end of a message.

    Args:
        word: What the user wrote.
        known: The names that would have been right.

    Returns:
        "did you mean `a`?" for the nearest name, else "use one of `a`, `b`" (at most 20 are listed).
    """
    names = sorted(known)
    near = difflib.get_close_matches(word.lower(), names, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    if not names:
        return "there are none to choose from"
    listed = ", ".join(f"`{name}`" for name in names[:_LISTED_AT_MOST])
    return f"use one of {listed}" + (", ..." if len(names) > _LISTED_AT_MOST else "")
