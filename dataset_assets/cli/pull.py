"""`pull`: this machine's copy of a data set in an object store, brought up to date."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.dataset import DataSet, keep_curation
from dataset_assets.errors import DatasetAssetsError


def pull_copy(settings: Settings, console: Console, keys: Sequence[str], *, only_tables: bool) -> None:
    """Download what the copy lacks.

    Args:
        settings: The configuration.
        console: Where progress is shown.
        keys: Keys of the videos whose pictures are wanted; all where empty.
        only_tables: Whether no pictures are.

    Raises:
        ConfigError: The configuration has no such video.
        DatasetAssetsError: The data set is not in an object store, or the store cannot be read.
    """
    if settings.base.output_url is None:
        raise DatasetAssetsError(
            "the data set is in its folder, so there is nothing to pull",
            "set base_settings.output_url to the address of one in an object store",
        )
    for key in keys:
        settings.video(key)
    data_set = DataSet.of(settings)
    data_set.copy.refresh()
    keep_curation(settings)
    wanted = [] if only_tables else list(keys or data_set.tables.keys())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("videos", total=len(wanted))
        data_set.copy.pull(wanted, lambda _: bar.advance(task))
    what = "the tables" if only_tables else f"the pictures of {counted(len(wanted), 'video')}"
    console.print(f"{what} of {settings.base.output_url} are in {data_set.folder}", soft_wrap=True)
