"""Compare each film in its own process, so that one that crashes the decoder does not affect the others.

Not here: the comparison itself (`deep`).
"""

from __future__ import annotations

import signal
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Event

import cv2

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset import DataSet
from dataset_assets.verify.deep import compare_with_source
from dataset_assets.verify.findings import VideoFindings
from dataset_assets.verify.tables import Tables

POLL_S = 0.5


def compare_isolated(
    settings: Settings,
    entry: VideoEntry,
    data_set: DataSet,
    tables: Tables,
    share: float,
    stop: Event,
) -> VideoFindings:
    """Run `compare_with_source` in another process.

    Returns:
        What differs; a note if the process died.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_compare, args=(theirs, settings, entry, data_set, tables, share))
    process.start()
    theirs.close()
    with ours:
        while not ours.poll(POLL_S):
            if stop.is_set():
                process.kill()
        try:
            found: VideoFindings = ours.recv()
        except EOFError:
            process.join()
            found = VideoFindings(entry.key)
            found.notes.append(
                f"nothing was compared with the film {entry.path}: the process that decoded it died "
                f"({_how(process.exitcode or 0)})"
            )
    process.join()
    return found


def _compare(
    connection: Connection,
    settings: Settings,
    entry: VideoEntry,
    data_set: DataSet,
    tables: Tables,
    share: float,
) -> None:
    cv2.setNumThreads(1)  # parallelism is by video
    connection.send(compare_with_source(settings, entry, data_set, tables, share))


def _how(exit_code: int) -> str:
    return f"exit code {exit_code}" if exit_code >= 0 else str(signal.strsignal(-exit_code))
