"""What runs on a data set and how far it has come: snapshots, and how a terminal shows them.

It only reads: tables, progress files, Dagster's history, the machine. Not here: starting and stopping runs
(`launch`); the `monitor` command, its keys and its screen (`cli`).
"""

from dataset_assets.monitor.collector import REFRESH_S, SnapshotCollector
from dataset_assets.monitor.history import History
from dataset_assets.monitor.launched_runs import LaunchedRuns
from dataset_assets.monitor.live_view import render
from dataset_assets.monitor.pace import run_costs
from dataset_assets.monitor.plain_text import status_line
from dataset_assets.monitor.snapshot import Snapshot, to_json
from dataset_assets.monitor.units import ago, duration, size

__all__ = [
    "REFRESH_S",
    "History",
    "LaunchedRuns",
    "Snapshot",
    "SnapshotCollector",
    "ago",
    "duration",
    "render",
    "run_costs",
    "size",
    "status_line",
    "to_json",
]
