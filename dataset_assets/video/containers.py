"""Opening a film's container by FFmpeg: what it may open, and what a failure means.

Here: the containers that are read, and handing films at addresses to FFmpeg as open files. Not here: reading
packets (`packets`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer

from dataset_assets.addresses import Address, FilmPath
from dataset_assets.disk import FAILING_ERRNOS
from dataset_assets.errors import BRING_BACK, CORRECT_PATH, SourceLostError, UnreachableFileError, VideoError
from dataset_assets.video.kept_blocks import FFmpegFile

# The containers of films and of sound, by FFmpeg's names, without playlists (hls, dash, concat, imf): these
# make FFmpeg read other files, which may be any file of this machine.
CONTAINERS = (
    "3gp,aac,asf,av1,avi,dv,flac,flv,gxf,h264,hevc,ivf,m4v,matroska,mjpeg,mov,mp3,mp4,mpeg,mpegts,mpegvideo,"
    "mxf,nut,obu,ogg,rm,vc1,wav,webm,wtv,yuv4mpegpipe"
)
# Only plain files are opened, whatever a container refers to.
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
PART_OPTIONS = OPEN_OPTIONS | {"protocol_whitelist": "file,subfile"}
# A film at an address is handed to FFmpeg as an open file, and it opens nothing: no protocol has this name.
OBJECT_OPTIONS = OPEN_OPTIONS | {"protocol_whitelist": "none"}


@dataclass(frozen=True, slots=True)
class Part:
    """A range of a file that is read as a film of its own.

    Attributes:
        first_byte: Its first byte.
        end_byte: The byte behind its last one.
        container: FFmpeg's name of the container.
        shift: Ticks that are added to its time stamps.
        first_pts: PTS of its first keyframe, shifted.
        end_pts: PTS at which its last frame ends, shifted.
    """

    first_byte: int
    end_byte: int
    container: str
    shift: int = 0
    first_pts: int = 0
    end_pts: int = 0


class Opener:
    """Opens the container of one film, as often as it is needed."""

    def __init__(self, film: FilmPath, part: Part | None = None) -> None:
        """Look whether there is a file.

        Args:
            film: The file, or the address of an object.
            part: What is read of it; None for all.

        Raises:
            VideoError: It is missing or cannot be read.
        """
        self._part = part
        self._object: FFmpegFile | None = None
        self._file = ""
        if isinstance(film, Address):
            first, end = (part.first_byte, part.end_byte) if part else (0, None)
            self._object = FFmpegFile(film, first, end)
        else:
            _refuse_no_file(film)
            self._file = _file(film, part)

    def open(self) -> InputContainer:
        """Open the container at its start.

        Raises:
            VideoError: It is not a film, or cannot be read.
        """
        try:
            container = self._opened()
        except PermissionError as error:
            raise VideoError("it must not be read", "change the file's permissions") from error
        except av.FFmpegError as error:
            self.raise_failure()
            raise_if_lost(error)
            raise VideoError(
                f"it cannot be opened as a film ({error.strerror})", "replace the file"
            ) from error
        except OSError as error:
            raise VideoError(
                f"it cannot be read ({error.strerror})", "check the disk and the file"
            ) from error
        self.raise_failure()
        return container

    def raise_failure(self) -> None:
        """Raise if a read of an object failed, which FFmpeg takes for its end.

        Raises:
            VideoError: As `kept_blocks.ObjectFile.readinto`.
        """
        if self._object is not None:
            self._object.raise_failure()

    def _opened(self) -> InputContainer:
        container = self._part.container if self._part else None
        # Titles in other encodings than UTF-8 are no reason to refuse a film.
        if self._object is None:
            options = PART_OPTIONS if self._part else OPEN_OPTIONS
            return av.open(self._file, format=container, options=options, metadata_errors="replace")
        self._object.seek(0)
        return av.open(
            self._object, mode="r", format=container, options=OBJECT_OPTIONS, metadata_errors="replace"
        )


def raise_if_lost(error: av.FFmpegError) -> None:
    """Raise if the disk failed, not the film: what cannot be read now may be readable later."""
    if error.errno in FAILING_ERRNOS:
        raise SourceLostError(
            f"it cannot be read ({error.strerror})", "check its disk or its mount, and run generate again"
        ) from error


def _refuse_no_file(path: Path) -> None:
    try:
        exists = path.exists()
    except OSError as error:
        raise UnreachableFileError(
            f"it cannot be reached ({error.strerror})",
            f"change the permissions of its folder, or {CORRECT_PATH}",
        ) from error
    if not exists:
        raise UnreachableFileError("the file does not exist", f"{CORRECT_PATH} or {BRING_BACK}")
    if not path.is_file():
        raise VideoError("the path is not a file", CORRECT_PATH)


def _file(path: Path, part: Part | None) -> str:
    if part is None:
        return str(path)
    return f"subfile,,start,{part.first_byte},end,{part.end_byte},,:{path}"
