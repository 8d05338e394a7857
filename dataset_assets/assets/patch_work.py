"""What the assets `patch_scores` and `patch_degradations` share: work on the files of a video's patches.

Not here: what each is for, and what it shows of its work (their own modules).
"""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

import dagster as dg
import pyarrow as pa

from dataset_assets.assets.beginning import begin_step
from dataset_assets.assets.decode_pool import DECODE_POOL
from dataset_assets.assets.failures import failing_once
from dataset_assets.assets.make_patches import patches_asset
from dataset_assets.assets.reporting import GROUP, OWNER, Metadata, column_schema
from dataset_assets.assets.runs import logging_waits
from dataset_assets.config import Settings
from dataset_assets.curation import DegradingReport, ScoringReport
from dataset_assets.dataset import OnBusy
from dataset_assets.partitions import VIDEO_PARTITIONS

_Report = TypeVar("_Report", ScoringReport, DegradingReport)
_ReportWorked = TypeVar("_ReportWorked", ScoringReport, DegradingReport, covariant=True)


class Work(Protocol[_ReportWorked]):
    """Works on the patches of a video, as `curation.score_video` does."""

    def __call__(self, settings: Settings, key: str, *, on_busy: OnBusy | None) -> _ReportWorked:
        """Work on what lacks it, by key of the video."""


def build_patch_work(
    name: str,
    categories: Iterable[str],
    work: Work[_Report],
    shown: Callable[[Settings, _Report], Metadata],
    *,
    table: pa.Schema,
    version: int,
    stage: str,
    description: str,
) -> dg.AssetsDefinition:
    """Build an asset over the patch assets of a configuration.

    Args:
        name: Its name.
        categories: Names of the categories.
        work: What it does with a video.
        shown: Gives the metadata of what was done, but for the times that it took.
        table: Schema of the table that it writes.
        version: Of what it makes.
        stage: Which stage it belongs to.
        description: What the UI shows of it, Markdown.
    """

    @dg.asset(
        name=name,
        deps=[patches_asset(each) for each in categories],
        partitions_def=VIDEO_PARTITIONS,
        group_name=GROUP,
        kinds={"opencv", "parquet"},
        tags={"stage": stage},
        owners=[OWNER],
        description=description,
        code_version=str(version),
        # It takes a processor as decoding does, and holds the video.
        pool=DECODE_POOL,
        metadata={"dagster/column_schema": column_schema(table)},
    )
    def patch_work(
        context: dg.AssetExecutionContext, dataset_config: dg.ResourceParam[Settings]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster takes a subscripted one for a tuple
        key = begin_step(context, dataset_config)
        with failing_once():
            report = work(dataset_config, key, on_busy=logging_waits(context))
        times: Metadata = {
            "cpu_s": dg.MetadataValue.float(round(report.cpu_s, 1)),
            "wall_s": dg.MetadataValue.float(round(report.wall_s, 1)),
        }
        return dg.MaterializeResult(metadata=shown(dataset_config, report) | times)

    return patch_work
