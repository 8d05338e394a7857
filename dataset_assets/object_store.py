"""Objects below an address `s3://bucket/prefix`: requests by obstore, and what is wrong where one fails.

obstore is imported by the first request, so that data sets on disks cost nothing. Its threads do not survive
a fork, where a request would wait for ever: a process that was forked after its parent's first request is
refused. Credentials are those of the environment, and no message holds any. Not here: what lies where
(`dataset`), and reading films (`video.objects`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Final, NoReturn

from dataset_assets.errors import DatasetAssetsError

if TYPE_CHECKING:
    from obstore.store import S3Store

REQUEST_TIMEOUT_S: Final = 30.0
CONNECT_TIMEOUT_S: Final = 5.0
# What is over within so many seconds is not reported: a server that restarts, or asks to slow down.
RETRY_S: Final = 120.0
CREDENTIALS: Final = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_SECRETS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_ENDPOINTS: Final = ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
_ENDPOINT: Final = re.compile(r"https?://[^\s/]+/*")
# What a DELETE request may name.
_DELETED_AT_A_TIME: Final = 1000

_used_by_process = 0


def environment_fault() -> tuple[str, str] | None:
    """Return what is wrong with S3 in the environment, on which obstore panics, and the remedy."""
    for name in _ENDPOINTS:
        if (endpoint := os.environ.get(name)) and not _ENDPOINT.fullmatch(endpoint):
            return (
                f"{name} in the environment is no address of a server",
                "write one that begins with http:// or https://",
            )
    for name in _SECRETS:
        if not os.environ.get(name, "").isprintable():
            return f"{name} in the environment holds a line end or a tab", "remove it"
    return None


def refuse_fork() -> None:
    """Refuse to wait for ever in a process that was forked after its parent's first request.

    Raises:
        RuntimeError: This is such a process.
    """
    global _used_by_process
    if _used_by_process not in (0, os.getpid()):
        raise RuntimeError("a process that was forked after its parent used an object store cannot use one")
    _used_by_process = os.getpid()


class StoreError(DatasetAssetsError, OSError):
    """An object store refuses a request, or cannot be reached.

    An `OSError` too: who survives a failing disk survives a failing store.
    """


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a store says of an object.

    Attributes:
        name: Its name below the store's address.
        size_bytes: Its size.
        etag: Changes with its content.
        written_s: When it was written, Unix time by the clock of the store.
    """

    name: str
    size_bytes: int
    etag: str
    written_s: float


class ObjectStore:
    """The objects below an address.

    Attributes:
        url: The address.
    """

    def __init__(self, url: str, *, timeout_s: float = REQUEST_TIMEOUT_S, retry_s: float = RETRY_S) -> None:
        """Store the arguments; nothing is opened.

        Args:
            url: `s3://bucket` or `s3://bucket/prefix`.
            timeout_s: How long a request may take.
            retry_s: For how long a request that failed is repeated.
        """
        self.url = url
        self._timeout_s = timeout_s
        self._retry_s = retry_s

    def put(self, name: str, content: bytes) -> str:
        """Write an object over any other of its name; return its ETag.

        Raises:
            StoreError: It cannot be written.
        """
        store = self._opened()
        import obstore

        try:
            return obstore.put(store, name, content)["e_tag"] or ""
        except _failures() as error:
            self._raise(error, "written to")

    def create(self, name: str, content: bytes) -> str | None:
        """Write an object unless there is one of its name; return its ETag, None where there is another.

        Raises:
            StoreError: It cannot be written.
        """
        store = self._opened()
        import obstore
        from obstore.exceptions import AlreadyExistsError

        try:
            return obstore.put(store, name, content, mode="create")["e_tag"] or ""
        except AlreadyExistsError:
            return None
        except _failures() as error:
            self._raise(error, "written to")

    def replace(self, name: str, content: bytes, etag: str) -> str | None:
        """Write an object over the one with an ETag; return the new one, None where there is another or none.

        Raises:
            StoreError: It cannot be written.
        """
        store = self._opened()
        import obstore
        from obstore.exceptions import PreconditionError

        try:
            return obstore.put(store, name, content, mode={"e_tag": etag})["e_tag"] or ""
        except (PreconditionError, FileNotFoundError) as error:
            if "NoSuchBucket" in str(error):
                self._raise(error, "written to")
            return None
        except _failures() as error:
            self._raise(error, "written to")

    def get(self, name: str, other_than: str | None = None) -> tuple[StoredObject, bytes] | None:
        """Read an object.

        Args:
            name: Its name.
            other_than: An ETag; an object that still has it is not read.

        Returns:
            The object and its content, which is empty where it has that ETag; None where there is none.

        Raises:
            StoreError: It cannot be read.
        """
        store = self._opened()
        import obstore
        from obstore.exceptions import NotModifiedError

        try:
            found = obstore.get(store, name, options={"if_none_match": other_than} if other_than else {})
            meta, content = found.meta, bytes(found.bytes())
        except NotModifiedError:
            return StoredObject(name, 0, other_than or "", 0.0), b""
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                self._raise(error, "read from")
            return None
        except _failures() as error:
            self._raise(error, "read from")
        return StoredObject(
            name, meta["size"], meta["e_tag"] or "", meta["last_modified"].timestamp()
        ), content

    def objects(self, folder: str = "", after: str = "") -> Iterator[StoredObject]:
        """List the objects below a folder, in the order of their names; 1,000 a request.

        Args:
            folder: Name that theirs begin with, up to a slash; all by default.
            after: Those up to this name are left out.

        Raises:
            StoreError: They cannot be listed.
        """
        store = self._opened()
        import obstore

        try:
            for batch in obstore.list(store, folder or None, offset=after or None):
                for each in batch:
                    written_s = each["last_modified"].timestamp()
                    yield StoredObject(each["path"], each["size"], each["e_tag"] or "", written_s)
        except _failures() as error:
            self._raise(error, "read from")

    def folders(self, folder: str) -> list[str]:
        """List the names of the folders in a folder, sorted.

        Raises:
            StoreError: They cannot be listed.
        """
        store = self._opened()
        import obstore

        try:
            found = obstore.list_with_delimiter(store, folder)["common_prefixes"]
        except _failures() as error:
            self._raise(error, "read from")
        return sorted(name.rstrip("/").rpartition("/")[2] for name in found)

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; one that is absent is no error.

        Raises:
            StoreError: They cannot be deleted.
        """
        store = self._opened()
        import obstore

        chosen = list(names)
        try:
            for start in range(0, len(chosen), _DELETED_AT_A_TIME):
                obstore.delete(store, chosen[start : start + _DELETED_AT_A_TIME])
        except _failures() as error:
            self._raise(error, "deleted from")

    def _opened(self) -> S3Store:
        refuse_fork()
        return _opened(self.url, self._timeout_s, self._retry_s)

    def _raise(self, error: Exception, deed: str) -> NoReturn:
        """Raise what a failed request means; without its cause, whose text holds the request."""
        what, remedy = _meaning(error, self.url, self._timeout_s)
        raise StoreError(f"{self.url} cannot be {deed} ({what})", remedy) from None


def _failures() -> tuple[type[Exception], ...]:
    from obstore.exceptions import BaseError

    return (BaseError, OSError)


@cache
def _opened(url: str, timeout_s: float, retry_s: float) -> S3Store:
    try:
        from obstore.store import S3Store
    except ModuleNotFoundError:
        raise StoreError(
            f"{url} is an object store, which needs obstore, which is not installed",
            "install it by `pip install 'dataset-assets[s3]'`",
        ) from None
    if (fault := environment_fault()) is not None:
        raise StoreError(f"{url}: {fault[0]}", fault[1])
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return S3Store(
        bucket,
        prefix=prefix or None,
        client_options={
            "allow_http": True,
            "timeout": timedelta(seconds=timeout_s),
            "connect_timeout": timedelta(seconds=min(timeout_s, CONNECT_TIMEOUT_S)),
        },
        retry_config={
            "max_retries": 1000 if retry_s else 0,
            "retry_timeout": timedelta(seconds=retry_s),
            "backoff": {
                "init_backoff": timedelta(seconds=0.1),
                "max_backoff": timedelta(seconds=5),
                "base": 2,
            },
        },
    )


def _meaning(error: Exception, url: str, timeout_s: float) -> tuple[str, str]:
    """Return what a failed request means, in brackets, and the remedy."""
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    text, again = str(error), "and start again; what is committed stays"
    if any(word in text for word in ("QuotaExceeded", "StorageFull", "status code: 507")):
        return "it is full", f"free some space there, or raise its quota, {again}"
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        rights = "s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket"
        return "access is refused", f"allow {rights} to the owner of {CREDENTIALS}, or correct these"
    if "NoSuchBucket" in text:
        return "there is no such bucket", "create it, or correct the address or AWS_ENDPOINT_URL"
    if "169.254.169.254" in text:
        return "there are no credentials", f"set {CREDENTIALS} in the environment"
    if "BareRedirect" in text:
        return "the bucket is in another region", "set AWS_REGION to that of the bucket"
    if "InvalidCertificate" in text:
        return "its certificate is not valid here", "correct it, or AWS_ENDPOINT_URL"
    if "dns error" in text:
        return "its name is not found", "correct AWS_ENDPOINT_URL, or the network"
    if "kind: Timeout" in text or "TimedOut" in text or "operation timed out" in text:
        return f"no answer within {timeout_s:g} s", f"check the server and the network {again}"
    if "kind: Connect" in text:
        return "it takes no connection", f"check the server, its port and the network {again}"
    status = text.partition("status code: ")[2][:3]
    if status.startswith("4") and status not in ("408", "429"):
        return f"it refuses the request: {status}", "check the address and the server"
    if status:
        return f"it answers {status}", f"look after the server {again}"
    return "the connection was lost", f"check the server and the network {again}"
