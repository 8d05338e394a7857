"""Runs as tasks of Celery: the app of the workers (`-A dataset_assets.engines.celery`), and the launcher.

`dagster-celery` looks at the state of a task alone, which a lost machine leaves at STARTED for ever, and
asking a worker (`inspect`) calls one dead that finishes its films before it ends. Here a run's own process
gives signs of life (`signs_of_life`), and the workers report their places, so that the daemon starts no run
that would wait in the broker. Settings are those of the launcher in `dagster.yaml`, which the head and all
workers share. Not here: what keeps two machines from working on one film (`dataset.leases`).
"""

from __future__ import annotations

import importlib
import os
import re
import socket
import warnings
from collections.abc import Mapping
from typing import Any, cast

import dagster as dg
import redis
from celery.bootsteps import RUN
from celery.signals import (
    task_postrun,
    task_prerun,
    worker_init,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from celery.states import READY_STATES
from celery.worker.state import active_requests
from dagster._core.instance.ref import InstanceRef
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster_celery.app import app, execute_job, execute_plan, resume_job
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from dataset_assets.assets import GALLERY_ADDRESS, GALLERY_VARIABLE, HOLDS_RUNS_VARIABLE, host_of
from dataset_assets.config import config_path
from dataset_assets.engines.data_set_tag import note_data_set
from dataset_assets.engines.signs_of_life import (
    SOCKET_TIMEOUT_S,
    STOP_S,
    Beat,
    beat_of_run,
    beat_of_worker,
    connect,
    places_of_workers,
    run_key,
    stop_key,
)
from dataset_assets.errors import DatasetAssetsError

__all__ = ["DatasetCeleryRunLauncher", "app", "execute_job", "execute_plan", "resume_job"]

# Looks at a silent run, `run_monitoring.poll_interval_seconds` apart, until it counts as dead.
MISSED_LOOKS = 3
DEFINITIONS = "dataset_assets.definitions"
HOME_VARIABLE = "DAGSTER_HOME"
# Of each run that is launched: dagster-celery makes its task again.
warnings.filterwarnings("ignore", "Task name .* is already registered")
_EXIT = re.compile(r"exitcode (-?\d+)")
_SIGNAL = re.compile(r"signal \d+ \(\w+\)")


class DatasetCeleryRunLauncher(CeleryRunLauncher):
    """Starts each run as a task of Celery, and knows whether its process lives.

    Attributes:
        alive_s: Seconds after which a process, or a worker, counts as silent.
    """

    def __init__(self, *, alive_s: float, **stock: Any) -> None:
        """Connect to nothing yet.

        Args:
            alive_s: Seconds after which a process, or a worker, counts as silent.
            stock: The arguments of `CeleryRunLauncher`.
        """
        super().__init__(**stock)
        self.alive_s = alive_s
        if not (self.broker or "").startswith(("redis://", "rediss://")):
            raise DatasetAssetsError(
                f"run_launcher.config.broker of dagster.yaml is {self.broker!r}: signs of life need Redis",
                "give redis://:PASSWORD@HOST:6379/0",
            )
        self._redis = connect(str(self.broker))
        self._missed: dict[str, int] = {}

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """Return the settings in `dagster.yaml`."""
        description = "Seconds after which a run's process, or a worker, counts as silent."
        return {
            **cast("Mapping[str, Any]", CeleryRunLauncher.config_type()),
            "alive_s": dg.Field(float, is_required=False, default_value=30.0, description=description),
        }

    def places(self) -> Mapping[str, int] | str:
        """Return how many runs each living worker takes at a time, or why that is not known."""
        try:
            return places_of_workers(self._redis)
        except redis.AuthenticationError:
            return "the broker refuses the password, no run starts until it takes it"
        except redis.RedisError:
            return "the broker does not answer, no run starts until it does"

    def launch_run(self, context: LaunchRunContext) -> None:
        """Give a run to the broker, with the id of the data set that its worker has to see."""
        note_data_set(self._instance, context.dagster_run)
        super().launch_run(context)

    def terminate(self, run_id: str) -> bool:
        """Stop a run; it commits what it has, and counts as cancelled.

        Its own process is asked to stop, where stock revokes its task: a worker forgets its tasks whenever
        it loses the broker, and cannot revoke them after. One that was not started yet ends when it starts.

        Returns:
            Whether it was going on and the broker answers.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        try:
            self._redis.ping()
        except redis.RedisError as error:
            # A run that counts as cancelling cannot be terminated again, and this one would not be asked to.
            what = f"the broker does not answer ({error}), so the run was not asked to stop"
            self._instance.report_engine_event(
                f"{what}; press Terminate again once it does", run, cls=type(self)
            )
            return False
        # Before the signal: a run that is interrupted otherwise counts as failed, and is started again.
        self._instance.report_run_canceling(run)
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task_id is not None:
            self._stop(task_id)
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether the process of a run that goes on lives, as far as its signs of life say."""
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task_id is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "it has no task yet")
        try:
            how = self._death(run, task_id)
            if how:
                self._stop(task_id)  # should it stand still or be cut off, another one waits for its film
        except redis.RedisError as error:
            self._missed.clear()  # nothing is known of any run
            return CheckRunHealthResult(WorkerStatus.RUNNING, f"the broker does not answer: {error}")
        if not how:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        # In the words of Dagster's own launcher, by which the failure's sentence is found.
        message = f"Run execution process for {run.run_id} {how}."
        latest = self._instance.get_run_by_id(run.run_id)
        if latest is not None and not latest.is_finished:
            self._instance.report_engine_event(message, run, cls=type(self))
        return CheckRunHealthResult(WorkerStatus.FAILED, message)

    def get_run_worker_debug_info(
        self, run: dg.DagsterRun, include_container_logs: bool | None = True
    ) -> str | None:
        """Return nothing: dagster-celery's own asks for what a task's result does not have."""
        return None

    def _stop(self, task_id: str) -> None:
        self._redis.set(stop_key(task_id), "", ex=STOP_S)

    def _death(self, run: dg.DagsterRun, task_id: str) -> str:
        """Return how a run's process died, in the words of Dagster; empty while it lives or may live."""
        run_id, backend = run.run_id, self.celery.backend
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.get(backend.get_key_for_task(task_id).decode())
            pipeline.exists(run_key(task_id))
            found, is_alive = pipeline.execute()
        meta = backend.decode(found) if found else {}
        if meta.get("status") in READY_STATES:
            self._missed.pop(run_id, None)
            return _exit_of(meta.get("result"))
        if is_alive:
            self._missed.pop(run_id, None)
            return ""
        self._missed[run_id] = self._missed.get(run_id, 0) + 1
        if self._missed[run_id] < MISSED_LOOKS:
            return ""
        del self._missed[run_id]
        host = host_of(self._instance, run)  # unknown where it was lost before its first step
        machine = f"its machine {host}" if host else "its machine"
        return f"gave no sign of life for {self.alive_s:.0f} s: it or {machine} died, or was cut off"


def _exit_of(result: object) -> str:
    """Return how the process of a task ended that Celery counts as ended although its run goes on."""
    message = " ".join(map(str, result["exc_message"])) if isinstance(result, dict) else ""
    if killed := _SIGNAL.search(message):
        return f"was terminated by {killed[0]}"
    if code := _EXIT.search(message):
        return f"unexpectedly exited with code {code[1]}"
    return "ended before its run" + (f" ({message})" if message else "")


class _Worker:
    """What this process, a worker or the child of one, has to know and keeps going."""

    def __init__(self) -> None:
        self.url = ""
        self.alive_s = 0.0
        self.controller: Any = None
        self.own_beat: Beat | None = None
        self.beats: dict[str, Beat] = {}

    def places(self) -> int:
        """Return how many runs it takes at a time; those that it has, once it takes no more."""
        is_ending = self.controller.blueprint.state != RUN
        return len(active_requests) if is_ending else int(self.controller.concurrency)


_worker = _Worker()


@worker_init.connect  # type: ignore[untyped-decorator]
def _prepare(sender: Any, **_: object) -> None:
    """Read the settings, and import what runs need: each is forked from this process, and starts at once."""
    config = config_path(None)
    if not config.is_file():
        # It would take one run after the other, and fail them all.
        raise SystemExit(
            f"{config} is not on this machine, {socket.gethostname()}: mount the folder of the data set "
            "here, or correct DATASET_ASSETS_CONFIG, and start the worker again."
        )
    importlib.import_module(DEFINITIONS)
    os.environ.setdefault(GALLERY_VARIABLE, GALLERY_ADDRESS)  # `ui` on the head serves the pages
    os.environ.setdefault(HOLDS_RUNS_VARIABLE, "1")  # and holds runs while the configuration has a mistake
    home = os.environ.get(HOME_VARIABLE)
    if not home:
        raise SystemExit(
            f"{HOME_VARIABLE} is not set: it names the folder with the dagster.yaml of the head."
        )
    # Without its history: Dagster fails where two machines make the tables of a new one at once.
    launcher = InstanceRef.from_dir(home).run_launcher
    if not isinstance(launcher, DatasetCeleryRunLauncher):
        name = DatasetCeleryRunLauncher.__name__
        raise SystemExit(f"dagster.yaml in {home} names another launcher than {name}; copy that of the head.")
    _worker.url, _worker.alive_s = str(launcher.broker), launcher.alive_s
    _worker.controller = sender


@worker_ready.connect  # type: ignore[untyped-decorator]
def _offer_places(**_: object) -> None:
    _worker.own_beat = beat_of_worker(
        _worker.url, _worker.alive_s, _worker.controller.hostname, _worker.places
    )


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _hand_over(how: str, **_: object) -> None:
    """Take no runs from now on where those that it has are interrupted."""
    if how != "Warm":
        _withdraw_places()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _withdraw_places(**_: object) -> None:
    if _worker.own_beat is not None:
        _worker.own_beat.stop(wait_s=SOCKET_TIMEOUT_S)


@task_prerun.connect  # type: ignore[untyped-decorator]
def _begin(task_id: str, **_: object) -> None:
    _worker.beats[task_id] = beat_of_run(_worker.url, _worker.alive_s, task_id)


@task_postrun.connect  # type: ignore[untyped-decorator]
def _end(task_id: str, **_: object) -> None:
    if beat := _worker.beats.pop(task_id, None):
        beat.stop()
