"""Who reaches the UI: this machine alone, unless somebody says otherwise."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dataset_assets.ui.hosts import is_loopback
from dataset_assets.ui.services import WEBSERVER, _commands
from dataset_assets.ui.webserver import guarded
from dataset_assets_tests.command import run
from dataset_assets_tests.generated import Generated


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.7", False),
        ("films.example.org", False),
    ],
)
def test_which_addresses_lead_to_this_machine_alone(host: str, expected: bool) -> None:
    assert is_loopback(host) == expected


def status_of(host: str, asked_for: str) -> int:
    """The answer of a webserver at an address to a browser that asks under a name."""
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("pictures"))])
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = [(b"host", asked_for.encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}

    async def ask() -> None:
        await guarded(app, host)(scope, receive, send)

    asyncio.run(ask())
    return statuses[0]


@pytest.mark.parametrize("name", ["127.0.0.1:3000", "localhost:3000", "[::1]:3000"])
def test_a_browser_of_this_machine_is_answered(name: str) -> None:
    assert status_of("127.0.0.1", name) == 200


def test_a_page_that_had_its_own_name_lead_here_is_not_answered() -> None:
    assert status_of("127.0.0.1", "evil.example.org:3000") == 400
    assert status_of("0.0.0.0", "films.example.org:3000") == 200


def test_the_webserver_listens_at_the_given_address(tmp_path: Any) -> None:
    assert _commands(tmp_path / "code.sock", "127.0.0.1", 3000)[WEBSERVER][-2:] == ["127.0.0.1", "3000"]


def test_an_address_of_another_machine_is_refused(generated: Generated) -> None:
    done = run("ui", "--config", generated.config, "--host", "203.0.113.7")
    assert done.returncode == 1
    assert "Port 3000 of 203.0.113.7 cannot be used" in done.stderr
    assert "--host" in done.stderr


def test_a_port_that_is_taken_is_reported(generated: Generated) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("ui", "--config", generated.config, "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in done.stderr
