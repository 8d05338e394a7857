"""Ends of a run at chosen moments: at the n-th call that touches a file, just before it or just after.

Run as a script it kills copies of itself there: `interrupting.py CONFIG KEY MOMENT...`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import cv2

from dataset_assets.config import DEFAULT_CATEGORIES, DEFAULT_FORMATS, Settings, load_settings
from dataset_assets.generate import generate_video
from dataset_assets_tests.generate.samples import KEY, files_named_by_rows

DISK_CALLS = ((cv2, "imencode"), (os, "fsync"), (os, "replace"), (os, "unlink"))
When = Literal["before", "after"]
REPOSITORY = Path(__file__).parents[2]


@contextmanager
def at_disk_call(number: int, end: Callable[[], None], when: When = "before") -> Iterator[list[str]]:
    """Calls `end` at the `number`-th call that touches a file, counted from 1.

    Yields:
        The names of the calls so far.
    """
    calls: list[str] = []

    def watched(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            is_last = len(calls) == number
            if is_last and when == "before":
                end()
            try:
                return call(*args, **kwargs)
            finally:
                # Also where it fails: an unlink of what is not there is a moment as any other.
                if is_last and when == "after":
                    end()

        return wrapper

    with ExitStack() as stack:
        for module, name in DISK_CALLS:
            stack.enter_context(patch.object(module, name, watched(name, getattr(module, name))))
        yield calls


def interrupt() -> None:
    """What Ctrl+C does."""
    raise KeyboardInterrupt


def kill() -> None:
    """What `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(folder: Path, settings: Settings, moments: Sequence[int], key: str = KEY) -> dict[str, str]:
    """Runs a configuration in other processes that are killed at these moments; tells which were."""
    config = folder / "killed.json"
    sections = settings.model_dump(mode="json")
    sections["formats"] |= {name: None for name in DEFAULT_FORMATS if name not in sections["formats"]}
    sections["categories"] |= {name: None for name in DEFAULT_CATEGORIES if name not in settings.categories}
    config.write_text(json.dumps({"base_settings": sections.pop("base"), **sections}))
    command = [sys.executable, "-m", "dataset_assets_tests.generate.interrupting", str(config), key]
    command += map(str, moments)
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    files_named_by_rows(settings.base.output_base_dir)
    lines = [line.split() for line in done.stdout.splitlines()]
    return {line[0]: line[1] for line in lines}


def _kill_at_each(config: Path, key: str, moments: list[int]) -> None:
    settings = load_settings(config)
    for moment in moments:
        child = os.fork()
        if not child:
            with at_disk_call(moment, kill):
                generate_video(settings, key)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(f"{moment} {'killed' if os.WIFSIGNALED(status) else 'finished'}")


if __name__ == "__main__":
    _kill_at_each(Path(sys.argv[1]), sys.argv[2], [int(moment) for moment in sys.argv[3:]])
