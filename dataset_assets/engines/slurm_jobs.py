"""Slurm's commands: which states jobs are in, by one question for all of them, and why a job ended.

Not here: what a job has to do with a run of Dagster (`slurm`).
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dataset_assets.assets import GOES_ON
from dataset_assets.errors import DatasetAssetsError

_TIMEOUT_S: Final = 60.0
# Monitoring asks for each run in turn; the controller answers a whole cluster and is asked once for all.
_CACHED_S: Final = 5.0
_FIELDS: Final = ("JobID", "State", "exit_code", "Reason")
# Of the states in squeue's manual those in which a process of the job is there or will be.
_UNFINISHED: Final = frozenset(
    (
        "COMPLETING",
        "CONFIGURING",
        "PENDING",
        "REQUEUED",
        "REQUEUE_FED",
        "REQUEUE_HOLD",
        "RESIZING",
        "RESV_DEL_HOLD",
        "RUNNING",
        "SIGNALING",
        "SPECIAL_EXIT",
        "STAGE_OUT",
        "STOPPED",
        "SUSPENDED",
    )
)
# What Slurm's commands print where the controller, or what authenticates to it, does not answer.
_UNREACHABLE: Final = re.compile(
    r"unable to contact slurm controller|connection refused|socket timed out|timed out on send/recv"
    r"|communication (?:connection|shutdown) failure|zero bytes were transmitted|unable to connect"
    r"|authentication (?:plugin|error)|munge encode failed",
    re.IGNORECASE,
)
_OPTIONS: Final = "run_launcher.config.sbatch of dagster.yaml"
# Of a state: what became of the job, and the remedy.
_ENDS: Final = {
    "BOOT_FAIL": ("could not start, since its node did not boot", "run it again, on another node"),
    "CANCELLED": ("was cancelled by scancel or an administrator", GOES_ON),
    "DEADLINE": ("was ended at its deadline", f"{GOES_ON}; move the deadline in {_OPTIONS}"),
    "NODE_FAIL": ("was lost with its node", GOES_ON),
    "OUT_OF_MEMORY": ("ran out of memory", f"{GOES_ON}, with more --mem in {_OPTIONS}"),
    "PREEMPTED": ("was ended for other jobs", GOES_ON),
    "REVOKED": ("was taken over by another cluster", GOES_ON),
    "TIMEOUT": ("reached its time limit", f"{GOES_ON}; raise --time in {_OPTIONS}"),
}


class SlurmError(DatasetAssetsError):
    """Slurm refused a command."""


class SlurmUnreachableError(SlurmError):
    """Slurm did not answer, which says nothing about jobs."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job, as squeue lists it.

    Attributes:
        state: Its state in squeue's words, as RUNNING.
        exit_code: Of its script, negative where a signal ended it; 0 while it runs.
        reason: Why it waits or ended, in squeue's words, as NonZeroExitCode.
    """

    state: str
    exit_code: int
    reason: str

    @property
    def has_ended(self) -> bool:
        """Whether no process of it is there or will be."""
        return self.state not in _UNFINISHED

    @property
    def has_process(self) -> bool:
        """Whether a process of it is there."""
        return not self.has_ended and self.state != "PENDING"


def run_slurm(command: str, *arguments: str) -> str:
    """Return what one of Slurm's commands prints.

    Raises:
        SlurmUnreachableError: The controller did not answer.
        SlurmError: It refused the command, or there is no such command here.
    """
    try:
        done = subprocess.run(
            [command, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise SlurmUnreachableError(
            f"{command} gave no answer within {_TIMEOUT_S:.0f} s", "see whether slurmctld runs: scontrol ping"
        ) from None
    except OSError as error:
        raise SlurmError(
            f"{command} cannot be run on this machine ({error.strerror})",
            "run the UI where Slurm's commands are installed, and in PATH",
        ) from error
    if done.returncode == 0:
        return done.stdout
    # The last line says most: "Batch job submission failed: Invalid partition name specified".
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip() and "--help" not in line]
    said = re.sub(rf"^{command}: (?:error: |fatal: )?", "", lines[-1] if lines else "it said nothing")
    if _UNREACHABLE.search(done.stderr):
        raise SlurmUnreachableError(
            f"{command} could not reach Slurm's controller: {said}",
            "see whether slurmctld and munge run: scontrol ping",
        )
    raise SlurmError(f"{command}: {said}", f"correct the options in {_OPTIONS}, and run it again")


class JobStates:
    """The jobs of this user, by one `squeue` for all of them, kept for some seconds."""

    def __init__(self) -> None:
        """Ask nothing yet."""
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._asked_s: float | None = None

    def of(self, job: str) -> Job | None:
        """Return a job; None where it ended so long ago that Slurm forgot it (its `MinJobAge`).

        Raises:
            SlurmError: Slurm did not answer.
        """
        with self._lock:
            now_s = time.monotonic()
            is_old = self._asked_s is None or now_s >= self._asked_s + _CACHED_S
            if is_old or job not in self._jobs:  # it may have been submitted since
                self._jobs = _jobs()
                self._asked_s = now_s
            return self._jobs.get(job)

    def forget(self) -> None:
        """Ask again at the next question."""
        with self._lock:
            self._asked_s = None


def _jobs() -> dict[str, Job]:
    fields = ",".join(f"{field}:|" for field in _FIELDS)
    listed = run_slurm("squeue", "--noheader", "--states=all", f"--user={os.getuid()}", f"--Format={fields}")
    rows = (line.strip().split("|") for line in listed.splitlines())
    return {row[0]: Job(row[1], _exit_code(row[2]), row[3]) for row in rows if len(row) > len(_FIELDS)}


def _exit_code(field: str) -> int:
    """Return an exit code of squeue, "code:signal" or a status as of wait(2); negative for a signal."""
    code, has_signal, number = field.partition(":")
    try:
        if has_signal:
            return -int(number) or int(code)
        return os.waitstatus_to_exitcode(int(code))
    except ValueError:
        return 0


def failure_of_job(key: str, job: str, state: Job | None, output: Path) -> tuple[str, str]:
    """Return why a job ended before its run did, and the remedy.

    Args:
        key: Of the video, or the name of what else the run does.
        job: Its number.
        state: How Slurm lists it; None where it forgot the job.
        output: What the job printed.
    """
    if state is not None and state.state in _ENDS:
        how, remedy = _ENDS[state.state]
        return f"{key}: its Slurm job {job} {how}", remedy
    how = "is unknown to Slurm by now" if state is None else f"ended as {state.state} with {_ending(state)}"
    return f"{key}: its Slurm job {job} {how}", f"{GOES_ON}; what it printed is in {output}"


def _ending(job: Job) -> str:
    if job.exit_code >= 0:
        return f"exit code {job.exit_code}"
    try:
        return signal.Signals(-job.exit_code).name
    except ValueError:
        return f"signal {-job.exit_code}"
