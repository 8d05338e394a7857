"""Sockets below a temporary folder of any length."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest

from dataset_assets.launch.sockets import ADDED_BYTES, shorten_socket_paths

LONG = ("a folder as long as those of a cluster's scratch",) * 3


@pytest.fixture
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A long `TMPDIR`, undone in the end."""
    folder = tmp_path.joinpath(*LONG)
    folder.mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def bind_below(folder: str) -> None:
    """Makes a socket whose path is as long as the longest that processes here make."""
    with (
        tempfile.TemporaryDirectory(prefix="s", dir=folder) as below,
        socket.socket(socket.AF_UNIX) as server,
    ):
        free = ADDED_BYTES - len(below) + len(folder) - 1
        server.bind(f"{below}/{'x' * free}")


def test_a_long_temporary_folder_is_left_for_one_with_room(temporary_folder: Path) -> None:
    with pytest.raises(OSError, match="AF_UNIX path too long"):
        bind_below(str(temporary_folder))
    shorten_socket_paths()
    assert tempfile.gettempdir() == os.environ["TMPDIR"] != str(temporary_folder)
    bind_below(tempfile.gettempdir())


def test_a_short_temporary_folder_stays(temporary_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setenv("TMPDIR", short)
        shorten_socket_paths()
        assert tempfile.gettempdir() == short
