"""The commands `validation ...`, their options and their help. What a command does is in `validation`."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from dataset_assets.cli import completion
from dataset_assets.cli.basics import CategoriesOption, ConfigOption, console, reporting_errors, split
from dataset_assets.config import config_path

app = typer.Typer(help="Patches for validation: proposed, and accepted by you.", no_args_is_help=True)

# Those of `curation`, which is imported inside the commands.
PROPOSED_COUNT, NEIGHBOURS_S = 20, 10.0

_Patches = Annotated[
    str,
    typer.Option("--patches", help="Patches, as `list` names them, separated by commas: ID or CATEGORY/ID."),
]


@app.command()
def propose(
    config: ConfigOption = None,
    categories: CategoriesOption = "",
    videos: Annotated[
        str,
        typer.Option(
            help="Films to take from, each set apart as a whole; by default all films, and only the "
            "neighbours of each patch are set apart.",
            autocompletion=completion.keys,
        ),
    ] = "",
    count: Annotated[
        int, typer.Option(min=1, help="Patches of each category, those that are accepted included.")
    ] = PROPOSED_COUNT,
    span: Annotated[
        float, typer.Option(min=1.0, help="Seconds before and after a patch that are set apart with it.")
    ] = NEIGHBOURS_S,
) -> None:
    """Propose diverse patches with something to learn; nothing is in Val/GT before you accept."""
    from dataset_assets.cli.validation import propose_patches

    with reporting_errors():
        propose_patches(
            config_path(config),
            console,
            categories=split(categories),
            videos=split(videos),
            count=count,
            span_s=span,
        )


@app.command("list")
def list_patches(config: ConfigOption = None, categories: CategoriesOption = "") -> None:
    """Show what is proposed, accepted and declined, and what is wrong with files in Val/GT."""
    from dataset_assets.cli.validation import list_decisions

    with reporting_errors():
        list_decisions(config_path(config), console, split(categories))


@app.command()
def accept(
    config: ConfigOption = None,
    patches: _Patches = "",
    everything: Annotated[
        bool, typer.Option("--all", help="All that are proposed.", show_default=False)
    ] = False,
    categories: CategoriesOption = "",
) -> None:
    """Copy GT of patches into Val/GT; neither they nor their neighbours are trained on from then on."""
    from dataset_assets.cli.validation import accept_patches

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as in `generate`
    with reporting_errors("stopped; the same command goes on"):
        names = split(patches)
        accept_patches(config_path(config), console, names, split(categories), is_all=everything)


@app.command()
def decline(
    config: ConfigOption = None,
    patches: _Patches = "",
    everything: Annotated[
        bool, typer.Option("--all", help="All that are proposed.", show_default=False)
    ] = False,
    categories: CategoriesOption = "",
) -> None:
    """Never propose patches again; those accepted before leave Val/GT and are for training again."""
    from dataset_assets.cli.validation import decline_patches

    with reporting_errors():
        names = split(patches)
        decline_patches(config_path(config), console, names, split(categories), is_all=everything)


@app.command()
def refresh(config: ConfigOption = None) -> None:
    """Export again what lies in exports/ of the data set and trains on patches that are set apart."""
    from dataset_assets.cli.validation import refresh_exports

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as in `generate`
    with reporting_errors("stopped; the same command goes on"):
        refresh_exports(config_path(config), console)
