"""Run videos in worker processes, so many at a time, and stop them in order.

What a worker does is in `worker`; why one died, in `exit_reasons`; which videos other machines work on, in
`sharing`.
"""

from __future__ import annotations

import multiprocessing
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from dataset_assets.dataset import LOST_LEASE_EXIT_CODE
from dataset_assets.launch.exit_reasons import exit_failure
from dataset_assets.launch.sharing import SharedVideos, Turn
from dataset_assets.launch.tasks import Task
from dataset_assets.launch.worker import STOP_GRACE_S, Order, Outcome, run_video

POLL_S = 0.5
# How often it is looked whether videos are free that other machines work on.
OTHERS_POLL_S = 2.0
# As often as Dagster runs a video again whose machine was lost.
LOST_LEASE_RETRIES = 2


@dataclass(frozen=True, slots=True)
class _Worker:
    task: Task
    process: ForkServerProcess
    connection: Connection
    run_id: str
    lanes: int


class Supervisor:
    """Works through tasks, a process for each video; idle workers help with the last videos.

    Attributes:
        workers: How many windows are worked on at a time, of one video or of several. A larger number counts
            within `POLL_S`, a smaller one as videos end.
    """

    def __init__(
        self,
        config: Path,
        tasks: Sequence[Task],
        workers: int,
        *,
        force: bool,
        shared: SharedVideos | None = None,
        waits: bool = False,
    ) -> None:
        """Start nothing yet.

        Args:
            config: The configuration file.
            tasks: What is to be done, in order.
            workers: How many windows are worked on at a time, of one video or of several.
            force: Whether to rebuild what is up to date.
            shared: The videos that other machines take; None where one machine makes the data set.
            waits: Whether to stay until no other machine works on a video of the tasks.
        """
        self._config = config
        self._waiting = list(tasks)
        self._shared = shared
        self._waits = waits
        self._looked_s = 0.0
        self._lost: Counter[str] = Counter()
        self.workers = workers
        self._force = force
        self._running: list[_Worker] = []
        # Each process is forked from a server that has imported everything: 2 CPU s saved for each video.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["dataset_assets.launch.worker", "duckdb"])

    @property
    def running(self) -> list[str]:
        """Keys of the videos that are worked on."""
        return [worker.task.key for worker in self._running]

    @property
    def left(self) -> list[str]:
        """Keys of the videos that are left to other machines, once all outcomes were taken."""
        return [task.key for task in self._waiting]

    def outcomes(self) -> Iterator[Outcome | None]:
        """Run all tasks.

        Yields:
            Each outcome as it comes, and None now and then, so that a view can be refreshed.
        """
        try:
            while self._waiting or self._running:
                self._start_waiting()
                if not self._running and not self._waits:
                    return
                if self._running:
                    wait_for([worker.process.sentinel for worker in self._running], POLL_S)
                else:
                    time.sleep(POLL_S)
                for worker in [worker for worker in self._running if not worker.process.is_alive()]:
                    self._running.remove(worker)
                    if (outcome := self._outcome(worker)) is not None:
                        yield outcome
                yield None
        finally:
            self.stop()

    def stop(self) -> None:
        """Ask every worker to stop, wait for their checkpoints, and kill those that do not."""
        for worker in self._running:
            with suppress(OSError):  # it has ended
                worker.connection.send("stop")
        for worker in self._running:
            worker.process.join(STOP_GRACE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._running.clear()

    def _start_waiting(self) -> None:
        """Start as many videos as there is room for, in their order; those of other machines wait."""
        if time.monotonic() < self._looked_s + OTHERS_POLL_S:
            return
        later: list[Task] = []
        while self._waiting and (free := self.workers - sum(each.lanes for each in self._running)) > 0:
            task = self._waiting.pop(0)
            turn = Turn.NOW if self._shared is None else self._shared.turn_of(task)
            if turn is Turn.NOW:
                self._running.append(self._start(task, max(1, free // (1 + len(self._waiting)))))
            elif turn is Turn.LATER:
                later.append(task)
        if later and not self._waiting:
            self._looked_s = time.monotonic()
        self._waiting[:0] = later

    def _start(self, task: Task, lanes: int) -> _Worker:
        ours, theirs = self._context.Pipe()
        order = Order(
            self._config,
            task.key,
            task.assets,
            force=self._force,
            may_replace=task.may_replace,
            lanes=lanes,
            run_id=str(uuid.uuid4()),
            is_shared=self._shared is not None,
        )
        process = self._context.Process(target=run_video, args=(theirs, order), name=task.key)
        process.start()
        theirs.close()
        return _Worker(task, process, ours, order.run_id, lanes)

    def _outcome(self, worker: _Worker) -> Outcome | None:
        """Return how a worker ended; None where its video waits again."""
        worker.process.join()
        try:
            outcome = worker.connection.recv() if worker.connection.poll() else None
        except EOFError:
            outcome = None
        worker.connection.close()
        if isinstance(outcome, Outcome):
            if outcome.is_busy:
                self._waiting.append(worker.task)
                return None
            return outcome
        code = worker.process.exitcode or 0
        if code == LOST_LEASE_EXIT_CODE and self._lost[worker.task.key] < LOST_LEASE_RETRIES:
            self._lost[worker.task.key] += 1
            self._waiting.append(worker.task)
            return None
        failure = exit_failure(self._config, worker.task.key, code, worker.run_id)
        return Outcome(worker.task.key, worker.run_id, failure)
