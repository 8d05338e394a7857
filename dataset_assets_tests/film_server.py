"""Servers that hand out films: one of HTTP with faults that a test chooses, and a store of moto."""

from __future__ import annotations

import hashlib
import http.server
import logging
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from dataset_assets.addresses import Address

BUCKET = "films"
SECRET = "wJalrXUtnFEMI"


class FilmServer:
    """Files over HTTP, with ranges.

    Attributes:
        files: What is served, by path without the leading slash.
        requests: Path and range of each request that was answered, or was to be.
        before: Called with the number of each request, from 0 on, before it is answered.
        status: An answer to all requests instead; None for none.
        has_ranges: Whether parts of files are handed out.
        etag: Gives the ETag of a file's content; none where it returns None.
        modified: The header Last-Modified; none where None.
        cut: Whether the connection is closed in the middle of an answer.
        stalled: While it is set, answers stop before their content.
    """

    def __init__(self) -> None:
        """Serve nothing yet, on a free port of this machine."""
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, tuple[int, int] | None]] = []
        self.before: Callable[[int], object] = lambda _: None
        self.status: int | None = None
        self.has_ranges = True
        self.etag: Callable[[bytes], str | None] = lambda content: f'"{hashlib.md5(content).hexdigest()}"'
        self.modified: str | None = "Wed, 21 Oct 2015 07:28:00 GMT"
        self.cut = False
        self.stalled = threading.Event()
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.films = self

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def address(self, path: str) -> Address:
        """The address of a file."""
        return Address.parse(f"http://127.0.0.1:{self.port}/{path}")

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """End, and let go of the port."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def note(self, path: str, asked: tuple[int, int] | None) -> None:
        """Take down a request."""
        with self._lock:
            self.requests.append((path, asked))
            number = len(self.requests) - 1
        self.before(number)


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    films: FilmServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients leave when they like."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else an answer waits 40 ms for the client's acknowledgement of its headers.
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:  # the name that http.server calls
        """Hand out a file, or a part of it."""
        films, path = self.server.films, unquote(self.path).removeprefix("/")
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        asked = (int(found[1]), int(found[2]) + 1) if found and films.has_ranges else None
        films.note(path, asked)
        content = films.files.get(path)
        if films.status is not None or content is None:
            return self._answer(films.status or 404, b"<Error>of the test</Error>", {})
        headers: dict[str, str | None] = {"ETag": films.etag(content), "Last-Modified": films.modified}
        if asked is None:
            return self._answer(200, content, headers)
        start, end = asked[0], min(asked[1], len(content))
        if start >= end:
            return self._answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
        return self._answer(206, content[start:end], headers)

    def _answer(self, status: int, content: bytes, headers: dict[str, str | None]) -> None:
        films = self.server.films
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if films.stalled.is_set():
            films.released.wait()
        if films.cut:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        self.wfile.write(content)


class FilmStore:
    """A bucket of moto.

    Attributes:
        environment: What a process needs in its environment to read it.
    """

    def __init__(self, port: int) -> None:
        """Make the bucket.

        Args:
            port: Where moto listens.
        """
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }
        import boto3  # of these tests alone, and slow to import

        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id="testing",
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )
        self.client.create_bucket(Bucket=BUCKET)

    def put(self, key: str, content: bytes) -> Address:
        """Upload an object; return its address."""
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content)
        return Address.parse(f"s3://{BUCKET}/{key}")


@contextmanager
def film_store() -> Iterator[FilmStore]:
    """A store on a free port of this machine."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield FilmStore(server.get_host_and_port()[1])
    finally:
        server.stop()
