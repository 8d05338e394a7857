"""Find out cheaply whether a file can be opened as a film: by its headers and its first packets.

No frame is decoded. Not here: what else a film may be refused for (`probing`), and protection against files
that hang or crash the decoder, for which the caller uses another process.
"""

from __future__ import annotations

from contextlib import closing

import av

from dataset_assets.addresses import FilmPath
from dataset_assets.errors import VideoError
from dataset_assets.video.encryption import refuse_encrypted
from dataset_assets.video.packets import PacketReader

# FFmpeg's names of streams without a container, which have no time stamps.
RAW_STREAMS = ("h264", "hevc", "m4v", "mpegvideo", "vc1", "obu")


def open_briefly(path: FilmPath) -> tuple[int, int]:
    """Open a film, read its first packets and close it again: 2 to 20 CPU ms.

    Returns:
        Width and height of the coded frame, pixels; no crop is larger, upright or turned.

    Raises:
        VideoError: It is missing, is not a film, has no video that can be decoded, or is encrypted.
    """
    try:
        with closing(PacketReader(path)) as reader:
            refuse_encrypted(path, reader.stream)
            if reader.keyframe_at(reader.start_pts) is None:
                raise no_frame(reader.format_name)
            codec = reader.stream.codec_context
            return codec.width, codec.height
    except av.FFmpegError as error:
        raise VideoError(f"it cannot be read as a film ({error.strerror})", "replace the file") from error


def no_frame(container: str) -> VideoError:
    """Return the error of a film without a frame.

    Args:
        container: FFmpeg's name of its container.
    """
    contain = "put the raw stream into a container with `mkvmerge -o film.mkv FILE`, or "
    return VideoError(
        "its video has no readable frame with a time stamp",
        f"{contain if container in RAW_STREAMS else ''}replace the file",
    )
