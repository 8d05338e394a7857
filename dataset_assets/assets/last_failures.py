"""Which videos failed, why, and in which run: for views of the data set.

Not here: failures of single runs (`failures`), and where they are kept (`dataset`).
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from dataset_assets.assets.failures import failure_of_run
from dataset_assets.assets.runs import ended_s, is_config_mistake, is_overtaken, makes_video, video_of
from dataset_assets.dataset import Failure, Overview, newest

# The newest failed runs that are looked through for videos without a kept failure: killed runs.
MOST_RUNS = 200


def failed_videos(instance: dg.DagsterInstance, overview: Overview) -> Mapping[str, Failure]:
    """Return why the last runs of configured videos failed, by key.

    Args:
        instance: Where the runs are; one that was killed kept no failure.
        overview: How the data set stands, with the failures that were kept.
    """
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])
    runs: dict[str, dg.RunRecord] = {}
    for record in instance.get_run_records(failed, limit=MOST_RUNS):
        if makes_video(record.dagster_run) and not is_config_mistake(record.dagster_run):
            runs.setdefault(video_of(record.dagster_run) or "", record)
    found: dict[str, Failure] = {}
    for key in sorted(overview.statuses):
        last, kept = runs.get(key), overview.failures.get(key)
        failures = [] if kept is None else [kept]
        if last is not None and (kept is not None or not overview.is_done(key)):
            run = last.dagster_run
            # A step keeps its failure without the run, for which the sensor may be yet to come.
            if not (kept and kept.run_id == run.run_id) and not is_overtaken(instance, run.run_id, key):
                failures.append(failure_of_run(instance, run, ended_s(last)))
        found |= newest(failures)
    return found
