"""Signs of life in Redis: keys that a run's process, and a worker, set again and again, and that expire.

A key that is gone means that nothing was heard of its owner for that long: it died, its machine did, it
stands still, or the network is cut. Not here: what follows from that (`celery`).
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

import redis

# A key is set so many times in its lifetime: every 2 s of 30, which is how soon a run is stopped.
BEATS_PER_LIFETIME = 15
SOCKET_TIMEOUT_S = 5.0
# Longer than any film: a process that stands still, or is cut off, is asked to stop until it sees it.
STOP_S = 30 * 24 * 3600
_WORKERS = "dataset_assets:workers"


def connect(url: str) -> redis.Redis:
    """Return a client of a broker, whose calls fail after seconds where it is silent."""
    return redis.Redis.from_url(
        url, socket_timeout=SOCKET_TIMEOUT_S, socket_connect_timeout=SOCKET_TIMEOUT_S, decode_responses=True
    )


def run_key(task_id: str) -> str:
    """Return the key that the process of a run's task sets."""
    return f"dataset_assets:alive:{task_id}"


def stop_key(task_id: str) -> str:
    """Return the key that asks the process of a run's task to stop."""
    return f"dataset_assets:stop:{task_id}"


class Beat:
    """Sets a key until it is stopped, by a thread that does not keep its process from ending."""

    def __init__(
        self,
        url: str,
        lifetime_s: float,
        beat: Callable[[redis.Redis, int], None],
        end: Callable[[redis.Redis], None] = lambda _: None,
    ) -> None:
        """Start the thread.

        Args:
            url: The broker, `redis://...`.
            lifetime_s: Seconds after which a key is gone that is not set again.
            beat: Sets the key on a client, with its lifetime in ms; called `BEATS_PER_LIFETIME` times in one.
            end: Called on the client once it is stopped.
        """
        self._url, self._lifetime_s, self._beat, self._end = url, lifetime_s, beat, end
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="signs of life")
        self._thread.start()

    def stop(self, wait_s: float = 0.0) -> None:
        """Let the thread end, and wait so long at most until it has."""
        self._stop.set()
        if wait_s:
            self._thread.join(wait_s)

    def _run(self) -> None:
        client = connect(self._url)
        lifetime_ms = int(1000 * self._lifetime_s)
        while True:
            with suppress(redis.RedisError):  # the broker is away: the film goes on
                self._beat(client, lifetime_ms)
            if self._stop.wait(self._lifetime_s / BEATS_PER_LIFETIME):
                with suppress(redis.RedisError):
                    self._end(client)
                return


def beat_of_run(url: str, lifetime_s: float, task_id: str) -> Beat:
    """Let the process of a run give signs of life; it interrupts itself once it is asked to stop.

    Args:
        url: The broker.
        lifetime_s: Seconds after which a key is gone that is not set again.
        task_id: The run's Celery task.
    """
    is_stopping = False

    def beat(client: redis.Redis, lifetime_ms: int) -> None:
        nonlocal is_stopping
        client.set(run_key(task_id), os.getpid(), px=lifetime_ms)
        if not is_stopping and client.exists(stop_key(task_id)):
            is_stopping = True  # a second signal would interrupt the commit
            os.kill(os.getpid(), signal.SIGTERM)

    return Beat(url, lifetime_s, beat)


def beat_of_worker(url: str, lifetime_s: float, name: str, places: Callable[[], int]) -> Beat:
    """Let a worker give signs of life, with how many runs it has or takes at a time, until it is stopped.

    A worker that has ended takes no runs: one that counts until its key expires is sent another run, which
    waits in the broker behind the film of the last worker.

    Args:
        url: The broker.
        lifetime_s: Seconds after which a key is gone that is not set again.
        name: The worker's.
        places: Returns how many.
    """

    def beat(client: redis.Redis, lifetime_ms: int) -> None:
        client.sadd(_WORKERS, name)
        client.set(_worker_key(name), places(), px=lifetime_ms)

    def end(client: redis.Redis) -> None:
        client.delete(_worker_key(name))

    return Beat(url, lifetime_s, beat, end)


def places_of_workers(client: redis.Redis) -> dict[str, int]:
    """Return how many runs each living worker takes at a time, by its name; without those that take none.

    Raises:
        redis.RedisError: The broker does not answer.
    """
    names = sorted(map(str, client.smembers(_WORKERS)))
    values = client.mget([_worker_key(name) for name in names]) if names else []
    return {name: places for name, value in zip(names, values, strict=True) if (places := int(value or 0))}


def _worker_key(name: str) -> str:
    return f"dataset_assets:worker:{name}"
