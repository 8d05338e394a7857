"""Leases in an object store, whose conditional requests do what a folder does by exclusive creation.

An object is created only where there is none of its name, and a beat is written only over the last one that
this process wrote. Not here: the rules (`leases`).
"""

from __future__ import annotations

from typing import Final

from dataset_assets import layout
from dataset_assets.dataset.leases import FREE
from dataset_assets.object_store import ObjectStore, StoreError

_FOLDER: Final = layout.LEASES.as_posix()
# A beat that hangs must not keep the next one from being written, of which there are six before the end.
_TIMEOUTS_PER_LEASE: Final = 12
_MIN_TIMEOUT_S: Final = 1.0


class StoredLeases:
    """Leases in an object store."""

    def __init__(self, url: str, lease_s: float) -> None:
        """Store the arguments; nothing is opened.

        Args:
            url: Address of the data set in the store.
            lease_s: Seconds without a beat after which a film may be taken over.
        """
        timeout_s = max(lease_s / _TIMEOUTS_PER_LEASE, _MIN_TIMEOUT_S)
        self._reading = ObjectStore(url, timeout_s=timeout_s, retry_s=lease_s / 2)
        # Not repeated by itself: a creation whose answer was lost would be refused the second time.
        self._writing = ObjectStore(url, timeout_s=timeout_s, retry_s=0)
        # The ETag of each object that this process wrote last, and what it may have written since: the
        # answers to those requests were lost.
        self._written: dict[str, tuple[str, tuple[bytes, ...]]] = {}

    def held_keys(self) -> list[str]:
        """List the keys of the films that are held, sorted.

        Their sizes show which say that they are free: 5,000 films cost 10 requests, not 10,000.
        """
        newest: dict[str, tuple[int, int]] = {}
        for each in self._reading.objects(_FOLDER):
            key, _, number = each.name.removeprefix(f"{_FOLDER}/").rpartition("/")
            if number.isdecimal():
                newest[key] = max(newest.get(key, (0, 0)), (int(number), each.size_bytes))
        return sorted(key for key, (_, size_bytes) in newest.items() if size_bytes != len(FREE))

    def numbers(self, key: str) -> list[int]:
        """List the numbers of a key's objects, in no order."""
        names = [each.name.rpartition("/")[2] for each in self._reading.objects(f"{_FOLDER}/{key}")]
        return [int(name) for name in names if name.isdecimal()]

    def create(self, key: str, number: int, content: bytes) -> bool:
        """Create an object; return False, and change nothing, where it exists."""
        name = _name(key, number)
        etag = self._writing.create(name, content)
        if etag is not None:
            self._written[name] = etag, ()
        return etag is not None

    def replace(self, key: str, number: int, content: bytes) -> None:
        """Replace the content of an object that this process wrote.

        Raises:
            StoreError: It cannot be written, does not exist, or another wrote it.
        """
        name = _name(key, number)
        etag, unsure = self._written.get(name, ("", ()))
        self._written[name] = etag, (*unsure, content)
        new = self._writing.replace(name, content, etag) if etag else None
        if new is None and unsure:
            found = self._reading.get(name)
            if found is not None and found[1] in unsure:
                new = self._writing.replace(name, content, found[0].etag)
        if new is None:
            raise StoreError(f"{self._writing.url}/{name} was removed, or another machine wrote it", "")
        self._written[name] = new, ()

    def read(self, key: str, number: int) -> tuple[bytes, float] | None:
        """Return an object's content, and when it was written (Unix time); None where it does not exist."""
        found = self._reading.get(_name(key, number))
        return None if found is None else (found[1], found[0].written_s)

    def remove(self, key: str, number: int) -> None:
        """Remove an object; one that is absent is no error."""
        self._written.pop(_name(key, number), None)
        self._reading.delete([_name(key, number)])


def _name(key: str, number: int) -> str:
    return f"{_FOLDER}/{key}/{number}"
