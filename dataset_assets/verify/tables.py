"""The tables of a video as they are read, and whether the present settings made them.

Not here: whether the rows are right (`windows`, `patches`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset import (
    STRATA_VERSION,
    DataSet,
    irrelevant_by_row,
    patch_hashes,
    patches_hashes,
    strata_patches_hashes,
    strata_windows_hashes,
    windows_hashes,
)
from dataset_assets.detail_map import DetailMap
from dataset_assets.errors import DamagedTableError, DatasetAssetsError
from dataset_assets.tables import DegradedRow, PatchRow, Provenance, Row, VideoRow, WindowRow, count
from dataset_assets.verify.findings import Kind, VideoFindings

_T = TypeVar("_T")


@dataclass(slots=True)
class Tables:
    """The tables of a video, as far as they could be read.

    Attributes:
        video: Its row; None where it has none.
        windows: Every candidate; None where the table is absent or damaged.
        patches: Rows by category.
        degraded: Rows of degraded stacks by category, those of patches that are gone included.
        provenances: What each table was made from.
    """

    video: VideoRow | None = None
    windows: Sequence[WindowRow] | None = None
    patches: dict[str, Sequence[PatchRow]] = field(default_factory=dict)
    degraded: dict[str, Sequence[DegradedRow]] = field(default_factory=dict)
    provenances: dict[Path, Provenance] = field(default_factory=dict)

    @property
    def accepted(self) -> dict[int, WindowRow]:
        """The row of each accepted window, by number."""
        return {row.window: row for row in self.windows or () if row.accepted}

    @property
    def degraded_files(self) -> set[Path]:
        """The files of degraded stacks whose patch is there, relative to the data set's folder."""
        there = {(category, row.patch_id) for category, rows in self.patches.items() for row in rows}
        return {
            Path(row.path)
            for category, rows in self.degraded.items()
            for row in rows
            if (category, row.patch_id) in there
        }

    @property
    def details(self) -> dict[int, DetailMap | None]:
        """Where each accepted window holds detail, by number; None where it has no map."""
        return {
            window: None if row.detail_map is None else DetailMap(row.detail_map)
            for window, row in self.accepted.items()
        }

    def fills_for(self, window: int) -> tuple[float, ...]:
        """Return what the windows table's footer says of the film's detail, for the format of a window."""
        sampled = next((made.sampled for made in self.provenances.values() if made.sampled is not None), None)
        return () if sampled is None else sampled.fills_for(window)


def read_tables(data_set: DataSet, key: str, found: VideoFindings) -> Tables:
    """Read all tables of a video, checksums included; what cannot be read is a finding."""
    tables = Tables()

    def read(path: Path, rows: Callable[[], _T]) -> _T | None:
        try:
            footer = data_set.tables.read_footer(path)
            if footer is None:
                return None
            content = rows()
        except DamagedTableError as error:
            found.repair.tables.add(path)
            found.add(Kind.TABLE, _place(data_set, path), str(error))
            return None
        except DatasetAssetsError as error:
            # Of a newer release, or unreadable for a reason that people can correct (permissions, a disk).
            found.is_repairable = False
            found.add(Kind.TABLE, _place(data_set, path), str(error))
            return None
        tables.provenances[path], counts = footer
        listed: Sequence[Row] = content if isinstance(content, list) else []
        if count(listed) != counts:
            found.repair.reopened.add(path)
            found.add(Kind.TABLE, _place(data_set, path), "has other rows than its footer counts")
        return content

    tables.video = read(data_set.tables.video_path(key), lambda: data_set.tables.read_video(key))
    tables.windows = read(data_set.tables.windows_path(key), lambda: data_set.tables.read_windows(key))
    for category in data_set.tables.categories():

        def rows(category: str = category) -> list[PatchRow]:
            return data_set.tables.read_patches(category, key)

        patches = read(data_set.tables.patches_path(category, key), rows)
        if patches is not None:
            tables.patches[category] = patches
    _check_scores(data_set, key, found)
    _read_degraded(data_set, key, tables, found)
    path = data_set.tables.windows_path(key)
    if any(tables.patches.values()) and tables.windows is None and path not in found.repair.tables:
        found.add(Kind.TABLE, _place(data_set, path), "is missing, though patches were made of its windows")
    return tables


def _check_scores(data_set: DataSet, key: str, found: VideoFindings) -> None:
    """Read the scores of a video's patches; those of earlier files or of an older version are no damage."""
    for category in data_set.tables.categories_of(key):
        path = data_set.tables.scores_path(category, key)
        try:
            data_set.tables.read_scores(category, key)
        except DamagedTableError as error:
            found.repair.tables.add(path)
            found.add(Kind.TABLE, _place(data_set, path), str(error))
        except DatasetAssetsError as error:
            found.add(Kind.TABLE, _place(data_set, path), str(error))


def _read_degraded(data_set: DataSet, key: str, tables: Tables, found: VideoFindings) -> None:
    """Read the rows of a video's degraded stacks; stale ones are no damage."""
    for category in data_set.tables.categories_of(key):
        path = data_set.tables.degradations_path(category, key)
        try:
            tables.degraded[category] = data_set.tables.read_degradations(category, key)
        except DamagedTableError as error:
            found.repair.tables.add(path)
            found.add(Kind.TABLE, _place(data_set, path), str(error))
        except DatasetAssetsError as error:
            # Its files look as if no row named them.
            found.is_repairable = False
            found.add(Kind.TABLE, _place(data_set, path), str(error))


def strata_below(made: Provenance) -> int:
    """Return the number below which the release before placed a table's windows, one in each stratum."""
    if made.sampled is not None:
        return made.sampled.strata
    return made.target if made.code_version == STRATA_VERSION else 0


def windows_are_current(settings: Settings, entry: VideoEntry, data_set: DataSet, tables: Tables) -> bool:
    """Return whether the windows table was made with settings that give the same windows as the present.

    However many windows were asked for.
    """
    made = tables.provenances.get(data_set.tables.windows_path(entry.key))
    if made is None:
        return False
    irrelevant = irrelevant_by_row(tables.video)
    if made.code_version == STRATA_VERSION:
        is_whole = not entry.exclude and not data_set.excluded_windows.read(entry.key)
        hashes = strata_windows_hashes(settings, entry, made.target, irrelevant)
        return is_whole and made.settings_hash in hashes
    excluded = data_set.excluded_windows.read(entry.key)
    return made.settings_hash in windows_hashes(settings, entry, irrelevant, excluded)


@dataclass(frozen=True, slots=True)
class PatchOrigin:
    """How a patches table and its rows were made, held against the present settings.

    Attributes:
        is_current: Whether the table is finished and was made with the present settings, for whatever target.
        is_of_strata: Whether the release before finished the table.
        present: Settings hashes of rows whose pixels the present settings make, given format and crop.
        of_strata: Settings hashes of rows that the release before made with the present settings.
    """

    is_current: bool
    is_of_strata: bool
    present: frozenset[str]
    of_strata: frozenset[str]


def patch_origin(
    settings: Settings, entry: VideoEntry, data_set: DataSet, tables: Tables, category: str
) -> PatchOrigin:
    """Return how a category's patches of a video were made; the category is configured and has a table."""
    made = tables.provenances[data_set.tables.patches_path(category, entry.key)]
    irrelevant = irrelevant_by_row(tables.video)
    is_of_strata = made.code_version == STRATA_VERSION
    target = made.target if is_of_strata else made.strata_target
    of_strata = frozenset[str]()
    of_windows = tables.provenances.get(data_set.tables.windows_path(entry.key))
    if target is not None and of_windows is not None:
        windows = strata_below(of_windows)
        of_strata = frozenset(strata_patches_hashes(settings, entry, category, windows, target, irrelevant))
    excluded = data_set.excluded_windows.read(entry.key)
    present = patches_hashes(settings, entry, category, irrelevant, excluded)
    of_table = of_strata if is_of_strata else frozenset(present)
    return PatchOrigin(
        is_current=made.complete and made.settings_hash in of_table,
        is_of_strata=is_of_strata,
        present=frozenset(patch_hashes(settings, entry, category, irrelevant)),
        of_strata=of_strata,
    )


def _place(data_set: DataSet, path: Path) -> Path:
    return data_set.relative(path)
