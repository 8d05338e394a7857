"""Exports: a data set, or a part of it, in the layouts that trainers open unmodified.

`plan_export` finds out what an export holds and takes, `write_export` writes it or what of it has changed,
`check_export` reads it back. Not here: Dagster, and reading for training without a trainer (`training`).

Example:
    from dataset_assets.exports import ExportOptions, plan_export, write_export

    plan = plan_export(settings, ExportOptions("redux", categories=("general",)), Path("export"))
    print(write_export(plan).folder)
"""

from dataset_assets.exports.checking import ExportFindings, check_export, summary
from dataset_assets.exports.layouts import LAYOUTS
from dataset_assets.exports.layouts.protocol import Layout
from dataset_assets.exports.options import LAYOUT_NAMES, ExportOptions, Frames, GtFrames, LayoutName, Lr
from dataset_assets.exports.planning import (
    ExportPlan,
    default_folder,
    finished_exports,
    options_to_paste,
    plan_export,
)
from dataset_assets.exports.refreshing import exports_to_refresh
from dataset_assets.exports.writing import ExportReport, write_export

__all__ = [
    "LAYOUTS",
    "LAYOUT_NAMES",
    "ExportFindings",
    "ExportOptions",
    "ExportPlan",
    "ExportReport",
    "Frames",
    "GtFrames",
    "Layout",
    "LayoutName",
    "Lr",
    "check_export",
    "default_folder",
    "exports_to_refresh",
    "finished_exports",
    "options_to_paste",
    "plan_export",
    "summary",
    "write_export",
]
