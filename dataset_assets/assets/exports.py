"""`exports`: the data set as a trainer reads it, with the same options as `dataset-assets export`.

Selecting, writing and reading back are in the package `exports`; when it runs, in `automation`.
"""

import logging
import time
from pathlib import Path
from typing import Any, Self, cast

import dagster as dg
from pydantic import Field

from dataset_assets.assets.asset_checks import (
    COUNTS_MATCH,
    EVERY_FILE_OPENS,
    LR_ALIGNED,
    check_result,
    check_specs,
)
from dataset_assets.assets.failures import failing_once
from dataset_assets.assets.make_patches import patches_asset
from dataset_assets.assets.priority import give_way
from dataset_assets.assets.reporting import GROUP, OWNER, Metadata, counts_markdown
from dataset_assets.checks import Verdict
from dataset_assets.config import Category, Settings
from dataset_assets.counting import counted
from dataset_assets.exports import (
    ExportFindings,
    ExportOptions,
    ExportPlan,
    ExportReport,
    check_export,
    default_folder,
    options_to_paste,
    plan_export,
    summary,
    write_export,
)

EXPORTS = "exports"
LOG_INTERVAL_S = 30.0

DESCRIPTION = """The data set, or a part of it, in the layout of a trainer.

The configuration in the launch dialog has the options of `dataset-assets export`: layout, categories, a
condition over the tables, formats, frames, films for validation, folder. What has not changed since the last
export is kept; a run that is stopped is resumed by the next.

- **Files**: `exports/<layout>/` under the data set's folder, with `README.md` and `export.json`.
- **Again**: *Materialize* after patches were made; the schedule `refresh_exports` does so each day.

```python
import json

json.load(open("dataset/exports/redux/export.json"))["counts"]
```
"""


class ExportConfig(dg.Config):
    """What a run exports; the options of `dataset-assets export`."""

    layout: str = Field(
        default="redux",
        description="vimeo90k, vimeo90k-lmdb, redux, pairs, pairs-lmdb, webdataset or packed.",
    )
    folder: str = Field(
        default="",
        description="Folder of the export, absolute or in exports/ of the data set; the layout by default.",
    )
    categories: list[str] = Field(default=[], description="Names of the categories; all by default.")
    where: str = Field(
        default="", description="SQL condition over the tables' columns, such as sharpness > 0.8."
    )
    formats: list[str] = Field(default=[], description="Names of the formats; all by default.")
    frames: int = Field(default=7, description="LR frames of each window: 5 or 7.")
    gt: str = Field(default="middle", description="Ground truth of the middle frame, or of all frames.")
    lr: str = Field(default="clean", description="LR as it was scaled down, or as degrade made it: degraded.")
    val_videos: list[str] = Field(default=[], description="Keys of the films for validation.")
    val_share: float = Field(default=0.0, description="Share of the films for validation.")
    copies_gt: bool = Field(default=False, description="Whether GT files are copied and not hard-linked.")

    curated: bool = Field(default=True, description="Whether triplets are left out that curation leaves out.")

    @classmethod
    def of(cls, options: ExportOptions, folder: Path) -> Self:
        """Return the configuration of a run that exports the same to the same folder."""
        return cls(
            layout=options.layout,
            folder=str(folder),
            categories=list(options.categories),
            where=options.where or "",
            formats=list(options.formats),
            frames=options.frames,
            gt=options.gt,
            lr=options.lr,
            val_videos=list(options.val_videos),
            val_share=options.val_share,
            copies_gt=options.copies_gt,
            curated=options.curated,
        )

    @property
    def options(self) -> ExportOptions:
        """What is asked for; `ExportOptions.check` refuses what there is not."""
        return ExportOptions(
            layout=cast("Any", self.layout),
            categories=tuple(self.categories),
            where=self.where or None,
            formats=tuple(self.formats),
            frames=cast("Any", self.frames),
            gt=cast("Any", self.gt),
            lr=cast("Any", self.lr),
            val_videos=tuple(self.val_videos),
            val_share=self.val_share,
            copies_gt=self.copies_gt,
            curated=self.curated,
        )


def build_exports(categories: dict[str, Category]) -> dg.AssetsDefinition:
    """Build the asset over the patch assets of a configuration."""

    @dg.asset(
        name=EXPORTS,
        deps=[patches_asset(name) for name in categories],
        group_name=GROUP,
        kinds={"file", "parquet"},
        tags={"stage": "exports"},
        owners=[OWNER],
        description=DESCRIPTION,
        check_specs=check_specs(EXPORTS, COUNTS_MATCH, EVERY_FILE_OPENS, LR_ALIGNED, partitions_def=None),
    )
    def exports(
        context: dg.AssetExecutionContext, config: ExportConfig, dataset_config: dg.ResourceParam[Settings]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster takes a subscripted one for a tuple
        give_way(dataset_config.base.nice)
        with failing_once():
            folder = default_folder(dataset_config, config.folder or config.layout)
            plan = plan_export(dataset_config, config.options, folder)
            log = _ProgressLog(context.log, "exported", len(plan.selected.items))
            report = write_export(plan, workers=dataset_config.base.max_workers, on_triplets=log)
            found = check_export(plan)
        return dg.MaterializeResult(
            metadata=_metadata(plan, report),
            check_results=[
                check_result(EXPORTS, name, verdict)
                for name, verdict in _verdicts(found, report.folder).items()
            ],
        )

    return exports


class _ProgressLog:
    """Logs a line at most every 30 s: short exports have none."""

    def __init__(self, log: logging.Logger, what: str, total: int) -> None:
        self._log, self._what, self._total = log, what, total
        self._done, self._logged_s = 0, time.monotonic()

    def __call__(self, count: int) -> None:
        """Count further triplets."""
        self._done += count
        if time.monotonic() >= self._logged_s + LOG_INTERVAL_S:
            self._logged_s = time.monotonic()
            self._log.info(
                f"{self._done:,} of {counted(self._total, 'triplet')} {self._what} "
                f"({self._done / self._total:.0%})"
            )


def _metadata(plan: ExportPlan, report: ExportReport) -> Metadata:
    chosen = plan.selected
    return {
        "layout": dg.MetadataValue.text(plan.layout.name),
        "triplets": dg.MetadataValue.int(len(chosen.items)),
        "train": dg.MetadataValue.int(len(chosen.of("train"))),
        "val": dg.MetadataValue.int(len(chosen.of("val"))),
        "set_apart": dg.MetadataValue.int(chosen.set_apart),
        "written_now": dg.MetadataValue.int(report.written),
        "files": dg.MetadataValue.int(report.files),
        "gigabytes": dg.MetadataValue.float(round(report.size_bytes / 1e9, 3)),
        "wall_s": dg.MetadataValue.float(round(report.wall_s, 1)),
        "max_gt_size": dg.MetadataValue.int(chosen.max_gt_size),
        "left_out_by_curation": dg.MetadataValue.int(sum(chosen.selection.left_out.values())),
        "unscored": dg.MetadataValue.int(chosen.selection.unscored),
        "formats": dg.MetadataValue.md(counts_markdown("format", chosen.formats)),
        "options": dg.MetadataValue.md(options_to_paste(plan)),
        "folder": dg.MetadataValue.path(report.folder),
        "dagster/row_count": dg.MetadataValue.int(len(chosen.items)),
    }


def _verdicts(found: ExportFindings, folder: Path) -> dict[str, Verdict]:
    opened = counted(found.triplets, "triplet")
    # What is unchanged is taken over from the former export, and with it the damage.
    remedy = f"; delete {folder} and export again"
    return {
        COUNTS_MATCH: Verdict(
            not found.counts, summary(found.counts) or "what was selected", "problems", len(found.counts)
        ),
        EVERY_FILE_OPENS: Verdict(
            not found.opens, summary(found.opens, remedy) or f"{opened} opened", "problems", len(found.opens)
        ),
        LR_ALIGNED: Verdict(
            not found.aligned,
            summary(found.aligned, remedy) or f"{counted(found.compared, 'triplet')} compared",
            "problems",
            len(found.aligned),
        ),
    }
