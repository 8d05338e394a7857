"""Windows excluded by hand from the pages of the gallery that the UI serves.

A page is given a token, different in each process, and only a request with this token changes anything. A
page of another site can neither read the token (browsers show it no answer of this server) nor send it (that
would need the permission of this server, which gives none), and is refused by its origin besides. Not here:
hosts that are answered (`webserver`), what exclusions do (`windows`, `generate`), the script (`gallery`).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from dataset_assets.config import config_path, load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.gallery import write_video_page

TOKEN_HEADER = "X-Exclusions-Token"
# A request holds a number and a truth value.
MAX_BODY_BYTES = 1000
_KEY = re.compile(r"[a-z0-9][a-z0-9-]*")
_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class RefusedError(Exception):
    """A request that changes nothing.

    Attributes:
        status: The HTTP status of the answer.
        message: What is wrong, and the remedy.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


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
    token = secrets.token_urlsafe(32)

    async def answer(request: Request) -> JSONResponse:
        key = request.path_params["key"]
        try:
            _refuse_strangers(request)
            if _KEY.fullmatch(key) is None:
                raise RefusedError(404, f"{key}: there is no such video")
            if request.method != "POST":
                frames = await run_in_threadpool(data_set.excluded_windows.read, key)
                return _answer({"frames": sorted(frames), "token": token})
            frame, is_excluded = await _wanted(request, token)
            frames = await run_in_threadpool(_change, data_set, key, frame, is_excluded=is_excluded)
        except RefusedError as refused:
            return _answer({"message": refused.message}, refused.status)
        except DatasetAssetsError as error:
            return _answer({"message": str(error)}, 409)
        except OSError as error:
            what = f"{error.filename}: cannot be written ({error.strerror})"
            return _answer({"message": f"{what}; free some space, or correct its permissions"}, 507)
        return _answer({"frames": sorted(frames)}, background=BackgroundTask(changed, key))

    return [Route("/exclusions/{key}", answer, methods=["GET", "POST"])]


def _answer(content: object, status: int = 200, background: BackgroundTask | None = None) -> JSONResponse:
    return JSONResponse(content, status, headers=_NO_STORE, background=background)


def _refuse_strangers(request: Request) -> None:
    """Refuse a request that a browser sends for a page of another origin."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site is not None:
        # No page can set it, and it is right behind a proxy that sends another host.
        is_own = site in ("same-origin", "none")
    else:
        is_own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not is_own:
        raise RefusedError(403, "only pages of the gallery may ask for this; open the video's page in the UI")


async def _wanted(request: Request, token: str) -> tuple[int, bool]:
    """Return the PTS of a window's middle frame, and whether it is to be excluded."""
    given = request.headers.get(TOKEN_HEADER, "")
    if not secrets.compare_digest(given.encode(), token.encode()):
        raise RefusedError(403, "the UI was started again since the page was opened; reload the page")
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise RefusedError(415, "is no JSON; reload the page")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise RefusedError(413, "is more than a window and its state; reload the page")
    match _parsed(body):
        case {"frame": int(frame), "excluded": bool(is_excluded)} if type(frame) is int:
            return frame, is_excluded
        case _:
            raise RefusedError(400, "names no window and its state; reload the page")


def _parsed(body: bytes) -> object:
    with suppress(ValueError, RecursionError):
        return json.loads(body)
    return None


def _change(data_set: DataSet, key: str, frame: int, *, is_excluded: bool) -> frozenset[int]:
    """Exclude a window or take that back; return the PTS of the middle frames of all that are excluded."""
    window = data_set.window_at(key, frame)
    if not is_excluded:
        first, last = (window.pts[0], window.pts[-1]) if window else (frame, frame)
        return data_set.excluded_windows.take_back(key, first, last)
    if window is None:
        raise RefusedError(404, f"{key} has no such window any more; reload the page")
    return data_set.excluded_windows.add(key, frame)
