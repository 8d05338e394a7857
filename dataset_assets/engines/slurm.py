"""Dagster's runs as Slurm jobs: one run, which is one film, is one job on a node that Slurm chooses.

Here: submitting and cancelling a run's job, and what Dagster's monitoring reports of it, on a machine where
`sbatch`, `squeue` and `scancel` work. How the controller is asked is in `slurm_jobs`; what keeps two jobs
from working on one film, in `dataset`. An array of jobs that needs no Dagster services is no launcher but a
script, `configs/deploy/slurm/films.sbatch`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.events import EngineEventData
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from dataset_assets.assets import REMEDY, WHAT, slurm_job_of, slurm_job_tags, video_of
from dataset_assets.engines.data_set_tag import note_data_set
from dataset_assets.engines.slurm_jobs import (
    Job,
    JobStates,
    SlurmError,
    SlurmUnreachableError,
    failure_of_job,
    run_slurm,
)

_DEFAULT_SBATCH: Final = "--cpus-per-task=1 --mem=4G"
# SIGTERM before the time limit's own signals, so that a commit on a slow disk ends in time.
_BEFORE_TIME_LIMIT: Final = "B:TERM@60"


class SlurmRunLauncher(RunLauncher, ConfigurableClass):
    """Starts each run of Dagster as a Slurm job."""

    def __init__(self, sbatch: str, logs: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Start nothing yet.

        Args:
            sbatch: Options for each job, as on sbatch's command line.
            logs: Folder for what the jobs print, seen by all nodes.
            inst_data: The section of `dagster.yaml` that this launcher is made from.
        """
        self._sbatch = shlex.split(sbatch)
        self._logs = Path(logs)
        self._inst_data = inst_data
        self._states = JobStates()
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """The section of `dagster.yaml` that this launcher is made from."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return the settings of the section `run_launcher.config`."""
        return {
            "sbatch": dg.Field(
                dg.StringSource,
                is_required=False,
                default_value=_DEFAULT_SBATCH,
                description="Options of sbatch for each job: partition, memory, time limit, account.",
            ),
            "logs": dg.Field(
                dg.StringSource,
                description="Folder for what the jobs print, one file for each run; seen by all nodes.",
            ),
        }

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> SlurmRunLauncher:
        """Return the launcher of a section of `dagster.yaml`."""
        return cls(inst_data=inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Submit a run's job; where Slurm refuses it, the run fails with one sentence.

        The run gets the id of the data set that its node has to see.

        Raises:
            DagsterUserCodeUnreachableError: The controller does not answer. It is the one error for which
                Dagster's queue keeps a run and tries again (`run_queue.max_user_code_failure_retries`).
        """
        run = context.dagster_run
        note_data_set(self._instance, run)
        try:
            self._logs.mkdir(parents=True, exist_ok=True)
            job = self._submit(run)
        except SlurmUnreachableError as error:
            raise DagsterUserCodeUnreachableError(str(error)) from error
        except SlurmError as error:
            self._fail(run, f"Slurm refuses its job: {error.what}", error.remedy)
        except OSError as error:
            what = f"the folder {self._logs} for what jobs print cannot be made ({error.strerror})"
            self._fail(run, what, "correct run_launcher.config.logs of dagster.yaml")
        else:
            self._instance.add_run_tags(run.run_id, slurm_job_tags(run.run_id, job))
            metadata = {"Slurm job": job, "output": dg.MetadataValue.path(str(self._output(run.run_id)))}
            self._report(f"Slurm job {job} submitted", run, metadata)

    def _submit(self, run: dg.DagsterRun) -> str:
        origin = run.job_code_origin
        if origin is None:
            raise SlurmError(f"run {run.run_id} does not say where its code is", "launch it from the UI")
        command = ExecuteRunArgs(origin, run.run_id, self._instance.get_ref()).get_command_args()
        # In sbatch's file names % introduces a field.
        output = str(self._output(run.run_id)).replace("%", "%%")
        submitted = run_slurm(
            "sbatch",
            "--parsable",
            f"--job-name={video_of(run) or run.job_name}",
            "--export=ALL",  # where Postgres and the configuration are; a site may have another default
            "--no-requeue",  # Dagster ignores a second process of a run, and starts another run instead
            f"--signal={_BEFORE_TIME_LIMIT}",
            f"--output={output}",
            *self._sbatch,
            "--wrap",
            f"exec {shlex.join(command)}",  # the batch step's process is the run's, which signals then reach
        )
        # "job" or "job;cluster"
        return submitted.strip().partition(";")[0]

    def terminate(self, run_id: str) -> bool:
        """Cancel a run's job: a waiting one at once, a running one by SIGTERM, at which it commits.

        Slurm kills what goes on after its `KillWait`, 30 s by default.

        Returns:
            Whether the run went on.

        Raises:
            SlurmUnreachableError: The controller does not answer; the run goes on.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        job = slurm_job_of(run)
        self._states.forget()
        state = None if job is None else self._states.of(job)
        # Before the signal: Dagster counts a run that is interrupted without it as failed.
        self._instance.report_run_canceling(run)
        if job is not None and state is not None and not state.has_ended:
            run_slurm("scancel", job)
        if state is None or not state.has_process:
            self._instance.report_run_canceled(run)  # nobody else will
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        """True: Dagster's monitoring asks for the health of a run's job."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether a run's job goes on, and why not; a controller that does not answer ends no run."""
        job = slurm_job_of(run)
        if job is None:
            # One of `generate`, or one whose job is not noted yet; any other answer fails it.
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        try:
            state = self._states.of(job)
        except SlurmError as error:
            return CheckRunHealthResult(WorkerStatus.RUNNING, str(error))
        if state is not None and not state.has_ended:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        # A process reports its run's end before it ends itself, so the run's state is read after the job's.
        latest = self._instance.get_run_by_id(run.run_id)
        if latest is None or latest.is_finished or latest.status is dg.DagsterRunStatus.CANCELING:
            return CheckRunHealthResult(WorkerStatus.SUCCESS)
        return CheckRunHealthResult(WorkerStatus.FAILED, self._report_death(run, job, state))

    def _report_death(self, run: dg.DagsterRun, job: str, state: Job | None) -> str:
        """Report why a run's job ended before the run did; return it as one sentence."""
        key = video_of(run) or run.job_name
        what, remedy = failure_of_job(key, job, state, self._output(run.run_id))
        self._report(what, run, {WHAT: what, REMEDY: remedy})
        return f"{what}; {remedy}"

    def _fail(self, run: dg.DagsterRun, reason: str, remedy: str) -> None:
        what = f"{video_of(run) or run.job_name}: {reason}"
        self._report(what, run, {WHAT: what, REMEDY: remedy})
        self._instance.report_run_failed(run, f"{what}; {remedy}")

    def _report(self, message: str, run: dg.DagsterRun, metadata: Mapping[str, Any]) -> None:
        self._instance.report_engine_event(message, run, EngineEventData(metadata), cls=type(self))

    def _output(self, run_id: str) -> Path:
        return self._logs / f"{run_id}.txt"
