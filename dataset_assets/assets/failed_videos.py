"""Which videos failed, why, and in which run: for whoever looks at the whole data set."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from dataset_assets.assets.failures import sentence_of
from dataset_assets.assets.runs import is_overtaken, video_of
from dataset_assets.config import Settings
from dataset_assets.generate.failures import read_failures
from dataset_assets.tables import TableStore

# The newest failed runs that are looked through for videos without a sentence of their own: killed runs.
MOST_RUNS = 200


@dataclass(frozen=True, slots=True)
class FailedVideo:
    """A video whose last run failed.

    Attributes:
        key: The video's key.
        sentence: Why, and how to mend it.
        run_id: The run; empty where Dagster does not know it.
    """

    key: str
    sentence: str
    run_id: str


def failed_videos(instance: dg.DagsterInstance, settings: Settings, store: TableStore) -> list[FailedVideo]:
    """Look up the configured videos whose last run failed, by key.

    Args:
        instance: Knows the runs; one that was killed left no sentence elsewhere.
        settings: The configuration.
        store: The data set's tables, beside which the sentences are.
    """
    sentences = read_failures(store)
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])
    runs: dict[str, dg.DagsterRun] = {}
    for record in instance.get_run_records(failed, limit=MOST_RUNS):
        runs.setdefault(video_of(record.dagster_run) or "", record.dagster_run)
    found = []
    for key in sorted(video.key for video in settings.videos):
        run = runs.get(key)
        if key in sentences:
            found.append(FailedVideo(key, sentences[key], run.run_id if run else ""))
        elif run is not None and not is_overtaken(instance, run.run_id, key):
            found.append(FailedVideo(key, sentence_of(instance, run), run.run_id))
    return found
