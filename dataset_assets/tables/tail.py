"""Key-value metadata of a Parquet file, found from the file's end without reading what else the footer says.

Here: the bytes of a footer. Not here: what the values mean (`footer`), and what is done about a file that is
not as expected (`store`).

pyarrow builds every column's description and a schema before it hands the metadata out: 110 to 350 CPU
microseconds a table, the more the larger the process, and 25 here. It is asked where nothing is found here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

# The footers of the tables are 2.5 to 4 KB long, and the metadata is at their end.
_TAIL_BYTES = 4096
_MAGIC = b"PAR1"
_LENGTH_BYTES = 4
# Header of a field that is one further than the one before, and binary, in Thrift's compact protocol:
# https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
_NEXT_BINARY = b"\x18"


def key_values(path: Path, keys: Iterable[bytes]) -> dict[bytes, bytes] | None:
    """Reads values of a Parquet file's key-value metadata.

    A `KeyValue` is a struct of key and value, both binary, and the list of them comes after everything that
    the rows decide (https://github.com/apache/parquet-format, `FileMetaData`). So the last place in the
    footer where a key stands as a field with a value behind it is its entry, provided that no value holds
    control characters, as JSON text does not.

    Args:
        path: The file.
        keys: Keys of less than 128 bytes.

    Returns:
        The value of each key; None where the file does not end as a Parquet file does, or lacks a key.

    Raises:
        OSError: The file is absent or cannot be read.
    """
    footer = _footer(path)
    found = {}
    for key in keys:
        head = _NEXT_BINARY + bytes([len(key)]) + key + _NEXT_BINARY
        place = footer.rfind(head)
        value = _binary(footer, place + len(head)) if place >= 0 else None
        if value is None:
            return None
        found[key] = value
    return found


def _footer(path: Path) -> bytes:
    """The footer, from its metadata on at least; empty where the file is no whole Parquet file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
        trailer = len(_MAGIC) + _LENGTH_BYTES
        length = int.from_bytes(tail[-trailer : -len(_MAGIC)], "little") + trailer
        if not tail.endswith(_MAGIC) or length + len(_MAGIC) > size:
            return b""
        if length > len(tail):
            tail = os.pread(descriptor, length, size - length)
        return tail[-length:-trailer]
    finally:
        os.close(descriptor)


def _binary(text: bytes, place: int) -> bytes | None:
    """The binary at a place: its length in groups of 7 bits, the lowest first, then its bytes."""
    size, shift = 0, 0
    while place < len(text):
        group = text[place]
        size |= (group & 0x7F) << shift
        shift += 7
        place += 1
        if group < 0x80:
            return text[place : place + size] if place + size <= len(text) else None
    return None
