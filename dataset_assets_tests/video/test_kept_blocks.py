"""Objects as files: the bytes of a file, few requests, bounded memory, and no failure lost in FFmpeg."""

from __future__ import annotations

import io
import random
import threading

import pytest

from dataset_assets.errors import SourceLostError
from dataset_assets.video import kept_blocks
from dataset_assets.video.kept_blocks import FFmpegFile, ObjectFile
from dataset_assets_tests.film_places import FEW_BLOCKS, SMALL_BLOCK_BYTES
from dataset_assets_tests.film_server import FilmServer

CONTENT = random.Random(1).randbytes(20 * SMALL_BLOCK_BYTES + 77)


def test_an_object_reads_as_the_file(http_films: FilmServer) -> None:
    http_films.files["a.mkv"] = CONTENT
    draw = random.Random(2)
    for first, end in ((0, None), (1000, 200_001)):
        ours = io.BufferedReader(ObjectFile(http_films.address("a.mkv"), first, end))
        theirs = io.BytesIO(CONTENT[first:end])
        for _ in range(200):
            whence, offset = draw.choice([(0, draw.randrange(400_000)), (2, -draw.randrange(100_000))])
            count = draw.choice([1, 16, 32768, 100_000])
            assert ours.seek(offset, whence) == theirs.seek(offset, whence)
            assert ours.read(count) == theirs.read(count)
            assert ours.tell() == theirs.tell()


def test_a_block_is_requested_once_for_all_handles(http_films: FilmServer) -> None:
    http_films.files["a.mkv"] = CONTENT
    for _ in range(3):
        with io.BufferedReader(ObjectFile(http_films.address("a.mkv"))) as file:
            assert file.read(3 * SMALL_BLOCK_BYTES) == CONTENT[: 3 * SMALL_BLOCK_BYTES]
    ranges = [asked for _, asked in http_films.requests if asked != (0, 1)]
    assert ranges == [(n * SMALL_BLOCK_BYTES, (n + 1) * SMALL_BLOCK_BYTES) for n in range(3)]


def test_few_blocks_are_kept_whatever_is_read(http_films: FilmServer) -> None:
    http_films.files |= {"a.mkv": CONTENT, "b.mkv": CONTENT}

    def read(name: str) -> None:
        with io.BufferedReader(ObjectFile(http_films.address(name))) as file:
            assert file.read() == CONTENT

    threads = [threading.Thread(target=read, args=(name,)) for name in ("a.mkv", "b.mkv") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(kept_blocks._kept._blocks) == FEW_BLOCKS
    assert all(len(block) <= SMALL_BLOCK_BYTES for block in kept_blocks._kept._blocks.values())


def test_another_version_shares_no_block(http_films: FilmServer) -> None:
    for content in (CONTENT, CONTENT[::-1]):
        http_films.files["a.mkv"] = content
        with io.BufferedReader(ObjectFile(http_films.address("a.mkv"))) as file:
            assert file.read() == content


def test_a_read_that_fails_is_the_end_for_ffmpeg_and_raised_behind_it(http_films: FilmServer) -> None:
    http_films.files["a.mkv"] = CONTENT
    file = FFmpegFile(http_films.address("a.mkv"))
    assert file.name == "a.mkv"
    assert file.read(10) == CONTENT[:10]
    http_films.status = 503
    file.seek(5 * SMALL_BLOCK_BYTES)
    asked = len(http_films.requests)
    assert (file.read(10), file.read(10)) == (b"", b"")
    assert len(http_films.requests) == asked + 1
    with pytest.raises(SourceLostError):
        file.raise_failure()


def test_an_interrupt_in_a_read_is_not_lost(http_films: FilmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    http_films.files["a.mkv"] = CONTENT
    file = FFmpegFile(http_films.address("a.mkv"))

    def interrupted(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(kept_blocks, "read_range", interrupted)
    assert file.read(10) == b""
    with pytest.raises(KeyboardInterrupt):
        file.raise_failure()
