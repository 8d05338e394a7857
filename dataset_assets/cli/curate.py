"""`curate`: what the conditions of curation leave out, clause by clause.

Evaluating them is in the package `curation`, the page with the patches near to limits in `gallery`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dataset_assets.config import Settings, curation_of, load_settings, mistake_in, near_names
from dataset_assets.counting import counted
from dataset_assets.curation import CategoryPreview, preview
from dataset_assets.dataset import DataSet, keep_curation
from dataset_assets.errors import ConfigError, DatasetAssetsError
from dataset_assets.gallery import write_curation_page


def curate(
    config: Path, console: Console, *, categories: Sequence[str], where: str | None, is_preview: bool
) -> None:
    """Print what curation leaves out, and keep its conditions in the data set or show patches near to limits.

    Args:
        config: The configuration file.
        console: Where it is printed.
        categories: Categories; all that have patches where empty.
        where: A condition to try instead of the configuration's.
        is_preview: Whether a page with the patches near to limits is written, and nothing is kept.

    Raises:
        ConfigError: The configuration or `where` holds mistakes, or a category is unknown.
        DatasetAssetsError: Options contradict, there are no patches, or a table or the disk cannot be read or
            written.
    """
    settings = load_settings(config)
    if where is not None and not is_preview:
        raise DatasetAssetsError(
            "--where tries a condition, and keeps none",
            "add --preview, or write it under curation in the configuration.",
        )
    if where is not None and (mistake := mistake_in(where)):
        raise ConfigError([f"--where: {mistake}"])
    data_set = DataSet.of(settings)
    data_set.copy.refresh()
    found = []
    for name in _known(settings, data_set, categories):
        condition = curation_of(settings.curation, name) if where is None else where
        of_category = preview(data_set, name, condition)
        if of_category.patches:
            found.append(of_category)
            console.print(_table(of_category))
    for sentence in filter(None, map(_unscored, found)):
        console.print(sentence, soft_wrap=True, markup=False, highlight=False)
    try:
        if is_preview:
            data_set.copy.pull({near.triplet.video for each in found for near in each.shown})
            page = write_curation_page(settings, found)
            console.print(f"the patches nearest to each limit: {page}", soft_wrap=True, markup=False)
        else:
            keep_curation(settings)
            console.print("in force for exports, and for TripletDataset; --preview shows patches")
    except OSError as error:
        raise DatasetAssetsError(
            f"{error.filename or data_set.folder} cannot be written ({error.strerror})",
            "free some space or correct the folder's permissions, and call it again.",
        ) from error


def _known(settings: Settings, data_set: DataSet, asked: Sequence[str]) -> list[str]:
    there = data_set.tables.categories()
    if not there:
        raise DatasetAssetsError(f"{data_set.folder} has no patches to curate", "run generate first.")
    known = sorted({*settings.categories, *there})
    problems = [
        f"--categories: there is no category {name}; {near_names(name, known)}"
        for name in dict.fromkeys(asked)
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)
    return [name for name in there if not asked or name in asked]


def _table(found: CategoryPreview) -> Table:
    condition = "all are taken" if found.condition is None else found.condition
    title = escape(f"{found.name}, {counted(found.patches, 'patch')}: {condition}")
    table = Table(title=title, title_justify="left")
    table.add_column("clause", overflow="fold")
    for name in ("leaves out", "share", "which no other does", "not known"):
        table.add_column(name, justify="right")
    for each in found.clauses if found.condition is not None else ():
        table.add_row(
            escape(each.clause.text),
            f"{each.left_out:,}",
            _share(each.left_out, found.patches),
            f"{each.alone:,}",
            f"{each.unknown:,}",
        )
    table.add_row("all together", f"{found.left_out:,}", _share(found.left_out, found.patches), "", "")
    return table


def _unscored(found: CategoryPreview) -> str:
    if not found.unscored:
        return ""
    return (
        f"{found.name}: {found.unscored:,} of {counted(found.patches, 'patch')} not scored, so that they are "
        "taken: `dataset-assets score` measures them"
    )


def _share(part: int, total: int) -> str:
    return f"{part / total:.1%}" if total else "-"
