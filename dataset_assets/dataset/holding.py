"""Who may write a video: one process at a time.

One machine: a lock (`flock`), which costs nothing and which the kernel releases when its process ends. Many
machines: a lease, since locks do not reach other machines on every network file system. Which it is stands in
a file of the data set, so that no command of another configuration ignores the leases. Not here: how leases
work (`leases`), and what a holder writes (`work`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from dataset_assets import layout
from dataset_assets.dataset.leases import Beat, Holder, Lease, LeaseFolder, Leases
from dataset_assets.disk import locked, make_folder, own_writer, replacing
from dataset_assets.errors import BusyError, DatasetAssetsError

OnBusy = Callable[[Holder], None]
"""Called again and again, with who holds a video, while it is waited for."""

SharedTask = Literal["register", "statistics"]
"""What concerns all videos: registering watched films, updating statistics and pages."""


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
        digest: With many, hash of this machine's release and settings, see `hosts`.
    """

    are_many: bool
    lease_s: float
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

    @property
    def leases(self) -> Leases | None:
        """The leases; None where one machine makes the data set.

        Raises:
            DatasetAssetsError: The data set is made in another way than the configuration says.
        """
        recorded, wanted = self._recorded(), self._machines
        file = self._folder / layout.MACHINES
        if recorded is not None and wanted is not None and not wanted.are_many:
            raise DatasetAssetsError(
                f"many machines make the data set in {self._folder}, and base_settings.machines is "
                '"one", so that two of them could write the same files',
                f'set it to "many", or delete {file} once no other machine works on the data set',
            )
        if recorded is not None and wanted is not None and wanted.lease_s != recorded:
            raise DatasetAssetsError(
                f"base_settings.lease_s is {wanted.lease_s:g}, and the machines that make the data set in "
                f"{self._folder} use {recorded:g}",
                f"use the same configuration on all machines, or delete {file} once none of them works on it",
            )
        lease_s = recorded if wanted is None else wanted.lease_s if wanted.are_many else None
        if lease_s is None:
            return None
        digest = wanted.digest if wanted is not None else ""
        return Leases(LeaseFolder(self._folder / layout.LEASES, self._folder), lease_s, digest)

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
        self._record(leases.lease_s)
        with leases.hold(key, on_busy=on_busy) as lease:
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

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        folder = self._folder / layout.LOCKS
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(folder / f"{key}.lock", waits=False))
            except BlockingIOError as error:
                raise BusyError(
                    f"{key}: another run works on this video",
                    "wait until it has ended, or stop it, and start again",
                ) from error
            yield

    def _recorded(self) -> float | None:
        """Return the `lease_s` of the machines that make the data set; None where it is one."""
        try:
            return float(json.loads((self._folder / layout.MACHINES).read_bytes())["lease_s"])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise DatasetAssetsError(
                f"{self._folder / layout.MACHINES} is damaged",
                "delete it while no machine works on the data set",
            ) from error

    def _record(self, lease_s: float) -> None:
        path = self._folder / layout.MACHINES
        if not path.exists():
            make_folder(path.parent, self._folder)
            # Machines that start together all write it.
            with replacing(path, writer=own_writer()) as file:
                file.write(json.dumps({"lease_s": lease_s}).encode())
