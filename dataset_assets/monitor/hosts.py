"""The machines that make a data set: what each works on now, from leases and what each recorded of itself.

Plain arithmetic: no file, no clock. Not here: reading them (`dataset`), how they are shown (`live_view`).
"""

from __future__ import annotations

from collections.abc import Mapping

from dataset_assets.dataset import AtWork, HostRecord, windows_per_s
from dataset_assets.monitor.snapshot import Host
from dataset_assets.process import host_name


def host_states(
    at_work: Mapping[str, AtWork], records: Mapping[str, HostRecord], now_s: float
) -> tuple[Host, ...]:
    """Return the machines that make a data set, by name.

    Args:
        at_work: The run that works on each video, or did until it was killed.
        records: What each machine recorded of itself.
        now_s: Unix time.
    """
    held = [each for each in at_work.values() if each.beat is not None]
    names = sorted({each.host for each in held} | records.keys())
    return tuple(_state(name, [each for each in held if each.host == name], records, now_s) for name in names)


def _state(name: str, held: list[AtWork], records: Mapping[str, HostRecord], now_s: float) -> Host:
    live = [each for each in held if each.is_alive]
    rates = [
        rate
        for each in live
        if each.progress is not None and (rate := windows_per_s(each.progress, now_s)) is not None
    ]
    record = records.get(name)
    return Host(
        host=name,
        is_here=name == host_name(),
        videos=len(live),
        videos_lost=len(held) - len(live),
        windows_per_minute=60 * sum(rates) if rates else None,
        beaten_s=max((each.beat.beaten_s for each in held if each.beat is not None), default=None),
        release=record.release if record is not None else None,
    )
