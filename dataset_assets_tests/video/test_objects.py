"""Requests to stores and servers: what they say of an object, and what a failure is called."""

from __future__ import annotations

import multiprocessing
import os
import socket
import threading
from multiprocessing.connection import Connection

import pytest

from dataset_assets.addresses import Address
from dataset_assets.errors import SourceChangedError, SourceLostError, VideoError
from dataset_assets.video import objects
from dataset_assets.video.objects import read_range, state_of
from dataset_assets_tests.film_server import SECRET, FilmServer, FilmStore

CONTENT = bytes(range(256)) * 100
NAMES = ("a.mkv", "two words/für 100%25?#&+.mkv")


@pytest.mark.parametrize("name", NAMES)
def test_ranges_of_an_object_are_its_bytes(name: str, s3_films: FilmStore, http_films: FilmServer) -> None:
    http_films.files["a b.mkv"] = CONTENT
    for address in (s3_films.put(name, CONTENT), http_films.address("a%20b.mkv")):
        state = state_of(address)
        assert state.size_bytes == len(CONTENT)
        assert read_range(address, 1000, 2000, state) == (state, CONTENT[1000:2000])
        assert read_range(address, len(CONTENT) - 3, len(CONTENT) + 100) == (state, CONTENT[-3:])


def test_a_version_follows_the_etag_and_else_the_time(http_films: FilmServer) -> None:
    address = http_films.address("a.mkv")
    http_films.files["a.mkv"] = CONTENT
    first = state_of(address)
    http_films.modified = "Tue, 21 Oct 2025 07:28:00 GMT"
    assert state_of(address) == first
    http_films.files["a.mkv"] = CONTENT[::-1]
    assert state_of(address).version != first.version
    http_films.etag = lambda content: None
    by_time = state_of(address)
    assert state_of(address) == by_time
    http_films.modified = "Wed, 22 Oct 2025 07:28:00 GMT"
    assert state_of(address).version != by_time.version
    http_films.modified = None
    assert state_of(address) == state_of(address)


def test_an_object_in_another_state_is_not_read(s3_films: FilmStore, http_films: FilmServer) -> None:
    http_films.files["a.mkv"] = CONTENT
    for address, thing in (
        (s3_films.put("changing.mkv", CONTENT), "object"),
        (http_films.address("a.mkv"), "file"),
    ):
        state = state_of(address)
        s3_films.put("changing.mkv", CONTENT[::-1])
        http_films.files["a.mkv"] = CONTENT[::-1]
        with pytest.raises(SourceChangedError, match=rf"replaced by another {thing} .*run generate again"):
            read_range(address, 0, 10, state)
        http_films.files["a.mkv"] = CONTENT[:100]
        s3_films.put("changing.mkv", CONTENT[:100])
        with pytest.raises(SourceChangedError):
            read_range(address, 1000, 2000, state)


def refusal(address: Address) -> VideoError:
    """What is raised for an object, which is no error that a retry may change."""
    with pytest.raises(VideoError) as found:
        state_of(address)
    assert type(found.value) is VideoError
    assert found.value.__suppress_context__ or found.value.__context__ is None
    return found.value


def test_what_no_retry_changes_is_refused_with_a_remedy(s3_films: FilmStore, http_films: FilmServer) -> None:
    absent, nowhere = Address.parse("s3://films/absent.mkv"), Address.parse("s3://no-such-bucket/a.mkv")
    assert str(refusal(absent)).startswith("s3://films has no such object; name the right file")
    assert "there is no bucket s3://no-such-bucket; name the right file or AWS_ENDPOINT_URL" in str(
        refusal(nowhere)
    )
    assert refusal(s3_films.put("empty.mkv", b"")).what == "it is empty"
    http_films.files["a.mkv"] = CONTENT
    address = http_films.address("a.mkv")
    assert "has no such file" in refusal(http_films.address("absent.mkv")).what
    for status in (401, 403):
        http_films.status = status
        assert f"refuses to read it ({status})" in refusal(address).what
        assert "without a password" in refusal(address).remedy
    http_films.status = 400
    assert "refuses the request (400)" in refusal(address).what
    http_films.status, http_films.modified = None, "yesterday"
    assert "gave an answer that cannot be understood" in refusal(address).what
    http_films.modified, http_films.has_ranges = None, False
    assert "cannot hand out a part of a file (no HTTP ranges)" in refusal(address).what


def test_a_bucket_that_refuses_names_the_credentials_and_none_of_them(
    http_films: FilmServer, s3_films: FilmStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{http_films.port}")
    http_films.status = 403
    error = refusal(Address.parse("s3://films/a.mkv"))
    assert "s3://films refuses to read it (403); allow s3:GetObject" in str(error)
    assert SECRET not in str(error)
    http_films.status = 301
    assert "is in another region; set AWS_REGION" in str(refusal(Address.parse("s3://films/a.mkv")))


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("AWS_ENDPOINT_URL", "minio:9000", "is no address of a server"),
        ("AWS_ENDPOINT_URL", "http://", "is no address of a server"),
        ("AWS_ENDPOINT_URL", "http://a b", "is no address of a server"),
        ("AWS_ACCESS_KEY_ID", "testing\n", "holds a line end"),
    ],
)
def test_an_environment_on_which_obstore_panics_is_refused(
    name: str, value: str, why: str, s3_films: FilmStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert f"{name} in the environment {why}" in refusal(Address.parse("s3://films/a.mkv")).what


def lost(address: Address) -> SourceLostError:
    """What is raised for an object where a retry may help."""
    with pytest.raises(SourceLostError) as found:
        state_of(address)
    assert found.value.__suppress_context__
    assert "run generate again" in found.value.remedy
    return found.value


def test_what_a_retry_may_change_is_a_film_that_is_away(
    http_films: FilmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    http_films.files["a.mkv"] = CONTENT
    address = http_films.address("a.mkv")
    for status in (500, 503, 429):
        http_films.status = status
        assert "answers with an error of its own" in lost(address).what
    http_films.status, http_films.cut = None, True
    monkeypatch.setattr(http_films, "cut", True)
    with pytest.raises(SourceLostError, match="the connection was lost"):
        read_range(address, 0, 1000)
    http_films.cut = False
    http_films.stalled.set()
    assert "gave no answer within 1 s" in lost(address).what
    http_films.stalled.clear()
    http_films.released.set()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert "takes no connection" in lost(Address.parse(f"http://127.0.0.1:{port}/a.mkv")).what
    assert "its name is not found" in lost(Address.parse("http://no-such-host.invalid/a.mkv")).what


def test_a_hiccup_is_passed_over(http_films: FilmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "RETRIES", 2)
    http_films.files["a.mkv"] = CONTENT

    def hiccup(number: int) -> None:
        http_films.status = 503 if number == 0 else None

    http_films.before = hiccup
    assert state_of(http_films.address("a.mkv")).size_bytes == len(CONTENT)
    assert len(http_films.requests) == 2


def test_several_threads_read_at_a_time(http_films: FilmServer) -> None:
    http_films.files["a.mkv"] = CONTENT
    address, waiting = http_films.address("a.mkv"), threading.Barrier(4, timeout=30)
    http_films.before = lambda _: waiting.wait()
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda at=at: found.append(read_range(address, at, at + 1)[1]))
        for at in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == [bytes([value]) for value in range(4)]


def _read_in_child(pipe: Connection, address: Address) -> None:
    try:
        pipe.send(state_of(address).size_bytes)
    except RuntimeError as error:
        pipe.send(str(error))


@pytest.mark.parametrize("method", ["forkserver", "spawn", "fork"])
def test_a_child_reads_and_one_that_was_forked_behind_a_read_is_refused(
    method: str, http_films: FilmServer
) -> None:
    http_films.files["a.mkv"] = CONTENT
    address = http_films.address("a.mkv")
    assert state_of(address).size_bytes == len(CONTENT)
    context = multiprocessing.get_context(method)
    ours, theirs = context.Pipe()
    child = context.Process(target=_read_in_child, args=(theirs, address))  # type: ignore[attr-defined]
    child.start()
    assert ours.poll(60)
    answer = ours.recv()
    child.join(60)
    assert answer == (len(CONTENT) if method != "fork" else answer)
    if method == "fork":
        assert "forked after its parent used an object store" in answer


def test_without_obstore_it_is_said_how_to_install_it(
    http_films: FilmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore.store", None)
    assert "pip install -e '.[s3]'" in refusal(http_films.address("a.mkv")).remedy


def test_without_credentials_it_is_said_which_are_missing(
    s3_films: FilmStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        if name != "AWS_ENDPOINT_URL":
            monkeypatch.delenv(name)
    with pytest.raises(VideoError, match="AWS_ACCESS_KEY_ID"):
        state_of(Address.parse("s3://films/a.mkv"))
