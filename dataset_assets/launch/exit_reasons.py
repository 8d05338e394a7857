"""Why a worker's process died, where it could not report that itself.

Recording the reason belongs to `outcomes`; limits that end a process, to `generate.limits`.
"""

from __future__ import annotations

import signal
from pathlib import Path

from dataset_assets.config import load_settings
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.generate.failures import read_failures
from dataset_assets.generate.limits import LIMIT_EXIT_CODE
from dataset_assets.tables import TableStore

# Signals that end native code on damaged data.
CRASHES = frozenset((signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE))


def exit_reason(config: Path, key: str, exit_code: int) -> str:
    """Return why a video's process died, and the remedy.

    Args:
        config: The configuration file.
        key: The video's key.
        exit_code: The process's exit code, negative where a signal ended it.
    """
    how = f"exit code {exit_code}" if exit_code >= 0 else _signal_name(-exit_code)
    ended = f"died ({how})" if exit_code else "was stopped"
    general = f"{key}: its process {ended}; run generate again, it goes on from the last checkpoint"
    try:
        settings = load_settings(config)
        film = settings.video(key).path
    except DatasetAssetsError:
        return general  # the configuration was changed meanwhile
    if exit_code == LIMIT_EXIT_CODE:
        return read_failures(TableStore(settings.base.output_base_dir)).get(key, general)
    if -exit_code in CRASHES:
        return (
            f"{key} ({film}): the decoder crashed on it ({how}), and only this video with it; the file is "
            "damaged: replace it, or remove it from the configuration"
        )
    if -exit_code == signal.SIGKILL:
        return (
            f"{key}: its process was killed ({how}), by the system if memory ran out; run generate again, it "
            "goes on from the last checkpoint, with fewer --workers where memory is short"
        )
    return general


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
