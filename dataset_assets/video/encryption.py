"""Detect encrypted films by the flags of their containers: to a decoder they look damaged.

Not here: decrypting.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import av

from dataset_assets.addresses import FilmPath
from dataset_assets.errors import VideoError
from dataset_assets.video.film_files import FileState, open_film

# Places of a transport or program stream that are looked at, and the most bytes at each.
BLOCKS, BLOCK_BYTES = 16, 1 << 18
# A block counts as encrypted from this share of its packets on: damage sets a few flags, DVDs about half.
BLOCK_SHARE = 0.05
# A film of which so many blocks are encrypted is refused; broadcasts leave some packets clear.
FILM_SHARE = 0.9
SYNC_BYTE = 0x47
# Bytes from one packet of a transport stream to the next: plain, Blu-ray, with parity.
PACKET_BYTES = (188, 192, 204)
# Sample entries of MP4 for encrypted video (ISO/IEC 23001-7) and for Apple's.
ENCRYPTED_ENTRIES = (b"encv", b"drmi")
MAX_MOOV_BYTES = 1 << 28
WHAT, REMEDY = "it is encrypted, and nothing here can decrypt it", "use an unencrypted copy of the film"


def refuse_encrypted(path: FilmPath, stream: av.VideoStream) -> list[str]:
    """Refuse an encrypted film.

    Args:
        path: The film.
        stream: Its video stream.

    Returns:
        A warning where a part of the film is encrypted.

    Raises:
        VideoError: It is encrypted.
    """
    container = stream.container.format.name
    if container in ("mpegts", "mpeg"):
        share = _encrypted_share(path, stream.id if container == "mpegts" else None)
        if share >= FILM_SHARE:
            raise VideoError(WHAT, REMEDY)
        return [f"about {100 * share:.0f} % of its video is encrypted and cannot be used"] if share else []
    # Matroska's demuxer hands the key's name on as a tag.
    if "enc_key_id" in stream.metadata or ("mp4" in container and _has_encrypted_entry(path)):
        raise VideoError(WHAT, REMEDY)
    return []


def _encrypted_share(path: FilmPath, pid: int | None) -> float:
    """Return the share of sampled blocks with encrypted video: of a PID, or of a program stream's video."""
    size_bytes = FileState.of(path).size_bytes
    shares = []
    with open_film(path) as file:
        for index in range(BLOCKS):
            file.seek(size_bytes * index // BLOCKS)
            block = file.read(min(BLOCK_BYTES, size_bytes // BLOCKS))
            flags = list(_program_flags(block) if pid is None else _transport_flags(block, pid))
            if flags:
                shares.append(sum(flags) / len(flags))
    return sum(share >= BLOCK_SHARE for share in shares) / len(shares) if shares else 0.0


def _transport_flags(block: bytes, pid: int) -> Iterator[bool]:
    """Return whether each packet of a PID is scrambled, by its transport_scrambling_control."""
    start, step = _packet_grid(block)
    for place in range(start, len(block) - 4, step):
        if block[place] == SYNC_BYTE and (block[place + 1] & 0x1F) << 8 | block[place + 2] == pid:
            yield bool(block[place + 3] & 0xC0)


def _packet_grid(block: bytes) -> tuple[int, int]:
    """Return the place of the first packet and the bytes from one to the next that fit most sync bytes."""
    grids = [
        (block[start::step].count(SYNC_BYTE) * step, start, step)
        for step in PACKET_BYTES
        for start in range(step)
    ]
    _, start, step = max(grids)
    return start, step


def _program_flags(block: bytes) -> Iterator[bool]:
    """Return whether each packet of video is scrambled, by its PES_scrambling_control, as on copied DVDs."""
    place = block.find(b"\x00\x00\x01")
    while 0 <= place < len(block) - 6:
        if 0xE0 <= block[place + 3] <= 0xEF and block[place + 6] & 0xC0 == 0x80:
            yield bool(block[place + 6] & 0x30)
        place = block.find(b"\x00\x00\x01", place + 3)


def _has_encrypted_entry(path: FilmPath) -> bool:
    with open_film(path) as file:
        moov = _moov(file)
    # Encrypted entries hold a box with the scheme.
    return b"sinf" in moov and any(entry in moov for entry in ENCRYPTED_ENTRIES)


def _moov(file: BinaryIO) -> bytes:
    """Return the box of an MP4 film that describes its tracks; empty where it is not found."""
    place = 0
    while len(header := file.read(16)) >= 8:
        length, kind = int.from_bytes(header[:4]), header[4:8]
        length = int.from_bytes(header[8:16]) if length == 1 else length
        if kind == b"moov":
            file.seek(place)
            return file.read(min(length or MAX_MOOV_BYTES, MAX_MOOV_BYTES))
        if length < 8:
            break
        place += length
        file.seek(place)
    return b""
