"""The resource that loads the configuration for runs; assets read no other.

Sensors and schedules have a `ConfigReader` instead, so that they can report a mistake and go on. Not here:
how a configuration is read (`config`).
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from pydantic import Field

from dataset_assets.assets import mark_config_mistake
from dataset_assets.config import Settings, load_settings
from dataset_assets.dagster_internals import PATIENCE_S, keep_connections
from dataset_assets.errors import ConfigError


class DatasetConfig(dg.ConfigurableResource[Settings]):
    """The configuration file that a run reads.

    Read when a run starts, so that an edit counts for the next run without a restart.
    """

    path: str = Field(description="The configuration file, JSON or YAML.")

    def create_resource(self, context: dg.InitResourceContext) -> Settings:
        """Load the settings.

        Raises:
            ConfigError: The file holds mistakes; all of them are listed.
        """
        if context.run is not None and context.instance is not None:
            # The first that a run does, whatever started it: what it reports from here on waits for Postgres.
            keep_connections(context.instance, patience_s=PATIENCE_S)
        try:
            return load_settings(Path(self.path))
        except ConfigError:
            if context.run is not None and context.instance is not None:
                mark_config_mistake(context.instance, context.run.run_id)
            raise
