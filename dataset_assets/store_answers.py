"""What it means when a request to an object store or a web server fails, read from the errors of obstore.

obstore has a class for few of them; the rest is in their texts alone. Here: the one place that knows these
texts. Not here: the sentences for users, which depend on what was asked for (`object_store`,
`video.objects`).
"""

from __future__ import annotations

import re
from enum import Enum, auto
from http import HTTPStatus
from typing import Final

# In the text of obstore's errors, which have no other trace of it.
_STATUS: Final = re.compile(r"\bstatus: (\d{3})\b")
# Statuses of 4xx that pass.
_PASSING: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class Answer(Enum):
    """What a store says, or that it says nothing; from `NO_NAME` on, it may pass."""

    WRONG_CLOCK = auto()
    REFUSED = auto()
    NO_BUCKET = auto()
    NO_CREDENTIALS = auto()
    OTHER_REGION = auto()
    BAD_CERTIFICATE = auto()
    BAD_REQUEST = auto()
    NO_NAME = auto()
    NO_ANSWER = auto()
    SLOW_CONNECTION = auto()
    NO_CONNECTION = auto()
    ERROR = auto()
    LOST = auto()


_BY_TEXT: Final = {
    "NoSuchBucket": Answer.NO_BUCKET,
    "169.254.169.254": Answer.NO_CREDENTIALS,  # where the role of a machine is asked for last
    "BareRedirect": Answer.OTHER_REGION,
    "InvalidCertificate": Answer.BAD_CERTIFICATE,
}
_BY_TEXT_OF_WHAT_PASSES: Final = {
    "dns error": Answer.NO_NAME,
    "kind: Timeout": Answer.NO_ANSWER,
    "TimedOut": Answer.NO_ANSWER,
    "kind: Connect": Answer.NO_CONNECTION,
    "operation timed out": Answer.NO_ANSWER,
}


def answer_of(error: Exception) -> tuple[Answer, int]:
    """Return what a failed request means.

    Args:
        error: An error of obstore, or of the system, that is no answer to be expected.

    Returns:
        The meaning, and the HTTP status; 0 without one.
    """
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    text = str(error)
    found = _STATUS.search(text)
    status = int(found[1]) if found else 0
    if "RequestTimeTooSkewed" in text:
        return Answer.WRONG_CLOCK, status
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return Answer.REFUSED, status
    if answer := _first(_BY_TEXT, text):
        return answer, status
    if status // 100 == 4 and status not in _PASSING:
        return Answer.BAD_REQUEST, status
    answer = _first(_BY_TEXT_OF_WHAT_PASSES, text)
    if answer is Answer.NO_CONNECTION and "operation timed out" in text:
        answer = Answer.SLOW_CONNECTION
    return answer or (Answer.ERROR if status else Answer.LOST), status


def _first(meanings: dict[str, Answer], text: str) -> Answer | None:
    return next((answer for part, answer in meanings.items() if part in text), None)
