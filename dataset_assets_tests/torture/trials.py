"""One hostile film, read in a process of its own as a run reads it, and held against the truth."""

from __future__ import annotations

import multiprocessing
import resource
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from dataset_assets.config import BaseSettings
from dataset_assets.errors import VideoError
from dataset_assets.frames import FRAMES_PER_WINDOW
from dataset_assets.video.decode import FrameReader
from dataset_assets.video.probing import probe
from dataset_assets.windows.duplicates import AcceptedSignatures
from dataset_assets.windows.finding import WindowFinder
from dataset_assets_tests.torture.sources import digest
from dataset_assets_tests.windows.samples import Sampling, placements_of

# Of films of 84 small frames, which take 0.4 CPU s; the memory is address space, libraries included.
CPU_S, WALL_S, MEMORY_BYTES = 60, 600.0, 4 << 30
CANDIDATES = 12

Verdict = Literal["right", "other order", "wrong pixels"]


@dataclass(frozen=True)
class Trial:
    """What came of reading a film.

    Attributes:
        end: `read`; `refused` with a sentence; `crashed`, `hung`, `raised`: a defect.
        detail: The sentence, the exit code or the exception.
        accepted: Digests of the 7 frames of each accepted window.
        rejected: Candidates that were rejected as corrupt, too short or for another reason.
    """

    end: Literal["read", "refused", "crashed", "hung", "raised"]
    detail: str = ""
    accepted: list[list[str]] = field(default_factory=list)
    rejected: int = 0


def try_film(film: Path, sampling: Sampling) -> Trial:
    """Reads a film in a process of its own, within limits."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_read_and_send, args=(film, sampling, theirs))
    process.start()
    theirs.close()
    try:
        trial = ours.recv() if ours.poll(WALL_S) else Trial("hung")
    except EOFError:
        process.join()
        trial = Trial("crashed", f"exit code {process.exitcode}")
    process.kill()
    process.join()
    ours.close()
    assert isinstance(trial, Trial)
    return trial


def verdict(window: Sequence[str], films: Sequence[Sequence[str]]) -> Verdict:
    """Whether a window's frames are, bit for bit, 7 frames in a row of a whole film.

    Args:
        window: Digests of its frames.
        films: Digests of the frames of each film that may be in it.
    """
    if any(
        list(film[start : start + FRAMES_PER_WINDOW]) == list(window)
        for film in films
        for start in range(len(film) - FRAMES_PER_WINDOW + 1)
    ):
        return "right"
    known = {frame for film in films for frame in film}
    return "other order" if known.issuperset(window) else "wrong pixels"


def _read_and_send(film: Path, sampling: Sampling, connection: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        trial = _read(film, sampling)
    except VideoError as error:
        trial = Trial("refused", str(error))
    except BaseException as error:
        trial = Trial("raised", f"{type(error).__name__}: {error}")
    connection.send(trial)


def _read(film: Path, sampling: Sampling) -> Trial:
    limits = BaseSettings(output_base_dir=film.parent)
    info = probe(film, interlaced="deinterlace")
    accepted: list[list[str]] = []
    rejected = 0
    # Not deinterlaced: the truth is what a plain decode gives.
    with FrameReader(film, parts=info.parts, max_step=info.max_step) as reader:
        finder = WindowFinder(reader, info, limits, AcceptedSignatures(), threading.Event())
        for placement in placements_of(info, CANDIDATES, sampling):
            _, frames = finder.try_out(placement)
            if frames:
                accepted.append([digest(frame) for frame in frames])
            else:
                rejected += 1
    return Trial("read", "", accepted, rejected)
