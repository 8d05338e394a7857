"""Leases in an object store: one holder of a film at any moment, whoever is killed, frozen or cut off."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest.mock import patch

import pytest

from dataset_assets.dataset import leases as module
from dataset_assets.dataset.leases import LOST_LEASE_EXIT_CODE, Leases
from dataset_assets.dataset.store_leases import StoredLeases
from dataset_assets.errors import BusyError
from dataset_assets.object_store import ObjectStore, StoreError
from dataset_assets_tests.command import wait_until
from dataset_assets_tests.object_stores import URL, Bucket, bucket
from dataset_assets_tests.proxy import proxy_to

__all__ = ["bucket"]

KEY, FOLDER = "film", "metadata/.leases/film"
LONG_S = 3600.0
_CONTEXT = multiprocessing.get_context("forkserver")


def leases_of(lease_s: float) -> Leases:
    return Leases(StoredLeases(URL, lease_s), lease_s)


def hold(folder: Path, lease_s: float, environment: dict[str, str]) -> None:
    """Holds the film until this process is ended; a file says that it does."""
    os.environ.update(environment)
    with (
        patch.object(module, "machine_identity", lambda: "another"),
        leases_of(lease_s).hold(KEY, on_busy=lambda _: None),
    ):
        (folder / "holds").touch()
        threading.Event().wait()


def take_turns(folder: Path, process: int, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    for turn in range(5):
        with leases_of(LONG_S).hold(KEY, on_busy=lambda _: None) as lease:
            (folder / "inside").touch(exist_ok=False)
            (folder / f"turn {lease.number} of {process}.{turn}").touch()
            (folder / "inside").unlink()


@pytest.fixture
def holder(bucket: Bucket, tmp_path: Path) -> Iterator[BaseProcess]:
    """A process of another machine that holds the film, with a lease of 2 seconds."""
    process = _CONTEXT.Process(target=hold, args=(tmp_path, 2.0, dict(os.environ)))
    process.start()
    wait_until((tmp_path / "holds").exists, "it holds the film")
    yield process
    process.kill()
    process.join()


def test_at_most_one_of_four_processes_holds_a_film(bucket: Bucket, tmp_path: Path) -> None:
    processes = [
        _CONTEXT.Process(target=take_turns, args=(tmp_path, number, dict(os.environ))) for number in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    numbers = [int(path.name.split()[1]) for path in tmp_path.glob("turn *")]
    assert sorted(numbers) == list(range(1, 21))
    assert {name for name in bucket.names() if "/.leases/" in name} == {f"{FOLDER}/19", f"{FOLDER}/20"}
    assert bucket.read(f"{FOLDER}/20") == b"free"


def test_a_held_film_is_listed_and_refused_and_a_free_one_is_not(bucket: Bucket) -> None:
    leases = leases_of(LONG_S)
    with leases.hold("other"):
        pass
    with leases.hold(KEY) as lease:
        assert lease.number == 1
        assert leases.is_held(KEY)
        assert [(beat.key, beat.holder.pid) for beat in leases.beats()] == [(KEY, os.getpid())]
        (beat,) = leases.beats()
        assert abs(beat.beaten_s - time.time()) < 60  # by the clock of the store
    assert not leases.is_held(KEY)
    assert leases.beats() == []


def test_a_living_holder_is_reported(holder: BaseProcess) -> None:
    with pytest.raises(BusyError, match=rf"^film: another run works on this video \(process {holder.pid} of"):
        ExitStack().enter_context(leases_of(2.0).hold(KEY))


def test_a_killed_holder_is_noticed_after_the_lease(holder: BaseProcess) -> None:
    holder.kill()
    holder.join()
    began_s = time.monotonic()
    with leases_of(2.0).hold(KEY) as lease:
        assert lease.number == 2
        assert time.monotonic() - began_s >= 2.0  # as long as anybody must have been silent


def test_a_holder_that_was_frozen_ends_itself_when_it_wakes(holder: BaseProcess, bucket: Bucket) -> None:
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGSTOP)
    with leases_of(2.0).hold(KEY) as lease:
        os.kill(holder.pid, signal.SIGCONT)
        holder.join()
        assert holder.exitcode == LOST_LEASE_EXIT_CODE
        assert not lease.is_lost


def test_a_holder_that_is_cut_off_ends_itself_before_another_can_take_the_film(bucket: Bucket) -> None:
    lost = threading.Event()
    with proxy_to(bucket.endpoint) as proxy, patch.dict(os.environ, AWS_ENDPOINT_URL=proxy.endpoint):
        leases = Leases(StoredLeases(URL, 2.5), 2.5)
        with leases.hold(KEY, on_lost=lambda _: lost.set()) as lease:
            proxy.cut()
            assert lost.wait(60)
            assert lease.is_lost
    assert bucket.read(f"{FOLDER}/1") != b"free"  # another may hold it by now: it is not given back


def test_beats_whose_answers_were_lost_are_not_taken_for_those_of_another(bucket: Bucket) -> None:
    replace, losses = ObjectStore.replace, 0

    def lose_answer(store: ObjectStore, *arguments: str) -> str | None:
        nonlocal losses
        etag = replace(store, *arguments)  # type: ignore[arg-type]
        losses += 1
        if losses in (1, 2):
            raise StoreError("the connection was lost", "")
        return etag

    storage = StoredLeases(URL, LONG_S)
    assert storage.create(KEY, 1, b"begun")
    with patch.object(ObjectStore, "replace", lose_answer):
        for content in (b"first", b"second"):
            with pytest.raises(StoreError):
                storage.replace(KEY, 1, content)
        storage.replace(KEY, 1, b"third")
    assert bucket.read(f"{FOLDER}/1") == b"third"
    storage.replace(KEY, 1, b"fourth")
    assert bucket.read(f"{FOLDER}/1") == b"fourth"


def test_no_beat_overwrites_what_another_wrote_or_brings_back_what_was_removed(bucket: Bucket) -> None:
    storage = StoredLeases(URL, LONG_S)
    assert storage.create(KEY, 1, b"mine")
    assert not StoredLeases(URL, LONG_S).create(KEY, 1, b"another's")
    bucket.write(f"{FOLDER}/1", b"another's")
    with pytest.raises(OSError, match="was removed, or another machine wrote it"):
        storage.replace(KEY, 1, b"mine again")
    assert bucket.read(f"{FOLDER}/1") == b"another's"
    bucket.delete(f"{FOLDER}/1")
    with pytest.raises(OSError, match="was removed"):
        storage.replace(KEY, 1, b"mine again")
    assert bucket.names() == []
