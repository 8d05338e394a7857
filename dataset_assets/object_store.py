"""Objects below an address `s3://bucket/prefix`: requests by obstore, and what is wrong where one fails.

obstore is imported by the first request, so that data sets on disks cost nothing. Its threads do not survive
a fork, where a request would wait for ever: a process that was forked after its parent's first request is
refused. Credentials are those of the environment, and no message holds any. Not here: what lies where
(`dataset`), and reading films (`video.objects`).
"""

from __future__ import annotations

import importlib.util
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

from dataset_assets.errors import DatasetAssetsError
from dataset_assets.store_answers import Answer, answer_of

if TYPE_CHECKING:
    from obstore import ObjectMeta, PutResult
    from obstore.store import S3Store

_Answer = TypeVar("_Answer")

REQUEST_TIMEOUT_S: Final = 30.0
CONNECT_TIMEOUT_S: Final = 5.0
# What is over within so many seconds is not reported: a server that restarts, or asks to slow down.
RETRY_S: Final = 120.0
CREDENTIALS: Final = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
LISTED_AT_A_TIME: Final = 1000
_AGAIN: Final = "and start again; what is committed stays"
_SECRETS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_ENDPOINTS: Final = ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
_ENDPOINT: Final = re.compile(r"https?://[^\s/]+/*")
# In the texts of obstore's errors.
_FULL: Final = ("QuotaExceeded", "StorageFull", "status code: 507")
# What is said of answers that no repetition changes, and the remedies.
_FINAL: Final = {
    Answer.WRONG_CLOCK: ("this machine's clock is wrong", "set it by a time server"),
    Answer.REFUSED: (
        "access is refused",
        "allow s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket to the owner of "
        f"{CREDENTIALS}, or correct these",
    ),
    Answer.NO_BUCKET: (
        "there is no such bucket",
        "create it, or correct the address or AWS_ENDPOINT_URL",
    ),
    Answer.NO_CREDENTIALS: ("there are no credentials", f"set {CREDENTIALS} in the environment"),
    Answer.OTHER_REGION: (
        "the bucket is in another region",
        "set AWS_REGION to that of the bucket",
    ),
    Answer.BAD_CERTIFICATE: (
        "its certificate is not valid here",
        "correct it, or AWS_ENDPOINT_URL",
    ),
}
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
        self._require()
        import obstore

        return self._request("written to", lambda store: obstore.put(store, name, content))["e_tag"] or ""

    def create(self, name: str, content: bytes) -> str | None:
        """Write an object unless there is one of its name; return its ETag, None where there is one.

        Where it is repeated after its answer was lost, that one may be this object.

        Raises:
            StoreError: It cannot be written.
        """
        self._require()
        import obstore
        from obstore.exceptions import AlreadyExistsError

        def create(store: S3Store) -> PutResult:
            return obstore.put(store, name, content, mode="create")

        try:
            return self._request("written to", create, AlreadyExistsError)["e_tag"] or ""
        except AlreadyExistsError:
            return None

    def replace(self, name: str, content: bytes, etag: str) -> str | None:
        """Write an object over the one with an ETag; return the new one, None where there is another or none.

        Where it is repeated after its answer was lost, the other may be this object.

        Raises:
            StoreError: It cannot be written.
        """
        self._require()
        import obstore
        from obstore.exceptions import PreconditionError

        def replace(store: S3Store) -> PutResult:
            return obstore.put(store, name, content, mode={"e_tag": etag})

        try:
            return self._request("written to", replace, PreconditionError, FileNotFoundError)["e_tag"] or ""
        except (PreconditionError, FileNotFoundError):
            return None

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
        self._require()
        import obstore
        from obstore.exceptions import NotModifiedError

        def get(store: S3Store) -> tuple[ObjectMeta, bytes]:
            found = obstore.get(store, name, options={"if_none_match": other_than} if other_than else {})
            return found.meta, bytes(found.bytes())

        try:
            meta, content = self._request("read from", get, NotModifiedError, FileNotFoundError)
        except NotModifiedError:
            return StoredObject(name, 0, other_than or "", 0.0), b""
        except FileNotFoundError:
            return None
        return _stored(meta, name), content

    def objects(self, folder: str = "", after: str = "") -> Iterator[StoredObject]:
        """List the objects below a folder, in the order of their names; 1,000 a request.

        Args:
            folder: Name that theirs begin with, up to a slash; all by default.
            after: Those up to this name are left out.

        Raises:
            StoreError: They cannot be listed.
        """
        self._require()
        import obstore

        while True:
            last = after

            def list_some(store: S3Store, last: str = last) -> list[ObjectMeta]:
                stream = obstore.list(store, folder or None, offset=last or None, chunk_size=LISTED_AT_A_TIME)
                return list(next(stream, ()))

            found = self._request("read from", list_some)
            yield from (_stored(each, each["path"]) for each in found)
            if len(found) < LISTED_AT_A_TIME:
                return
            after = found[-1]["path"]

    def folders(self, folder: str) -> list[str]:
        """List the names of the folders in a folder, sorted.

        Raises:
            StoreError: They cannot be listed.
        """
        self._require()
        import obstore

        def list_folders(store: S3Store) -> Sequence[str]:
            return obstore.list_with_delimiter(store, folder)["common_prefixes"]

        found = self._request("read from", list_folders)
        return sorted(name.rstrip("/").rpartition("/")[2] for name in found)

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; one that is absent is no error.

        Raises:
            StoreError: They cannot be deleted.
        """
        self._require()
        import obstore

        chosen = list(names)
        for start in range(0, len(chosen), _DELETED_AT_A_TIME):
            some = chosen[start : start + _DELETED_AT_A_TIME]
            self._request("deleted from", partial(obstore.delete, paths=some))

    def _require(self) -> None:
        if importlib.util.find_spec("obstore") is None:
            raise StoreError(
                f"{self.url} is an object store, which needs obstore, which is not installed",
                "install it by `pip install -e '.[s3]'` in the project's folder",
            )

    def _request(self, deed: str, request: Callable[[S3Store], _Answer], *but: type[Exception]) -> _Answer:
        """Send a request, again and again while it fails by what may pass.

        Args:
            deed: What it does to the store, for the sentence.
            request: Sends it.
            but: What it may answer besides, which is raised as it is.

        Raises:
            StoreError: It failed, without its cause, whose text holds the request.
        """
        from obstore.exceptions import BaseError

        refuse_fork()
        store = _opened(self.url, self._timeout_s)
        until_s, pause_s = time.monotonic() + self._retry_s, FIRST_PAUSE_S
        while True:
            try:
                return request(store)
            except (BaseError, OSError) as error:
                if isinstance(error, but) and "NoSuchBucket" not in str(error):
                    raise
                what, remedy, may_pass = _meaning(error, self._timeout_s)
                if not may_pass or time.monotonic() + pause_s > until_s:
                    raise StoreError(f"{self.url} cannot be {deed} ({what})", remedy) from None
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _stored(meta: ObjectMeta, name: str) -> StoredObject:
    return StoredObject(name, meta["size"], meta["e_tag"] or "", meta["last_modified"].timestamp())


@cache
def _opened(url: str, timeout_s: float) -> S3Store:
    from obstore.store import S3Store

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
        # `ObjectStore` repeats requests: obstore gives up those whose connection ends before the answer.
        retry_config={"max_retries": 0},
    )


def _meaning(error: Exception, timeout_s: float) -> tuple[str, str, bool]:
    """Return what a failed request means, the remedy, and whether it may pass."""
    if any(word in str(error) for word in _FULL):
        remedy = "free some space there, or raise its quota, and start again; what is committed stays"
        return "it is full", remedy, False
    answer, status = answer_of(error)
    if answer in _FINAL:
        return *_FINAL[answer], False
    if answer is Answer.BAD_REQUEST and status != HTTPStatus.CONFLICT:  # which two requests at a time meet
        return f"it refuses the request: {status}", "check the address and the server", False
    if answer is Answer.NO_NAME:
        return "its name is not found", "correct AWS_ENDPOINT_URL, or the network", True
    if answer in (Answer.NO_ANSWER, Answer.SLOW_CONNECTION):
        return f"no answer within {timeout_s:g} s", f"check the server and the network, {_AGAIN}", True
    if answer is Answer.NO_CONNECTION:
        return "it takes no connection", f"check the server, its port and the network, {_AGAIN}", True
    if status:
        return f"it answers {status}", f"look after the server, {_AGAIN}", True
    return "the connection was lost", f"check the server and the network, {_AGAIN}", True
