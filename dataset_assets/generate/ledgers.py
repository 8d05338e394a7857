"""The ledgers of a video under the present settings: which rows of earlier runs stay.

Here: the identity of settings and of the film that rows are compared with. How rows are kept is in `ledger`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset import (
    PATCHES_VERSION,
    WINDOWS_VERSION,
    DataSet,
    TripletPaths,
    active_area,
    irrelevant_by_row,
    irrelevant_settings,
    patch_hashes,
    patch_id,
    patches_hashes,
    sequence_hashes,
    strata_patches_hashes,
    strata_windows_hashes,
    triplet_paths,
    windows_hashes,
)
from dataset_assets.frames import FileKind
from dataset_assets.generate.patch_ledger import PatchLedger
from dataset_assets.generate.plan import plan_categories
from dataset_assets.generate.window_ledger import WindowLedger
from dataset_assets.patches import PatchPlan, PlannedPatch
from dataset_assets.tables import PatchRow, Provenance, Sampled, VideoRow, WindowRow
from dataset_assets.video import Extent, Fingerprint, Rect, VideoInfo
from dataset_assets.windows import Exclusions, about_time_base

# Stands where a film was not probed; a table that was placed in it says what its candidates lie in.
_UNKNOWN = Extent((), 1)


@dataclass(frozen=True, slots=True)
class FilmIdentity:
    """What rows depend on of a film.

    Attributes:
        fingerprint: Of its file.
        irrelevant: Settings without effect on it.
        extent: What its candidates lie in where no earlier run recorded it.
        duration_s: Film time.
        time_base: Seconds of a tick; None where the film was not probed, which leaves only about that long.
        excluded: What `ExcludedWindows` holds of the video, read once for all tables of a run.
    """

    fingerprint: Fingerprint
    irrelevant: frozenset[str]
    extent: Extent
    duration_s: float
    time_base: Fraction | None
    excluded: frozenset[int]

    @classmethod
    def of_info(cls, info: VideoInfo, excluded: frozenset[int]) -> FilmIdentity:
        """Return the identity of a film that was probed."""
        irrelevant = irrelevant_settings(
            converted=info.colour.is_converted, interlaced=info.interlaced, enlarged=info.is_enlarged
        )
        return cls(info.fingerprint, irrelevant, info.extent, info.duration_s, info.time_base, excluded)

    @classmethod
    def of_row(cls, row: VideoRow, fingerprint: Fingerprint, excluded: frozenset[int]) -> FilmIdentity:
        """Return the identity of a film that was probed earlier and has this fingerprint today."""
        return cls(fingerprint, irrelevant_by_row(row), _UNKNOWN, row.duration_s, None, excluded)

    def exclusions(self, entry: VideoEntry, extent: Extent) -> Exclusions:
        """Return what is excluded of the film, whose candidates lie in this extent."""
        time_base = self.time_base or about_time_base(extent, self.duration_s)
        return Exclusions.of(extent, time_base, entry.excluded_ranges, self.excluded)


def window_ledger(
    settings: Settings, data_set: DataSet, entry: VideoEntry, film: FilmIdentity, *, rebuilds: bool
) -> WindowLedger:
    """Take over a video's windows table.

    Args:
        settings: The configuration.
        data_set: The data set.
        entry: The video.
        film: Its film.
        rebuilds: Whether earlier rows are ignored.

    Raises:
        DatasetAssetsError: The table is damaged, or from a newer release.
    """
    base = settings.base
    sequence = sequence_hashes(settings, entry, film.irrelevant)
    sampled = Sampled(
        sequence.written,
        film.extent.spans,
        film.extent.frame_ticks,
        base.cut_rule,
        base.max_mean_abs_diff,
        base.max_cut_score,
    )
    provenance = Provenance(
        windows_hashes(settings, entry, film.irrelevant, film.excluded).written,
        film.fingerprint,
        WINDOWS_VERSION,
        complete=False,
        target=settings.window_target(entry),
        max_attempts=base.max_attempts,
        sampled=sampled,
    )

    def is_of_strata(older: Provenance) -> bool:
        hashes = strata_windows_hashes(settings, entry, older.target, film.irrelevant)
        return older.settings_hash in hashes

    exclusions = partial(film.exclusions, entry)
    return WindowLedger(
        data_set, entry.key, provenance, base, sequence, is_of_strata, exclusions, rebuilds=rebuilds
    )


def patch_ledger(
    settings: Settings,
    data_set: DataSet,
    entry: VideoEntry,
    film: FilmIdentity,
    plan: PatchPlan,
    windows: WindowLedger,
    *,
    rebuilds: bool,
) -> PatchLedger:
    """Take over a category's patches table of a video.

    Args:
        settings: The configuration.
        data_set: The data set.
        entry: The video.
        film: Its film.
        plan: What the category takes of the video.
        windows: The video's windows table.
        rebuilds: Whether to make every patch again.

    Raises:
        DatasetAssetsError: The table is damaged, or from a newer release.
    """
    category, irrelevant = plan.category, film.irrelevant
    planned = _Planned(plan, windows)
    provenance = Provenance(
        patches_hashes(settings, entry, category, irrelevant, film.excluded).written,
        film.fingerprint,
        PATCHES_VERSION,
        complete=False,
        target=plan.target,
        mix=plan.mix,
        kinds=settings.base.file_kinds,
        scale=settings.base.scale,
        crops_per_window=plan.crops,
    )
    return PatchLedger(
        data_set,
        plan,
        provenance,
        patch_hashes(settings, entry, category, irrelevant),
        planned.of_window,
        partial(_is_planned, settings, plan, windows, planned),
        lambda target: strata_patches_hashes(settings, entry, category, windows.strata, target, irrelevant),
        rebuilds=rebuilds,
    )


def recorded_film(
    settings: Settings, data_set: DataSet, entry: VideoEntry
) -> tuple[FilmIdentity, Mapping[str, PatchPlan]] | None:
    """Return what the videos table says of a film, and each category's plan of it; the film is not opened.

    Returns:
        None where it was never probed.

    Raises:
        DatasetAssetsError: A table or the list of excluded windows is damaged, or from a newer release.
    """
    row = data_set.tables.read_video(entry.key)
    if row is None:
        return None
    excluded = data_set.excluded_windows.read(entry.key)
    film = FilmIdentity.of_row(row, _fingerprint(row, entry), excluded)
    return film, plan_categories(settings, entry, active_area(row, settings.base.working_size))


def _fingerprint(row: VideoRow, entry: VideoEntry) -> Fingerprint:
    """Return the fingerprint of a film; the recorded one where its file is away."""
    recorded = row.source_fingerprint
    with suppress(OSError):
        return recorded if recorded.is_of(entry.path) else Fingerprint.of(entry.path)
    return recorded


def patch_paths(
    settings: Settings, plan: PatchPlan, patch: PlannedPatch, kinds: Collection[FileKind]
) -> TripletPaths:
    """Return the names of a patch's files of these kinds, `GT` among them."""
    return triplet_paths(
        settings.categories[plan.category].folder,
        settings.formats[patch.format].folder,
        patch_id(plan.key, patch.window, patch.crop),
        kinds,
    )


class _Planned:
    """What a plan makes of windows that were found, worked out once."""

    def __init__(self, plan: PatchPlan, windows: WindowLedger) -> None:
        self._plan = plan
        self._windows = windows
        self._known: dict[int, tuple[WindowRow | None, PlannedPatch | None, Collection[PlannedPatch]]] = {}

    def of_window(self, window: int, first: PlannedPatch | None) -> Collection[PlannedPatch]:
        """Return the patches of a window, given the first one where another than planned is kept."""
        row, known = self._windows.row(window), self._known.get(window)
        if known is None or known[0] is not row or known[1] != first:
            plan = partial(self._plan.patches, first=first)
            known = self._known[window] = row, first, self._windows.planned(plan, window)
        return known[2]


def _is_planned(
    settings: Settings,
    plan: PatchPlan,
    windows: WindowLedger,
    planned: _Planned,
    row: PatchRow,
    first: PlannedPatch | None,
) -> bool:
    """Whether a row has the format, the place and the names that are planned for its window.

    A window that has no row yet may show anything: each place is as good, until it is found.
    """
    there = PlannedPatch(row.window, row.crop, row.format, Rect(row.x, row.y, row.width, row.height))
    if windows.row(row.window) is not None:
        is_planned = there in planned.of_window(row.window, first)
    else:
        format_ = plan.formats.get(row.format)
        is_planned = format_ is not None and (row.width, row.height) == (format_.width, format_.height)
        is_planned = is_planned and row.crop < plan.crops and plan.area.contains(there.rect)
    return is_planned and TripletPaths.of(row) == patch_paths(settings, plan, there, row.kinds)
