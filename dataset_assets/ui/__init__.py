"""The processes behind `dataset-assets ui`, started by `python -m dataset_assets.ui HOST PORT`.

Here: Dagster's code server, daemon and webserver, and the gallery beside it. Not here: what they load
(`definitions`), the command and what it prints (`cli`). Importing this package imports no Dagster, so that
the process that watches the services stays at 15 MB.
"""

from dataset_assets.ui.home_lock import refuse_second, serving
from dataset_assets.ui.hosts import is_loopback, web_address

__all__ = ["is_loopback", "refuse_second", "serving", "web_address"]
