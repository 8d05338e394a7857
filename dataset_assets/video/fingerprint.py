"""The fingerprint of a film's file, to compare it later without reading all of it.

An object at an address has its ETag in place of a modification time: one that was uploaded again, or in parts
of another size, has another ETag and the same content.

Here: taking, storing and comparing fingerprints. Not here: waiting for files that are away (`source`).
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from dataset_assets.addresses import Address, FilmPath
from dataset_assets.errors import SourceChangedError, VideoError
from dataset_assets.video.film_files import FileState, is_there, open_film, seen

CHUNK_BYTES: Final = 1 << 20
SEPARATOR: Final = "-"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file's content at one moment, as `<size>-<version>-<hash>` where it is written down.

    Attributes:
        size_bytes: Its size.
        version: What changes whenever it is written, see `FileState`. A copy of the file has another one.
        content_hash: BLAKE2b of 128 bits of its start, middle and end, in hexadecimal digits.
    """

    size_bytes: int
    version: str
    content_hash: str

    @classmethod
    def of(cls, film: FilmPath) -> Fingerprint:
        """Take the fingerprint of a film's file: 3 MiB of it are read.

        Raises:
            OSError: The file cannot be read.
            VideoError: The object cannot be read.
        """
        state = FileState.of(film)
        is_object = isinstance(film, Address)
        hash_ = _object_hash(film, state) if is_object else _content_hash(film, state.size_bytes)
        return cls(state.size_bytes, state.version, hash_)

    @classmethod
    def parse(cls, text: str) -> Fingerprint:
        """Read what `str` of a fingerprint gave.

        Raises:
            ValueError: It is no fingerprint.
        """
        size_bytes, version, content_hash = text.split(SEPARATOR)
        return cls(int(size_bytes), version, content_hash)

    def __str__(self) -> str:
        return SEPARATOR.join((str(self.size_bytes), self.version, self.content_hash))

    @property
    def content(self) -> str:
        """The part that a copy of the file shares."""
        return _content(self.size_bytes, self.content_hash)

    def has_same_content(self, other: Fingerprint) -> bool:
        """Return whether both are of the same content, even if the files' times differ."""
        return self.content == other.content

    def is_of(self, film: FilmPath) -> bool:
        """Return whether a film's file still has this content; True if it is missing.

        Only where size is equal and the version is not (a copy, a restored backup) is the file read.
        """
        try:
            state = FileState.of(film)
            if self.size_bytes != state.size_bytes:
                return False
            return self.version == state.version or self.has_same_content(Fingerprint.of(film))
        except SourceChangedError:
            return False
        except VideoError:
            return True
        except OSError:
            return not is_there(film)

    def was_of(self, film: FilmPath) -> bool:
        """Return the same as `is_of` by what was seen of a film last.

        Its store is asked again only where the content differs: a run may have read a newer object.
        """
        if isinstance(film, Address):
            state = seen(film)
            if state is None or (self.size_bytes, self.version) == (state.size_bytes, state.version):
                return True
            with suppress(VideoError):
                if self.content == _content(state.size_bytes, _object_hash(film, state)):
                    return True
        return self.is_of(film)


def _content(size_bytes: int, content_hash: str) -> str:
    return SEPARATOR.join((str(size_bytes), content_hash))


def _content_hash(film: FilmPath, size_bytes: int) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with open_film(film) as file:
        for offset in (0, size_bytes // 2, max(0, size_bytes - CHUNK_BYTES)):
            file.seek(offset)
            digest.update(file.read(CHUNK_BYTES))
    return digest.hexdigest()


@lru_cache(maxsize=1024)
def _object_hash(film: Address, state: FileState) -> str:
    """Return the hash of an object, which each version of it has once."""
    return _content_hash(film, state.size_bytes)
