"""The limit: PyAV decodes the very frames that `generate` used, and nothing else is done.

    python benchmarks/decode_only.py FILM WINDOWS_TABLE

Prints one JSON line: accepted windows, CPU seconds per accepted window.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import av
import pyarrow.parquet as pq


def main() -> None:
    """Seeks to the keyframe of every accepted window and decodes up to its last frame."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("film", type=Path)
    parser.add_argument("table", type=Path)
    arguments = parser.parse_args()
    rows = pq.ParquetFile(arguments.table).read(columns=["pts", "accepted"]).to_pylist()
    windows = sorted(row["pts"] for row in rows if row["accepted"])
    started_s = time.process_time()
    with av.open(str(arguments.film)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        decoded = 0
        for pts in windows:
            decoded += _decode(container, stream, pts[0], pts[-1])
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


def _decode(container: av.container.InputContainer, stream: av.VideoStream, first: int, last: int) -> int:
    """Decodes from the keyframe at or before `first` to `last`; returns the frames that came out."""
    container.seek(first, stream=stream)
    decoded = 0
    for packet in container.demux(stream):
        # As `generate` does: what no other frame needs is not decoded before the window.
        early = packet.pts is not None and packet.pts < first
        stream.codec_context.skip_frame = "NONREF" if early else "DEFAULT"
        for frame in packet.decode():
            decoded += 1
            if frame.pts is not None and frame.pts >= last:
                return decoded
    return decoded


if __name__ == "__main__":
    main()
