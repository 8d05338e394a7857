"""Objects at addresses: what a store says of one, and ranges of its bytes, by obstore.

Here: requests, and what is said where one fails. Not here: which bytes are kept (`kept_blocks`), what of a
film is looked at (`film_files`), and waiting for a store that is away (`generate.lane`).

obstore is imported by the first request, so that films on disks cost nothing. Its threads do not survive a
fork, where a request would wait forever: a process forked after its parent's first request is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, NoReturn

from dataset_assets.addresses import Address
from dataset_assets.errors import CORRECT_PATH, SourceChangedError, SourceLostError, VideoError
from dataset_assets.object_store import CREDENTIALS, environment_fault, refuse_fork
from dataset_assets.store_answers import Answer, answer_of

if TYPE_CHECKING:
    from obstore.store import ClientConfig, HTTPStore, RetryConfig, S3Store

# A block of 1 MiB has 20 s, which is 50 kB/s: a film that comes more slowly is of no use. Ctrl+C waits for a
# request, so one that stalls is given up early.
REQUEST_TIMEOUT_S, STALL_TIMEOUT_S, CONNECT_TIMEOUT_S = 20.0, 5.0, 5.0
# What is over within so many seconds is not reported; what lasts is a film that is away.
RETRIES, RETRY_S = 3, 5.0


@dataclass(frozen=True, slots=True)
class ObjectState:
    """What a store says of an object.

    Attributes:
        size_bytes: Its size.
        version: 64 bits, in hexadecimal digits, of its ETag; of its Last-Modified where it has none.
    """

    size_bytes: int
    version: str


def state_of(address: Address) -> ObjectState:
    """Ask for the state of an object by reading its first byte: servers may answer HEAD and refuse to read.

    Raises:
        VideoError: It is absent, refused, or cannot be read in ranges.
        SourceLostError: The store does not answer.
    """
    return read_range(address, 0, 1)[0]


def read_range(
    address: Address, start: int, end: int, known: ObjectState | None = None
) -> tuple[ObjectState, bytes]:
    """Read a range of an object.

    Args:
        address: The object.
        start: Its first byte.
        end: The byte behind its last one; beyond the object's end it is cut.
        known: The state that the object must have; any where None.

    Returns:
        Its state, and the bytes.

    Raises:
        VideoError: It is absent, refused, or cannot be read in ranges.
        SourceLostError: The store does not answer.
        SourceChangedError: It is in another state.
    """
    refuse_fork()
    store = _store(address.store)
    import obstore
    from obstore.exceptions import BaseError

    try:
        result = obstore.get(store, address.key, options={"range": (start, end)})
        meta, content = result.meta, bytes(result.bytes())
    except (BaseError, OSError) as error:
        # Its text holds the request and the answer, which may name the user.
        _raise_plainly(address, error, known)
    version = meta["e_tag"] or meta["last_modified"].isoformat()
    state = ObjectState(meta["size"], hashlib.blake2b(version.encode(), digest_size=8).hexdigest())
    if known is not None and state != known:
        raise _changed(address)
    return state, content


def _changed(address: Address) -> SourceChangedError:
    return SourceChangedError(
        f"it was replaced by another {_thing(address.store)} while it was read",
        "run generate again once nobody writes to it",
    )


def _thing(store: str) -> str:
    """Return what a place of films holds, in its own words."""
    return "object" if store.startswith("s3://") else "file"


@cache
def _store(store: str) -> S3Store | HTTPStore:
    """Return the connection to a bucket or a server; credentials are those of the environment."""
    try:
        from obstore.store import HTTPStore, S3Store
    except ModuleNotFoundError:
        raise VideoError(
            "films at addresses are read by obstore, which is not installed",
            "install it by `pip install -e '.[s3]'` in the project's folder",
        ) from None
    client: ClientConfig = {
        "allow_http": True,
        "timeout": timedelta(seconds=REQUEST_TIMEOUT_S),
        "read_timeout": timedelta(seconds=STALL_TIMEOUT_S),
        "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_S),
    }
    retries: RetryConfig = {
        "max_retries": RETRIES,
        "retry_timeout": timedelta(seconds=RETRY_S),
        "backoff": {
            "init_backoff": timedelta(seconds=0.1),
            "max_backoff": timedelta(seconds=2),
            "base": 2,
        },
    }
    if store.startswith("s3://"):
        if (fault := environment_fault()) is not None:
            raise VideoError(*fault)
        return S3Store(store.removeprefix("s3://"), client_options=client, retry_config=retries)
    return HTTPStore.from_url(store, client_options=client, retry_config=retries)


def _raise_plainly(address: Address, error: Exception, known: ObjectState | None) -> NoReturn:
    """Raise what a failed request means, in a sentence of ours and without its cause."""
    answer, status = answer_of(error)
    final = _final_error(address, error, answer, status, known)
    if final is not None:
        raise final from None
    remedy = "check the server and the network"
    if answer is Answer.NO_NAME:
        why, remedy = "its name is not found", "correct the name in the address, or the network"
    elif answer is Answer.NO_ANSWER:
        why = f"it gave no answer within {STALL_TIMEOUT_S:g} s"
    elif answer in (Answer.NO_CONNECTION, Answer.SLOW_CONNECTION):
        why, remedy = "it takes no connection", "check the server, its port and the network"
    elif status:
        why = f"it answers with an error of its own, {status}"
        remedy = "look after the server, or read fewer films at a time"
    else:
        why = "the connection was lost"
    raise SourceLostError(
        f"{address.store} cannot be read from ({why})", f"{remedy}, and run generate again"
    ) from None


def _final_error(
    address: Address, error: Exception, answer: Answer, status: int, known: ObjectState | None
) -> VideoError | None:
    """Return the error of what no retry changes; None where one may."""
    from obstore.exceptions import NotSupportedError

    text, store = str(error), address.store
    if answer in (Answer.REFUSED, Answer.WRONG_CLOCK):
        return _refusal(store, status, answer)
    if answer is Answer.NO_BUCKET:
        return VideoError(f"there is no bucket {store}", f"{CORRECT_PATH} or AWS_ENDPOINT_URL")
    if isinstance(error, FileNotFoundError):
        return VideoError(f"{store} has no such {_thing(store)}", f"{CORRECT_PATH} or bring the film back")
    if isinstance(error, NotSupportedError):
        what = f"{store} cannot hand out a part of a file (no HTTP ranges)"
        return VideoError(what, "use a server that can, such as nginx, or copy the film to a disk")
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or "InvalidRange" in text:
        return _changed(address) if known is not None else VideoError("it is empty", "upload the film again")
    if answer is Answer.NO_CREDENTIALS:
        return VideoError(f"there are no credentials for {store}", f"set {CREDENTIALS} in the environment")
    if answer is Answer.OTHER_REGION:
        return VideoError(f"{store} is in another region", "set AWS_REGION to that of the bucket")
    if answer is Answer.BAD_CERTIFICATE:
        remedy = "name the file of its authority by SSL_CERT_FILE"
        return VideoError(f"{store} has a certificate that is not valid here", remedy)
    if answer is Answer.BAD_REQUEST:
        return VideoError(f"{store} refuses the request ({status})", "check the address and the server")
    if not status and "HttpError {" not in text:
        what = f"{store} gave an answer that cannot be understood"
        return VideoError(what, "check what serves this address")
    return None


def _refusal(store: str, status: int, answer: Answer) -> VideoError:
    what = f"{store} refuses to read it ({status})"
    if not store.startswith("s3://"):
        return VideoError(what, "let the server hand it out without a password, or use an s3:// address")
    if answer is Answer.WRONG_CLOCK:
        return VideoError(f"{what}: this machine's clock is wrong", "set it by a time server")
    return VideoError(what, f"allow s3:GetObject to the owner of {CREDENTIALS}, or correct these")
