"""Failed runs: kept in one place, with a link to the run, and posted to the webhook where there is one.

Steps keep the failures of mistakes themselves (`dataset`). Here: the runs that could not, because they were
killed or out of memory, and the links to all runs.
"""

from __future__ import annotations

import time
from dataclasses import replace

import dagster as dg

from dataset_assets.assets import failure_of_run, is_config_mistake, is_overtaken, makes_video, video_of
from dataset_assets.automation.webhook import post
from dataset_assets.config import ConfigReader
from dataset_assets.dagster_internals import WILL_RETRY_TAG
from dataset_assets.dataset import DataSet

INTERVAL_S = 30


@dg.run_failure_sensor(
    name="failure_sensor",
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    monitor_all_code_locations=True,  # whatever a workspace calls this one
    description="Keeps why each video's run failed, also of runs that were killed, for the "
    "gallery and the statistics, and posts it to `runs.webhook_url`.",
)
def failure_sensor(
    context: dg.RunFailureSensorContext, config_reader: dg.ResourceParam[ConfigReader]
) -> None:
    """Record a failed run."""
    run = context.dagster_run
    key = video_of(run)
    # Dagster shows this sensor each run once: a mistake in the configuration must not lose one.
    settings = config_reader.last_valid()
    if settings is None or is_config_mistake(run):
        return
    films = {entry.key: str(entry.path) for entry in settings.videos}
    # Another project's, in the same Dagster home; or one that is started again, which will report.
    if (key is not None and key not in films) or run.tags.get(WILL_RETRY_TAG) == "true":
        return
    if key is not None and is_overtaken(context.instance, run.run_id, key):
        return
    failure = failure_of_run(context.instance, run, time.time())
    if key is not None:
        failure = replace(failure, film=films[key])
    if key is not None and makes_video(run):
        DataSet.of(settings).failures.keep(failure)
    url = settings.runs.webhook_url
    if url is None:
        return
    problem = post(
        url,
        {
            "text": failure.sentence,  # where chat programs look for it
            "video": key,
            "film": failure.film,
            "what": failure.what,
            "remedy": failure.remedy,
            "job": run.job_name,
            "run_id": run.run_id,
            "run_page": f"/runs/{run.run_id}",
            "data_set": str(settings.base.output_base_dir),
        },
    )
    if problem:
        context.log.warning(f"run {run.run_id} was not posted to the webhook: {problem}")
