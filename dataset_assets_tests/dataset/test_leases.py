"""Leases: one holder of a film at any moment, whoever is killed, frozen or away."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.context import ForkProcess
from pathlib import Path
from unittest.mock import patch

import pytest

from dataset_assets.dataset import leases as module
from dataset_assets.dataset.leases import LOST_LEASE_EXIT_CODE, Holder, LeaseFolder, Leases
from dataset_assets.errors import BusyError
from dataset_assets.process import machine_identity
from dataset_assets_tests.command import wait_until

KEY = "film"
LONG_S, SHORT_S = 3600.0, 0.6
FORK = multiprocessing.get_context("fork")


def leases_in(folder: Path, lease_s: float) -> Leases:
    return Leases(LeaseFolder(folder / "leases", folder), lease_s)


def hold(folder: Path, lease_s: float, machine: str) -> None:
    """Holds the film until this process is ended; a file says that it does."""
    with (
        patch.object(module, "machine_identity", lambda: machine),
        leases_in(folder, lease_s).hold(KEY, on_busy=lambda _: None),
    ):
        (folder / "holds").touch()
        threading.Event().wait()


@pytest.fixture
def holders(tmp_path: Path) -> Iterator[list[ForkProcess]]:
    started: list[ForkProcess] = []
    yield started
    for process in started:
        process.kill()
        process.join()


def started(
    holders: list[ForkProcess], folder: Path, lease_s: float, machine: str = "another"
) -> ForkProcess:
    process = FORK.Process(target=hold, args=(folder, lease_s, machine))
    process.start()
    holders.append(process)
    wait_until((folder / "holds").exists, "it holds the film")
    return process


def take_turns(folder: Path, process: int) -> None:
    for turn in range(10):
        with leases_in(folder, LONG_S).hold(KEY, on_busy=lambda _: None) as lease:
            (folder / "inside").touch(exist_ok=False)
            (folder / f"turn {lease.number} of {process}.{turn}").touch()
            (folder / "inside").unlink()


def test_at_most_one_of_four_processes_holds_a_film(tmp_path: Path) -> None:
    with patch.object(time, "sleep", lambda _: None):
        processes = [FORK.Process(target=take_turns, args=(tmp_path, number)) for number in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    numbers = [int(path.name.split()[1]) for path in tmp_path.glob("turn *")]
    assert sorted(numbers) == list(range(1, 41))
    # The number before the last stays, for a holder that has not noticed yet.
    assert sorted(path.name for path in (tmp_path / "leases" / KEY).iterdir()) == ["39", "40"]


def test_a_film_that_was_given_back_is_free_at_once(tmp_path: Path) -> None:
    leases = leases_in(tmp_path, LONG_S)
    with leases.hold(KEY) as lease:
        assert lease.number == 1
        assert leases.is_held(KEY)
        assert [beat.holder.pid for beat in leases.beats()] == [os.getpid()]
    assert not leases.is_held(KEY)
    assert leases.beats() == []
    with leases.hold(KEY) as lease:
        assert lease.number == 2


def test_a_living_holder_is_reported_and_another_film_is_free(
    holders: list[ForkProcess], tmp_path: Path
) -> None:
    process = started(holders, tmp_path, 6.0)
    leases = leases_in(tmp_path, 6.0)
    assert leases.is_held(KEY)
    with pytest.raises(
        BusyError, match=rf"^film: another run works on this video \(process {process.pid} of"
    ):
        ExitStack().enter_context(leases.hold(KEY))
    with leases.hold("other"):
        pass


def test_who_waits_goes_on_once_the_holder_gives_the_film_back(tmp_path: Path) -> None:
    leases, seen = leases_in(tmp_path, LONG_S), threading.Event()
    numbers = []

    def wait() -> None:
        with leases.hold(KEY, on_busy=lambda _: seen.set()) as lease:
            numbers.append(lease.number)

    with leases.hold(KEY):
        waiter = threading.Thread(target=wait)
        waiter.start()
        assert seen.wait(60)
        assert numbers == []
    waiter.join()
    assert numbers == [2]


def test_a_killed_holder_of_this_machine_is_noticed_at_once(
    holders: list[ForkProcess], tmp_path: Path
) -> None:
    process = started(holders, tmp_path, LONG_S, machine_identity())
    process.kill()
    process.join()
    leases = leases_in(tmp_path, LONG_S)
    assert not leases.is_held(KEY)
    with leases.hold(KEY) as lease:  # not after an hour
        assert lease.number == 2


def test_a_killed_holder_of_another_machine_is_noticed_after_the_lease(
    holders: list[ForkProcess], tmp_path: Path
) -> None:
    process = started(holders, tmp_path, 1.5)
    process.kill()
    process.join()
    began_s = time.monotonic()
    with leases_in(tmp_path, 1.5).hold(KEY) as lease:
        assert lease.number == 2
        assert time.monotonic() - began_s >= 1.5  # as long as anybody must have been silent


def test_a_holder_that_was_frozen_ends_itself_when_it_wakes(
    holders: list[ForkProcess], tmp_path: Path
) -> None:
    process = started(holders, tmp_path, SHORT_S)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    with leases_in(tmp_path, SHORT_S).hold(KEY) as lease:
        os.kill(process.pid, signal.SIGCONT)
        process.join()
        assert process.exitcode == LOST_LEASE_EXIT_CODE
        assert not lease.is_lost


def test_a_holder_whose_disk_is_away_ends_itself_before_another_can_take_the_film(tmp_path: Path) -> None:
    lost = threading.Event()

    class Away(LeaseFolder):
        is_away = False

        def replace(self, key: str, number: int, content: bytes) -> None:
            if self.is_away:
                raise OSError(5, "Input/output error")
            super().replace(key, number, content)

    storage = Away(tmp_path / "leases", tmp_path)
    with Leases(storage, 1.2).hold(KEY, on_lost=lambda _: lost.set()) as lease:
        storage.is_away = True
        assert lost.wait(60)
        assert lease.is_lost
        beat = leases_in(tmp_path, 1.2).beat(KEY)
        assert beat is not None
        assert time.time() - beat.beaten_s < 1.2  # others still count it as held
        storage.is_away = False
    # What was lost is not given back: another may hold it by now.
    assert leases_in(tmp_path, 1.2).beat(KEY) is not None


def test_who_sleeps_before_it_creates_a_number_that_was_used_takes_a_later_one(tmp_path: Path) -> None:
    class Slow(LeaseFolder):
        has_slept = False

        def create(self, key: str, number: int, content: bytes) -> bool:
            if not self.has_slept:
                self.has_slept = True
                for _ in range(4):
                    with leases_in(tmp_path, LONG_S).hold(KEY):
                        pass
            return super().create(key, number, content)

    with Leases(Slow(tmp_path / "leases", tmp_path), LONG_S).hold(KEY) as lease:
        assert lease.number == 5
        assert sorted(path.name for path in (tmp_path / "leases" / KEY).iterdir()) == ["4", "5"]


def test_of_two_that_take_a_film_together_the_second_is_refused_before_the_first_beats(
    tmp_path: Path,
) -> None:
    class Second(LeaseFolder):
        def create(self, key: str, number: int, content: bytes) -> bool:
            first.enter_context(leases_in(tmp_path, LONG_S).hold(KEY))
            return super().create(key, number, content)

    with ExitStack() as first:
        leases = Leases(Second(tmp_path / "leases", tmp_path), LONG_S)
        with pytest.raises(BusyError), leases.hold(KEY):
            pytest.fail("both hold the film")


def test_a_lease_whose_holder_has_not_written_its_name_yet_is_held(tmp_path: Path) -> None:
    storage = LeaseFolder(tmp_path / "leases", tmp_path)
    assert storage.create(KEY, 1, b"")
    began_s = time.monotonic()
    with Leases(storage, SHORT_S).hold(KEY) as lease:
        assert lease.number == 2
    assert time.monotonic() - began_s >= SHORT_S


def test_a_process_of_another_container_is_not_taken_for_one_of_this_machine() -> None:
    me = Holder.of_this_process()
    assert not me.is_gone
    assert Holder(me.host, me.machine, 2**22, "ended").is_gone
    assert not Holder(me.host, f"{me.machine} of another container", 2**22, "ended").is_gone
    assert not Holder(me.host, "", 2**22, "ended").is_gone
