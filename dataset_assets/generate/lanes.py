"""Windows of one film made side by side, in threads.

A lane is a thread with a decoder of its own; results are the same however many there are. Not here: what a
lane does (`lane`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from types import TracebackType
from typing import Self

from dataset_assets.generate.lane import Job, Lane, Made


class Lanes:
    """A number of lanes, and the jobs spread over them."""

    def __init__(
        self, count: int, checkpoint_every: int, open_lane: Callable[[threading.Event], Lane]
    ) -> None:
        """Store the arguments; nothing is started.

        Args:
            count: Lanes at most.
            checkpoint_every: Windows that a killed run may lose.
            open_lane: Opens a lane, in its thread; the event is set when nothing more is wanted.
        """
        # Neighbours share a GOP: a lane takes a few in a row, so that fewer frames are decoded twice.
        self._batch = max(1, checkpoint_every // (2 * count)) if count > 1 else 1
        # Twice as many as lanes, so that none waits for the first; with one lane nothing runs ahead.
        self._batches = 2 * count - 1
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="lane")
        self._open_lane = open_lane
        self._own = threading.local()
        self._opened: list[Lane] = []

    @property
    def ahead(self) -> int:
        """Windows that may be made while the one before them is not returned yet."""
        return self._batch * (self._batches - 1)

    def __enter__(self) -> Self:
        """Return the lanes themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the lanes and close their films."""
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)
        for lane in self._opened:
            lane.close()

    def make(self, jobs: Iterable[Job]) -> Iterator[Made]:
        """Make all jobs.

        Yields:
            What was made, in the order of the jobs.

        Raises:
            VideoError: The film cannot be opened, or a recorded window no longer be read.
        """
        waiting, running = iter(jobs), deque[Future[list[Made]]]()
        while batch := list(islice(waiting, self._batch)):
            running.append(self._pool.submit(self._make_all, batch))
            if len(running) == self._batches:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()

    def _make_all(self, jobs: Sequence[Job]) -> list[Made]:
        lane: Lane | None = getattr(self._own, "lane", None)
        if lane is None:
            lane = self._own.lane = self._open_lane(self._stop)
            self._opened.append(lane)
        return [lane.make(job) for job in jobs]
