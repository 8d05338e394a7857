"""What each of many machines recorded of itself, and whether one may work beside the others.

A machine with another release or other settings would make again what the others have made, for ever. So each
records what it works with, and compares it with that of the machines which work now. Idle ones count for
nothing. Of two configurations the one that was changed later counts, so that a change in the one file that
all machines read stops nobody: runs that began before it end with the earlier one.

The name of a record holds a hash of what must be the same, so that a run compares thousands of records (the
pods of a cluster) by listing them once. Not here: who holds what (`leases`).
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from dataset_assets import __version__, layout
from dataset_assets.config import Settings
from dataset_assets.dataset.holding import Machines
from dataset_assets.dataset.identity import (
    PATCHES_VERSION,
    SOURCE_VERSION,
    WINDOWS_VERSION,
    shared_settings,
)
from dataset_assets.dataset.leases import Leases
from dataset_assets.dataset.mirror import Mirror
from dataset_assets.disk import is_file, make_folder, own_writer, replacing
from dataset_assets.errors import ConfigError
from dataset_assets.machine import usable_cores
from dataset_assets.process import host_name
from dataset_assets.tables import SCHEMA_VERSION

# A record is written again by the first run after that time: free space and absent films change.
RENEWED_AFTER_S: Final = 3600.0
# Records of machines that are not seen any more are deleted.
KEPT_S: Final = 7 * 86400.0
MOST_DIFFERENCES: Final = 3


@dataclass(frozen=True, slots=True)
class HostRecord:
    """What a machine recorded of itself when it last began to work.

    Attributes:
        host: Its name.
        release: Release of dataset_assets.
        code: Versions of what makes the tables, by name.
        settings: The settings that must be the same on all machines, by name.
        configuration: The configuration file.
        configured_s: When the file was changed, Unix time of the disk that it is on.
        films_folder: The folder that all films are below; empty without films that are files.
        films: Films in the configuration that are files.
        films_absent: How many of them do not exist there.
        first_absent: The first of these; empty where there is none.
        free_bytes: Free bytes of the data set's disk.
        cores: Cores that it may use.
        clock_ahead_s: How much its clock is ahead of the file server's.
        joined_s: When it was recorded, Unix time of its clock.
    """

    host: str
    release: str
    code: Mapping[str, str]
    settings: Mapping[str, Any]
    configuration: str
    configured_s: float
    films_folder: str
    films: int
    films_absent: int
    first_absent: str
    free_bytes: int
    cores: int
    clock_ahead_s: float
    joined_s: float

    @property
    def digest(self) -> str:
        """Hash of what must be the same on all machines that work at a time."""
        return _digest(self.code, self.settings)

    def differences(self, other: HostRecord) -> str:
        """Return what is not the same on another machine, as a part of a sentence; empty where all is."""
        found = self._differences(other)
        more = f"; and {len(found) - MOST_DIFFERENCES} more" if len(found) > MOST_DIFFERENCES else ""
        return "; ".join(found[:MOST_DIFFERENCES]) + more

    def _differences(self, other: HostRecord) -> list[str]:
        found = [
            f"{name} is {self.code.get(name)} here and {other.code.get(name)} there"
            for name in sorted({*self.code, *other.code})
            if self.code.get(name) != other.code.get(name)
        ]
        for name in sorted({*self.settings, *other.settings}):
            here, there = (json.dumps(each.settings.get(name)) for each in (self, other))
            if here != there:
                found.append(f"{name} is {here} here and {there} there")
        return found


class Hosts:
    """The records of a data set's machines."""

    def __init__(self, folder: Path, root: Path, mirror: Mirror | None = None) -> None:
        """Read nothing yet.

        Args:
            folder: Where the records are; made when there is something to keep.
            root: The data set's folder.
            mirror: The data set in an object store; None where it is in its folder.
        """
        self._folder = folder
        self._root = root
        self._mirror = mirror

    def read(self) -> dict[str, HostRecord]:
        """Return the newest record of each machine, by its name."""
        records = [record for path in self._paths() if (record := _read(path)) is not None]
        return {each.host: each for each in sorted(records, key=lambda each: (each.host, each.joined_s))}

    def join(self, settings: Settings, configuration: Path) -> HostRecord:
        """Record this machine, unless it was less than an hour ago with the same; return its record."""
        if self._mirror is not None:
            self._mirror.fetch_others(self._mirror.files_in(layout.HOSTS))
        host = host_name()
        code, shared = code_versions(), shared_settings(settings)
        path = self._folder / f"{host}.{_digest(code, shared)}.json"
        found = _read(path)
        if found is not None and abs(time.time() - found.joined_s) < RENEWED_AFTER_S:
            return found
        make_folder(self._folder, self._root)
        record = _record(host, code, shared, settings, configuration, clock_ahead_s(self._folder))
        with replacing(path, is_durable=False, writer=own_writer()) as file:
            file.write(json.dumps(asdict(record)).encode())
        if self._mirror is not None:
            self._mirror.put([path])
        now_s = path.stat().st_mtime
        for other in self._paths():
            with suppress(OSError):
                if now_s - other.stat().st_mtime > KEPT_S:
                    other.unlink()
                    if self._mirror is not None:
                        self._mirror.delete([other])
        return record

    def others(self, record: HostRecord) -> Iterator[HostRecord]:
        """Yield the records with another release or other settings than one."""
        for path in self._paths():
            if path.stem.rpartition(".")[2] != record.digest and (other := _read(path)) is not None:
                yield other

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("[!.]*.json"))


def code_versions() -> dict[str, str]:
    """Return the versions of what makes the tables, by what a user would call it."""
    return {
        "the code of source_video": SOURCE_VERSION,
        "the code of windows": WINDOWS_VERSION,
        "the code of patches": PATCHES_VERSION,
        "the tables' schema": str(SCHEMA_VERSION),
    }


def settings_digest(settings: Settings) -> str:
    """Return the hash of what must be the same on all machines that work at a time."""
    return _digest(code_versions(), shared_settings(settings))


def machines_of(settings: Settings) -> Machines:
    """Return how a configuration says that a data set is made."""
    base = settings.base
    are_many = base.machines == "many"
    return Machines(are_many, base.lease_s, base.output_url, settings_digest(settings) if are_many else "")


def join_hosts(hosts: Hosts, leases: Leases, settings: Settings, configuration: Path) -> None:
    """Record this machine, and refuse to work beside others with which it disagrees.

    Leases are read only if the record of another machine differs.

    Args:
        hosts: The records.
        leases: Who works now.
        settings: The configuration.
        configuration: Its file.

    Raises:
        ConfigError: See `refuse_beside`.
        OSError: The disk cannot be written.
    """
    mine = hosts.join(settings, configuration)
    others = {(other.host, other.digest): other for other in hosts.others(mine)}
    for beat in leases.beats() if others else ():
        other = others.get((beat.holder.host, beat.holder.digest))
        if other is not None and leases.is_alive(beat):
            refuse_beside(mine, other)


def refuse_beside(mine: HostRecord, other: HostRecord) -> None:
    """Refuse to work beside a machine that works now.

    Args:
        mine: The record of this machine.
        other: That of the other, or of this one when an earlier process of it began.

    Raises:
        ConfigError: Its release makes other tables, or its configuration is another and was changed later.
    """
    differences = mine.differences(other)
    if not differences:
        return
    has_same_code = mine.code == other.code
    if has_same_code and mine.configured_s > other.configured_s:
        return
    if has_same_code:
        what = f"its configuration {other.configuration} differs, and was changed later: {differences}"
        remedy = f"Let all machines read the same file, or copy that one to {mine.configuration}"
    elif mine.release == other.release:  # clones at other commits between two releases
        what = f"its code differs: {differences}"
        remedy = "Check out the same commit on both, install it, and start again"
    else:
        what = f"its release {other.release} differs: {differences}"
        remedy = f"Install one release on both ({mine.host} has {mine.release}), and start again"
    raise ConfigError(
        [f"{mine.host} does not work on the data set while {other.host} does: {what}. {remedy}"]
    )


def clock_ahead_s(folder: Path) -> float:
    """Return how much this machine's clock is ahead of that of the file server of a folder.

    Raises:
        OSError: The folder cannot be written.
    """
    before_s = time.time()
    with NamedTemporaryFile(dir=folder, prefix=".clock-") as file:
        # With contents: some file systems set the time of an empty file by the client's clock.
        file.write(b"now")
        file.flush()
        os.fsync(file.fileno())
        written_s = os.fstat(file.fileno()).st_mtime
    after_s = time.time()
    # It was written somewhere in between, whatever the clocks are.
    return 0.0 if before_s <= written_s <= after_s else (before_s + after_s) / 2 - written_s


def _record(
    host: str,
    code: Mapping[str, str],
    shared: Mapping[str, Any],
    settings: Settings,
    configuration: Path,
    ahead_s: float,
) -> HostRecord:
    # Not those at addresses, which every host asks for under the same name.
    paths = [entry.path for entry in settings.videos if isinstance(entry.path, Path)]
    absent = [path for path in paths if not is_file(path)]
    folder = settings.base.output_base_dir
    place = os.statvfs(folder)
    return HostRecord(
        host=host,
        release=__version__,
        code=code,
        settings=json.loads(json.dumps(shared)),
        configuration=str(configuration.resolve()),
        configured_s=configuration.stat().st_mtime,
        films_folder=os.path.commonpath([path.parent for path in paths]) if paths else "",
        films=len(paths),
        films_absent=len(absent),
        first_absent=str(absent[0]) if absent else "",
        free_bytes=place.f_bavail * place.f_frsize,
        cores=usable_cores(),
        clock_ahead_s=round(ahead_s, 2),
        joined_s=time.time(),
    )


def _digest(code: Mapping[str, str], shared: Mapping[str, Any]) -> str:
    text = json.dumps([dict(code), dict(shared)], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _read(path: Path) -> HostRecord | None:
    """Return a record; None where it was removed meanwhile, or is another release's."""
    try:
        return HostRecord(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
