"""`degrade`: which patches get degraded stacks, how far that is, and how far they are from the clean ones.

Degrading, files and tables are in the packages `degradation` and `curation`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from dataset_assets.cli.patch_work import Totals, patches_by_video, work_through
from dataset_assets.config import Settings, load_settings
from dataset_assets.counting import counted
from dataset_assets.curation import DegradingReport, degrade_video, refuse_missing_encoders
from dataset_assets.dataset import DataSet, degradation_steps
from dataset_assets.degradation import LEAST_DB, MOST_DB
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import DegradedRow


def degrade(
    config: Path, console: Console, *, videos: Sequence[str], categories: Sequence[str], workers: int | None
) -> int:
    """Make the degraded stacks that patches lack, or that are stale; print how far they are from the clean.

    Args:
        config: The configuration file.
        console: Where progress is shown.
        videos: Keys of the videos; all that have patches where empty.
        categories: Categories; all where empty.
        workers: Threads; the configuration's `max_workers` by default.

    Returns:
        The exit code: 0 when all is done but what another run works on, 1 when a video failed.

    Raises:
        ConfigError: The configuration holds mistakes, or a video or category is unknown.
        DatasetAssetsError: There is nothing to degrade, a codec is missing, or a table cannot be read.
    """
    settings = load_settings(config)
    data_set = DataSet.of(settings)
    data_set.copy.begin()
    data_set.join_hosts(settings, config)
    refuse_missing_encoders(settings, categories or None)
    degraded = [name for name in settings.categories if degradation_steps(settings, name)]
    patches = patches_by_video(settings, data_set, videos, categories or degraded, "degrade")
    _refuse_without_steps(settings, data_set, patches)
    rows: dict[str, list[DegradedRow]] = {}
    totals = Totals()

    def add(report: DegradingReport) -> None:
        totals.add(report)
        for name, of_category in report.categories.items():
            rows.setdefault(name, []).extend(of_category.rows)

    work = partial(
        degrade_video,
        settings,
        categories=categories or None,
        workers=workers or settings.base.max_workers,
    )
    failed = work_through(console, patches, work, add)
    console.print(_table(rows))
    stacks = counted(sum(map(len, rows.values())), "degraded stack")
    of_videos = f"{stacks} of {counted(totals.videos, 'video')}"
    console.print(f"{of_videos}: {totals.sentence('degraded', 'old stack')}", soft_wrap=True)
    return 1 if failed else 0


def _refuse_without_steps(
    settings: Settings, data_set: DataSet, keys: Sequence[str] | dict[str, int]
) -> None:
    """Refuse a configuration that degrades nothing, unless there is something to remove."""
    if any(degradation_steps(settings, name) for name in settings.categories):
        return
    tables = data_set.tables
    if any(
        tables.degradations_path(name, key).exists() for key in keys for name in tables.categories_of(key)
    ):
        return
    raise DatasetAssetsError(
        "The configuration names no degradations",
        "add base_settings.degradations, as docs/degradation.md shows.",
    )


def _table(rows: dict[str, list[DegradedRow]]) -> Table:
    """Return a column for each category: how far its stacks are from the clean ones, and what coded them."""
    table = Table("")
    found = {name: each for name, each in sorted(rows.items()) if each}
    for name in found:
        table.add_column(name, justify="right")
    dbs = {name: np.array([row.db for row in each]) for name, each in found.items()}
    for title, share in (("dB of LR, least", 0), ("median", 50), ("largest", 100)):
        table.add_row(title, *(f"{np.percentile(each, share):.1f}" for each in dbs.values()))
    title = f"not within {LEAST_DB:g} to {MOST_DB:g} dB"
    table.add_row(
        title, *(f"{sum(row.is_out_of(LEAST_DB, MOST_DB) for row in each)}" for each in found.values())
    )
    counts = {name: Counter(row.codec or "not coded" for row in each) for name, each in found.items()}
    for codec in sorted({codec for each in counts.values() for codec in each}):
        table.add_row(codec, *(f"{each[codec]:,}" for each in counts.values()))
    table.add_row("patches", *(f"{len(each):,}" for each in found.values()))
    return table
