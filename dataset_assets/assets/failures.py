"""A user's mistake as a failed run: the one sentence, and no retry that would fail alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import dagster as dg

from dataset_assets.assets.runs import video_of
from dataset_assets.errors import DatasetAssetsError

# How a process died stands in an event before the failure, which itself only says that it was "marked".
_DEATH = re.compile(r"Run execution process for \S+ (.*?)\.(?:\s|$)")
FAILURE_EVENTS = frozenset(
    (
        dg.DagsterEventType.STEP_FAILURE,
        dg.DagsterEventType.RUN_FAILURE,
        dg.DagsterEventType.ENGINE_EVENT,
    )
)


@contextmanager
def told_in_one_sentence() -> Iterator[None]:
    """Turn an error that a user can correct into a Dagster failure with its sentence."""
    try:
        yield
    except DatasetAssetsError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None


def sentence_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """Return the sentence of a failed run, looked up in its events."""
    entries = instance.all_logs(run.run_id, of_type=set(FAILURE_EVENTS))
    events = [entry.dagster_event for entry in entries if entry.dagster_event is not None]
    return failure_sentence(video_of(run) or run.job_name, events, run.run_id)


def failure_sentence(key: str, events: Iterable[dg.DagsterEvent], run_id: str) -> str:
    """Return the sentence of a failed run: its step's, the error itself where it is a defect, or its death.

    Args:
        key: The video's key, or the job's name where the run works on none.
        events: Events of the run in their order, at least those of `FAILURE_EVENTS`.
        run_id: The run.
    """
    died = death = ""
    for event in events:
        message = event.message or ""
        if event.is_engine_event and message.startswith(f"{key} ("):
            death = message  # the process told it itself before it ended
        elif event.is_engine_event and not death and (found := _DEATH.search(message)):
            death = f"its process {found[1]}"
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                return data.user_failure_data.description
            error = data.error.cause or data.error if data.error else None
            cause = error.message.strip() if error else "the step failed"
            return f"{key}: {cause} (the UI shows all of it: run {run_id[:8]})"
        if event.is_failure:
            died = death or (message or "it failed").rstrip(".")
    if not died:
        return f"{key}: the run was stopped"
    # Its process died, or never started. What `generate` noticed is a whole sentence already.
    memory = ", with fewer runs at a time if memory ran out" if "SIGKILL" in died else ""
    mend = f"run it again, it goes on from the last commit{memory}"
    return died if key in died else f"{key}: {died}; {mend}"
