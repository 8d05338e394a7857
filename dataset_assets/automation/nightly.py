"""The nightly schedule: a run for each video that is missing or stale, the largest films first.

Not here: what a run makes, and resuming an interrupted one (`generate`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from dataset_assets.assets import videos_in_work
from dataset_assets.automation.pending import Pending, pending_assets
from dataset_assets.config import Nightly, Settings, look_for_films
from dataset_assets.counting import counted
from dataset_assets.dataset import DataSet
from dataset_assets.partitions import add_missing

REASON_TAG = "dataset_assets/reason"


@dataclass(frozen=True, slots=True)
class _Candidate:
    key: str
    pending: Pending
    size_bytes: int


def build_nightly(
    job: dg.UnresolvedAssetJobDefinition, nightly: Nightly, checks: Collection[dg.AssetCheckKey]
) -> dg.ScheduleDefinition:
    """Build the schedule.

    Args:
        job: The job over everything of a video.
        nightly: When; how many is read at each tick.
        checks: The checks of the job's assets.
    """

    @dg.schedule(
        name="nightly",
        job=job,
        cron_schedule=nightly.cron,
        execution_timezone=nightly.time_zone,
        description="Makes what is missing or stale: one run for each video, the largest films first, at "
        f"most {nightly.max_videos_per_night} a night (`nightly` in the configuration). The tag "
        f"`{REASON_TAG}` of each run says why.",
    )
    def schedule(
        context: dg.ScheduleEvaluationContext, dataset_config: dg.ResourceParam[Settings]
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        look = look_for_films(dataset_config)
        for problem in look.problems:
            context.log.warning(problem)
        for message in look.skipped:
            context.log.info(message)
        # A film that came since the sensor's last tick has no partition to ask for yet.
        add_missing(context.instance, look.settings)
        candidates, absent = _candidates(look.settings)
        busy = videos_in_work(context.instance)
        free = [each for each in candidates if each.key not in busy]
        chosen = free[: look.settings.nightly.max_videos_per_night]
        left = f"{len(free) - len(chosen)} left for the next night" if len(free) > len(chosen) else ""
        in_work = len(candidates) - len(free)
        others = [
            f"{in_work} queued or running" if in_work else "",
            left,
            f"{counted(absent, 'film')} absent" if absent else "",
        ]
        context.log.info(", ".join([f"{counted(len(chosen), 'video')} requested", *filter(None, others)]))
        if not chosen:
            why = ", ".join(filter(None, others)) or "everything is done"
            yield dg.SkipReason(f"{counted(len(look.settings.videos), 'video')}, nothing to request: {why}")
        for each in chosen:
            assets = [dg.AssetKey(asset) for asset in each.pending.assets]
            yield dg.RunRequest(
                run_key=f"{context.scheduled_execution_time.isoformat()} {each.key}",
                partition_key=each.key,
                asset_selection=assets,
                # The daemon would add them, but the UI's preview launches assets without checks where none
                # are named: `source_video` cannot be made so, and the others' results are warned of.
                asset_check_keys=[check for check in checks if check.asset_key in assets],
                tags={REASON_TAG: each.pending.reason},
            )

    return schedule


def _candidates(settings: Settings) -> tuple[list[_Candidate], int]:
    """Return the videos that need a run, the largest film first, and how many others miss their film.

    Those whose last run failed come last: films that are refused each night must not take all of its runs.
    """
    data_set = DataSet.of(settings)
    failed = data_set.failures.read()
    left = data_set.left_categories(settings)
    found, absent = [], 0
    for entry in settings.videos:
        pending = pending_assets(
            data_set.statuses(settings, entry), list(settings.categories), left_categories=entry.key in left
        )
        if not pending.assets:
            continue
        size_bytes = _size_bytes(entry.path)
        if size_bytes is None:
            absent += 1
        else:
            found.append(_Candidate(entry.key, pending, size_bytes))
    return sorted(found, key=lambda each: (each.key in failed, -each.size_bytes, each.key)), absent


def _size_bytes(film: Path) -> int | None:
    try:
        return film.stat().st_size
    except OSError:
        return None
