"""`doctor --hosts`: what each machine recorded when it last began to work, and what is not the same on all.

Not here: recording it (`dataset`), and what this machine needs (`doctor`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from rich.table import Table
from rich.text import Text

from dataset_assets.config import Settings
from dataset_assets.counting import some_are
from dataset_assets.dataset import AtWork, DataSet, HostRecord
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.monitor import ago, size

MOST_AHEAD_S: Final = 2.0


def host_table(settings: Settings) -> tuple[Table, list[str]]:
    """Return the machines of a data set, and what is not the same on all, each with its remedy.

    Raises:
        DatasetAssetsError: One machine makes it.
    """
    data_set = DataSet.of(settings)
    if not data_set.is_made_by_many:
        raise DatasetAssetsError(
            'one machine makes this data set (base_settings.machines is "one"), so there are no hosts',
            'set it to "many" to let several machines make it',
        )
    data_set.copy.refresh()
    records, at_work = data_set.host_records(), data_set.at_work()
    return _table(records, at_work), disagreements(records, at_work)


def disagreements(records: Mapping[str, HostRecord], at_work: Mapping[str, AtWork]) -> list[str]:
    """Return what is not the same on all machines, or wrong on one, each with its remedy.

    Args:
        records: What each machine recorded, by its name.
        at_work: The run that works on each video.
    """
    if not records:
        return []
    # What is wanted shows one that works, of these the one whose configuration was changed last.
    working = {each.host for each in at_work.values() if each.is_alive}
    newest = max(records.values(), key=lambda each: (each.host in working, each.configured_s, each.joined_s))
    found = []
    for name, record in sorted(records.items()):
        if record.digest != newest.digest:
            found.append(_difference(record, newest))
        if record.films_folder != newest.films_folder and record.films == newest.films:
            found.append(
                f"{name}: the films are below {record.films_folder}, and on {newest.host} below "
                f"{newest.films_folder}; mount them at the same path on all machines, or each probes again "
                "what the other has probed"
            )
        if record.films_absent:
            found.append(
                f"{name}: {some_are(record.films_absent, record.films, 'film')} absent, first "
                f"{record.first_absent}; mount their disk there, at the same path as on the others"
            )
        if abs(record.clock_ahead_s) > MOST_AHEAD_S:
            way = "ahead of" if record.clock_ahead_s > 0 else "behind"
            found.append(
                f"{name}: its clock is {abs(record.clock_ahead_s):.1f} s {way} the file server's; let both "
                "follow a time server (timedatectl set-ntp true)"
            )
    return found


def _difference(record: HostRecord, newest: HostRecord) -> str:
    if record.code == newest.code:
        remedy = (
            f"let it read the same configuration: {record.configuration} there, {newest.configuration} "
            f"on {newest.host}"
        )
    elif record.release == newest.release:  # clones at other commits between two releases
        remedy = "check out the same commit on both, and install it"
    else:
        remedy = f"install release {newest.release} there, or {record.release} on both"
    text = record.differences(newest)
    text = text.replace(" here and ", f" on {record.host} and ").replace(" there", f" on {newest.host}")
    return f"{record.host}: {text}; {remedy}"


def _table(records: Mapping[str, HostRecord], at_work: Mapping[str, AtWork]) -> Table:
    table = Table(
        "host", "release", "code", "settings", "cores", "free", "films", "clock", "began", "works on"
    )
    now_s = time.time()
    live = [each for each in at_work.values() if each.is_alive]
    for name in sorted({*records, *(each.host for each in live if each.host)}):
        films = sum(each.host == name for each in live)
        record = records.get(name)
        if record is None:
            table.add_row(Text(name), *["-"] * 8, str(films))
            continue
        absent = f", {record.films_absent} absent" if record.films_absent else ""
        table.add_row(
            Text(name),
            record.release,
            "/".join(record.code.values()),
            record.digest[:8],
            str(record.cores),
            size(record.free_bytes),
            f"{record.films}{absent}",
            f"{record.clock_ahead_s:+.1f} s",
            ago(now_s - record.joined_s),
            str(films),
        )
    return table
