"""Run a module that exits when its parent process does: `python -m ...exit_with_parent MODULE ARGUMENT...`.

Its standard input is a pipe that only its parent holds open. However the parent ends, `kill -9` too, the pipe
closes, and the module is interrupted as by Ctrl+C. (Linux has PR_SET_PDEATHSIG for this, macOS nothing.)
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading

STDIN = 0


def main(module: str, arguments: list[str]) -> None:
    """Run a module as `python -m` does, until it ends or the parent does."""
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _stop_with_parent() -> None:
    while os.read(STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
