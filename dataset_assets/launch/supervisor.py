"""Run videos in worker processes, so many at a time, and stop them in order.

What a worker does is in `worker`; why one died, in `exit_reasons`.
"""

from __future__ import annotations

import multiprocessing
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from dataset_assets.launch.exit_reasons import exit_failure
from dataset_assets.launch.tasks import Task
from dataset_assets.launch.worker import STOP_GRACE_S, Order, Outcome, run_video

POLL_S = 0.5


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

    def __init__(self, config: Path, tasks: Sequence[Task], workers: int, *, force: bool) -> None:
        """Start nothing yet.

        Args:
            config: The configuration file.
            tasks: What is to be done, in order.
            workers: How many windows are worked on at a time, of one video or of several.
            force: Whether to rebuild what is up to date.
        """
        self._config = config
        self._waiting = deque(tasks)
        self.workers = workers
        self._force = force
        self._running: list[_Worker] = []
        # Each process is forked from a server that has imported everything: 2 CPU s saved for each video.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["dataset_assets.launch.worker"])

    @property
    def running(self) -> list[str]:
        """Keys of the videos that are worked on."""
        return [worker.task.key for worker in self._running]

    def outcomes(self) -> Iterator[Outcome | None]:
        """Run all tasks.

        Yields:
            Each outcome as it comes, and None now and then, so that a view can be refreshed.
        """
        try:
            while self._waiting or self._running:
                while (
                    self._waiting and (free := self.workers - sum(each.lanes for each in self._running)) > 0
                ):
                    lanes = max(1, free // len(self._waiting))
                    self._running.append(self._start(self._waiting.popleft(), lanes))
                wait_for([worker.process.sentinel for worker in self._running], POLL_S)
                for worker in [worker for worker in self._running if not worker.process.is_alive()]:
                    self._running.remove(worker)
                    yield self._outcome(worker)
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
        )
        process = self._context.Process(target=run_video, args=(theirs, order), name=task.key)
        process.start()
        theirs.close()
        return _Worker(task, process, ours, order.run_id, lanes)

    def _outcome(self, worker: _Worker) -> Outcome:
        worker.process.join()
        try:
            outcome = worker.connection.recv() if worker.connection.poll() else None
        except EOFError:
            outcome = None
        worker.connection.close()
        if isinstance(outcome, Outcome):
            return outcome
        code = worker.process.exitcode or 0
        failure = exit_failure(self._config, worker.task.key, code, worker.run_id)
        return Outcome(worker.task.key, worker.run_id, failure)
