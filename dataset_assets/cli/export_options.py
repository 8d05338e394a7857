"""The options of `export`, as typer reads them. What they mean is in `exports`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataset_assets.cli import completion

Layout = Annotated[
    str,
    typer.Argument(
        help="vimeo90k, vimeo90k-lmdb, redux, pairs, pairs-lmdb, webdataset, packed: docs/exports.md.",
        autocompletion=completion.layouts,
    ),
]
Folder = Annotated[
    Path | None,
    typer.Argument(
        help="Folder of the export, replaced if it holds one; exports/LAYOUT in the data set by default."
    ),
]
Categories = Annotated[
    list[str] | None,
    typer.Option(
        help="A category, or several separated by commas; all by default. May be repeated.",
        autocompletion=completion.categories,
    ),
]
Where = Annotated[
    str | None,
    typer.Option(help="SQL condition over the tables' columns, e.g. 'sharpness > 0.8'; see docs/tables.md."),
]
Formats = Annotated[str, typer.Option(help="Formats, separated by commas; all by default.")]
Frames = Annotated[int, typer.Option(help="LR frames of each window: 5 or 7.")]
Gt = Annotated[str, typer.Option(help="Ground truth of the middle frame, or of all frames: middle or all.")]
Lr = Annotated[
    str, typer.Option(help="LR as it was scaled down, or as `degrade` made it: clean or degraded.")
]
ValVideos = Annotated[
    str,
    typer.Option(
        help="Keys of the films for validation, separated by commas.", autocompletion=completion.keys
    ),
]
ValShare = Annotated[float, typer.Option(help="Share of the films for validation, drawn by their keys.")]
Copy = Annotated[
    bool, typer.Option("--copy", help="Copy GT files instead of hard-linking them.", show_default=False)
]
Uncurated = Annotated[
    bool,
    typer.Option(
        "--uncurated",
        help="Also what curation leaves out: patches with nothing to learn, combs; see docs/curation.md.",
        show_default=False,
    ),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Threads; else max_workers.")]
