"""The state of a data set: figures, what is missing or stale, what failed; read once for all that show it.

Not here: how each part is read (`statistics`, `completion`, `status`, `failures`) and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dataset_assets.config import Settings
from dataset_assets.dataset.cached_footers import CachedFooters
from dataset_assets.dataset.completion import Completion, completions_of
from dataset_assets.dataset.excluded_windows import ExcludedWindows
from dataset_assets.dataset.failures import Failure
from dataset_assets.dataset.shortfalls import shortfall
from dataset_assets.dataset.statistics import DatasetStats, add_up
from dataset_assets.dataset.status import WINDOWS, AssetStatus, statuses_of

VideoState = Literal["failed", "missing", "partial", "stale", "too_small", "short", "done", "unlisted"]


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of a data set.

    Attributes:
        stats: What its tables add up to, and what is wanted.
        statuses: The states of the configured videos' tables, by key and table.
        completions: How far each configured video has come, by key and table.
        shortfalls: Why a configured video gave fewer windows than are wanted, by key.
        failures: Why the last runs of configured videos failed, by key.
        hosts: The machine that works on each video, by key; empty where one machine makes the data set.
    """

    stats: DatasetStats
    statuses: Mapping[str, Mapping[str, AssetStatus]]
    completions: Mapping[str, Mapping[str, Completion]]
    shortfalls: Mapping[str, str]
    failures: Mapping[str, Failure]
    hosts: Mapping[str, str] = field(default_factory=dict)

    def state(self, key: str) -> tuple[VideoState, str]:
        """Return the state of a video, and why it is not done.

        It is the worst of its tables' states: `missing` where there is no table, `partial` where some are
        missing or not finished. `short` is one that is done, but gave less than is wanted, and `unlisted` one
        that is not configured.
        """
        if key not in self.statuses:
            return "unlisted", "It is no longer in the configuration; what was made of it stays."
        if key in self.failures:
            return "failed", self.failures[key].what
        found = self.statuses[key]
        is_begun = any(status.state in ("done", "partial", "stale") for status in found.values())
        undone: tuple[tuple[VideoState, tuple[str, ...]], ...] = (
            ("partial" if is_begun else "missing", ("missing", "partial")),
            ("stale", ("stale",)),
        )
        for state, states in undone:
            concerned = {name: status for name, status in found.items() if status.state in states}
            if concerned:
                reasons = ", ".join(dict.fromkeys(status.reason for status in concerned.values()))
                return state, reasons if len(concerned) == len(
                    found
                ) else f"{', '.join(concerned)}: {reasons}"
        misfits = {name: status.reason for name, status in found.items() if status.state == "too_small"}
        if WINDOWS in misfits:
            return "too_small", misfits[WINDOWS]
        whys = [self.shortfalls.get(key, ""), *(f"{name}: {why}" for name, why in misfits.items())]
        why = "; ".join(filter(None, whys))
        return ("short" if why else "done"), why

    def is_done(self, key: str) -> bool:
        """Return whether nothing of a configured video is missing or stale."""
        return all(status.is_done for status in self.statuses[key].values())


def read_overview(
    settings: Settings, tables: CachedFooters, excluded_windows: ExcludedWindows, kept: Mapping[str, Failure]
) -> Overview:
    """Read the state of a data set, without who works on what.

    Args:
        settings: The configuration.
        tables: Its tables; each footer is needed three times.
        excluded_windows: Windows that users excluded by hand.
        kept: Why the last runs of videos failed, by key.
    """
    statuses = {
        entry.key: statuses_of(settings, entry, tables, excluded_windows) for entry in settings.videos
    }
    completions = {
        entry.key: completions_of(
            settings, entry, tables, statuses[entry.key], excluded_windows, failure=kept.get(entry.key)
        )
        for entry in settings.videos
    }
    short = [key for key, found in completions.items() if found[WINDOWS].short]
    footers = {key: tables.read_footer(tables.windows_path(key)) for key in short}
    mixes = {name: each.mix for name, each in settings.categories.items()}
    return Overview(
        add_up(tables, mixes, completions),
        statuses,
        completions,
        {key: shortfall(*footer) for key, footer in footers.items() if footer},
        {entry.key: kept[entry.key] for entry in settings.videos if entry.key in kept},
    )
