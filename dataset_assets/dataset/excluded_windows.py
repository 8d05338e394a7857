"""Windows that users excluded by hand: one small file for each video that has some.

A window is known by the PTS of its middle frame, so that it stays excluded however the data set grows; a
window that other settings place over this frame is excluded too. Not here: ranges of time, which are in the
configuration, and what exclusions do to candidates (`windows`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from dataset_assets.dataset.mirror import Mirror
from dataset_assets.disk import flush, locked, make_folder, replacing
from dataset_assets.errors import DatasetAssetsError

_FRAMES = "middle_frames"


class ExcludedWindows:
    """The windows of a data set that were excluded by hand."""

    def __init__(self, folder: Path, root: Path, mirror: Mirror | None = None) -> None:
        """Read nothing yet.

        Args:
            folder: Where the files are; made when there is something to keep.
            root: The data set's folder.
            mirror: The data set in an object store; None where it is in its folder.
        """
        self._folder = folder
        self._root = root
        self._mirror = mirror

    @property
    def changed_ns(self) -> int:
        """When an exclusion of any video was last made or taken back, Unix time; 0 without one."""
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return 0

    def path(self, key: str) -> Path:
        """Return the file of a video; it is absent while nothing is excluded."""
        return self._folder / f"{key}.json"

    def read(self, key: str) -> frozenset[int]:
        """Return the PTS of the middle frames of a video's excluded windows.

        Raises:
            DatasetAssetsError: The file is damaged or cannot be read.
        """
        path = self.path(key)
        try:
            frames = json.loads(path.read_bytes())[_FRAMES]
            if not isinstance(frames, list) or any(type(frame) is not int for frame in frames):
                raise TypeError(frames)
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise DatasetAssetsError(
                f"{path}: cannot be read ({error.strerror})", "correct its permissions"
            ) from error
        except (ValueError, TypeError, KeyError) as error:
            raise DatasetAssetsError(
                f"{path}: is no list of excluded windows",
                f'correct it to such as {{"{_FRAMES}": [1001]}}, or delete it to exclude none by hand',
            ) from error
        return frozenset(frames)

    def add(self, key: str, frame: int) -> frozenset[int]:
        """Exclude a window, given the PTS of its middle frame; return all of the video.

        Raises:
            DatasetAssetsError: The file is damaged.
            OSError: The disk is full or cannot be written.
        """
        with self._locked(key):
            frames = self.read(key) | {frame}
            self._write(key, frames)
        return frames

    def take_back(self, key: str, first: int, last: int) -> frozenset[int]:
        """Exclude no frame between two PTS any more; return all of the video.

        Raises:
            DatasetAssetsError: The file is damaged.
            OSError: The disk cannot be written.
        """
        with self._locked(key):
            frames = frozenset(frame for frame in self.read(key) if not first <= frame <= last)
            self._write(key, frames)
        return frames

    def forget(self, key: str) -> None:
        """Exclude no window of a video any more, also where its file is damaged.

        Raises:
            OSError: The disk cannot be written.
        """
        if self.path(key).exists():
            self._write(key, ())

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """Let one process at a time, and one thread, change a file as it is in the store."""
        make_folder(self._folder, self._root)
        # Without: of two that change the same video's at the same moment, one may be lost.
        with locked(self._folder / ".lock", is_needed=False):
            if self._mirror is not None:
                self._mirror.pull_small(self.path(key))
            yield

    def _write(self, key: str, frames: Collection[int]) -> None:
        path = self.path(key)
        if frames:
            with replacing(path) as file:
                file.write(json.dumps({_FRAMES: sorted(frames)}).encode())
            if self._mirror is not None:
                self._mirror.put_small(path)
        elif path.exists():
            path.unlink(missing_ok=True)
            flush(self._folder)
            if self._mirror is not None:
                self._mirror.delete_small(path)
