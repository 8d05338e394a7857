"""Validation patches accepted and declined from the page of the gallery that the UI serves.

Not here: who may ask for it (`own_pages`), what a decision does (`dataset`), scripts (`gallery`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports import exports_to_refresh
from dataset_assets.gallery import write_validation_page
from dataset_assets.ui.own_pages import OwnPages, RefusedError


def validation_routes(data_set: DataSet, read_settings: Callable[[], Settings]) -> list[BaseRoute]:
    """Return the route `/validation`: GET the state of each patch, POST to accept or decline one.

    Args:
        data_set: The data set.
        read_settings: Returns the configuration.
    """
    pages = OwnPages("X-Validation-Token")

    def write_page() -> None:
        # The page in the browser shows the state already.
        with suppress(DatasetAssetsError, OSError):
            write_validation_page(read_settings())

    async def answer(request: Request) -> JSONResponse:
        return await pages.answer(
            request,
            lambda: _state(data_set, read_settings()),
            lambda wanted: _decide(data_set, read_settings(), wanted),
            write_page,
        )

    return [Route("/validation", answer, methods=["GET", "POST"])]


def _state(data_set: DataSet, settings: Settings) -> Mapping[str, Any]:
    """Return the state of each patch by its name, and the exports that train on what is set apart."""
    return {
        "states": {each.name: each.row.state for each in data_set.validation.read()},
        "exports": [folder.name for folder in exports_to_refresh(settings)],
    }


def _decide(data_set: DataSet, settings: Settings, wanted: object) -> Mapping[str, Any]:
    match wanted:
        case {"patch": str(name), "state": "accepted" | "declined" as state}:
            chosen = [each for each in data_set.validation.read() if each.name == name]
        case _:
            raise RefusedError(400, "names no patch and its state; reload the page")
    if not chosen:
        raise RefusedError(404, f"{name} is not proposed any more; reload the page")
    if state == "accepted":
        data_set.validation.accept(settings, chosen)
    else:
        data_set.validation.decline(chosen)
    return _state(data_set, settings)
