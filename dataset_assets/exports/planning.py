"""Plan an export: its triplets, what it takes, and whether it can be made; nothing is written.

Not here: writing it (`writing`).
"""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, degradation_hash
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports.all_gt import check_films
from dataset_assets.exports.disk_errors import disk_errors
from dataset_assets.exports.layouts import LAYOUTS
from dataset_assets.exports.layouts.protocol import Layout, Size
from dataset_assets.exports.options import ExportOptions
from dataset_assets.exports.pictures import TripletReader
from dataset_assets.exports.publishing import FORMER_SUFFIX, PARTIAL_SUFFIX, read_record, refuse_foreign
from dataset_assets.exports.record import paste_of, recorded_options
from dataset_assets.exports.selected import Selected, selected
from dataset_assets.exports.units import Unit


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """An export before it is written.

    Attributes:
        settings: The configuration.
        data_set: The data set.
        layout: The layout.
        folder: The export's folder, absolute.
        selected: The triplets.
        units: What is written in one step each.
        size: What it takes; no more than that is written.
        free_bytes: Free bytes of its disk.
        links_gt: Whether GT files are hard-linked.
    """

    settings: Settings
    data_set: DataSet
    layout: Layout
    folder: Path
    selected: Selected
    units: tuple[Unit, ...]
    size: Size
    free_bytes: int
    links_gt: bool


def default_folder(settings: Settings, name: str) -> Path:
    """Return the folder of an export in the data set's, `exports/<name>`; the layout by default."""
    return DataSet.of(settings).exports_folder / name


def finished_exports(settings: Settings) -> dict[Path, ExportOptions]:
    """Return the exports in the data set's own folder for them, and the options that each was made with."""
    folder = DataSet.of(settings).exports_folder
    places = sorted(folder.iterdir()) if folder.is_dir() else []
    records = {
        place: read_record(place)
        for place in places
        if not place.name.endswith((PARTIAL_SUFFIX, FORMER_SUFFIX))
    }
    found = {place: recorded_options(record) for place, record in records.items() if record is not None}
    return {place: options for place, options in found.items() if options is not None}


def options_to_paste(plan: ExportPlan) -> str:
    """Return the trainers' option blocks of an export, in Markdown."""
    return plan.layout.block(paste_of(plan.data_set, plan.selected, plan.folder))


def plan_export(settings: Settings, options: ExportOptions, folder: Path | None = None) -> ExportPlan:
    """Find out what an export holds and takes; nothing is written.

    Args:
        settings: The configuration.
        options: What is asked for.
        folder: The export's folder; `default_folder` where None.

    Raises:
        DatasetAssetsError: The options contradict or name something unknown, nothing is selected, a package
            is missing, a file of the data set is, or the folder holds anything but an export.
    """
    options.check()
    layout = LAYOUTS[options.layout]
    _check_packages(layout)
    folder = (folder or default_folder(settings, options.layout)).expanduser().resolve()
    with disk_errors(folder):
        return _planned(settings, options, layout, folder)


def _planned(settings: Settings, options: ExportOptions, layout: Layout, folder: Path) -> ExportPlan:
    data_set = DataSet.of(settings)
    _refuse_own_folders(settings, data_set, folder)
    refuse_foreign(folder)
    _refuse_other_layout(layout, folder)
    data_set.copy.refresh()
    degradations = {name: degradation_hash(settings, name) for name in settings.categories}
    chosen = selected(data_set, options, settings.curation, degradations)
    data_set.copy.pull({item.triplet.video for item in chosen.items})
    TripletReader(data_set, options.frames).check_files(chosen.items)
    if options.gt == "all":
        check_films(settings, chosen.items)
    place = next(each for each in (folder, *folder.parents) if each.exists())
    can_link = layout.links_gt and not options.copies_gt
    links_gt = can_link and place.stat().st_dev == data_set.folder.stat().st_dev
    return ExportPlan(
        settings=settings,
        data_set=data_set,
        layout=layout,
        folder=folder,
        selected=chosen,
        units=tuple(layout.units(chosen)),
        size=layout.size(chosen, links_gt=links_gt),
        free_bytes=shutil.disk_usage(place).free,
        links_gt=links_gt,
    )


def _check_packages(layout: Layout) -> None:
    for module, extra in layout.needs.items():
        if importlib.util.find_spec(module) is None:
            raise DatasetAssetsError(
                f"The layout {layout.name} needs the package {module}, which is not installed",
                f"install it in the project's folder: pip install -e '.[{extra}]'.",
            )


def _refuse_other_layout(layout: Layout, folder: Path) -> None:
    record = read_record(folder)
    if record is not None and record["layout"] != layout.name:
        raise DatasetAssetsError(
            f"{folder} holds an export of the layout {record['layout']}, which {layout.name} would replace",
            "name another folder, or delete this one; nothing was changed.",
        )


def _refuse_own_folders(settings: Settings, data_set: DataSet, folder: Path) -> None:
    """Refuse a folder in which the data set would take the export for its own files."""
    own = [data_set.metadata_folder, data_set.gallery_folder]
    own += [data_set.category_folder(settings, category) for category in settings.categories]
    for each in own:
        if folder.is_relative_to(each.resolve()):
            raise DatasetAssetsError(
                f"{folder} is in a folder of the data set ({each})",
                f"name a folder outside the data set, or one in {data_set.exports_folder}.",
            )
