"""`score`: which patches are scored, how far that is, and the medians.

Measuring and the tables are in the package `curation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dataset_assets.cli.patch_work import Totals, patches_by_video, work_through
from dataset_assets.config import load_settings
from dataset_assets.counting import counted, percent
from dataset_assets.curation import SCORES, ScoringReport, Summary, score_video
from dataset_assets.dataset import DataSet


def score(
    config: Path, console: Console, *, videos: Sequence[str], categories: Sequence[str], workers: int | None
) -> int:
    """Score the patches that have no scores, or were made again since; print the medians.

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
        DatasetAssetsError: There is nothing to score, or a table cannot be read.
    """
    settings = load_settings(config)
    data_set = DataSet.of(settings)
    data_set.copy.begin()
    data_set.join_hosts(settings, config)
    patches = patches_by_video(settings, data_set, videos, categories, "score")
    summaries: dict[str, Summary] = {}
    totals = Totals()

    def add(report: ScoringReport) -> None:
        totals.add(report)
        for name, of_category in report.categories.items():
            summaries.setdefault(name, Summary()).add(of_category.rows)

    work = partial(
        score_video,
        settings,
        categories=categories or None,
        workers=workers or settings.base.max_workers,
    )
    failed = work_through(console, patches, work, add)
    console.print(_medians(dict(sorted(summaries.items()))))
    scored = counted(sum(each.patches for each in summaries.values()), "patch")
    of_videos = f"{scored} of {counted(totals.videos, 'video')} in {data_set.metadata_folder / 'scores'}"
    console.print(f"{of_videos}: {totals.sentence('scored', 'old row')}", soft_wrap=True)
    return 1 if failed else 0


def _medians(summaries: dict[str, Summary]) -> Table:
    """Return a column for each category: the median of each score."""
    table = Table("median")
    for name in summaries:
        table.add_column(name, justify="right")
    medians = [summary.medians for summary in summaries.values()]
    for score_name in SCORES:
        table.add_row(score_name, *(_shown(each.get(score_name)) for each in medians))
    table.add_row("nothing to learn", *(percent(each.nothing_to_learn) for each in summaries.values()))
    table.add_row("patches", *(f"{each.patches:,}" for each in summaries.values()))
    return table


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
