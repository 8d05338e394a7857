"""A terminal: what a person would see of what was written to it, as text."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import select
import struct
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType

import pyte
from rich.console import Console, RenderableType

from dataset_assets_tests.command import COMMAND, PATIENCE_S, ROOT, environment, obey_ctrl_c


def screen_of(content: RenderableType, columns: int, lines: int) -> list[str]:
    """The lines of a terminal of this size after `content` was printed in colour, ends trimmed."""
    file = io.StringIO()
    console = Console(
        file=file,
        force_terminal=True,
        color_system="truecolor",
        width=columns,
        height=lines,
        legacy_windows=False,
    )
    console.print(content, end="")
    screen = pyte.Screen(columns, lines)
    # The last line end would scroll a full screen; a live view writes none there.
    pyte.Stream(screen).feed(file.getvalue().removesuffix("\n").replace("\n", "\r\n"))
    return [line.rstrip() for line in screen.display]


class Terminal:
    """`dataset-assets` at work in a terminal of its own.

    Attributes:
        process: The command.
        written: Everything that it has written so far.
    """

    def __init__(self, *arguments: str | Path, columns: int = 80, lines: int = 24) -> None:
        self._ours, self._theirs = pty.openpty()
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._before = termios.tcgetattr(self._theirs)
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=ROOT,
            env=environment({"TERM": "xterm-256color"}),
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            # The terminal becomes its own, so that Ctrl+C reaches it.
            preexec_fn=_take_terminal,
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)

    @property
    def lines(self) -> list[str]:
        """What the screen shows."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def is_as_before(self) -> bool:
        """Whether keys are shown and lines edited as before the command."""
        return termios.tcgetattr(self._theirs) == self._before

    def resize(self, columns: int, lines: int) -> None:
        """Changes the size, as a person does with a window."""
        self._screen.resize(lines, columns)
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: str) -> None:
        """Presses keys."""
        os.write(self._ours, keys.encode())

    def wait_for(self, text: str) -> None:
        """Waits until a text is on the screen.

        Raises:
            AssertionError: It never was.
        """
        end_s = time.monotonic() + PATIENCE_S
        while text not in "\n".join(self.lines):
            assert time.monotonic() < end_s, (text, self.lines)
            self._read(1.0)

    def end(self) -> int:
        """Waits for the command's end; gives its exit code."""
        end_s = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < end_s, self.lines
            self._read(0.1)
        while self._read(0.0):
            pass
        return self.process.returncode

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        found = os.read(self._ours, 65536)
        self.written += found
        self._stream.feed(found)
        return bool(found)


def _take_terminal() -> None:
    obey_ctrl_c()
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
