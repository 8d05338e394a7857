"""The command line as a process of its own, and waiting for what it does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from dataset_assets.__main__ import main

ROOT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-m", "dataset_assets")
# What a person's shell may hold, and what would change the outcome.
CLEARED = {"DATASET_ASSETS_CONFIG", "DAGSTER_HOME", "COLUMNS", "FORCE_COLOR", "PY_COLORS"}
PATIENCE_S = 600.0
POLL_S = 0.02


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would change the outcome, and with some changes."""
    kept = {name: value for name, value in os.environ.items() if name not in CLEARED}
    return kept | {"PYTHONPATH": str(ROOT)} | dict(changes or {})


def run(
    *arguments: str | Path,
    cwd: Path | None = None,
    changes: Mapping[str, str] | None = None,
    umask: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs `dataset-assets` to its end, from its first instruction on where its surroundings are others.

    Else its process is forked from one that has imported everything: 2 of 7 CPU s saved for each `generate`.
    """
    command = [*COMMAND, *map(str, arguments)]
    if cwd is None and changes is None and umask is None:
        return _run_forked(command)
    return subprocess.run(
        command,
        cwd=cwd or ROOT,
        env=environment(changes),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        umask=-1 if umask is None else umask,
    )


def _run_forked(command: list[str]) -> subprocess.CompletedProcess[str]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dataset_assets.cli.main", "dataset_assets.cli.generate"])
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder, name) for name in ("stdout", "stderr")]
        process = context.Process(target=_be_the_command, args=(command, environment(), outputs))
        process.start()
        process.join(PATIENCE_S)
        if process.is_alive():
            process.kill()
            raise subprocess.TimeoutExpired(command, PATIENCE_S)
        printed = [output.read_text(encoding="utf-8") for output in outputs]
    return subprocess.CompletedProcess(command, process.exitcode or 0, *printed)


def _be_the_command(command: list[str], variables: dict[str, str], outputs: list[Path]) -> None:
    for number, output in enumerate(outputs, start=1):
        with output.open("wb") as file:
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(ROOT)
    sys.argv = command[2:]
    main()


def start(*arguments: str | Path, changes: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Starts `dataset-assets` in a session of its own, so that a signal reaches it and not the tests."""
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env=environment(changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=obey_ctrl_c,
    )


def obey_ctrl_c() -> None:
    """Undoes what a background job of a script hands down: signals ignored or blocked."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def wait_until(
    holds: Callable[[], bool], what: str, limit_s: float = PATIENCE_S, poll_s: float = POLL_S
) -> None:
    """Waits until something holds.

    Raises:
        AssertionError: It did not within the limit.
    """
    end_s = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end_s, f"{what}: not within {limit_s:.0f} s"
        time.sleep(poll_s)


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


def freeze(pid: int) -> None:
    """Stops a process as a debugger does, at a moment at which it writes to no database.

    One that stands still in the middle of a transaction locks all others out of Dagster's history.
    """

    def is_frozen_outside() -> bool:
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: "\nState:\tT" in status.read_text(encoding="utf-8"), "it stands still")
        if not _holds_database(pid):
            return True
        os.kill(pid, signal.SIGCONT)
        return False

    status = Path(f"/proc/{pid}/status")
    wait_until(is_frozen_outside, "the process can be stopped outside of a transaction")


def _holds_database(pid: int) -> bool:
    """Whether a process holds a lock of SQLite's that others wait for; `flock` is not what SQLite takes."""
    locks = [line.split() for line in Path("/proc/locks").read_text(encoding="utf-8").splitlines()]
    return any("POSIX" in lock and "WRITE" in lock and str(pid) in lock for lock in locks)


def processes_of(config: Path) -> list[int]:
    """Ids of the live processes whose environment names a configuration: what `generate` started for it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"DATASET_ASSETS_CONFIG={config}".encode() in variables and is_alive(int(folder.name)):
            found.append(int(folder.name))
    return found
