"""Read degraded LR stacks back, make some of them again, and what of them a reader should know.

Not here: whether their table can be read (`tables`), and files that no row names (`run`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path

from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.curation import degrade_patch
from dataset_assets.dataset import DataSet, current_degraded, degradation_hash, degraded_file, degraded_path
from dataset_assets.degradation import ENCODERS, LEAST_DB, MOST_DB, missing_encoders
from dataset_assets.draws import draw
from dataset_assets.tables import DegradedRow, PatchRow
from dataset_assets.verify.findings import Finding, Kind
from dataset_assets.verify.pictures import read_picture
from dataset_assets.verify.tables import Tables

Pair = tuple[PatchRow, DegradedRow]


def degraded_pairs(tables: Tables) -> Iterator[tuple[str, Pair]]:
    """Yield each degraded stack that was made of the LR which its patch has, after its category."""
    for category, recorded in tables.degraded.items():
        patches = {patch.patch_id: patch for patch in tables.patches.get(category, ())}
        for name, row in current_degraded(patches.values(), recorded).items():
            yield category, (patches[name], row)


def check_degraded(root: Path, patch: PatchRow, row: DegradedRow) -> list[Finding]:
    """Read a degraded stack back: its bytes, and that it is a picture of the size of the clean one.

    Args:
        root: The data set's folder.
        patch: Its patch, whose size is valid.
        row: Its row.

    Returns:
        What is wrong; empty if nothing is.
    """
    if Path(row.path) != degraded_path(patch):
        return [Finding(Kind.ROW, patch.gt_path, f"has its degraded stack at {row.path}")]
    found = read_picture(root, degraded_file(patch, row))
    return [Finding(Kind.FILE, row.path, found)] if isinstance(found, str) else []


def stacks_to_degrade(
    settings: Settings, key: str, pairs: Sequence[tuple[str, Pair]], share: float
) -> set[tuple[str, str]]:
    """Return a share of the stacks that the present steps make, at least one; the same ones each time.

    Args:
        settings: The configuration.
        key: The video's key.
        pairs: Its patches and rows of degraded stacks, after their category.
        share: 0 for none, to 1.

    Returns:
        Their category and the ID of their patch.
    """
    if not share:
        return set()
    hashes = {category: degradation_hash(settings, category) for category in {name for name, _ in pairs}}
    current = [
        (category, row.patch_id) for category, (_, row) in pairs if row.degradation_hash == hashes[category]
    ]
    current.sort(key=lambda stack: draw(settings.base.seed, key, "verify", *stack))
    return set(current[: ceil(share * len(current))])


def degrade_again(
    settings: Settings, data_set: DataSet, key: str, category: str, pair: Pair
) -> list[Finding] | None:
    """Degrade the LR of a patch again and compare the bytes.

    Args:
        settings: The configuration, whose steps made the stack.
        data_set: The data set.
        key: The video's key.
        category: Name of the category.
        pair: The patch and the row of its degraded stack, both of which read back well.

    Returns:
        What is wrong; empty if nothing is. None where another build of the encoder made the stack, whose
        bytes this machine cannot make.
    """
    patch, row = pair
    if row.codec is not None and missing_encoders(name for name in ENCODERS if name == row.codec):
        return None
    made = degrade_patch(settings, data_set, key, category, patch)
    if made is None:
        return []  # which is a finding of the patch
    again = replace(made[1], db=row.db)  # which the table rounds, and which follows from the frames
    if again == row:
        return []
    if again.degradation != row.degradation and _values(again) == _values(row):
        return None
    return [Finding(Kind.STACK, row.path, "is not what degrading its LR gives")]


def _values(row: DegradedRow) -> object:
    """Return what was drawn for a stack, without the build of the encoder."""
    try:
        steps = json.loads(row.degradation)
        return [{**step, "encoder": None} for step in steps]
    except (TypeError, ValueError):
        return row.degradation


def degraded_notes(settings: Settings, tables: Tables) -> list[str]:
    """Return what is stale of degraded stacks, and which are too near to the clean ones or too far."""
    notes = []
    for category, recorded in sorted(tables.degraded.items()):
        wanted = degradation_hash(settings, category)
        current = current_degraded(tables.patches.get(category, ()), recorded, wanted)
        stale = len(recorded) - len(current)
        if stale:
            notes.append(f"{category}: {counted(stale, 'degraded stack')} stale; run degrade")
        odd = [row for row in current.values() if row.is_out_of(LEAST_DB, MOST_DB)]
        if odd:
            notes.append(
                f"{category}: {counted(len(odd), 'degraded stack')} not within {LEAST_DB:g} to "
                f"{MOST_DB:g} dB of LR, such as {odd[0].path} ({odd[0].db:.1f} dB)"
            )
    return notes
