"""The limit: PyAV decodes the very frames that `generate` used, and nothing else is done.

    python benchmarks/decode_only.py FILM WINDOWS_TABLE

Prints one JSON line: accepted windows, CPU seconds per accepted window.
"""

from __future__ import annotations

import argparse
import json
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import pyarrow.parquet as pq


def main() -> None:
    """Decode every accepted window, from the keyframe at or before it, or on from the one before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("film", type=Path)
    parser.add_argument("table", type=Path)
    arguments = parser.parse_args()
    rows = pq.ParquetFile(arguments.table).read(columns=["pts", "accepted"]).to_pylist()
    windows = sorted(row["pts"] for row in rows if row["accepted"])
    with av.open(str(arguments.film)) as container:
        packets = container.demux(container.streams.video[0])
        keyframes = sorted(packet.pts for packet in packets if packet.is_keyframe and packet.pts is not None)
    started_s = time.process_time()
    decoded = _decode(arguments.film, windows, keyframes)
    cpu_s = time.process_time() - started_s
    print(
        json.dumps(
            {
                "windows": len(windows),
                "frames_per_window": round(decoded / len(windows), 2),
                "cpu_s_per_window": round(cpu_s / len(windows), 4),
            }
        )
    )


def _decode(film: Path, windows: Sequence[Sequence[int]], keyframes: Sequence[int]) -> int:
    """Decode the windows, ascending; return the frames that came out."""
    decoded, position = 0, -1
    packets: Iterator[av.Packet[av.VideoStream]] = iter(())
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        codec.thread_count = 1
        for pts in windows:
            keyframe = keyframes[max(0, bisect_right(keyframes, pts[0]) - 1)]
            if not 0 <= keyframe <= position:
                container.seek(keyframe, stream=stream)
                packets, position = container.demux(stream), -1
            while position < pts[-1] and (packet := next(packets, None)) is not None:
                # As `generate` does: what no other frame needs is not decoded before the window.
                early = packet.pts is not None and packet.pts < pts[0]
                codec.skip_frame = "NONREF" if early else "DEFAULT"
                frames = packet.decode()
                decoded += len(frames)
                position = max([position, *(frame.pts for frame in frames if frame.pts is not None)])
    return decoded


if __name__ == "__main__":
    main()
