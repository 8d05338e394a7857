"""Redis and Postgres of a test's own; what needs them skips where they are not installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dataset_assets_tests.command import wait_until
from dataset_assets_tests.system.dagster_ui import free_port

POSTGRES_FOLDERS = "/usr/lib/postgresql/*/bin"
# Postgres refuses to be root, so that its files belong to another user there.
POSTGRES_USER = "postgres"
START_S = 60.0
LOOPBACK = "127.0.0.1"


class Server:
    """A server process that tests stop, kill and start again at the same port.

    Attributes:
        url: Its address, as Dagster and Celery take it.
        port: Its port.
    """

    def __init__(
        self, name: str, url: str, port: int, command: list[str], ping: list[str], log: Path
    ) -> None:
        self.name, self.url, self.port = name, url, port
        self._command, self._ping, self._log = command, ping, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        wait_until(self._answers, f"{self.name} answers", START_S)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends it by a signal, and waits for its end."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_S)
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text(encoding="utf-8", errors="replace")
        return subprocess.run(self._ping, capture_output=True, check=False).returncode == 0


@contextmanager
def running_redis(address: str = LOOPBACK) -> Iterator[Server]:
    """A Redis whose queue survives `kill -9`."""
    program, client = shutil.which("redis-server"), shutil.which("redis-cli")
    if program is None or client is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        options = ["--bind", address, "--port", str(port), "--dir", folder, "--save", ""]
        command = [program, *options, "--appendonly", "yes", "--protected-mode", "no"]
        ping = [client, "-h", address, "-p", str(port), "ping"]
        redis = Server("Redis", f"redis://{address}:{port}/0", port, command, ping, Path(folder, "log"))
        redis.start()
        try:
            yield redis
        finally:
            redis.stop(signal.SIGKILL)


@contextmanager
def running_postgres(address: str = LOOPBACK, *, fsync: bool = False) -> Iterator[Server]:
    """A Postgres with an empty database for Dagster; it waits for the disk only where that is measured."""
    pytest.importorskip("dagster_postgres")
    folders = sorted(Path("/").glob(f"{POSTGRES_FOLDERS[1:]}/postgres"))
    as_user = _as_postgres_user()
    if not folders or as_user is None:
        pytest.skip("postgresql is not installed, or cannot be started as another user than root")
    programs, port = folders[-1].parent, free_port()
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        place = Path(folder)
        if as_user:
            shutil.chown(place, POSTGRES_USER)
        data = place / "data"
        make = [*as_user, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "-N"]
        subprocess.run(make, check=True, capture_output=True, cwd="/")
        with (data / "pg_hba.conf").open("a", encoding="utf-8") as file:
            file.write("host all all samenet trust\n")
        options = {
            "listen_addresses": address,
            "unix_socket_directories": folder,
            "fsync": "on" if fsync else "off",
        }
        settings = [f"-c{name}={value}" for name, value in options.items()]
        command = [*as_user, str(programs / "postgres"), "-D", str(data), f"-p{port}", *settings]
        ping = [str(programs / "pg_isready"), "-q", "-h", address, "-p", str(port)]
        url = f"postgresql+psycopg2://postgres@{address}:{port}/postgres"
        postgres = Server("Postgres", url, port, command, ping, place / "log")
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop(signal.SIGQUIT)


def _as_postgres_user() -> list[str] | None:
    """The words before a command that run it as a user that Postgres takes; None where there is none."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    has_user = subprocess.run(["id", POSTGRES_USER], capture_output=True, check=False).returncode == 0
    if setpriv is None or not has_user:
        return None
    return [setpriv, f"--reuid={POSTGRES_USER}", f"--regid={POSTGRES_USER}", "--init-groups"]
