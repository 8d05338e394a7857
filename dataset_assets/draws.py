"""Randomness that depends on what is drawn and on nothing else.

There is no generator with a state: every draw is a hash of its own name, so order, worker count and resumes
cannot change it. Not here: what is drawn.
"""

from __future__ import annotations

import hashlib


def draw(seed: int, *name: str | int) -> float:
    """Return a uniform number in [0, 1) that is a function of its arguments only.

    Args:
        seed: The configuration's seed.
        *name: What is drawn, e.g. video key, purpose, window; no part may contain a line feed.

    Returns:
        A multiple of 2**-53, so that it is below 1 exactly.
    """
    text = "\n".join(map(str, (seed, *name)))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


def draw_int(count: int, seed: int, *name: str | int) -> int:
    """Return a uniform integer in 0..count-1, a function of its arguments only; `count` is 1 to 2**53."""
    return int(draw(seed, *name) * count)
