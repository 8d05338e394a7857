"""The nightly schedule: a run for each video that is missing or stale, the largest films first.

Not here: what a run makes, and resuming an interrupted one (`generate`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from dataset_assets.assets import videos_in_work
from dataset_assets.automation.pending import Pending, pending_assets
from dataset_assets.automation.refusals import Refusals, refusal_notice
from dataset_assets.config import ConfigReader, Nightly, Settings, VideoEntry
from dataset_assets.counting import counted
from dataset_assets.dataset import DataSet, look_for_new_films
from dataset_assets.errors import ConfigError
from dataset_assets.partitions import add_missing
from dataset_assets.video import look_at, seen

REASON_TAG = "dataset_assets/reason"


@dataclass(frozen=True, slots=True)
class _Candidate:
    entry: VideoEntry
    pending: Pending
    size_bytes: int

    @property
    def key(self) -> str:
        return self.entry.key


@dataclass(frozen=True, slots=True)
class _Choice:
    """What a tick requests of the videos that need a run.

    Attributes:
        chosen: Those that get one.
        refused: Why the run would be refused, of those that get none for that.
        left: How many are left for the next night.
    """

    chosen: list[_Candidate]
    refused: dict[str, str]
    left: int


def build_nightly(
    job: dg.UnresolvedAssetJobDefinition, nightly: Nightly, checks: Collection[dg.AssetCheckKey]
) -> dg.ScheduleDefinition:
    """Build the schedule.

    Args:
        job: The job over everything of a video.
        nightly: When; how many is read at each tick.
        checks: The checks of the job's assets.
    """
    refusals = Refusals()

    @dg.schedule(
        name="nightly",
        job=job,
        cron_schedule=nightly.cron,
        execution_timezone=nightly.time_zone,
        description="Makes what is missing or stale: one run for each video, the largest films first, at "
        "most `nightly.max_videos_per_night` of the configuration. The tag "
        f"`{REASON_TAG}` of each run says why. A video of which a run would replace more than a tenth of "
        "the finished patches is left out; the tick says so.",
    )
    def schedule(
        context: dg.ScheduleEvaluationContext, config_reader: dg.ResourceParam[ConfigReader]
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        try:
            settings = config_reader.read()
            look = look_for_new_films(settings)
        except ConfigError as error:
            yield dg.SkipReason(error.summary)
            return
        for problem in look.problems:
            context.log.warning(problem)
        for message in look.skipped:
            context.log.info(message)
        # A film that came since the sensor's last tick has no partition to ask for yet.
        add_missing(context.instance, look.settings)
        candidates, absent = _candidates(look.settings)
        # Also those that other machines work on without a run of Dagster.
        runs = DataSet.of(settings).at_work()
        busy = videos_in_work(context.instance) | {key for key, run in runs.items() if run.is_alive}
        free = [each for each in candidates if each.key not in busy]
        refusals.begin(settings)
        choice = _choose(look.settings, free, refusals)
        in_work = len(candidates) - len(free)
        others = [
            f"{in_work} queued or running" if in_work else "",
            f"{choice.left} left for the next night" if choice.left else "",
            f"{counted(absent, 'film')} absent" if absent else "",
            refusal_notice(choice.refused),
        ]
        requested = f"{counted(len(choice.chosen), 'video')} requested"
        context.log.info(", ".join([requested, *filter(None, others)]))
        if not choice.chosen:
            why = ", ".join(filter(None, others)) or "everything is done"
            yield dg.SkipReason(f"{counted(len(look.settings.videos), 'video')}, nothing to request: {why}")
        for each in choice.chosen:
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


def _choose(settings: Settings, free: Sequence[_Candidate], refusals: Refusals) -> _Choice:
    """Choose as many videos as a night makes, without those whose run would be refused."""
    data_set = DataSet.of(settings, caches_footers=True)
    chosen: list[_Candidate] = []
    refused: dict[str, str] = {}
    for each in free:
        if len(chosen) == settings.nightly.max_videos_per_night:
            break
        reason = refusals.reason(settings, data_set, each.entry, each.pending)
        if reason:
            refused[each.key] = reason
        elif reason is not None:
            chosen.append(each)
    return _Choice(chosen, refused, len(free) - len(chosen) - len(refused))


def _candidates(settings: Settings) -> tuple[list[_Candidate], int]:
    """Return the videos that need a run, the largest film first, and how many others miss their film.

    Those whose last run failed come last: films that are refused each night must not take all of its runs.
    """
    data_set = DataSet.of(settings)
    data_set.copy.refresh()
    failed = data_set.failures.read()
    left = data_set.left_categories(settings)
    look_at((entry.path for entry in settings.videos), max_age_s=0)
    found, absent = [], 0
    for entry in settings.videos:
        pending = pending_assets(
            data_set.statuses(settings, entry), list(settings.categories), left_categories=entry.key in left
        )
        if not pending.assets:
            continue
        film = seen(entry.path)
        if film is None:
            absent += 1
        else:
            found.append(_Candidate(entry, pending, film.size_bytes))
    return sorted(found, key=lambda each: (each.key in failed, -each.size_bytes, each.key)), absent
