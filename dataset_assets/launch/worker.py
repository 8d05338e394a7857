"""One video in a process of its own: a Dagster run in it, and its outcome sent back.

A decoder that crashes ends only its own video. Starting and stopping such processes is in `supervisor`; what
the run does, in `assets` and `generate`.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import dagster as dg

from dataset_assets.assets import (
    FORCE_TAG,
    LANES_TAG,
    LAUNCHED_BY_TAG,
    REPLACE_TAG,
    failure_of_events,
    patches_asset,
)
from dataset_assets.config import Settings, load_settings
from dataset_assets.dagster_internals import runs_of_location
from dataset_assets.dataset import DataSet, Failure
from dataset_assets.definitions import MAKE_PATCHES_JOB, build_defs
from dataset_assets.errors import BusyError, DatasetAssetsError
from dataset_assets.launch.home import HOME_VARIABLE, reporting_history_errors
from dataset_assets.launch.tasks import pending_task

STOP_GRACE_S = 20.0
# Name of the code location, as `ui` and workspace.yaml load it.
LOCATION = "dataset_assets"
# The UI shows `user` under "Launched by", and "Manually launched" without.
LAUNCHED_BY = {LAUNCHED_BY_TAG: "generate", "user": "generate"}
# A run of `generate` that failed is run again by the next `generate`, not by a daemon at the same time.
TAGS = {"dagster/max_retries": "0", **LAUNCHED_BY}
# The event log has it all; on the terminal it would drown the live view.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a video's run ended.

    Attributes:
        key: The video's key.
        run_id: The Dagster run.
        failure: Why it failed; None where it succeeded.
        is_busy: Whether another machine works on the video, or has just made it, so that there was no run.
    """

    key: str
    run_id: str
    failure: Failure | None
    is_busy: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker process is to do.

    Attributes:
        config: The configuration file.
        key: The video's key.
        assets: Names of the assets to materialise.
        force: Whether to rebuild what is up to date.
        may_replace: Whether many finished patches may be deleted or made again.
        lanes: Windows that are worked on at a time.
        run_id: Identity that the Dagster run is given.
        is_shared: Whether many machines make the data set.
    """

    config: Path
    key: str
    assets: Sequence[str]
    force: bool
    may_replace: bool
    lanes: int
    run_id: str
    is_shared: bool = False


def run_video(connection: Connection, order: Order) -> None:
    """Materialise a video's assets and send an `Outcome`; the entry point of a worker process.

    Args:
        connection: Where the outcome goes. Anything received on it, its end too, asks the process to stop.
        order: What to do.
    """
    os.setsid()  # Ctrl+C goes to the parent alone, which stops its workers in order
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=_stop, args=(order.run_id,)).start())
    threading.Thread(target=_listen, args=(connection, order.run_id), daemon=True).start()
    try:
        with reporting_history_errors(Path(os.environ[HOME_VARIABLE])):
            outcome = _materialize_alone(order) if order.is_shared else _materialize(order)
    except dg.DagsterExecutionInterruptedError:
        return  # the parent, if alive, knows; the run is shown as cancelled
    except Exception as error:
        what, remedy = str(error) or type(error).__name__, ""
        if isinstance(error, DatasetAssetsError):
            what, remedy = error.what, error.remedy
        failure = Failure(order.key, "", f"{order.key}: {what}", remedy, order.run_id)
        outcome = Outcome(order.key, order.run_id, failure)
    with suppress(OSError):
        connection.send(outcome)


def _materialize_alone(order: Order) -> Outcome:
    """Hold the video before there is a run, so that none waits for another machine or repeats its work."""
    settings = load_settings(order.config)
    data_set = DataSet.of(settings)
    busy = Outcome(order.key, order.run_id, None, is_busy=True)
    # Another machine may have taken it since the parent looked. `hold` waits for a second beat before it
    # refuses: 5 s with the default lease, in which another video could be worked on.
    if data_set.is_held(order.key):
        return busy
    with ExitStack() as stack:
        try:
            stack.enter_context(data_set.hold(order.key))
        except BusyError:
            return busy
        if not _is_still_pending(settings, data_set, order):
            return busy
        return _materialize(order)


def _is_still_pending(settings: Settings, data_set: DataSet, order: Order) -> bool:
    """Return whether no other machine has made meanwhile what is to be made of a small video."""
    entry = settings.video(order.key)
    categories = [name for name in settings.categories if patches_asset(name) in order.assets]
    statuses = data_set.statuses(settings, entry)
    return pending_task(settings, entry, statuses, categories, force=order.force) is not None


def _materialize(order: Order) -> Outcome:
    job = build_defs(order.config).resolve_job_def(MAKE_PATCHES_JOB)
    allowed = {FORCE_TAG: order.force, REPLACE_TAG: order.may_replace}
    chosen = {tag: "true" for tag, is_set in allowed.items() if is_set}
    with dg.DagsterInstance.get() as instance, runs_of_location(instance, LOCATION):
        result = job.execute_in_process(
            instance=instance,
            partition_key=order.key,
            asset_selection=[dg.AssetKey(asset) for asset in order.assets],
            tags=TAGS | chosen | {LANES_TAG: str(order.lanes)},
            run_config=QUIET,
            raise_on_error=False,
            run_id=order.run_id,
        )
        failure = None
        if not result.success:
            failure = failure_of_events(order.key, result.all_events, order.run_id, time.time())
        return Outcome(order.key, order.run_id, failure)


def _interrupt(*_: object) -> None:
    raise dg.DagsterExecutionInterruptedError


def _listen(connection: Connection, run_id: str) -> None:
    with suppress(EOFError, OSError):
        connection.recv()
    _stop(run_id)


def _stop(run_id: str) -> None:
    """End the run as Terminate in the UI does: marked first, since Dagster counts others as failed."""
    with suppress(Exception), dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_canceling(run)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(STOP_GRACE_S)
    os._exit(1)  # whatever it hangs in: the parent that would kill it may be gone
