"""`demo`: a data set from sample films, by the same steps as from a user's own.

The films and their configuration are made in the package `demo`.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.console import Console

from dataset_assets.cli.generate import generate
from dataset_assets.config import load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.demo import DATASET_FOLDER, demo_config, make_films
from dataset_assets.gallery import index_path
from dataset_assets.launch import home_of


def run_demo(folder: Path, console: Console) -> int:
    """Make the sample films, generate a data set from them, and print where everything is.

    Args:
        folder: Where films, configuration and data set go; films that are there already are kept.
        console: Where progress is shown.

    Returns:
        The exit code of `generate`.

    Raises:
        DatasetAssetsError: The footage is not installed, the films cannot be written, or Dagster can keep no
            history in a folder of the home's name.
    """
    home_of(folder.resolve() / DATASET_FOLDER)  # refused before anything is written
    make_films(folder / "films", report=lambda line: console.print(line, soft_wrap=True))
    config = demo_config(folder)
    code = generate(config, console, videos=(), categories=(), workers=None, force=False, may_replace=False)
    settings = load_settings(config)
    data_set, quoted = DataSet.of(settings), shlex.quote(str(config))
    console.print(
        f"\ndata set  {data_set.folder}\ntables    {data_set.metadata_folder}"
        f"\ngallery   {index_path(settings)}"
        f"\nnumbers   .venv/bin/dataset-assets stats --config {quoted}"
        f"\nUI        .venv/bin/dataset-assets ui --config {quoted}",
        soft_wrap=True,
    )
    return code
