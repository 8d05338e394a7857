"""The resource that loads the configuration for runs; assets read no other.

Sensors and schedules have a `ConfigReader` instead, so that they can report a mistake and go on. Not here:
how a configuration is read (`config`).
"""

from __future__ import annotations

import time
from pathlib import Path

import dagster as dg
from pydantic import Field

from dataset_assets.assets import MAX_RETRIES_TAG, data_set_of, mark_config_mistake, video_of
from dataset_assets.config import Settings, load_settings
from dataset_assets.dagster_internals import PATIENCE_S, keep_connections
from dataset_assets.dataset import DataSet, refuse_other_data_set
from dataset_assets.errors import ConfigError

# Of runs that their launcher starts again by itself, such as `generate`.
NEVER_AGAIN = "0"


class DatasetConfig(dg.ConfigurableResource[Settings]):
    """The configuration file that a run reads.

    Read when a run starts, so that an edit counts for the next run without a restart.
    """

    path: str = Field(description="The configuration file, JSON or YAML.")

    def create_resource(self, context: dg.InitResourceContext) -> Settings:
        """Load the settings.

        Raises:
            ConfigError: The file holds mistakes; all of them are listed. Or, with many machines, this one
                has another release or configuration than those that work now, or another folder than the
                machine that launched the run.
        """
        config = Path(self.path)
        run, instance = context.run, context.instance
        if run is not None and instance is not None:
            # The first that a run does, whatever started it: what it reports from here on waits for Postgres.
            keep_connections(instance, patience_s=PATIENCE_S)
        try:
            settings = load_settings(config)
        except ConfigError:
            if run is not None and instance is not None:
                mark_config_mistake(instance, run.run_id)
            raise
        if run is not None:
            self._join_hosts(settings, config, run, instance)
        return settings

    @staticmethod
    def _join_hosts(
        settings: Settings, config: Path, run: dg.DagsterRun, instance: dg.DagsterInstance | None
    ) -> None:
        try:
            # First: what follows writes to the folder.
            refuse_other_data_set(settings, data_set_of(run))
            if video_of(run) is not None:
                DataSet.of(settings).join_hosts(settings, config)
        except ConfigError:
            # A machine that refuses at once would be free for the next run at once, and fail all of a queue.
            time.sleep(settings.base.lease_s)
            if instance is not None:
                is_started_again = run.tags.get(MAX_RETRIES_TAG) != NEVER_AGAIN
                mark_config_mistake(instance, run.run_id, is_of_machine=is_started_again)
            raise
