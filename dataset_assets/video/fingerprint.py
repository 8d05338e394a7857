"""The fingerprint of a film's file, to compare it later without reading all of it.

Here: taking, storing and comparing fingerprints. Not here: waiting for files that are away (`source`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dataset_assets.disk import is_file

CHUNK_BYTES: Final = 1 << 20
SEPARATOR: Final = "-"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file's content at one moment, as `<size>-<modification time>-<hash>` where it is written down.

    Attributes:
        size_bytes: Its size.
        modified_ns: Its modification time, Unix time in nanoseconds. A copy of the file has another one.
        content_hash: BLAKE2b of 128 bits of its start, middle and end, in hexadecimal digits.
    """

    size_bytes: int
    modified_ns: int
    content_hash: str

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        """Take the fingerprint of a file: 3 MiB of it are read.

        Raises:
            OSError: It cannot be read.
        """
        stat = path.stat()
        digest = hashlib.blake2b(digest_size=16)
        with path.open("rb") as file:
            for offset in (0, stat.st_size // 2, max(0, stat.st_size - CHUNK_BYTES)):
                file.seek(offset)
                digest.update(file.read(CHUNK_BYTES))
        return cls(stat.st_size, stat.st_mtime_ns, digest.hexdigest())

    @classmethod
    def parse(cls, text: str) -> Fingerprint:
        """Read what `str` of a fingerprint gave.

        Raises:
            ValueError: It is no fingerprint.
        """
        size_bytes, modified_ns, content_hash = text.split(SEPARATOR)
        return cls(int(size_bytes), int(modified_ns), content_hash)

    def __str__(self) -> str:
        return SEPARATOR.join((str(self.size_bytes), str(self.modified_ns), self.content_hash))

    @property
    def content(self) -> str:
        """The part that a copy of the file shares."""
        return SEPARATOR.join((str(self.size_bytes), self.content_hash))

    def has_same_content(self, other: Fingerprint) -> bool:
        """Return whether both are of the same content, even if the files' times differ."""
        return self.content == other.content

    def is_of(self, path: Path) -> bool:
        """Return whether a file still has this content; True if it is missing.

        Only where size is equal and the modification time is not (a copy, a restored backup) is the file
        read.
        """
        try:
            stat = path.stat()
            if self.size_bytes != stat.st_size:
                return False
            return self.modified_ns == stat.st_mtime_ns or self.has_same_content(Fingerprint.of(path))
        except OSError:
            return not is_file(path)
