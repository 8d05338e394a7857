"""The resource that loads the configuration; assets read no other.

Not here: how a configuration is read (`config`).
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from pydantic import Field

from dataset_assets.config import Settings, load_settings


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
        return load_settings(Path(self.path))
