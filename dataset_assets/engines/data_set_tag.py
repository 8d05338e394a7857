"""The id of the data set that a run on another machine has to find there.

Here: the tag that launchers give their runs. Not here: the id, and what a run does with it (`dataset`,
`resources`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import dagster as dg

from dataset_assets.assets import data_set_tags
from dataset_assets.config import ConfigReader, config_path
from dataset_assets.dataset import keep_data_set_id


def note_data_set(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Give a run the id of this machine's data set; called before it is handed to another machine.

    A folder that cannot be read or written here holds no run up: its own machine may see it. The run's log
    says so.

    Args:
        instance: Where the run is.
        run: The run.
    """
    settings = _reader(config_path(None)).last_valid()
    if settings is None:
        return  # its machine reads the same configuration, and reports the mistake
    try:
        found = keep_data_set_id(settings)
    except OSError as error:
        where = f"{settings.base.output_base_dir} cannot be written here ({error.strerror})"
        instance.report_engine_event(f"It does not compare its machine's data set: {where}", run)
        return
    if found is not None:
        instance.add_run_tags(run.run_id, data_set_tags(run.run_id, found))


@cache
def _reader(path: Path) -> ConfigReader:
    """Return the reader of a configuration, which a launch must not read as a whole each time."""
    return ConfigReader(path)
