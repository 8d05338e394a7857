"""Dagster's webserver with the gallery beside it, at one address.

Run as a module, with a workspace file, an address and a port; `services` does so. The pages link to the data
set's own pictures, so these are served too. Writing the pages belongs to `gallery`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePosixPath

import dagster as dg
import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from dataset_assets.config import config_path, load_settings
from dataset_assets.dagster_internals import webserver_app
from dataset_assets.dataset import DataSet
from dataset_assets.gallery import INDEX_FILE
from dataset_assets.ui.exclusions import exclusion_routes, write_page
from dataset_assets.ui.hosts import LOOPBACK_NAMES, is_loopback


class DatasetFiles(StaticFiles):
    """The gallery and the pictures of a data set; not its tables, nor Dagster's home, which may lie in it."""

    def __init__(self, data_set: DataSet) -> None:
        super().__init__(directory=data_set.folder, check_dir=False)
        self._pages = data_set.gallery_folder.name

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a file; nothing for one that is not served."""
        file = PurePosixPath(path)
        is_page = file.parts[:1] == (self._pages,)
        is_served = is_page or file.suffix in (".png", ".jpg")
        is_hidden = any(part.startswith(".") for part in file.parts)
        return super().lookup_path(path) if is_served and not is_hidden else ("", None)


def gallery_routes(data_set: DataSet) -> list[BaseRoute]:
    """Return routes to the data set, `/dataset`, and to its pages, `/gallery`."""

    def to_page(request: Request) -> RedirectResponse:
        page = request.path_params.get("page") or INDEX_FILE
        return RedirectResponse(f"/dataset/{data_set.gallery_folder.name}/{page}")

    return [
        Mount("/dataset", DatasetFiles(data_set)),
        Route("/gallery", to_page),
        Route("/gallery/{page:path}", to_page),
    ]


def guarded(app: ASGIApp, host: str) -> ASGIApp:
    """Return the application; at a loopback address it answers only requests for this machine's own names."""
    if not is_loopback(host):
        return app
    return TrustedHostMiddleware(app, allowed_hosts=LOOPBACK_NAMES, www_redirect=False)


def main(workspace: str, host: str, port: int) -> None:
    """Serve until it is interrupted."""
    settings = load_settings(config_path(None))
    with dg.DagsterInstance.get() as instance, webserver_app(instance, Path(workspace)) as app:
        # Dagster's last route takes every address.
        data_set = DataSet.of(settings)
        app.router.routes[:0] = [*exclusion_routes(data_set, write_page), *gallery_routes(data_set)]
        uvicorn.run(guarded(app, host), host=host, port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
