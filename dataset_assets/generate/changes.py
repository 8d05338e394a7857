"""What a run would do to the patches that are there, worked out from the tables; and what guards them.

No film is opened. What cannot be known without it (which candidates will be accepted) counts as accepted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.counting import counted
from dataset_assets.dataset import (
    CODE_CHANGED,
    EXCLUSIONS_CHANGED,
    SOURCE_CHANGED,
    WINDOWS,
    AssetStatus,
    DataSet,
)
from dataset_assets.errors import ReplacingError
from dataset_assets.generate.ledgers import FilmIdentity, patch_ledger, recorded_film, window_ledger
from dataset_assets.generate.patch_ledger import PatchKey, PatchLedger, key_of
from dataset_assets.generate.plan import VideoPlan, bytes_per_pixel, room_for
from dataset_assets.generate.rounds import Rounds
from dataset_assets.patches import PatchPlan
from dataset_assets.tables import Counts, Provenance

MOST_REPLACED = 0.1
"""Share of the finished patches that a run may delete or make again without being asked for it."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a run would do to patches.

    Attributes:
        kept: Patches that stay as they are.
        added: Patches that are to be made, at most; a film may have no room for them.
        remade: Patches that are made again.
        deleted: Patches that are deleted.
        extended: Of the kept ones, those that get a file of a further kind.
        reduced: Of the kept ones, those that lose a file of a kind.
        extended_bytes: Estimated bytes of the further files.
        of_changed_films: Of the remade and deleted ones, those of a film whose file changed.
        reasons: Why patches are made again or deleted, in a few words each.
    """

    kept: int = 0
    added: int = 0
    remade: int = 0
    deleted: int = 0
    extended: int = 0
    reduced: int = 0
    extended_bytes: float = 0.0
    of_changed_films: int = 0
    reasons: tuple[str, ...] = ()

    @property
    def finished(self) -> int:
        """Patches that are there."""
        return self.kept + self.remade + self.deleted

    @property
    def replaced(self) -> int:
        """Patches that are made again, deleted, or lose a file, because of settings or code."""
        return self.remade + self.deleted + self.reduced - self.of_changed_films

    @property
    def to_make(self) -> int:
        """Patches that are made, for the first time or again."""
        return self.added + self.remade

    def __str__(self) -> str:
        parts = [
            f"keeps {_patches(self.kept)}, adds {self.added:,}, remakes {self.remade:,}, "
            f"deletes {self.deleted:,}"
        ]
        if self.extended:
            parts.append(f"adds a file to {self.extended:,}")
        if self.reduced:
            parts.append(f"deletes a file of {self.reduced:,}")
        return ", ".join(parts)

    def __add__(self, other: Changes) -> Changes:
        return Changes(
            self.kept + other.kept,
            self.added + other.added,
            self.remade + other.remade,
            self.deleted + other.deleted,
            self.extended + other.extended,
            self.reduced + other.reduced,
            self.extended_bytes + other.extended_bytes,
            self.of_changed_films + other.of_changed_films,
            tuple(dict.fromkeys((*self.reasons, *other.reasons))),
        )


def _patches(count: int) -> str:
    return counted(count, "patch")


def refuse_to_replace(place: str, changes: Changes, finished: int) -> None:
    """Refuse a run that would replace many finished patches.

    Args:
        place: What the patches are of: a video's key, or a data set.
        changes: What the run would do.
        finished: Patches that are there.

    Raises:
        ReplacingError: It would delete, make again or take a file from more than a tenth of them.
    """
    if changes.replaced <= MOST_REPLACED * finished:
        return
    parts = [
        ("be remade", changes.remade),
        ("be deleted", changes.deleted),
        ("lose a file", changes.reduced),
    ]
    what = " and ".join(f"{count:,} would {verb}" for verb, count in parts if count)
    raise ReplacingError(
        f"{place}: of {counted(finished, 'finished patch')} {what} ({'; '.join(changes.reasons)})",
        "if that is wanted, run `dataset-assets generate --yes`, set base_settings.allow_replacing to true, "
        "or give the run the tag dataset_assets/replace; else undo the change",
    )


def planned_changes(
    settings: Settings,
    data_set: DataSet,
    entry: VideoEntry,
    categories: Collection[str] | None = None,
    *,
    plan: VideoPlan | None = None,
    misfits: Collection[str] = (),
    rebuilds: bool = False,
) -> dict[str, Changes]:
    """Work out what a run would do to the patches of a video.

    Footers suffice where only the number of patches or the code changed. Rows are read of other tables alone:
    50 ms for 1,000 patches.

    Args:
        settings: The configuration.
        data_set: The data set.
        entry: The video.
        categories: The categories that are asked for; all by default, and those that left the configuration.
        plan: The video's plan where its film was probed; else what the videos table says of it is used.
        misfits: Categories of which no format fits the film, where that is known without either.
        rebuilds: Whether what is up to date is rebuilt.

    Returns:
        The changes of each category.

    Raises:
        DatasetAssetsError: A table is damaged, or from a newer release.
    """
    look = _Look(settings, data_set, entry, plan, misfits)
    wanted = settings.categories if categories is None else categories
    changes = {category: look.of_category(category, rebuilds=rebuilds) for category in wanted}
    if categories is None:
        left = data_set.left_categories(settings).get(entry.key, ())
        changes |= {category: removed_category(data_set, category, entry.key) for category in left}
    return changes


def refuse_run(
    settings: Settings,
    data_set: DataSet,
    entry: VideoEntry,
    categories: Collection[str],
    *,
    plan: VideoPlan | None = None,
) -> None:
    """Refuse a run on one video that would replace many of its finished patches.

    Args:
        settings: The configuration.
        data_set: The data set.
        entry: The video.
        categories: The categories that are asked for; all of them include those that left the configuration.
        plan: The video's plan where its film was probed.

    Raises:
        ReplacingError: It would delete or make again more than a tenth of them.
        DatasetAssetsError: A table is damaged, or from a newer release.
    """
    is_of_all = set(categories) == set(settings.categories)
    planned = planned_changes(settings, data_set, entry, None if is_of_all else categories, plan=plan)
    changes = sum(planned.values(), Changes())
    refuse_to_replace(entry.key, changes, changes.finished)


def removed_category(data_set: DataSet, category: str, key: str) -> Changes:
    """Return what removing a category that left the configuration does to the patches of a video."""
    return _replaced(0, _made(data_set, category, key), 0, f"{category} left the configuration")


def finished_patches(data_set: DataSet, categories: Iterable[str], keys: Collection[str]) -> int:
    """Count the patches of some videos that are there, from footers."""
    return sum(_made(data_set, category, key) for category in categories for key in keys)


class _Look:
    """One look at the tables of a video."""

    def __init__(
        self,
        settings: Settings,
        data_set: DataSet,
        entry: VideoEntry,
        plan: VideoPlan | None,
        misfits: Collection[str],
    ) -> None:
        self._settings = settings
        self._data_set = data_set
        self._entry = entry
        self._plan = plan
        self._misfits = misfits

    def of_category(self, category: str, *, rebuilds: bool) -> Changes:
        footer = _footer(self._data_set, category, self._entry.key)
        made = sum(footer[1].patches.values()) if footer else 0
        crops = self._settings.base.crops_per_window
        status = self._statuses[category]
        if category in self._misfits:
            return _replaced(0, made, 0, status.reason)
        windows = min(self._settings.target(self._entry, category), self._most_windows)
        target = self._patches_of(category, windows)
        if rebuilds:
            target = made if status.is_done else target
            return _replaced(min(made, target), made, target, "it is rebuilt")
        if status.is_done:
            return Changes(kept=made)
        if not made:
            return Changes(added=target)
        has_one_crop = footer is not None and footer[0].crops_per_window == crops == 1
        if status.only_target and has_one_crop:
            kept = min(made, target)
            return Changes(kept, target - kept) + _replaced(0, made - kept, 0, status.reason)
        if status.reason in (CODE_CHANGED, SOURCE_CHANGED):
            return _replaced(min(made, target), made, target, status.reason)
        if self._rows is None:
            return Changes(kept=made)  # the run says more, once the film is probed
        return self._rows.of_category(category, made, status.reason)

    def _patches_of(self, category: str, windows: int) -> int:
        """Return about how many patches windows give that are not known; of an unprobed film at most."""
        crops = self._settings.base.crops_per_window
        if crops == 1 or self._plan is None:
            return crops * windows
        plan = self._plan.patches[category]
        return ceil(windows * sum(share * plan.most_crops(name) for name, share in plan.mix.items()))

    @cached_property
    def _statuses(self) -> Mapping[str, AssetStatus]:
        return self._data_set.statuses(self._settings, self._entry)

    @cached_property
    def _most_windows(self) -> int:
        """How many windows the film can give, as far as its windows table says."""
        wanted = self._settings.window_target(self._entry)
        tables = self._data_set.tables
        footer = tables.read_footer(tables.windows_path(self._entry.key))
        status = self._statuses[WINDOWS]
        if footer is None or status.reason in (CODE_CHANGED, SOURCE_CHANGED, EXCLUSIONS_CHANGED):
            return wanted
        made, counts = footer
        is_known = status.is_done or (made.sampled is not None and made.sampled.is_full)
        return min(wanted, counts.accepted) if is_known else wanted

    @cached_property
    def _rows(self) -> _Rows | None:
        """The rows of the video's tables; None where its film was never probed."""
        settings, data_set, entry = self._settings, self._data_set, self._entry
        if self._plan is not None:
            excluded = data_set.excluded_windows.read(entry.key)
            film = FilmIdentity.of_info(self._plan.info, excluded)
            return _Rows(settings, data_set, entry, film, self._plan.patches)
        recorded = recorded_film(settings, data_set, entry)
        return _Rows(settings, data_set, entry, *recorded) if recorded else None


class _Rows:
    """The rows of a video's tables, held against what is planned."""

    def __init__(
        self,
        settings: Settings,
        data_set: DataSet,
        entry: VideoEntry,
        film: FilmIdentity,
        plans: Mapping[str, PatchPlan],
    ) -> None:
        self._settings = settings
        self._data_set = data_set
        self._entry = entry
        self._film = film
        self._plans = plans
        self._windows = window_ledger(settings, data_set, entry, film, rebuilds=False)

    def of_category(self, category: str, made: int, reason: str) -> Changes:
        windows, plan = self._windows, self._plans[category]
        ledger = patch_ledger(
            self._settings, self._data_set, self._entry, self._film, plan, windows, rebuilds=False
        )
        if ledger.is_complete:
            return Changes(kept=ledger.made)
        if not plan.mix:
            return _replaced(0, made, 0, reason)
        accepted, expected = self._accepted.get(plan.target, ([], 0))
        if not windows.rows():
            # They are found again, or as many others.
            accepted = sorted({window for window, _ in ledger.keys() | ledger.outdated()})
        chosen = ledger.choose(accepted, windows.strata)
        wanted = frozenset(each for window in chosen for each in self._patches_of(ledger, window))
        target = len(wanted) + (expected - len(chosen)) * plan.most_patches
        kept, remade = len(wanted & ledger.keys()), len(wanted & ledger.outdated())
        changes = Changes(kept) + _replaced(remade, made - kept, target - kept, reason)
        return changes + _other_files(ledger, wanted, reason)

    def _patches_of(self, ledger: PatchLedger, window: int) -> Iterable[PatchKey]:
        """Return the patches of a window; all that it may have where it is not found yet."""
        if self._windows.row(window) is None:
            return ((window, crop) for crop in range(ledger.plan.most_patches))
        return map(key_of, ledger.planned(window))

    @cached_property
    def _accepted(self) -> dict[int, tuple[list[int], int]]:
        """For each number of windows wanted, the accepted windows that are known and how many to expect."""
        windows = self._windows
        for row in windows.undecided.values():
            # One that was never decoded has no frames but the one that it starts with.
            pts = row.pts or (row.start_pts or 0,)
            windows.add(replace(row, accepted=True, reason=None, pts=pts))
        known = windows.placements()
        older = [number for number in range(windows.strata) if windows.row(number)]
        wanted = self._settings.window_target(self._entry)
        cap = wanted * self._settings.base.max_attempts
        rounds = Rounds(windows, (known[number] for number in sorted(known)), cap, older)
        targets = {self._settings.target(self._entry, name) for name in self._settings.categories}
        found = {}
        for target in sorted(targets - {0}):
            while batch := rounds.next_round(target, target):
                rounds.settle(batch)
            accepted = rounds.accepted[:wanted]
            is_ended = windows.is_complete or windows.is_full
            tries = 0 if is_ended else max(0, cap - rounds.tried)
            extent, excluded = windows.extent, windows.exclusions.length
            room = room_for(target, extent, excluded) if extent.spans else target
            found[target] = accepted, min(room, len(accepted) + tries)
        return found


def _replaced(remade: int, made: int, target: int, reason: str) -> Changes:
    """Return the changes where none of `made` patches stays, and so many of `target` are made again."""
    of_changed_film = made if reason == SOURCE_CHANGED else 0
    reasons = (reason,) if made else ()
    return Changes(
        added=max(0, target - remade),
        remade=remade,
        deleted=made - remade,
        of_changed_films=of_changed_film,
        reasons=reasons,
    )


def _other_files(ledger: PatchLedger, wanted: Collection[PatchKey], reason: str) -> Changes:
    """Return what happens to the files of the patches that stay, of which these are wanted."""
    rows = [row for row in ledger.rows() if key_of(row) in wanted]
    lacking = {key_of(row): ledger.lacking(key_of(row)) for row in rows}
    reduced = sum(not set(row.kinds) <= set(ledger.kinds) for row in rows)
    return Changes(
        extended=sum(map(bool, lacking.values())),
        reduced=reduced,
        extended_bytes=sum(
            row.width * row.height * bytes_per_pixel(lacking[key_of(row)], row.scale) for row in rows
        ),
        reasons=(reason,) if reduced else (),
    )


def _made(data_set: DataSet, category: str, key: str) -> int:
    footer = _footer(data_set, category, key)
    return sum(footer[1].patches.values()) if footer else 0


def _footer(data_set: DataSet, category: str, key: str) -> tuple[Provenance, Counts] | None:
    return data_set.tables.read_footer(data_set.tables.patches_path(category, key))
