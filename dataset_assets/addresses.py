"""The place of a film: a file's path, or the address of an object in a store or on a web server.

Here: which addresses there are, and their parts. Not here: asking over a network (`video.objects`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import unquote, urlsplit

SCHEMES: Final = ("s3", "https", "http")
SECRETS_REMEDY: Final = (
    "credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), since the address "
    "is shown on pages and written to tables"
)

_SCHEME = re.compile(r"(s3|https?)://", re.IGNORECASE)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]+")
# What S3 holds of a key, and web servers by default of an address.
_MAX_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a film that is no file of this machine; `str` gives it as it was written.

    Attributes:
        text: As it was written; it holds no credentials.
        store: What holds it: the bucket as `s3://bucket`, the server as `https://host:port`.
        key: The object's place in it, without percent escapes and without a leading slash.
    """

    text: str
    store: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address.

        Args:
            text: `s3://bucket/key`, whose key is taken literally, or `https://host/path` or
                `http://host/path`, whose path may have percent escapes.

        Raises:
            ValueError: It is no such address, or holds credentials; a sentence that does not repeat them.
        """
        found = _SCHEME.match(text)
        if found is None:
            raise ValueError("is no address; write one that begins with s3://, https:// or http://")
        if len(text.encode("utf-8", "surrogateescape")) > _MAX_BYTES:
            raise ValueError(f"is an address of more than {_MAX_BYTES} bytes; use a shorter one")
        scheme = found[1].lower()
        store, key = _bucket_and_key(text[found.end() :]) if scheme == "s3" else _server_and_path(text)
        if not key or key.endswith("/"):
            raise ValueError("is the address of a folder; write that of one film")
        if any(part in ("", ".", "..") for part in key.split("/")) or not key.isprintable():
            raise ValueError("is an address with an empty part, . or .. or an unprintable one; correct it")
        return cls(text, f"{scheme}://{store}", key)

    def __str__(self) -> str:
        return self.text

    @property
    def name(self) -> str:
        """The last part of the key, as the name of a file."""
        return self.key.rpartition("/")[2]


FilmPath: TypeAlias = Path | Address
"""Where a film is."""


def is_address(text: str) -> bool:
    """Return whether a text begins as an address of a film does."""
    return _SCHEME.match(text) is not None


def _bucket_and_key(text: str) -> tuple[str, str]:
    bucket, _, key = text.partition("/")
    if "@" in bucket or ":" in bucket:
        raise ValueError(f"holds a user name or a key before the bucket; leave it out: {SECRETS_REMEDY}")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError("has no name of a bucket; write s3://bucket/key")
    return bucket, key


def _server_and_path(text: str) -> tuple[str, str]:
    try:
        parts = urlsplit(text)
        server = parts.netloc
        has_host = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        has_host, server = False, ""
    if not has_host or not server.isprintable() or " " in server:
        raise ValueError("has no name of a server; write https://host/path")
    if "@" in server:
        raise ValueError(f"holds a user name or a password; leave it out: {SECRETS_REMEDY}")
    if "?" in text:
        raise ValueError(
            "holds a query (?...), which may be a signature; write the address without it, and a ? of the "
            f"film's name as %3F: {SECRETS_REMEDY}"
        )
    if "#" in text:
        raise ValueError("holds a fragment (#...); leave it out, and write a # of the film's name as %23")
    return server.lower(), unquote(parts.path, errors="surrogateescape").removeprefix("/")
