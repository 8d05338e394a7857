"""Degraded LR stacks: where they lie, which steps a category has, and which recorded ones are current.

They lie beside `LR_7frames`, and a table of their own names them: they are made later, of those files, and no
patch depends on them. A stack counts only while its patch is there. Not here: making them (`curation`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from dataset_assets.config import DegradationStep, Settings
from dataset_assets.counting import counted
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.dataset.triplets import Triplet, TripletFile, triplet_files
from dataset_assets.degradation import DEGRADATION_VERSION
from dataset_assets.errors import DamagedTableError, DatasetAssetsError
from dataset_assets.frames import DEGRADED_FOLDER, FileKind
from dataset_assets.tables import DegradedRow, PatchFile, PatchRow

_HASH_BYTES = 8


def degraded_path(row: PatchRow) -> Path | None:
    """Return the file of a patch's degraded stack, relative to the data set's folder.

    None where the patch has no LR of 7 frames to degrade.
    """
    if row.lr7_path is None:
        return None
    clean = Path(row.lr7_path)
    return clean.parent.with_name(DEGRADED_FOLDER) / clean.name


def degraded_file(patch: PatchRow, row: DegradedRow) -> TripletFile:
    """Return the file of a degraded stack as its row describes it: frames and sizes of `LR_7frames`."""
    clean = next(file for file in triplet_files(patch) if file.kind is FileKind.LR7)
    return replace(clean, path=Path(row.path), size_bytes=row.size_bytes, content_hash=row.content_hash)


def degradation_steps(settings: Settings, category: str) -> Sequence[DegradationStep]:
    """Return the steps that degrade a category's LR; none where it is not degraded, or not configured."""
    if category not in settings.categories:
        return ()
    own = settings.categories[category].degradations
    return settings.base.degradations if own is None else own


def degradation_hash(settings: Settings, category: str) -> str:
    """Return the identity of what decides the pixels of degraded stacks, given clean ones."""
    steps = [step.model_dump(exclude_none=True) for step in degradation_steps(settings, category)]
    parts = {"steps": steps, "seed": settings.base.seed, "category": category, "code": DEGRADATION_VERSION}
    text = json.dumps(parts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=_HASH_BYTES).hexdigest()


def current_degraded(
    patches: Iterable[PatchRow], recorded: Iterable[DegradedRow], wanted_hash: str | None = None
) -> dict[str, DegradedRow]:
    """Return the degraded stacks that were made of the LR that patches have.

    Args:
        patches: Patches of a video in a category.
        recorded: Rows of its degradations table.
        wanted_hash: The `degradation_hash` that stacks must have; any by default.

    Returns:
        Rows by `patch_id`.
    """
    by_id = {patch.patch_id: patch for patch in patches}
    return {
        row.patch_id: row
        for row in recorded
        if row.patch_id in by_id
        and row.is_of(by_id[row.patch_id])
        and wanted_hash in (None, row.degradation_hash)
    }


def with_degraded(
    tables: TableStore, triplets: Sequence[Triplet], wanted: Mapping[str, str] | None = None
) -> list[Triplet]:
    """Return triplets with their degraded stack as their `LR_7frames`, and no other LR.

    Args:
        tables: The tables of the data set.
        triplets: The triplets.
        wanted: The `degradation_hash` that stacks must have, by category. By default any, but one alone in
            each category.

    Raises:
        DatasetAssetsError: A triplet has no degraded stack, or one that is stale, or a category has some of
            different steps; or a table cannot be read.
    """
    found: dict[tuple[str, str], dict[str, DegradedRow]] = {}
    by_video: dict[tuple[str, str], list[PatchRow]] = {}
    for each in triplets:
        by_video.setdefault((each.category, each.video), []).append(each.row)
    for (category, key), patches in by_video.items():
        recorded = tables.read_degradations(category, key)
        found[category, key] = current_degraded(patches, recorded, (wanted or {}).get(category))
    missing = [each for each in triplets if each.row.patch_id not in found[each.category, each.video]]
    if missing:
        raise DatasetAssetsError(
            f"{len(missing):,} of {counted(len(triplets), 'selected patch')} have no degraded LR, or a stale "
            f"one, such as {missing[0].category}/{missing[0].row.patch_id}",
            "run `dataset-assets degrade` first, or take the clean LR.",
        )
    _refuse_mixed(found)
    return [_degraded(each, found[each.category, each.video][each.row.patch_id]) for each in triplets]


def _refuse_mixed(found: Mapping[tuple[str, str], Mapping[str, DegradedRow]]) -> None:
    hashes: dict[str, set[str]] = {}
    for (category, _), rows in found.items():
        hashes.setdefault(category, set()).update(row.degradation_hash for row in rows.values())
    mixed = sorted(category for category, each in hashes.items() if len(each) > 1)
    if mixed:
        raise DatasetAssetsError(
            f"The LR of {mixed[0]} was degraded by different steps",
            "run `dataset-assets degrade`, which makes the older ones again.",
        )


def _degraded(triplet: Triplet, row: DegradedRow) -> Triplet:
    others = [file for file in triplet.row.files if not file.kind.is_lr]
    stack = PatchFile(FileKind.LR7, row.path, row.size_bytes, row.content_hash)
    return replace(triplet, row=triplet.row.with_files([*others, stack]))


def named_degraded(tables: TableStore, category: str, key: str) -> list[DegradedRow]:
    """Return the rows of a video's degraded stacks whose patch is there: the files that are to be kept.

    None of a table that cannot be read: it is reported where it is verified, and the stacks are made again.
    """
    with suppress(DatasetAssetsError):
        recorded = tables.read_degradations(category, key)
        there = {patch.patch_id for patch in tables.read_patches(category, key)} if recorded else set()
        return [row for row in recorded if row.patch_id in there]
    return []


def read_recorded(tables: TableStore, category: str, key: str) -> list[DegradedRow] | None:
    """Read the rows of a video's degraded stacks; None of a damaged table.

    Raises:
        DatasetAssetsError: The table is of a newer release, or cannot be read.
    """
    try:
        return tables.read_degradations(category, key)
    except DamagedTableError:
        return None
