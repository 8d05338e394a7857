"""Why a video's last run failed: a value, kept in one place until a run succeeds.

A run that was stopped leaves none; for one that was killed, its launcher or monitor keeps one. Not here: how
failures are shown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dataset_assets.addresses import Address, FilmPath
from dataset_assets.dataset.mirror import Mirror
from dataset_assets.disk import replacing
from dataset_assets.errors import (
    BusyError,
    DatasetAssetsError,
    SourceChangedError,
    SourceLostError,
    VideoError,
)
from dataset_assets.video import is_there, seen


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed run on a video.

    Attributes:
        key: The video's key.
        film: Path of the film; empty where it is not known.
        what: What is wrong, and where.
        remedy: What to do about it; empty where nobody knows.
        run_id: The Dagster run; empty where there was none.
        ended_s: When the run ended, Unix time.
        is_refusal: Whether the film was there and cannot be used as it is.
        film_version: Of a refused film: changes with its file; empty for others, and in records of the
            release before.
        was_killed: Whether its process was killed from outside, so that it may succeed elsewhere as it is.
    """

    key: str
    film: str
    what: str
    remedy: str = ""
    run_id: str = ""
    ended_s: float = field(default_factory=time.time)
    is_refusal: bool = False
    film_version: str = ""
    was_killed: bool = False

    @classmethod
    def of(cls, error: DatasetAssetsError, key: str, film: FilmPath | str = "", run_id: str = "") -> Failure:
        """Make a failure of the error that ended a run."""
        is_refusal = (
            isinstance(error, VideoError)
            and not isinstance(error, SourceLostError | SourceChangedError)
            and film != ""
            and is_there(Path(film) if isinstance(film, str) else film)
        )
        version = _version(Path(film) if isinstance(film, str) else film) if is_refusal else ""
        return cls(
            key, str(film), error.what, error.remedy, run_id, is_refusal=is_refusal, film_version=version
        )

    def refuses(self, film: FilmPath) -> bool:
        """Return whether the run refused a film that has not been replaced since."""
        if not self.is_refusal:
            return False
        if self.film_version or isinstance(film, Address):
            return self.film_version == _version(film) != ""
        found = seen(film)
        return found is not None and max(int(found.version), found.changed_ns) <= self.ended_s * 1e9

    def merged_with(self, earlier: Failure | None) -> Failure:
        """Return this failure, completed by an earlier report of the same one."""
        if earlier is None or earlier.sentence != self.sentence:
            return self
        ended_s = max(self.ended_s, earlier.ended_s)
        return replace(earlier, run_id=self.run_id or earlier.run_id, ended_s=ended_s)

    @property
    def sentence(self) -> str:
        """What is wrong, where, and the remedy, as one text."""
        return "; ".join(filter(None, (self.what, self.remedy)))


class Failures:
    """The failures of a data set's videos, one file for each."""

    def __init__(self, folder: Path, mirror: Mirror | None = None) -> None:
        """Read nothing yet.

        Args:
            folder: Where the files are; made when there is something to keep.
            mirror: The data set in an object store; None where it is in its folder.
        """
        self._folder = folder
        self._mirror = mirror

    @contextmanager
    def kept(self, key: str, film: FilmPath) -> Iterator[None]:
        """Keep the failure that ends a run on a video; delete an earlier one if the run succeeds.

        That another run works on the video is not a failure.
        """
        try:
            yield
        except BusyError:
            raise
        except DatasetAssetsError as error:
            self.keep(Failure.of(error, key, film))
            raise
        self.forget(key)

    def keep(self, failure: Failure) -> None:
        """Keep a failure in the place of an earlier one, or add its run to the same one.

        If even this cannot be written, nothing happens.
        """
        failure = failure.merged_with(self.read_one(failure.key))
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(self._path(failure.key), is_durable=False) as file:
                record = {name: _printable(value) for name, value in asdict(failure).items()}
                file.write(json.dumps(record).encode())
            if self._mirror is not None:
                self._mirror.put([self._path(failure.key)])

    def forget(self, key: str) -> None:
        """Delete a video's failure: a run succeeded."""
        path = self._path(key)
        with suppress(OSError):
            path.unlink()
            if self._mirror is not None:
                self._mirror.delete([path])

    def read_one(self, key: str) -> Failure | None:
        """Return the failure of a video; None if its last run did not fail."""
        try:
            return Failure(**json.loads(self._path(key).read_bytes()))
        except (OSError, ValueError, TypeError):  # absent, removed meanwhile, or another release's
            return None

    def read(self) -> dict[str, Failure]:
        """Return the failure of each video whose last run failed, by key."""
        keys = sorted(path.stem for path in self._folder.glob("[!.]*.json"))
        return {key: failure for key in keys if (failure := self.read_one(key)) is not None}

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def _version(film: FilmPath) -> str:
    """Return what changes with a film's file, by the clock of its own server; empty where it is not there."""
    found = seen(film)
    if found is None or isinstance(film, Address):
        return "" if found is None else found.version
    return f"{found.size_bytes} {found.version} {found.changed_ns}"


def _printable(value: Any) -> Any:
    """Return a text with what is not UTF-8, as in some paths, escaped."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def newest(failures: Iterable[Failure]) -> dict[str, Failure]:
    """Return the newest failure of each video, by key, the newest first."""
    found: dict[str, Failure] = {}
    for failure in sorted(failures, key=lambda each: each.ended_s):
        found[failure.key] = failure.merged_with(found.pop(failure.key, None))
    return dict(reversed(found.items()))
