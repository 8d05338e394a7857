"""Read degraded LR stacks back, and what of them a reader should know.

Not here: whether their table can be read (`tables`), and files that no row names (`run`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.dataset import current_degraded, degradation_hash, degraded_file, degraded_path
from dataset_assets.degradation import LEAST_DB, MOST_DB
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
