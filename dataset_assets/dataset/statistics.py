"""Statistics over the tables: how much was made, of what, with which acceptance rates.

Here: sums over all videos of a data set, as data frames. Not here: how they are shown (`cli`, `assets`), how
far one video has come (`completion`), and what is missing or stale (`status`).

An unfinished table counts with the rows that it has.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_assets.dataset.completion import Completion
from dataset_assets.dataset.status import WINDOWS
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import Counts, Provenance

if TYPE_CHECKING:
    import pandas as pd

_JUDGED = ("accepted", "candidates", "acceptance_rate", "reject_reasons")
_MADE = (
    "patches",
    "patches_target",
    "patches_done",
    "patches_short",
    "patches_to_do",
    "patches_stale",
    "size_bytes",
)
_CATEGORY_COLUMNS = ("category", "videos", *_MADE, *_JUDGED)
_FORMAT_COLUMNS = ("category", "format", "patches", "expected", "share", "mix", "size_bytes", *_JUDGED)
_VIDEO_COLUMNS = ("video", "windows_target", "windows_short", *_JUDGED, *_MADE, "complete")
_VIDEO_CATEGORY_COLUMNS = ("video", "category", *_MADE, "complete")


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over a data set.

    Attributes:
        videos: Videos that are configured or have a table of any kind.
        windows_target: Windows wanted.
        windows_short: Wanted windows that films cannot give.
        accepted: Candidates that became windows.
        candidates: Candidates that were tried, accepted or not.
        acceptance_rate: accepted / candidates, 0..1; NaN without candidates.
        reject_reasons: Rejected candidates by reason, the most frequent first.
        patches: Triplets that there are.
        patches_target: Triplets wanted by the configuration; nothing of films that no format fits.
        patches_done: Those of them that there are, up to date.
        patches_short: Those of them that films cannot give.
        patches_to_do: Those of them that are still to be made.
        patches_stale: Triplets of stale tables, or more than are wanted.
        size_bytes: Bytes of all triplets, GT and both LR stacks.
    """

    videos: int
    windows_target: int
    windows_short: int
    accepted: int
    candidates: int
    acceptance_rate: float
    reject_reasons: dict[str, int]
    patches: int
    patches_target: int
    patches_done: int
    patches_short: int
    patches_to_do: int
    patches_stale: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DatasetStats:
    """Statistics over all tables; columns named as in `Totals` mean the same.

    `reject_reasons` is a dict in each row; `reasons_text` makes a line of it. Windows are shared and belong
    to no category, so `accepted`, `candidates`, `acceptance_rate` and `reject_reasons` of a category or a
    format are those of the videos that it was asked of, or cropped from.

    Attributes:
        totals: The sums over all of it.
        categories: Sorted by category; columns `category, videos`, those of patches, `size_bytes, accepted,
            candidates, acceptance_rate, reject_reasons`. `videos` are those with a patch of the category.
        formats: Sorted by category and format; columns `category, format, patches, expected, share, mix,
            size_bytes, accepted, candidates, acceptance_rate, reject_reasons`. `expected` is what the format
            gets of what the category wants and can get; `share` its part of the category's windows, 0..1, NaN
            where it has none; `mix` the part asked for, NaN where unknown.
        videos: Sorted by video; columns `video, windows_target, windows_short, accepted, candidates,
            acceptance_rate, reject_reasons`, those of patches, `size_bytes, complete`. `complete`: no table
            of it is unfinished or unreadable.
        video_categories: Sorted by video and category; columns `video, category`, those of patches,
            `size_bytes, complete`. A category that wants nothing of a video has its row where it has a table.
        problems: One message for each table that could not be read, with the remedy. Such a table is not
            counted.
    """

    totals: Totals
    categories: pd.DataFrame
    formats: pd.DataFrame
    videos: pd.DataFrame
    video_categories: pd.DataFrame
    problems: list[str]


@dataclass(slots=True)
class _Tally:
    """Tables added up."""

    videos: int = 0
    windows: Completion = field(default_factory=Completion)
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    patches: int = 0
    windows_used: int = 0
    of_patches: Completion = field(default_factory=Completion)
    expected: int = 0
    size_bytes: int = 0
    unfinished: int = 0
    unreadable: int = 0

    def add_candidates(self, counts: Counts) -> None:
        self.accepted += counts.accepted
        self.rejected.update(counts.rejected)

    def add_windows(self, provenance: Provenance, counts: Counts) -> None:
        self.unfinished += not provenance.complete
        self.add_candidates(counts)

    def add_patches(self, provenance: Provenance, counts: Counts) -> None:
        self.patches += sum(counts.patches.values())
        self.windows_used += counts.windows
        self.size_bytes += sum(counts.size_bytes.values())
        self.unfinished += not provenance.complete

    def row(self) -> dict[str, Any]:
        candidates = self.accepted + self.rejected.total()
        return {
            "videos": self.videos,
            "windows_target": self.windows.target,
            "windows_short": self.windows.short,
            "accepted": self.accepted,
            "candidates": candidates,
            "acceptance_rate": _ratio(self.accepted, candidates),
            "reject_reasons": dict(sorted(self.rejected.items(), key=lambda item: (-item[1], item[0]))),
            "patches": self.patches,
            "patches_target": self.of_patches.target,
            "patches_done": self.of_patches.done,
            "patches_short": self.of_patches.short,
            "patches_to_do": self.of_patches.to_do,
            "patches_stale": self.of_patches.stale,
            "size_bytes": self.size_bytes,
            "complete": not (self.unfinished or self.unreadable),
        }


@dataclass(frozen=True, slots=True)
class _Fitting:
    """The mix of the formats that fit a video, and the counts of its table."""

    mix: Mapping[str, float]
    counts: Counts

    @property
    def shares_of_patches(self) -> Mapping[str, float]:
        """Share of the patches that each format is expected to have: some leave room for more crops."""
        counts = self.counts
        if not counts.windows or not any(counts.further.values()):
            return self.mix
        on_average = sum(counts.patches.values()) / counts.windows
        weights = {}
        for name, share in self.mix.items():
            first = counts.first(name)
            weights[name] = share * (counts.patches[name] / first if first else on_average)
        total = sum(weights.values())
        return {name: weight / total for name, weight in weights.items()}


@dataclass(slots=True)
class _Tallies:
    """The same tables added up for every frame of `DatasetStats`."""

    total: _Tally = field(default_factory=_Tally)
    videos: dict[str, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    categories: dict[str, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    formats: dict[tuple[str, str], _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    video_categories: dict[tuple[str, str], _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    problems: list[str] = field(default_factory=list)


def add_up(
    tables: TableStore,
    mixes: Mapping[str, Mapping[str, float]] | None = None,
    completions: Mapping[str, Mapping[str, Completion]] | None = None,
) -> DatasetStats:
    """Add up all tables of a data set, from their footers.

    Args:
        tables: The tables.
        mixes: Part of each format asked for, 0..1, by configured category and format. Each has its row even
            where nothing was made of it. None leaves `mix` unknown.
        completions: How far each configured video has come, by key and table, see `completions_of`.

    Returns:
        The statistics; all frames are empty if there is no table and no video is configured.
    """
    tallies = _Tallies()
    _add_completions(tallies, completions or {})
    for key, path in tables.video_files().items():
        of_video = tallies.videos[key]
        if records := _footer(tables, path, tallies.problems, of_video):
            of_video.unfinished += not records[0].complete
    candidates: dict[str, Counts] = {}
    for key, path in tables.windows_files().items():
        of_video = tallies.videos[key]
        if records := _footer(tables, path, tallies.problems, of_video):
            candidates[key] = records[1]
            for tally in (tallies.total, of_video):
                tally.add_windows(*records)
    for category, mix in (mixes or {}).items():
        tallies.categories[category] = tallies.categories[category]
        for format_name in mix:
            tallies.formats[category, format_name] = _Tally()
    for category in sorted({*tables.categories(), *(mixes or {})}):
        fitting = _add_category(tallies, tables, category, candidates)
        _add_expected(tallies, category, (mixes or {}).get(category, {}), fitting, completions or {})
    tallies.total.videos = len(tallies.videos)
    return _stats(tallies, mixes or {})


def reasons_text(reject_reasons: Mapping[str, int]) -> str:
    """Give reject reasons as one line, such as "cut 12, near_black 3"; empty where there are none."""
    return ", ".join(f"{reason} {candidates}" for reason, candidates in reject_reasons.items())


def _footer(
    tables: TableStore, path: Path, problems: list[str], *concerned: _Tally
) -> tuple[Provenance, Counts] | None:
    try:
        return tables.read_footer(path)
    except DatasetAssetsError as error:
        problems.append(str(error))
        for tally in concerned:
            tally.unreadable += 1
        return None


def _add_completions(tallies: _Tallies, completions: Mapping[str, Mapping[str, Completion]]) -> None:
    for key, found in completions.items():
        for tally in (tallies.total, tallies.videos[key]):
            tally.windows += found[WINDOWS]
        for category, of_patches in found.items():
            if category == WINDOWS:
                continue
            concerned = [tallies.total, tallies.videos[key], tallies.categories[category]]
            if of_patches != Completion():
                concerned.append(tallies.video_categories[key, category])
            for tally in concerned:
                tally.of_patches += of_patches


def _add_expected(
    tallies: _Tallies,
    category: str,
    mix: Mapping[str, float],
    fitting: Mapping[str, _Fitting],
    completions: Mapping[str, Mapping[str, Completion]],
) -> None:
    """Add what each format of a category gets; whole numbers that add up to what can be got.

    Args:
        tallies: What is added to.
        category: The category.
        mix: Its mix.
        fitting: What tables say of the formats that fit a video, by key.
        completions: How far each configured video has come.
    """
    expected: dict[str, float] = defaultdict(float)
    for key, found in completions.items():
        each = found.get(category, Completion())  # of a category that is not configured any more
        # A stale table holds the mix of other settings.
        known = fitting.get(key) if each.done else None
        shares = dict(mix) if known is None else known.shares_of_patches
        for name, share in shares.items():
            expected[name] += (each.target - each.short) * share
    left = round(sum(expected.values())) - sum(map(math.floor, expected.values()))
    by_remainder = sorted(expected, key=lambda name: (math.floor(expected[name]) - expected[name], name))
    for position, name in enumerate(by_remainder):
        tallies.formats[category, name].expected = math.floor(expected[name]) + (position < left)


def _add_category(
    tallies: _Tallies, tables: TableStore, category: str, candidates: Mapping[str, Counts]
) -> dict[str, _Fitting]:
    """Add a category's tables; return what they say of the formats that fit a video, by key."""
    fitting = {}
    of_category = tallies.categories[category]
    for key, path in tables.patches_files(category).items():
        of_video, of_both = tallies.videos[key], tallies.video_categories[key, category]
        records = _footer(tables, path, tallies.problems, of_video, of_both)
        if not records:
            continue
        provenance, counts = records
        if provenance.mix is not None:
            fitting[key] = _Fitting(provenance.mix, counts)
        for tally in (tallies.total, of_video, of_category, of_both):
            tally.add_patches(provenance, counts)
        of_category.videos += bool(counts.patches)
        if key in candidates and (provenance.target or counts.patches):
            of_category.add_candidates(candidates[key])
        for format_name, patches in counts.patches.items():
            of_format = tallies.formats[category, format_name]
            of_format.patches += patches
            of_format.windows_used += counts.first(format_name)
            of_format.size_bytes += counts.size_bytes[format_name]
            if key in candidates:
                of_format.add_candidates(candidates[key])
    return fitting


def _stats(tallies: _Tallies, mixes: Mapping[str, Mapping[str, float]]) -> DatasetStats:
    total = tallies.total.row()
    del total["complete"]
    return DatasetStats(
        totals=Totals(**total),
        categories=_frame(
            _CATEGORY_COLUMNS,
            [{"category": category} | tally.row() for category, tally in sorted(tallies.categories.items())],
        ),
        formats=_frame(
            _FORMAT_COLUMNS,
            [
                {
                    "category": category,
                    "format": format_name,
                    "expected": tally.expected,
                    "share": _ratio(tally.windows_used, tallies.categories[category].windows_used),
                    "mix": mixes.get(category, {}).get(format_name, math.nan),
                }
                | tally.row()
                for (category, format_name), tally in sorted(tallies.formats.items())
            ],
        ),
        videos=_frame(
            _VIDEO_COLUMNS, [{"video": key} | tally.row() for key, tally in sorted(tallies.videos.items())]
        ),
        video_categories=_frame(
            _VIDEO_CATEGORY_COLUMNS,
            [
                {"video": key, "category": category} | tally.row()
                for (key, category), tally in sorted(tallies.video_categories.items())
            ],
        ),
        problems=tallies.problems,
    )


def _frame(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd  # 46 MiB and 0.3 CPU s that workers, which make no statistics, do not pay

    return pd.DataFrame(rows, columns=list(columns))


def _ratio(part: int, total: int) -> float:
    return part / total if total else math.nan
