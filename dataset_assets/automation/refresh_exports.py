"""The schedule that brings exports up to date: a run for each, with the options that it was made with.

Not here: which part of an export has changed (`exports`).
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from dataset_assets.assets import EXPORTS, ExportConfig
from dataset_assets.config import ConfigReader, Nightly
from dataset_assets.errors import ConfigError
from dataset_assets.exports import finished_exports


def build_refresh_exports(job: dg.UnresolvedAssetJobDefinition, nightly: Nightly) -> dg.ScheduleDefinition:
    """Build the schedule.

    Args:
        job: The job that exports.
        nightly: Names the time zone.
    """

    # Off until it is switched on: an export is replaced, which a training that reads it may notice.
    @dg.schedule(
        name="refresh_exports",
        job=job,
        cron_schedule="0 7 * * *",
        execution_timezone=nightly.time_zone,
        description="Exports again what lies in `exports/` of the data set, each with the options that its "
        "`export.json` records: one run each, which writes what has changed.",
    )
    def schedule(
        context: dg.ScheduleEvaluationContext, config_reader: dg.ResourceParam[ConfigReader]
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        try:
            settings = config_reader.read()
        except ConfigError as error:
            yield dg.SkipReason(error.summary)
            return
        found = finished_exports(settings)
        if not found:
            yield dg.SkipReason("no export lies in exports/ of the data set: materialize `exports` once")
        for folder, options in found.items():
            yield dg.RunRequest(
                run_key=f"{context.scheduled_execution_time.isoformat()} {folder.name}",
                run_config=dg.RunConfig(ops={EXPORTS: ExportConfig.of(options, folder)}),
            )

    return schedule
