"""Windows excluded by hand from the pages of the gallery that the UI serves.

Not here: who may ask for it (`own_pages`), what exclusions do (`windows`, `generate`), scripts (`gallery`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from dataset_assets.config import config_path, load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.gallery import write_video_page
from dataset_assets.ui.own_pages import OwnPages, RefusedError

_KEY = re.compile(r"[a-z0-9][a-z0-9-]*")


def write_page(key: str) -> None:
    """Write a video's page, unless the configuration or the disk is not well.

    The page in the browser shows the state already, and the next run writes that on the disk anyway.
    """
    with suppress(DatasetAssetsError, OSError):
        write_video_page(load_settings(config_path(None)), key)


def exclusion_routes(data_set: DataSet, changed: Callable[[str], None]) -> list[BaseRoute]:
    """Return the route `/exclusions/KEY`: GET what is excluded of a video, POST to change it.

    Args:
        data_set: The data set.
        changed: Called with the key of a video after a change was answered.
    """
    pages = OwnPages("X-Exclusions-Token")

    async def answer(request: Request) -> JSONResponse:
        key = request.path_params["key"]
        return await pages.answer(
            request,
            lambda: _state(data_set.excluded_windows.read(_known(key))),
            lambda wanted: _change(data_set, _known(key), wanted),
            lambda: changed(key),
        )

    return [Route("/exclusions/{key}", answer, methods=["GET", "POST"])]


def _known(key: str) -> str:
    if _KEY.fullmatch(key) is None:
        raise RefusedError(404, f"{key}: there is no such video")
    return key


def _state(frames: frozenset[int]) -> Mapping[str, Any]:
    return {"frames": sorted(frames)}


def _change(data_set: DataSet, key: str, wanted: object) -> Mapping[str, Any]:
    """Exclude a window or take that back; return the PTS of the middle frames of all that are excluded."""
    match wanted:
        case {"frame": int(frame), "excluded": bool(is_excluded)} if type(frame) is int:
            window = data_set.window_at(key, frame)
        case _:
            raise RefusedError(400, "names no window and its state; reload the page")
    if not is_excluded:
        first, last = (window.pts[0], window.pts[-1]) if window else (frame, frame)
        return _state(data_set.excluded_windows.take_back(key, first, last))
    if window is None:
        raise RefusedError(404, f"{key} has no such window any more; reload the page")
    return _state(data_set.excluded_windows.add(key, frame))
