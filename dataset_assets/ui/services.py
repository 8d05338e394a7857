"""Start, watch and stop Dagster's code server, its daemon, and its webserver with the gallery beside it.

`dagster dev` starts the same three, with a webserver that has no gallery and a daemon that looks at
backfills every 30 s. What each of them does is in its own module.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from dataset_assets.errors import DatasetAssetsError
from dataset_assets.ui.hosts import web_address

LOCATION = "dataset_assets"
# Errors of the code are shown without Dagster's own stack, as in `dagster dev`. Undocumented, and not in
# `dagster_internals` since this process does without Dagster, which takes a second to import and 50 MB.
PLAIN_ERRORS_VARIABLE = "DAGSTER_IS_DEV_CLI"
CODE_SERVER, DAEMON, WEBSERVER = "code server", "daemon", "webserver"
POLL_S = 0.5
START_POLL_S, CONNECT_S = 0.1, 1.0
STOP_GRACE_S = 60.0


def serve(host: str, port: int) -> None:
    """Run the services until SIGINT, SIGTERM or SIGHUP.

    Args:
        host: Address that the webserver listens at.
        port: Its port.

    Raises:
        DatasetAssetsError: The webserver or the daemon ended by itself; the others were stopped.
    """
    stop = threading.Event()
    # A handler of our own also where SIGINT was ignored (`nohup`): the services would inherit that.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    os.environ[PLAIN_ERRORS_VARIABLE] = "1"
    services: dict[str, subprocess.Popen[bytes]] = {}
    with TemporaryDirectory(prefix="dataset-assets-") as folder:
        code_socket = Path(folder) / "code.sock"
        commands = _commands(code_socket, host, port)
        try:
            _start_all(commands, services, stop, code_socket, host, port)
            while not stop.wait(POLL_S):
                for name, service in services.items():
                    if service.poll() is None:
                        continue
                    if name != CODE_SERVER:
                        raise DatasetAssetsError(
                            f"Dagster's {name} ended with exit code {service.returncode}",
                            "what it said stands above, and `ui` starts it again.",
                        )
                    services[name] = _start(commands[name])
        finally:
            _stop(services)


def _start_all(
    commands: Mapping[str, Sequence[str]],
    services: dict[str, subprocess.Popen[bytes]],
    stop: threading.Event,
    code_socket: Path,
    host: str,
    port: int,
) -> None:
    """Start the services one after the other, and print which is waited for until the UI answers."""
    started_s = time.monotonic()
    for name, command in commands.items():
        print(f"starting Dagster's {name}", flush=True)
        services[name] = _start(command)
        # The others would report that the code server cannot be reached, and find it later.
        _wait_until(code_socket.exists, services, stop)
    if _wait_until(lambda: _is_reached(host, port), services, stop):
        print(f"{web_address(host, port)} answers after {time.monotonic() - started_s:.0f} s", flush=True)


def _commands(code_socket: Path, host: str, port: int) -> dict[str, list[str]]:
    """Return the command of each service, in the order to start them; the code server comes first."""
    # Dagster's other format for people writes colour codes into a log file too.
    logs = ["--log-level", "warning", "--log-format", "rich" if sys.stdout.isatty() else "json"]
    workspace = code_socket.with_name("workspace.yaml")
    server = {"grpc_server": {"socket": str(code_socket), "location_name": LOCATION}}
    workspace.write_text(yaml.safe_dump({"load_from": [server]}), encoding="utf-8")
    code = ["--module-name", "dataset_assets.definitions", "--location-name", LOCATION]
    start = ["code-server", "start", "--use-python-environment-entry-point", "--socket", str(code_socket)]
    return {
        CODE_SERVER: ["dagster", *start, *code, *logs],
        DAEMON: ["dataset_assets.ui.daemon", "run", "--workspace", str(workspace), *logs],
        WEBSERVER: ["dataset_assets.ui.webserver", str(workspace), host, str(port)],
    }


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    # In a session of its own, so that Ctrl+C reaches it once, from here; tied to this process by the pipe.
    tied = [sys.executable, "-m", "dataset_assets.ui.exit_with_parent", *command]
    return subprocess.Popen(tied, stdin=subprocess.PIPE, start_new_session=True)


def _wait_until(
    holds: Callable[[], bool], services: Mapping[str, subprocess.Popen[bytes]], stop: threading.Event
) -> bool:
    """Return whether something holds, once it does, a service has ended, or all are to stop."""
    while not (does_hold := holds()) and all(service.poll() is None for service in services.values()):
        if stop.wait(START_POLL_S):
            break
    return does_hold


def _is_reached(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=CONNECT_S):
            return True
    except OSError:
        return False


def _stop(services: dict[str, subprocess.Popen[bytes]]) -> None:
    """Stop them in the order in which they need one another, the code server last."""
    for service in reversed(services.values()):
        if service.poll() is None:
            service.send_signal(signal.SIGINT)
        try:
            service.wait(STOP_GRACE_S)
        except subprocess.TimeoutExpired:
            service.kill()
