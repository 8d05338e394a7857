"""A way to a server that a test can cut, and whose requests it can change."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """Passes bytes on to a server.

    Attributes:
        target: The server's address.
        endpoint: The address at which it is reached through this.
        is_cut: Whether connections are ended, and no new ones passed on.
        rewrites: Parts of requests, and what they are replaced by, of the same length.
        losses: How many of the next answers are lost, with their connections.
    """

    target: str
    endpoint: str = ""
    is_cut: bool = False
    rewrites: dict[bytes, bytes] = field(default_factory=dict)
    losses: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    def cut(self) -> None:
        """Ends all connections until `restore`."""
        self.is_cut = True
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def restore(self) -> None:
        """Lets connections through again."""
        self.is_cut = False

    def serve(self, listener: socket.socket) -> None:
        """Accepts connections until the listener is closed."""
        place = urlsplit(self.target)
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                if self.is_cut:
                    near.close()
                    continue
                far = socket.create_connection((place.hostname, place.port))
                self._open += [near, far]
                threading.Thread(target=self._pass, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(far, near, False), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_request: bool) -> None:
        with suppress(OSError):
            while content := source.recv(1 << 16):
                if not is_request and self.losses:
                    self.losses -= 1
                    break
                if is_request:
                    for old, new in self.rewrites.items():
                        content = content.replace(old, new)
                sink.sendall(content)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy_to(target: str) -> Iterator[Proxy]:
    """Starts a proxy to a server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(target, f"http://127.0.0.1:{listener.getsockname()[1]}")
        threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()
        yield proxy
        proxy.cut()
