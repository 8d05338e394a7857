"""Films at addresses as file objects, read in blocks of which the last ones are kept.

Here: files for Python and for FFmpeg, which itself opens no address. Not here: requests (`objects`).
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from typing import Final

from dataset_assets.addresses import Address
from dataset_assets.video.objects import ObjectState, read_range, state_of

# FFmpeg reads 32 KiB at a time and seeks a lot: with blocks of 1 MiB an attempt takes 4 requests and 4 MB,
# with requests of its own 15, with blocks of 4 MiB 2 and 9 MB.
BLOCK_BYTES: Final = 1 << 20
# 16 for each of the four handles that one lane has on a film.
KEPT_BLOCKS: Final = 64


class _KeptBlocks:
    """The blocks that were used last by this process, whichever handle read them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._blocks: OrderedDict[tuple[Address, ObjectState, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, address: Address, state: ObjectState, number: int) -> bytes:
        """Return a block; raises what `read_range` does."""
        place = address, state, number
        with self._lock:
            if place in self._blocks:
                self._blocks.move_to_end(place)
                return self._blocks[place]
        start = number * BLOCK_BYTES
        # Without the lock: two threads that want the same block both read it, which is rare.
        _, block = read_range(address, start, min(start + BLOCK_BYTES, state.size_bytes), state)
        with self._lock:
            self._blocks[place] = block
            while len(self._blocks) > self._most:
                self._blocks.popitem(last=False)
        return block


_kept = _KeptBlocks(KEPT_BLOCKS)


class ObjectFile(io.RawIOBase):
    """An object, or a range of it, as a file that is open for reading."""

    def __init__(self, address: Address, first_byte: int = 0, end_byte: int | None = None) -> None:
        """Ask for the object's state, which it must have until it is closed.

        Args:
            address: The object.
            first_byte: The first byte of the range.
            end_byte: The byte behind its last one; the object's end where None.

        Raises:
            VideoError: As `objects.state_of`.
        """
        super().__init__()
        self._address = address
        self._state = state_of(address)
        self._first = first_byte
        self._size = (self._state.size_bytes if end_byte is None else end_byte) - first_byte
        self._position = 0

    @property
    def size_bytes(self) -> int:
        """Bytes of the object, or of its range."""
        return self._size

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte, from the start, the present place or the end; return it."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise ValueError("a place before the file's start")
        self._position = origin + offset
        return self._position

    def tell(self) -> int:
        """Return the present place."""
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read into a buffer, up to the end of a block; return how many bytes, 0 at the end.

        Raises:
            VideoError: As `objects.read_range`.
        """
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        number, offset = divmod(self._first + self._position, BLOCK_BYTES)
        content = _kept.read(self._address, self._state, number)[offset : offset + wanted]
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


class FFmpegFile:
    """An object as FFmpeg reads it: where a read fails it sees the end, and the reader raises what failed.

    FFmpeg may pass over an error, and PyAV drops what is no `Exception`, such as an interrupt.

    Attributes:
        name: The film's file name, by which FFmpeg recognises some containers.
    """

    def __init__(self, address: Address, first_byte: int = 0, end_byte: int | None = None) -> None:
        """Open the object, with the arguments and errors of `ObjectFile`."""
        self.name = address.name
        self._file = ObjectFile(address, first_byte, end_byte)
        self._failure: BaseException | None = None

    def read(self, size: int) -> bytes:
        """Read some bytes; none at the end, and where a read has failed."""
        try:
            return b"" if self._failure is not None else self._file.read(size) or b""
        except BaseException as error:  # raised by `raise_failure`
            self._failure = error
            return b""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte, as a file does; return it."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the present place."""
        return self._file.tell()

    def raise_failure(self) -> None:
        """Raise what a read failed of, if one did."""
        if self._failure is not None:
            raise self._failure
