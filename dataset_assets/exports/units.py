"""What of an export is written: a text file in its folder, to which units are added as they are stored.

A unit is what a layout writes in one step: a triplet, or a shard. While an export is written, the file names
what a resumed run need not write again; in a finished one, what the next export can take over. Not here:
which files a unit has (`layouts`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dataset_assets.disk import replacing
from dataset_assets.exports.selected import Item
from dataset_assets.process import boot_identity

UNITS_FILE: Final = ".units"
_UNIT, _BOOT, _SYNCED = "+", "@", "="


@dataclass(frozen=True, slots=True)
class Unit:
    """What a layout writes in one step.

    Attributes:
        name: Its name in the export; no space.
        digest: Hash of everything that decides the bytes of its files.
        items: Its triplets.
    """

    name: str
    digest: str
    items: tuple[Item, ...]


class WrittenUnits:
    """The units of an export that is being written.

    A killed process loses nothing that it has added. After a power cut what was added since the last `sync`
    does not count, since its files may be on the disk in part.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / UNITS_FILE
        self._append(f"{_BOOT} {boot_identity()}")

    def add(self, units: Iterable[Unit]) -> None:
        """Add units whose files are stored."""
        self._append(*(f"{_UNIT} {unit.digest} {unit.name}" for unit in units))

    def sync(self) -> None:
        """Write everything to the disk, so that what was added so far survives a power cut."""
        # One call instead of an fsync for each of some 400,000 files of 10 kB.
        os.sync()
        self._append(_SYNCED)

    def keep_only(self, units: Iterable[Unit]) -> None:
        """Replace the file by one with these units, which are on the disk."""
        with replacing(self._path) as file:
            lines = [f"{_UNIT} {unit.digest} {unit.name}\n" for unit in units]
            file.write("".join([*lines, f"{_SYNCED}\n"]).encode())

    def _append(self, *lines: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))


def read_units(folder: Path) -> dict[str, str]:
    """Read the units that a folder holds whole.

    Returns:
        Digests by name; empty where the folder has no such file.
    """
    try:
        text = (folder / UNITS_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    found: dict[str, str] = {}
    unsynced: dict[str, str] = {}
    boot = boot_identity()
    # A killed process may have left a part of the last line.
    for line in text[: text.rfind("\n") + 1].splitlines():
        kind, _, rest = line.partition(" ")
        if kind == _UNIT:
            digest, _, name = rest.partition(" ")
            unsynced[name] = digest
        elif kind == _SYNCED:
            found |= unsynced
            unsynced = {}
        elif kind == _BOOT and rest != boot:
            # What this boot added before a later line is dropped there.
            boot = rest
            unsynced = {}
    return found | unsynced if boot == boot_identity() else found
