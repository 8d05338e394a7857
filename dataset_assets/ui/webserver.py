"""Dagster's webserver with the gallery beside it, at one address.

Run as a module, with a workspace file, an address and a port; `services` does so. The pages link to the data
set's own pictures, so these are served too. Writing the pages belongs to `gallery`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

import dagster as dg
import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from dataset_assets.assets import CHECKS_ALONE
from dataset_assets.config import ConfigReader, config_path
from dataset_assets.dagster_internals import webserver_app
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.gallery import INDEX_FILE, with_notice, write_missing_index
from dataset_assets.ui.exclusions import exclusion_routes, write_page
from dataset_assets.ui.hosts import LOOPBACK_NAMES, is_loopback
from dataset_assets.ui.validation import validation_routes


class DatasetFiles(StaticFiles):
    """The gallery and the pictures of a data set; not its tables, nor Dagster's home, which may lie in it.

    The index is written where it is missing; pages show a mistake in the configuration while there is one.
    """

    def __init__(self, data_set: DataSet, config: ConfigReader) -> None:
        super().__init__(directory=data_set.folder, check_dir=False)
        self._pages = data_set.gallery_folder.name
        self._config = config

    async def check_config(self) -> None:
        """Check nothing: the folder may come later, or be on a disk that is away for a while."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a file; nothing for one that is not served."""
        file = PurePosixPath(path)
        is_page = file.parts[:1] == (self._pages,)
        is_served = is_page or file.suffix in (".png", ".jpg")
        is_hidden = any(part.startswith(".") for part in file.parts)
        if not is_served or is_hidden:
            return "", None
        if file == PurePosixPath(self._pages, INDEX_FILE):
            self._write_missing_index()
        return super().lookup_path(path)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer a request; a page has a notice while the configuration holds a mistake."""
        response = await super().get_response(path, scope)
        if PurePosixPath(path).suffix != ".html":
            return response
        page = await run_in_threadpool(self._page_with_notice, path)
        return HTMLResponse(page) if page is not None else response

    def _page_with_notice(self, path: str) -> bytes | None:
        mistake = self._config.mistake()
        if not mistake:
            return None
        full_path, _ = self.lookup_path(path)
        return with_notice(Path(full_path).read_bytes(), f"No run starts: {mistake}")

    def _write_missing_index(self) -> None:
        settings = self._config.last_valid()
        # A disk that is full or read-only: there is no page then, as for any other file.
        with suppress(DatasetAssetsError, OSError):
            if settings is not None and settings.base.output_base_dir == Path(str(self.directory)):
                write_missing_index(settings)


def gallery_routes(data_set: DataSet, config: ConfigReader) -> list[BaseRoute]:
    """Return routes to the data set, `/dataset`, and to its pages, `/gallery`."""

    def to_page(request: Request) -> RedirectResponse:
        page = request.path_params.get("page") or INDEX_FILE
        return RedirectResponse(f"/dataset/{data_set.gallery_folder.name}/{page}")

    return [
        Mount("/dataset", DatasetFiles(data_set, config)),
        Route("/gallery", to_page),
        Route("/gallery/{page:path}", to_page),
    ]


def refusal_of(selector: Mapping[str, Any]) -> str:
    """Return why a run is not launched; empty where it is.

    Args:
        selector: What it is launched for: `assetSelection` and `assetCheckSelection`, as the UI sends them.
    """
    is_of_checks_alone = selector.get("assetSelection") == [] and selector.get("assetCheckSelection")
    return str(DatasetAssetsError(*CHECKS_ALONE)) if is_of_checks_alone else ""


def guarded(app: ASGIApp, host: str) -> ASGIApp:
    """Return the application; at a loopback address it answers only requests for this machine's own names."""
    if not is_loopback(host):
        return app
    return TrustedHostMiddleware(app, allowed_hosts=LOOPBACK_NAMES, www_redirect=False)


def main(workspace: str, host: str, port: int) -> None:
    """Serve until it is interrupted."""
    config = ConfigReader(config_path(None))
    data_set = DataSet.of(config.read())
    with (
        dg.DagsterInstance.get() as instance,
        webserver_app(instance, Path(workspace), refusal_of) as app,
    ):
        # Dagster's last route takes every address.
        routes = [
            *exclusion_routes(data_set, write_page),
            *validation_routes(data_set, config.read),
            *gallery_routes(data_set, config),
        ]
        app.router.routes[:0] = routes
        uvicorn.run(guarded(app, host), host=host, port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
