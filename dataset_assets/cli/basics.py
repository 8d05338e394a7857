"""What all commands share: where they print, how errors end them, and the options that most of them have.

Not here: the commands.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from dataset_assets.cli import completion
from dataset_assets.errors import ConfigError, DatasetAssetsError

CONFIG_ERROR, FAILED, INTERRUPTED = 2, 1, 130
# Columns that a pipe or a file is given: a key of 100 characters stays on one line, so that grep finds it.
PIPE_WIDTH = 200

console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
errors = Console(stderr=True)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="The configuration file; else DATASET_ASSETS_CONFIG, else configs/generator_config.json.",
        show_default=False,
    ),
]
VideosOption = Annotated[
    str,
    typer.Option(help="Keys of videos, separated by commas; all by default.", autocompletion=completion.keys),
]
CategoriesOption = Annotated[
    str,
    typer.Option(
        help="Categories, separated by commas; all by default.", autocompletion=completion.categories
    ),
]


@contextmanager
def reporting_errors(stopped: str = "stopped") -> Iterator[None]:
    """Print errors of the user without a traceback; mistakes in a configuration exit with 2.

    Args:
        stopped: What is printed after Ctrl+C.
    """
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            errors.print(f"[red]error[/red] {escape(problem)}", soft_wrap=True)
        raise typer.Exit(CONFIG_ERROR) from error
    except DatasetAssetsError as error:
        errors.print(f"[red]error[/red] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt as error:
        errors.print(stopped)
        raise typer.Exit(INTERRUPTED) from error


def split(text: str) -> list[str]:
    """Return the names of an option that are separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]
