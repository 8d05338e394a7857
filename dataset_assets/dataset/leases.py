"""Leases: the right to write one film of a data set that several machines make.

A lease is a row of numbered files, `<key>/<number>`. Whoever creates the next number holds the film; the
number distinguishes its temporary files and its journal from those of earlier holders. A holder replaces the
content of its file every few seconds (a *beat*). Whoever wants the film takes it over once it has seen the
same content for `lease_s` seconds of its own clock, so that no two clocks are compared. A holder that could
not beat for half as long ends its process: the other half is for what the kernel still writes.

The storage has to do one thing reliably: create a file unless it exists. NFS, SMB, Lustre and object stores
do; locks they do not all have. Here: the rules, and leases in a folder. Not here: what a holder writes
(`work`).
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, NoReturn, Protocol

from dataset_assets.disk import flush, make_folder
from dataset_assets.errors import BusyError
from dataset_assets.process import host_name, machine_identity, process_identity

LOST_LEASE_EXIT_CODE: Final = 76
FREE: Final = b"free"
_BEATS_PER_LEASE: Final = 12
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the first goes on during a suspend


class LeaseStorage(Protocol):
    """Where leases are: a folder that all machines see, or an object store."""

    def held_keys(self) -> list[str]:
        """List the keys that have a lease, sorted."""

    def numbers(self, key: str) -> list[int]:
        """List the numbers of a key's files, in no order."""

    def create(self, key: str, number: int, content: bytes) -> bool:
        """Create a file; return False, and change nothing, where it exists."""

    def replace(self, key: str, number: int, content: bytes) -> None:
        """Replace the content of a file.

        Raises:
            OSError: It cannot be written, or does not exist.
        """

    def read(self, key: str, number: int) -> tuple[bytes, float] | None:
        """Return a file's content, and when it was written (Unix time); None where it does not exist."""

    def remove(self, key: str, number: int) -> None:
        """Remove a file; one that is absent is no error."""


class LeaseFolder:
    """Leases in a folder of the data set."""

    def __init__(self, folder: Path, root: Path) -> None:
        """Store the folder; it is made when there is something to keep.

        Args:
            folder: The folder of the leases.
            root: The data set's folder.
        """
        self._folder = folder
        self._root = root

    def held_keys(self) -> list[str]:
        """List the keys that have a lease, sorted."""
        return sorted(_names(self._folder))

    def numbers(self, key: str) -> list[int]:
        """List the numbers of a key's files, in no order."""
        return [int(name) for name in _names(self._folder / key) if name.isdecimal()]

    def create(self, key: str, number: int, content: bytes) -> bool:
        """Create a file; return False, and change nothing, where it exists."""
        path = self._path(key, number)
        make_folder(path.parent, self._root)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            return False
        self._write(descriptor, content)
        flush(path.parent)
        return True

    def replace(self, key: str, number: int, content: bytes) -> None:
        """Replace the content of a file.

        Raises:
            OSError: It cannot be written, or does not exist.
        """
        # Never creates it: a file that was removed is a lease that was lost.
        self._write(os.open(self._path(key, number), os.O_WRONLY), content)

    def read(self, key: str, number: int) -> tuple[bytes, float] | None:
        """Return a file's content, and when it was written (Unix time); None where it does not exist."""
        try:
            with self._path(key, number).open("rb") as file:
                return file.read(), os.fstat(file.fileno()).st_mtime
        except FileNotFoundError:
            return None

    def remove(self, key: str, number: int) -> None:
        """Remove a file; one that is absent is no error."""
        self._path(key, number).unlink(missing_ok=True)

    def _path(self, key: str, number: int) -> Path:
        return self._folder / key / str(number)

    @staticmethod
    def _write(descriptor: int, content: bytes) -> None:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.truncate()
            file.flush()
            os.fsync(descriptor)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a film.

    Attributes:
        host: Name of its machine.
        machine: Identity of its machine since it was started, and of what processes it sees there.
        pid: Its process.
        process: Identity of that process.
        beat: Counts its beats.
        digest: Hash of its release and settings, see `hosts`; empty where it has no configuration.
    """

    host: str
    machine: str
    pid: int
    process: str
    beat: int = 0
    digest: str = ""

    @classmethod
    def of_this_process(cls, digest: str = "") -> Holder:
        """Return this process as a holder.

        Args:
            digest: Hash of its release and settings.
        """
        pid = os.getpid()
        return cls(host_name(), machine_identity(), pid, process_identity(pid) or "", digest=digest)

    @property
    def is_gone(self) -> bool:
        """Whether its process was one of this machine and has ended; False where that cannot be known."""
        return self.is_here and self.process != process_identity(self.pid)

    @property
    def is_here(self) -> bool:
        """Whether its process is, or was, one of those that this process sees."""
        return bool(self.machine) and self.machine == machine_identity()

    def __str__(self) -> str:
        return f"process {self.pid} of {self.host}"


@dataclass(frozen=True, slots=True)
class Beat:
    """The last beat of a holder.

    Attributes:
        key: The film.
        number: Number of the lease.
        holder: Who holds it.
        beaten_s: When it was written, Unix time by the clock of the storage.
    """

    key: str
    number: int
    holder: Holder
    beaten_s: float


class Leases:
    """The leases of a data set."""

    def __init__(self, storage: LeaseStorage, lease_s: float, digest: str = "") -> None:
        """Read nothing yet.

        Args:
            storage: Where they are.
            lease_s: Seconds without a beat after which a film may be taken over; the same on all machines.
            digest: Hash of this process's release and settings, shown to the others while it holds a film.
        """
        self._storage = storage
        self.lease_s = lease_s
        self._digest = digest

    def beats(self) -> list[Beat]:
        """Return the last beat of each film that is held, by key; also of holders that were killed."""
        keys = (key for key in self._storage.held_keys() if not key.startswith("."))
        return [beat for key in keys if (beat := self.beat(key)) is not None]

    def beat(self, key: str) -> Beat | None:
        """Return the last beat of a film's holder; None where nobody holds it."""
        number = self._newest(key)
        found = self._storage.read(key, number) if number else None
        if found is None or found[0] == FREE:
            return None
        return Beat(key, number, _holder(found[0]), found[1])

    def is_held(self, key: str) -> bool:
        """Return whether a live process holds a film, as far as can be seen without waiting for a beat.

        False where it has not beaten for `lease_s` by this machine's clock, and where it was a process of
        this machine that has ended.
        """
        beat = self.beat(key)
        return beat is not None and self.is_alive(beat)

    def is_alive(self, beat: Beat) -> bool:
        """Return whether a beat's holder is alive, as far as can be seen without waiting for another beat."""
        return not beat.holder.is_gone and time.time() - beat.beaten_s < self.lease_s

    @contextmanager
    def hold(
        self,
        key: str,
        *,
        on_busy: Callable[[Holder], None] | None = None,
        on_lost: Callable[[str], None] | None = None,
    ) -> Iterator[Lease]:
        """Hold a film.

        Args:
            key: The film.
            on_busy: Called again and again while another holds it and beats, until it is free. Without, a
                beat of another is an error; where there is none for `lease_s`, the film is taken over.
            on_lost: Called once the lease is lost, in another thread; ends the process by default.

        Raises:
            BusyError: Another holds it, and it is not waited for.
            OSError: The storage cannot be written.
        """
        me = Holder.of_this_process(self._digest)
        lease = Lease(self._storage, key, self._take(key, me, on_busy), me, self.lease_s, on_lost or _end)
        try:
            yield lease
        finally:
            lease.release()

    def _take(self, key: str, me: Holder, on_busy: Callable[[Holder], None] | None) -> int:
        seen: tuple[int, bytes] | None = None
        seen_s = time.monotonic()
        while True:
            newest = self._newest(key)
            found = self._storage.read(key, newest) if newest else (FREE, 0.0)
            content = b"" if found is None else found[0]
            now_s = time.monotonic()
            # A new number is a sign of life too: of several that start together, one takes the film, and the
            # others need not wait for its first beat before they take another.
            is_news = (newest, content) != seen
            has_beaten = is_news and seen is not None and content != FREE
            if is_news:
                seen, seen_s = (newest, content), now_s
            holder = _holder(content)
            if content == FREE or holder.is_gone or now_s - seen_s > self.lease_s:
                if self._create(key, newest + 1, me):
                    return newest + 1
                continue
            if on_busy is not None:
                on_busy(holder)
            elif has_beaten:
                raise BusyError(
                    f"{key}: another run works on this video ({holder})",
                    "wait until it has ended, or stop it, and start again",
                )
            time.sleep(min(1.0, self.lease_s / _BEATS_PER_LEASE / 2))

    def _create(self, key: str, number: int, me: Holder) -> bool:
        if not self._storage.create(key, number, _content(me)):
            return False
        numbers = self._storage.numbers(key)
        if max(numbers, default=number) > number:
            # This process slept before it created the file, whose number was used and removed meanwhile.
            self._storage.remove(key, number)
            return False
        # The one before stays: its holder, if it still lives, must not find the number of its own free.
        for earlier in numbers:
            if earlier < number - 1:
                self._storage.remove(key, earlier)
        return True

    def _newest(self, key: str) -> int:
        return max(self._storage.numbers(key), default=0)


class Lease:
    """The right to write a film, kept alive by a thread while this process can write its beats.

    Attributes:
        key: The film.
        number: Its number.
    """

    def __init__(
        self,
        storage: LeaseStorage,
        key: str,
        number: int,
        holder: Holder,
        lease_s: float,
        on_lost: Callable[[str], None],
    ) -> None:
        """Start to beat; called once the file with the number was created."""
        self.key = key
        self.number = number
        self._storage = storage
        self._holder = holder
        self._beat_s, self._fence_s = lease_s / _BEATS_PER_LEASE, lease_s / 2
        self._on_lost = on_lost
        self._ended = threading.Event()
        self._written_s = time.clock_gettime(_CLOCK)
        self._is_taken = False
        self._threads = [
            threading.Thread(target=each, name=f"lease of {key}", daemon=True)
            for each in (self._beat, self._watch)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_lost(self) -> bool:
        """Whether this process may no longer write: another may take the film over, or has."""
        return self._is_taken or time.clock_gettime(_CLOCK) - self._written_s > self._fence_s

    def check(self) -> None:
        """End the process if the lease is lost: called before anything gets a name or is deleted."""
        if self.is_lost:
            self._on_lost(self.key)

    def release(self) -> None:
        """Make the film free for others."""
        self._ended.set()
        for thread in self._threads:
            thread.join(self._beat_s)  # not for ever: a disk that is away lets a beat hang
        with suppress(OSError):  # others wait `lease_s` then
            if not self.is_lost and max(self._storage.numbers(self.key), default=0) == self.number:
                self._storage.replace(self.key, self.number, FREE)

    def _beat(self) -> None:
        beats = 0
        while not self._ended.wait(self._beat_s):
            began_s = time.clock_gettime(_CLOCK)
            with suppress(OSError):
                if max(self._storage.numbers(self.key), default=0) > self.number:
                    self._is_taken = True
                    return
                beats += 1
                self._storage.replace(self.key, self.number, _content(self._holder, beats))
                self._written_s = began_s

    def _watch(self) -> None:
        while not self._ended.wait(self._beat_s / 10):
            if self.is_lost:
                self._on_lost(self.key)
                return


def _end(key: str) -> NoReturn:
    os._exit(LOST_LEASE_EXIT_CODE)


def _content(holder: Holder, beat: int = 0) -> bytes:
    return json.dumps(asdict(holder) | {"beat": beat}).encode()


def _holder(content: bytes) -> Holder:
    """Return who wrote a lease; an unknown one where its content is not there yet."""
    try:
        return Holder(**json.loads(content))
    except (ValueError, TypeError):
        return Holder("another machine", "", 0, "")


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
