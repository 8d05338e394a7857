"""The kinds of values that several models of a configuration share.

Belongs here: a kind of value with what it may be. Not here: which values a configuration has (models.py,
operation.py).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from dataset_assets.addresses import Address, FilmPath, is_address
from dataset_assets.config.keys import is_unicode

MISTAKE: Final = "mistake"
"""Type of the pydantic errors whose message is already complete for the user."""

# Two letters at least, so that the drive of C:\films is none; no blank behind the colon, so that
# "Alien: Romulus.mkv" is a file.
_PROTOCOL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?!\s)")

# What file systems hold of one name, and Linux of a path (PATH_MAX of 4096, less what a data set adds).
_MAX_NAME_BYTES: Final = 255
_MAX_PATH_BYTES: Final = 3800


def is_protocol(path: str) -> bool:
    """Return whether FFmpeg would take the text for an address (`http://`, `concat:`), not for a file."""
    return _PROTOCOL.match(path) is not None


def mistake(message: str) -> PydanticCustomError:
    """Return the error of a value that is wrong in a way that types cannot express."""
    return PydanticCustomError(MISTAKE, "{message}", {"message": message})


def _absolute_path(value: object, info: ValidationInfo) -> Path:
    """Make a path absolute, as text only: asking the disk could hang on a drive that is away."""
    text = str(value) if isinstance(value, str | Path) else ""
    if not text or "\0" in text or not is_unicode(text):
        raise mistake("not a path; write the path of a file or folder as text")
    if is_protocol(text):
        prefix = text.split(":")[0]
        raise mistake(f"{prefix}: begins an address; write a plain path (with ./ before it if it is one)")
    try:
        # By the text, since Path("./~film.mkv") is Path("~film.mkv").
        path = Path(text).expanduser() if text.startswith("~") else text
    except RuntimeError:
        raise mistake(f"the home folder of {text.split('/')[0]} is not known; write the whole path") from None
    folder = info.context["folder"] if info.context else Path.cwd()
    return _usable(Path(os.path.normpath(folder / path)))


def _film_path(value: object, info: ValidationInfo) -> FilmPath:
    """Return the place of a film: its address, else its absolute path."""
    if isinstance(value, str) and is_protocol(value) and not is_address(value):
        prefix = value.split(":")[0]
        raise mistake(
            f"{prefix}: begins an address, of which only s3://, https:// and http:// can be read; "
            "write one of these, or a plain path (with ./ before it if it is one)"
        )
    if not isinstance(value, str) or not is_address(value):
        return value if isinstance(value, Address) else _absolute_path(value, info)
    if not is_unicode(value):
        raise mistake("is an address that is not UTF-8, which no table can hold; use percent escapes")
    try:
        return Address.parse(value)
    except ValueError as error:
        raise mistake(str(error)) from None


def _watched_path(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, str) and is_address(value):
        raise mistake("is an address, and only folders are watched; list the films of a store in `videos`")
    return _absolute_path(value, info)


def _usable(path: Path) -> Path:
    if not is_unicode(str(path)):
        raise mistake("lies in a folder whose name is not UTF-8, which no table can hold; rename that folder")
    if max((len(os.fsencode(part)) for part in path.parts), default=0) > _MAX_NAME_BYTES:
        raise mistake(f"holds a name of more than {_MAX_NAME_BYTES} bytes, which no disk can; shorten it")
    if len(os.fsencode(path)) > _MAX_PATH_BYTES:
        raise mistake(f"is a path of more than {_MAX_PATH_BYTES} bytes; use a folder nearer to the root")
    return path


def _lower_case(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    lowered = {str(name).lower(): weight for name, weight in value.items()}
    if len(lowered) < len(value):
        raise mistake("names a category twice, in upper and lower case; keep one of them")
    return lowered


FolderPath = Annotated[Path, BeforeValidator(_absolute_path)]
WatchedPath = Annotated[Path, BeforeValidator(_watched_path)]
FilmPlace = Annotated[
    FilmPath,
    PlainValidator(_film_path),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "format": "path"}),
]
Ratio = Annotated[float, Field(ge=0, le=1)]
Weights = Annotated[dict[str, Ratio], BeforeValidator(_lower_case)]


class Strict(BaseModel):
    """A model that rejects unknown keys, and text where a number is expected."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
