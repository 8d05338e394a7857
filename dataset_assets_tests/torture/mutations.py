"""Damage to a film's bytes as disks, networks and unfinished downloads do it, drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Mutation = Callable[[bytes, bytes, np.random.Generator], bytes]


def flipped_bits(content: bytes, donor: bytes, rng: np.random.Generator) -> bytes:
    """1 to 30 single bits turned over, anywhere."""
    changed = bytearray(content)
    for place in rng.integers(len(changed), size=int(rng.integers(1, 31))):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def one_flipped_bit(content: bytes, donor: bytes, rng: np.random.Generator) -> bytes:
    """One bit turned over: the least that can happen, and the hardest to notice."""
    changed = bytearray(content)
    changed[int(rng.integers(len(changed)))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def zeroed(content: bytes, donor: bytes, rng: np.random.Generator) -> bytes:
    """A block that was never written: 512 bytes to an eighth of the film are zero."""
    start, stop = _span(len(content), rng)
    return content[:start] + bytes(stop - start) + content[stop:]


def overwritten(content: bytes, donor: bytes, rng: np.random.Generator) -> bytes:
    """A block of noise in place of the film."""
    start, stop = _span(len(content), rng)
    return content[:start] + rng.bytes(stop - start) + content[stop:]


def left_out(content: bytes, donor: bytes, rng: np.random.Generator) -> bytes:
    """A block is missing, what follows moves up."""
    start, stop = _span(len(content), rng)
    return content[:start] + content[stop:]


def repeated(content: bytes, donor: bytes, rng: np.random.Generator) -> bytes:
    """A block is there twice."""
    start, stop = _span(len(content), rng)
    return content[:stop] + content[start:stop] + content[stop:]


def truncated(content: bytes, donor: bytes, rng: np.random.Generator) -> bytes:
    """The film ends too soon."""
    return content[: int(rng.integers(len(content)))]


def spliced(content: bytes, donor: bytes, rng: np.random.Generator) -> bytes:
    """A block of another film of the same codec and container in place of the film's own."""
    start, stop = _span(min(len(content), len(donor)), rng)
    return content[:start] + donor[start:stop] + content[stop:]


def joined(content: bytes, donor: bytes, rng: np.random.Generator) -> bytes:
    """The beginning of the film, and the end of another."""
    place = int(rng.integers(min(len(content), len(donor))))
    return content[:place] + donor[place:]


MUTATIONS: Mapping[str, Mutation] = {
    "one bit": one_flipped_bit,
    "bits": flipped_bits,
    "zeros": zeroed,
    "noise": overwritten,
    "left out": left_out,
    "repeated": repeated,
    "truncated": truncated,
    "spliced": spliced,
    "joined": joined,
}


def _span(length: int, rng: np.random.Generator) -> tuple[int, int]:
    size = int(np.exp(rng.uniform(np.log(512), np.log(max(513, length // 8)))))
    start = int(rng.integers(max(1, length - size)))
    return start, min(length, start + size)
