"""`validation`: what is proposed, and what a person decides about it.

Choosing is in `curation`, the tables and files in `dataset`, exports in `exports`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dataset_assets.cli.export import export_dataset
from dataset_assets.config import Settings, load_settings, near_names
from dataset_assets.counting import counted, percent
from dataset_assets.curation import Proposal, propose
from dataset_assets.dataset import DataSet, Decided, ValidationPatch
from dataset_assets.errors import ConfigError, DatasetAssetsError
from dataset_assets.exports import exports_to_refresh
from dataset_assets.gallery import write_validation_page
from dataset_assets.object_store import StoreError


def propose_patches(
    config: Path,
    console: Console,
    *,
    categories: Sequence[str],
    videos: Sequence[str],
    count: int,
    span_s: float,
) -> None:
    """Propose patches for validation, and print them.

    Args:
        config: The configuration file.
        console: Where they are printed.
        categories: Categories; all that have patches where empty.
        videos: Keys of the films to take from, each set apart as a whole; all films where empty.
        count: How many a category is to have, those that were accepted included.
        span_s: Seconds before and after a patch that are set apart with it.

    Raises:
        ConfigError: The configuration holds mistakes, or a video or category is unknown.
        DatasetAssetsError: There are no patches, some have no scores, or a table cannot be read or written.
    """
    settings = load_settings(config)
    data_set = DataSet.of(settings)
    data_set.copy.refresh()
    chosen = _categories(data_set, categories, videos)
    with _disk_errors():
        proposals = propose(settings, chosen, videos=videos, count=count, span_s=span_s)
        page = write_validation_page(settings, with_index=True)
    console.print(_proposed(proposals))
    console.print(_totals(proposals, count))
    if adopted := sum(each.adopted for each in proposals):
        console.print(f"{counted(adopted, 'patch')} whose GT you have put into Val/GT now accepted")
    _name_stale_exports(settings, console)
    if any(each.proposed for each in proposals):
        console.print(f"contact sheet: {escape(str(page))}", soft_wrap=True)
        console.print(
            "what is proposed is not in Val/GT yet: `dataset-assets validation accept --all`, or "
            "`--patches ID,ID`, takes it; so do buttons of that page while `dataset-assets ui` serves it",
            soft_wrap=True,
        )


def list_decisions(config: Path, console: Console, categories: Sequence[str]) -> None:
    """Print what is proposed, accepted and declined.

    Raises:
        ConfigError: The configuration holds mistakes, or a category is unknown.
        DatasetAssetsError: A table cannot be read.
    """
    settings = load_settings(config)
    data_set = DataSet.of(settings)
    data_set.copy.refresh()
    found = _of_categories(data_set, categories)
    table = Table("category", "patch", "at", "state", "set apart", "")
    patches = {
        (triplet.category, triplet.row.patch_id)
        for triplet in data_set.triplets(sorted({each.video for each in found}))
    }
    for each in found:
        row = each.row
        notes = [data_set.validation.file_state(each)]
        if (each.category, row.patch_id) not in patches:
            notes.append("its film or its window is gone")
        table.add_row(
            each.category,
            escape(row.patch_id),
            f"{row.time_s:.1f} s",
            row.state,
            "the film" if row.span_s is None else f"{row.span_s:g} s",
            escape("; ".join(filter(None, notes))),
        )
    console.print(table)
    _name_stale_exports(settings, console)


def accept_patches(
    config: Path, console: Console, names: Sequence[str], categories: Sequence[str], *, is_all: bool
) -> None:
    """Accept patches, and export again what trains on them or their neighbours.

    Args:
        config: The configuration file.
        console: Where it is reported.
        names: Their names, `patch_id` or `category/patch_id`.
        categories: Categories that they are of; all where empty.
        is_all: Whether all are accepted that are proposed, and files put back that are missing.

    Raises:
        ConfigError: The configuration holds mistakes, or a category is unknown.
        DatasetAssetsError: A patch was not proposed, or cannot be accepted, see `Validation.accept`; or an
            export cannot be written.
    """
    settings = load_settings(config)
    data_set = DataSet.of(settings)
    data_set.copy.refresh()
    states = ("proposed", "accepted") if is_all else ("proposed", "accepted", "declined")
    chosen = _asked(data_set, names, categories, states, is_all=is_all)
    with _disk_errors():
        decided = data_set.validation.accept(settings, chosen)
        write_validation_page(settings)
    _report(console, "accepted", decided)
    _refresh(settings, console)
    if decided.changed:
        console.print("exports in other folders train on them until they are made again", soft_wrap=True)


def decline_patches(
    config: Path, console: Console, names: Sequence[str], categories: Sequence[str], *, is_all: bool
) -> None:
    """Decline patches, also accepted ones.

    Raises:
        ConfigError: The configuration holds mistakes, or a category is unknown.
        DatasetAssetsError: A patch was not proposed, or a table or file cannot be written.
    """
    settings = load_settings(config)
    data_set = DataSet.of(settings)
    data_set.copy.refresh()
    states = ("proposed",) if is_all else ("proposed", "accepted", "declined")
    chosen = _asked(data_set, names, categories, states, is_all=is_all)
    with _disk_errors():
        decided = data_set.validation.decline(chosen)
        write_validation_page(settings)
    _report(console, "declined", decided)


def refresh_exports(config: Path, console: Console) -> None:
    """Export again what is in the data set's own folder for exports and trains on what is set apart.

    Raises:
        ConfigError: The configuration holds mistakes.
        DatasetAssetsError: An export cannot be written, or a table read.
    """
    settings = load_settings(config)
    DataSet.of(settings).copy.refresh()
    if not _refresh(settings, console):
        console.print(f"no export in {DataSet.of(settings).exports_folder} trains on what is set apart")


def _name_stale_exports(settings: Settings, console: Console) -> None:
    for folder in exports_to_refresh(settings):
        what = f"{folder} trains on patches that are set apart: `dataset-assets validation refresh`"
        console.print(f"[yellow]export[/yellow] {escape(what)}", soft_wrap=True)


def _refresh(settings: Settings, console: Console) -> int:
    """Return how many exports were made again."""
    stale = exports_to_refresh(settings)
    for folder, options in stale.items():
        if not export_dataset(settings, options, folder, console, workers=None):
            raise KeyboardInterrupt
    return len(stale)


def _categories(data_set: DataSet, categories: Sequence[str], videos: Sequence[str]) -> list[str]:
    there = data_set.tables.categories()
    if not there:
        raise DatasetAssetsError(f"{data_set.folder} has no patches to propose", "run generate first.")
    problems = [
        f"--categories: no patch is of the category {name}; {near_names(name, there)}"
        for name in dict.fromkeys(categories)
        if name not in there
    ]
    keys = sorted({key for name in there for key in data_set.tables.patches_files(name)})
    problems += [
        f"--videos: {key!r} has no patches; {near_names(key, keys)}"
        for key in dict.fromkeys(videos)
        if key not in keys
    ]
    if problems:
        raise ConfigError(problems)
    return [name for name in there if not categories or name in categories]


def _of_categories(data_set: DataSet, categories: Sequence[str]) -> list[ValidationPatch]:
    found = data_set.validation.read()
    there = sorted({each.category for each in found})
    if not there:
        raise DatasetAssetsError(
            f"Nothing was proposed of {data_set.folder}", "run `dataset-assets validation propose`."
        )
    problems = [
        f"--categories: nothing was proposed of the category {name}; {near_names(name, there)}"
        for name in dict.fromkeys(categories)
        if name not in there
    ]
    if problems:
        raise ConfigError(problems)
    return [each for each in found if not categories or each.category in categories]


def _asked(
    data_set: DataSet,
    names: Sequence[str],
    categories: Sequence[str],
    states: Sequence[str],
    *,
    is_all: bool,
) -> list[ValidationPatch]:
    """Return the patches that are named, or all in some states."""
    if is_all == bool(names):
        raise DatasetAssetsError(
            "--patches and --all exclude each other" if is_all else "No patch is named",
            "use --patches ID,ID, or --all for all that are proposed.",
        )
    found = [each for each in _of_categories(data_set, categories) if each.row.state in states]
    if is_all:
        return found
    chosen = []
    for name in dict.fromkeys(names):
        matching = [each for each in found if name in (each.name, each.row.patch_id)]
        if not matching:
            near = near_names(name, [each.name if "/" in name else each.row.patch_id for each in found])
            raise DatasetAssetsError(f"No patch {name} was proposed", near)
        if len(matching) > 1:
            raise DatasetAssetsError(
                f"{name} is a patch of several categories", f"write {matching[0].name}, or use --categories."
            )
        chosen += matching
    return chosen


def _proposed(proposals: Sequence[Proposal]) -> Table:
    table = Table("category", "patch", "at", "format", "detail_db", "noise_sigma", "motion")
    for proposal in proposals:
        for each in proposal.proposed:
            scores = (each.scores.detail_db, each.scores.noise_sigma, each.scores.motion)
            table.add_row(
                proposal.category,
                escape(each.patch.patch_id),
                f"{each.window.time_s:.1f} s",
                escape(each.patch.format),
                *(f"{score:.3g}" for score in scores),
            )
    return table


def _totals(proposals: Sequence[Proposal], count: int) -> Table:
    table = Table("category", "proposed", "accepted", "candidates", "patches", "then not for training")
    for each in proposals:
        found = len(each.proposed) + each.accepted
        table.add_row(
            each.category,
            f"{len(each.proposed)}" if found >= count else f"{len(each.proposed)}, no more candidates",
            f"{each.accepted}",
            f"{each.candidates:,}",
            f"{each.patches:,}",
            f"{each.set_apart:,} ({percent(each.set_apart / each.patches if each.patches else None)})",
        )
    return table


def _report(console: Console, done: str, decided: Decided) -> None:
    parts = [f"{counted(len(decided.changed), 'patch')} {done}"]
    if decided.written:
        folders = sorted({str(path.parent) for path in decided.written})
        parts.append(f"{counted(len(decided.written), 'file')} in {', '.join(folders)}")
    if decided.removed:
        parts.append(f"{counted(len(decided.removed), 'file')} deleted from Val/GT")
    console.print(escape("; ".join(parts)), soft_wrap=True)
    for sentence in decided.kept:
        console.print(f"[yellow]kept[/yellow] {escape(sentence)}", soft_wrap=True)


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise DatasetAssetsError(
            f"{error.filename or 'Val/GT'}: cannot be written ({error.strerror})",
            "free some space, or correct its permissions, and use the same command again.",
        ) from error
