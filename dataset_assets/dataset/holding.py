"""Who may write a video: one process at a time.

One machine: a lock (`flock`), which costs nothing and which the kernel releases when its process ends. Many
machines: a lease, since locks do not reach other machines on every network file system. Which it is stands in
a file of the data set, so that no command of another configuration ignores the leases. Where the data set is
in an object store, so are the leases, and the lock keeps apart the processes that change this machine's copy.
Not here: how leases work (`leases`), and what a holder writes (`work`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from dataset_assets import layout
from dataset_assets.dataset.leases import Beat, Holder, Lease, LeaseFolder, Leases, LeaseStorage
from dataset_assets.dataset.store_leases import StoredLeases
from dataset_assets.disk import locked, make_folder, own_writer, replacing
from dataset_assets.errors import BusyError, DatasetAssetsError
from dataset_assets.object_store import ObjectStore, StoreError

OnBusy = Callable[[Holder], None]
"""Called again and again, with who holds a video, while it is waited for."""

SharedTask = Literal["register", "statistics", "duplicates"]
"""What concerns all videos: registering watched films, updating statistics and pages, comparing videos."""


def refuse_to_wait(holder: Holder) -> None:
    """Raise an error at once, also where nobody knows yet whether the holder is alive: an `OnBusy`.

    Raises:
        BusyError: Always.
    """
    raise BusyError(f"another run works on this video ({holder})", "wait until it has ended")


# The leases of this process: a run takes its video's once, for all of its steps.
_held: Final[dict[tuple[Path, str], Lease]] = {}


@dataclass(frozen=True, slots=True)
class Machines:
    """How a configuration says that a data set is made.

    Attributes:
        are_many: Whether several machines make it at once.
        lease_s: Seconds without a beat after which another machine takes a video over.
        output_url: Address of the data set in an object store; None where it is in its folder.
        digest: With many, hash of this machine's release and settings, see `hosts`.
    """

    are_many: bool
    lease_s: float
    output_url: str | None = None
    digest: str = ""


class Holding:
    """Who holds the videos of a data set."""

    def __init__(self, folder: Path, machines: Machines | None) -> None:
        """Read nothing yet.

        Args:
            folder: The data set's folder.
            machines: What the configuration says; None without one: the data set itself decides.
        """
        self._folder = folder
        self._machines = machines
        self._is_recorded = False

    @property
    def leases(self) -> Leases | None:
        """The leases; None where one machine makes the data set.

        Raises:
            DatasetAssetsError: The data set is made in another way than the configuration says.
        """
        machines = self._agreed()
        if machines is None or not machines.are_many:
            return None
        if machines.output_url is not None:
            storage: LeaseStorage = StoredLeases(machines.output_url, machines.lease_s)
        else:
            storage = LeaseFolder(self._folder / layout.LEASES, self._folder)
        return Leases(storage, machines.lease_s, machines.digest)

    @property
    def output_url(self) -> str | None:
        """Address of the data set in an object store; None where it is in its folder.

        Raises:
            DatasetAssetsError: The data set is made in another way than the configuration says.
        """
        machines = self._agreed()
        return None if machines is None else machines.output_url

    @contextmanager
    def hold(self, key: str, on_busy: OnBusy | None = None) -> Iterator[Lease | None]:
        """Hold a video; with many machines also where this process holds it already.

        Args:
            key: The video's key.
            on_busy: With many machines, called again and again while another run holds it, until it is
                free. Without, that is an error.

        Yields:
            Its lease; None where one machine makes the data set.

        Raises:
            BusyError: Another run holds it.
            DatasetAssetsError: The data set is made in another way than the configuration says.
            OSError: The disk cannot be written.
        """
        leases = self.leases
        if leases is None:
            with self._locked(key):
                yield None
            return
        place = self._folder, key
        if place in _held:
            yield _held[place]
            return
        self.record()
        with leases.hold(key, on_busy=on_busy) as lease, ExitStack() as stack:
            if self.output_url is not None:
                stack.enter_context(self.copy_locked(key))
            _held[place] = lease
            try:
                yield lease
            finally:
                del _held[place]

    @contextmanager
    def alone(self, task: SharedTask) -> Iterator[None]:
        """Let one of many machines at a time do what concerns all videos; others wait.

        Raises:
            DatasetAssetsError: The data set is made in another way than the configuration says.
            OSError: The disk cannot be written.
        """
        leases = self.leases
        if leases is None:
            yield
            return
        # No video's key begins with a point. Losing it costs nothing: files are replaced in one step.
        with leases.hold(f".{task}", on_busy=lambda _: None, on_lost=lambda _: None):
            yield

    def is_held(self, key: str) -> bool:
        """Return whether a run holds a video, as far as this machine can see at once."""
        leases = self.leases
        if leases is not None:
            return leases.is_held(key)
        try:
            with self._locked(key):
                return False
        except BusyError:
            return True

    def beats(self) -> dict[str, Beat]:
        """Return the last beat of each video that a machine holds, by key; none on one machine."""
        leases = self.leases
        return {} if leases is None else {beat.key: beat for beat in leases.beats()}

    def record(self) -> None:
        """Record in the data set that many machines make it, and how; nothing where one does.

        Raises:
            DatasetAssetsError: It is recorded otherwise.
            OSError: The disk or the store cannot be written.
        """
        machines = self._machines or self._recorded()
        if machines is None or not machines.are_many or self._is_recorded:
            return
        if machines.output_url is not None:
            self._record_in_store(machines.output_url, machines.lease_s)
        self.record_here()
        self._is_recorded = True

    def record_here(self) -> None:
        """Record it in the folder alone: a copy can be read where nothing may be written to the store.

        Raises:
            DatasetAssetsError: It is recorded otherwise.
            OSError: The disk cannot be written.
        """
        machines, path = self._machines or self._recorded(), self._folder / layout.MACHINES
        if machines is None:
            return
        self._compare(self._recorded(), machines)
        if not path.exists():
            content = {"lease_s": machines.lease_s, "output_url": machines.output_url}
            make_folder(path.parent, self._folder)
            # Processes that start together all write it.
            with replacing(path, writer=own_writer()) as file:
                file.write(json.dumps({name: value for name, value in content.items() if value}).encode())

    @contextmanager
    def copy_locked(self, key: str, *, waits: bool = True) -> Iterator[None]:
        """Keep other processes of this machine from changing its copy of what a store has of a video.

        Args:
            key: The video's key.
            waits: Whether to wait for one that does.

        Raises:
            BusyError: One does, and it is not waited for.
        """
        with self._locked(key, waits=waits):
            yield

    @contextmanager
    def _locked(self, key: str, *, waits: bool = False) -> Iterator[None]:
        folder = self._folder / layout.LOCKS
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(folder / f"{key}.lock", waits=waits))
            except BlockingIOError as error:
                raise BusyError(
                    f"{key}: another run works on this video",
                    "wait until it has ended, or stop it, and start again",
                ) from error
            yield

    def _agreed(self) -> Machines | None:
        """Return how the data set is made; None where neither it nor a configuration says.

        Raises:
            DatasetAssetsError: The data set is made in another way than the configuration says.
        """
        recorded = self._recorded()
        if self._machines is not None:
            self._compare(recorded, self._machines)
        return self._machines or recorded

    def _compare(self, recorded: Machines | None, wanted: Machines) -> None:
        """Raise if the data set is made in another way than the configuration says."""
        file = self._folder / layout.MACHINES
        if recorded is None:
            if wanted.output_url is not None and self._has_tables():
                raise self._not_a_copy(wanted.output_url)
            return
        if recorded.output_url != wanted.output_url:
            if recorded.output_url is None and wanted.output_url is not None:
                raise self._not_a_copy(wanted.output_url)
            raise DatasetAssetsError(
                f"{self._folder} is a copy of the data set in {recorded.output_url}, and "
                f"base_settings.output_url is {wanted.output_url or 'not set'}",
                "set it to that address, or name another folder as output_base_dir",
            )
        if not wanted.are_many:
            raise DatasetAssetsError(
                f"many machines make the data set in {self._folder}, and base_settings.machines is "
                '"one", so that two of them could write the same files',
                f'set it to "many", or delete {file} once no other machine works on the data set',
            )
        if wanted.lease_s != recorded.lease_s:
            raise self._other_lease(wanted.lease_s, recorded.lease_s, str(self._folder), str(file))

    def _not_a_copy(self, url: str) -> DatasetAssetsError:
        return DatasetAssetsError(
            f"{self._folder} holds a data set of its own, not a copy of {url} (base_settings.output_url)",
            "name another folder as output_base_dir; docs/many-machines.md shows how to move one there",
        )

    @staticmethod
    def _other_lease(wanted_s: float, recorded_s: float, where: str, file: str) -> DatasetAssetsError:
        return DatasetAssetsError(
            f"base_settings.lease_s is {wanted_s:g}, and the machines that make the data set in "
            f"{where} use {recorded_s:g}",
            f"use the same configuration on all machines, or delete {file} once none of them works on it",
        )

    def _has_tables(self) -> bool:
        return any(
            (self._folder / layout.METADATA / name).exists() for name in ("videos", "windows", "patches")
        )

    def _recorded(self) -> Machines | None:
        """Return how many machines make the data set; None where one does."""
        try:
            content = (self._folder / layout.MACHINES).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _machines(content, str(self._folder / layout.MACHINES))

    def _record_in_store(self, url: str, lease_s: float) -> None:
        store, name = ObjectStore(url), layout.MACHINES.as_posix()
        content = json.dumps({"lease_s": lease_s}).encode()
        if store.create(name, content) is not None:
            if store.create(name, content) is not None:
                raise StoreError(
                    f"{url} overwrites what may only be created (If-None-Match), so that two machines could "
                    "work on one film",
                    "use a store with conditional writes, or a newer release of this one; `dataset-assets "
                    "doctor` tries it",
                )
            return
        found = store.get(name)
        recorded = None if found is None else _machines(found[1], f"{url}/{name}")
        if recorded is not None and recorded.lease_s != lease_s:
            raise self._other_lease(lease_s, recorded.lease_s, url, f"{url}/{name}")


def _machines(content: bytes, where: str) -> Machines:
    try:
        found = json.loads(content)
        url = found.get("output_url")
        return Machines(True, float(found["lease_s"]), None if url is None else str(url))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DatasetAssetsError(
            f"{where} is damaged", "delete it while no machine works on the data set"
        ) from error
