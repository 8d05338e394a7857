"""Pages of the gallery and what they ask for, at a port of this machine, without Dagster."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet
from dataset_assets.gallery import page_of, write_video_page
from dataset_assets.ui.exclusions import exclusion_routes
from dataset_assets.ui.validation import validation_routes
from dataset_assets.ui.webserver import guarded

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """A running webserver."""

    port: int

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    def page(self, key: str) -> str:
        """The address of a video's page."""
        return f"{self.origin}/dataset/gallery/{page_of(key)}"

    def ask(
        self, key: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """The status and the content of an answer about a video; a POST where there is a body."""
        return self.ask_at(f"/exclusions/{key}", body, headers)

    def ask_at(
        self, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """The status and the content of an answer; a POST where there is a body."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        method = "GET" if body is None else "POST"
        connection.request(method, path, sent, dict(headers or {}))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text) if text.startswith("{") else {"message": text}

    def token(self, key: str) -> str:
        return str(self.ask(key)[1]["token"])

    def post(self, key: str, frame: int, *, excluded: bool, **headers: str) -> tuple[int, dict[str, Any]]:
        """What the page's own button sends; a header that is given as empty is left out."""
        given = {"Content-Type": "application/json", "X-Exclusions-Token": self.token(key)}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        chosen = {name: value for name, value in given.items() if value}
        return self.ask(key, {"frame": frame, "excluded": excluded}, chosen)


@contextmanager
def serving(settings: Settings) -> Iterator[Served]:
    """A webserver over a data set, until the block ends."""
    data_set = DataSet.of(settings)
    routes = exclusion_routes(data_set, lambda key: write_video_page(settings, key))
    routes += validation_routes(data_set, lambda: settings)
    files = Mount("/dataset", StaticFiles(directory=data_set.folder))
    app = guarded(Starlette(routes=[*routes, files]), HOST)
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield Served(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
