"""Requests by which pages of the gallery change something, and no other site can.

A page is given a token, different in each process, and only a request with this token changes anything. A
page of another site can neither read the token (browsers show it no answer of this server) nor send it (that
would need the permission of this server, which gives none), and is refused by its origin besides. Not here:
what is changed (`exclusions`, `validation`), hosts that are answered (`webserver`), the scripts (`gallery`).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from dataset_assets.errors import DatasetAssetsError

# A request holds a name and what is wanted.
MAX_BODY_BYTES = 1000
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


class OwnPages:
    """Answers the gallery's own pages alone."""

    def __init__(self, header: str) -> None:
        """Draw a token.

        Args:
            header: The header by which a page sends it back.
        """
        self._header = header
        self._token = secrets.token_urlsafe(32)

    async def answer(
        self,
        request: Request,
        read: Callable[[], Mapping[str, Any]],
        change: Callable[[object], Mapping[str, Any]],
        changed: Callable[[], None],
    ) -> JSONResponse:
        """Answer a request.

        Args:
            request: GET to read, POST to change.
            read: Returns the state, to which the token is added; called in a thread.
            change: Changes the state by what the body holds as JSON, None where it is none, and returns the
                new one; called in a thread.
            changed: Called after a change was answered.
        """
        try:
            _refuse_strangers(request)
            if request.method != "POST":
                return _answer({**await run_in_threadpool(read), "token": self._token})
            wanted = await self._wanted(request)
            found = await run_in_threadpool(change, wanted)
        except RefusedError as refused:
            return _answer({"message": refused.message}, refused.status)
        except DatasetAssetsError as error:
            return _answer({"message": str(error)}, 409)
        except OSError as error:
            what = f"{error.filename}: cannot be written ({error.strerror})"
            return _answer({"message": f"{what}; free some space, or correct its permissions"}, 507)
        return _answer(found, background=BackgroundTask(changed))

    async def _wanted(self, request: Request) -> object:
        given = request.headers.get(self._header, "")
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            raise RefusedError(403, "the UI was started again since the page was opened; reload the page")
        if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
            raise RefusedError(415, "is no JSON; reload the page")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                raise RefusedError(413, "is more than such a page asks for; reload the page")
        with suppress(ValueError, RecursionError):
            return json.loads(body)
        return None


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
        raise RefusedError(403, "only pages of the gallery may ask for this; open the page in the UI")
