"""Why a worker's process died, where it could not report that itself.

Recording the reason belongs to `outcomes`; limits that end a process, to `generate.limits`.
"""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

from dataset_assets.config import fitting_remedy, load_settings
from dataset_assets.dataset import LOST_LEASE_EXIT_CODE, DataSet, Failure
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.generate import DAMAGED_REMEDY, LIMIT_EXIT_CODE

# Signals that end native code on damaged data.
CRASHES = frozenset((signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE))


def exit_failure(config: Path, key: str, exit_code: int, run_id: str) -> Failure:
    """Return why a video's process died, as the failure of its run.

    Args:
        config: The configuration file.
        key: The video's key.
        exit_code: The process's exit code, negative where a signal ended it.
        run_id: The Dagster run.
    """
    how = f"exit code {exit_code}" if exit_code >= 0 else _signal_name(-exit_code)
    ended = f"died ({how})" if exit_code else "was stopped"
    what = f"{key}: its process {ended}"
    remedy = "run generate again, it goes on from the last checkpoint"
    try:
        settings = load_settings(config)
        entry = settings.video(key)
    except DatasetAssetsError:
        return Failure(key, "", what, remedy, run_id)  # the configuration was changed meanwhile
    if exit_code == LIMIT_EXIT_CODE:
        kept = DataSet.of(settings).failures.read_one(key)
        if kept is not None:
            return replace(kept, run_id=run_id)
    elif exit_code == LOST_LEASE_EXIT_CODE:
        what = f"{key}: its process lost the right to write the video, and ended"
        remedy = (
            f"look after the disk of {settings.base.output_base_dir}, which could not be written for "
            f"{settings.base.lease_s / 2:g} s, and run generate again"
        )
    elif -exit_code in CRASHES:
        what = f"{key} ({entry.path}): the decoder crashed on it ({how}), and only this video with it"
        remedy = fitting_remedy(DAMAGED_REMEDY, settings, entry)
    elif -exit_code == signal.SIGKILL:
        what = f"{key}: its process was killed ({how}), by the system if memory ran out"
        remedy += ", with fewer --workers where memory is short"
    was_killed = -exit_code == signal.SIGKILL or exit_code == LOST_LEASE_EXIT_CODE
    return Failure(key, str(entry.path), what, remedy, run_id, was_killed=was_killed)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
