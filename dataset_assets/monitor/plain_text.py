"""A snapshot as one line, for output that is no terminal: a pipe, a file, the log of a service."""

from __future__ import annotations

import time

from dataset_assets.counting import counted, percent
from dataset_assets.monitor.snapshot import Snapshot
from dataset_assets.monitor.units import clock


def status_line(snapshot: Snapshot) -> str:
    """Return how far the videos are, such as `14:05 2 running, 3 of 10 done, 5 to do, 20% of ...`."""
    overall = snapshot.overall
    counts = (
        (overall.videos_failed, "failed"),
        (overall.videos_interrupted, "interrupted"),
        (overall.videos_waiting, "to do"),
        (overall.videos_too_small, "too small"),
    )
    parts = [f"{overall.videos_running} running", f"{overall.videos_done} of {overall.videos} done"]
    if hosts := sum(bool(each.videos) for each in snapshot.hosts):
        parts[0] += f" on {counted(hosts, 'machine')}"
    parts += [f"{count} {word}" for count, word in counts if count]
    away = sum(video.phase == "film away" for video in snapshot.videos)
    parts += [f"{counted(away, 'film')} away, retrying"] if away else []
    eta = "unknown" if overall.eta_s is None else clock(overall.eta_s)
    moment = time.strftime("%H:%M", time.localtime(snapshot.taken_s))
    short = f"{overall.patches_short:,} short, " if overall.patches_short else ""
    return (
        f"{moment} {', '.join(parts)}; {percent(overall.share)}, "
        f"{overall.patches:,} of {counted(overall.patches_target, 'patch')}, {short}"
        f"{overall.patches_to_do:,} to do, ETA {eta}"
    )
