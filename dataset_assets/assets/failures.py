"""Failed runs as Dagster keeps them: an error that a user can correct as a failure without retries, and back.

Not here: where failures are kept (`dataset`), and which videos count as failed (`last_failures`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg

from dataset_assets.assets.runs import PARTITION_TAG, video_of
from dataset_assets.dagster_internals import process_death
from dataset_assets.dataset import Failure
from dataset_assets.errors import ConfigError, DatasetAssetsError

FAILURE_EVENTS = frozenset(
    (
        dg.DagsterEventType.STEP_FAILURE,
        dg.DagsterEventType.RUN_FAILURE,
        dg.DagsterEventType.ENGINE_EVENT,
    )
)
WHAT, REMEDY = "what", "remedy"
GOES_ON = "run it again, it goes on from the last commit"


@contextmanager
def failing_once() -> Iterator[None]:
    """Turn an error that a user can correct into a Dagster failure that is not retried."""
    try:
        yield
    except DatasetAssetsError as error:
        metadata = {WHAT: error.what, REMEDY: error.remedy}
        raise dg.Failure(description=str(error), metadata=metadata, allow_retries=False) from None


def console_text(event: dg.DagsterEvent, run_tags: Mapping[str, str]) -> str | None:
    """Return what the console prints of an event: one line of an error that a user can correct.

    Args:
        event: An event of a run.
        run_tags: Tags of the run.

    Returns:
        The line; empty for the failure of a run whose step has reported it, None for other events.
    """
    data = event.event_specific_data
    if event.event_type is dg.DagsterEventType.RUN_FAILURE:
        step_failure = getattr(data, "first_step_failure_event", None)
        is_reported = step_failure is not None and bool(_sentence(step_failure))
        return "" if is_reported or _config_mistake(event) else None
    sentence = " ".join((_sentence(event) or _config_mistake(event)).split())
    key = run_tags.get(PARTITION_TAG, "")
    return (f"{key}: {sentence}" if key not in sentence else sentence) if sentence else None


def _sentence(event: dg.DagsterEvent) -> str:
    """Return what a failed step reported of an error that a user can correct; empty for other events."""
    failed = event.step_failure_data.user_failure_data if event.is_step_failure else None
    is_ours = failed is not None and _reported(failed.metadata) is not None
    return (failed.description or "") if failed is not None and is_ours else ""


def failure_of_run(instance: dg.DagsterInstance, run: dg.DagsterRun, ended_s: float) -> Failure:
    """Return why a run failed, looked up in its events.

    Args:
        instance: Where the events are.
        run: The run.
        ended_s: When it ended, Unix time.
    """
    entries = instance.all_logs(run.run_id, of_type=set(FAILURE_EVENTS))
    events = [entry.dagster_event for entry in entries if entry.dagster_event is not None]
    return failure_of_events(video_of(run) or run.job_name, events, run.run_id, ended_s)


def failure_of_events(key: str, events: Iterable[dg.DagsterEvent], run_id: str, ended_s: float) -> Failure:
    """Return why a run failed: its step's error, the error itself where it is a defect, or how it died.

    Args:
        key: The video's key, or the job's name where the run works on none.
        events: Events of the run in their order, at least those of `FAILURE_EVENTS`.
        run_id: The run.
        ended_s: When it ended, Unix time.
    """

    def failure(what: str, remedy: str = "") -> Failure:
        return Failure(key, "", what, remedy, run_id, ended_s)

    died: Failure | None = None
    death = ""
    for event in events:
        message = event.message or ""
        if mistake := _config_mistake(event):
            return failure(mistake)
        if event.is_engine_event and (reported := _reported(event.engine_event_data.metadata)):
            died = failure(*reported)
        elif event.is_engine_event and (how := process_death(message)):
            death = death or f"its process {how}"
        if _was_interrupted(event):
            interrupted = f"{key}: its process was asked to end, by a shutdown, a time limit or scancel"
            died = Failure(key, "", interrupted, GOES_ON, run_id, ended_s, was_killed=True)
        elif event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                reported = _reported(data.user_failure_data.metadata)
                return failure(*(reported or (data.user_failure_data.description,)))
            error = data.error.cause or data.error if data.error else None
            cause = error.message.strip() if error else "the step failed"
            return failure(f"{key}: {cause}", f"the UI shows all of it: run {run_id[:8]}")
        if event.is_failure and died is None:
            # What `generate` noticed of a worker's death names the video, and the remedy.
            what = death or (message or "it failed").rstrip(".")
            memory = ", with fewer runs at a time if memory ran out" if "SIGKILL" in what else ""
            remedy = f"{GOES_ON}{memory}"
            died = failure(what) if key in what else failure(f"{key}: {what}", remedy)
    return died or failure(f"{key}: the run was stopped")


def _was_interrupted(event: dg.DagsterEvent) -> bool:
    """Return whether a run was interrupted without *Terminate*, which would have cancelled it."""
    data: Any = event.event_specific_data if event.is_step_failure or event.is_failure else None
    error = getattr(data, "error", None)
    return error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__


def _config_mistake(event: dg.DagsterEvent) -> str:
    """Return the mistakes in the configuration that kept a run from starting; empty without any."""
    # Without data where a process died.
    error: Any = None if event.is_step_failure else getattr(event.event_specific_data, "error", None)
    while error is not None:
        if error.cls_name == ConfigError.__name__:
            return str(error.message).partition(f"{ConfigError.__name__}: ")[2].strip()
        error = error.cause
    return ""


def _reported(metadata: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what is wrong and the remedy, where an event carries them."""
    what, remedy = metadata.get(WHAT), metadata.get(REMEDY)
    return (str(what.value), str(remedy.value if remedy else "")) if what else None
