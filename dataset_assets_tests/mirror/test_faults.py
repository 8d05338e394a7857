"""Stores that refuse, are away, or do not do what leases need; each is reported in a sentence."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from dataset_assets import object_store as module
from dataset_assets.cli.doctor import examine
from dataset_assets.cli.store_check import check_store
from dataset_assets.config import load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import ConfigError, DatasetAssetsError
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.object_store import ObjectStore, StoreError
from dataset_assets_tests.configurations import pictures, write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, small_settings
from dataset_assets_tests.mirror.test_mirror import stored_settings
from dataset_assets_tests.object_stores import BUCKET, URL, Bucket, bucket
from dataset_assets_tests.proxy import Proxy, proxy_to

__all__ = ["bucket"]

PASSWORD = "a-secret-of-the-tests"


@contextmanager
def answering(head: str, body: str) -> Iterator[str]:
    """Starts a server that answers each request with the same, or not at all; gives its address."""
    answer = f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode() if head else b""
    kept: list[socket.socket] = []

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                kept.append(connection)
                connection.recv(1 << 16)
                if answer:
                    connection.sendall(answer)
                    connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def set_environment(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", PASSWORD)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    module._opened.cache_clear()


@contextmanager
def through_proxy(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    with proxy_to(bucket.endpoint) as proxy:
        set_environment(monkeypatch, proxy.endpoint)
        yield proxy


def error_of(url: str = URL, retry_s: float = 0.0) -> str:
    """The sentence with which a request fails."""
    with pytest.raises(StoreError) as caught:
        ObjectStore(url, timeout_s=2, retry_s=retry_s).put("name", b"content")
    return str(caught.value)


def test_an_absent_bucket_is_named(bucket: Bucket) -> None:
    assert error_of("s3://absent/set") == (
        "s3://absent/set cannot be written to (there is no such bucket); create it, or correct the address "
        "or AWS_ENDPOINT_URL"
    )


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (403, "AccessDenied", "access is refused"),
        (401, "InvalidAccessKeyId", "access is refused"),
        (507, "StorageFull", "it is full"),
        (403, "QuotaExceeded", "it is full"),
        (403, "RequestTimeTooSkewed", "this machine's clock is wrong"),
        (503, "SlowDown", "it answers 503"),
        (400, "InvalidRequest", "it refuses the request: 400"),
    ],
)
def test_what_a_store_answers_is_one_sentence_without_credentials(
    status: int, code: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(f"HTTP/1.1 {status} No\r\n", f"<Error><Code>{code}</Code></Error>") as endpoint:
        set_environment(monkeypatch, endpoint)
        text = error_of()
    assert f"{URL} cannot be written to ({sentence}" in text
    assert "tests-key" not in text
    assert PASSWORD not in text


def test_a_store_that_takes_no_connection_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, "http://127.0.0.1:1")
    assert "(it takes no connection); check the server, its port and the network, and start" in error_of(
        retry_s=0.5
    )


def test_a_store_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering("", "") as endpoint:
        set_environment(monkeypatch, endpoint)
        assert "(no answer within 2 s)" in error_of()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("AWS_ENDPOINT_URL", "minio:9000", "AWS_ENDPOINT_URL in the environment is no address of a server"),
        (
            "AWS_SECRET_ACCESS_KEY",
            f"{PASSWORD}\n",
            "AWS_SECRET_ACCESS_KEY in the environment holds",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, "http://127.0.0.1:1")
    monkeypatch.setenv(name, value)
    assert sentence in error_of()
    assert PASSWORD not in error_of()


def test_an_error_of_the_store_is_one_of_the_disk_and_of_the_user() -> None:
    error = StoreError("it is away", "wait")
    assert isinstance(error, OSError)
    assert isinstance(error, DatasetAssetsError)
    assert str(error) == "it is away; wait"


@pytest.mark.parametrize("every", [7, 10])
def test_answers_that_are_lost_and_connections_that_are_cut_cost_nothing(
    every: int, bucket: Bucket, tiny_film: Film, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    generate_video(small_settings(whole, tiny_film.path), KEY)
    request, requests = ObjectStore._request, 0

    def disturb(store: ObjectStore, *arguments: Any) -> Any:
        nonlocal requests
        requests += 1
        if requests % every == 0:
            proxy.losses += 1
        if requests % 40 == 0:
            proxy.cut()
            threading.Timer(0.3, proxy.restore).start()
        return request(store, *arguments)

    with (
        proxy_to(bucket.endpoint) as proxy,
        patch.dict(os.environ, AWS_ENDPOINT_URL=proxy.endpoint),
        patch.object(ObjectStore, "_request", disturb),
    ):
        generate_video(stored_settings(tmp_path / "a", tiny_film), KEY)
    assert requests > 60
    assert bucket.pictures() == pictures(whole)
    bucket.hold()
    assert bucket.noted() == set()


def test_a_store_that_stays_away_fails_the_run_and_the_next_goes_on(
    bucket: Bucket, tiny_film: Film, tmp_path: Path
) -> None:
    settings, replace = stored_settings(tmp_path / "a", tiny_film), ObjectStore.replace

    def refuse_a_table(store: ObjectStore, name: str, content: bytes, etag: str) -> str | None:
        if "/patches/" in name:
            raise StoreError(f"{URL} cannot be written to (it takes no connection)", "check the server")
        return replace(store, name, content, etag)

    with (
        patch.object(ObjectStore, "replace", refuse_a_table),
        pytest.raises(StoreError, match=rf"^{KEY}: {URL} cannot be written to .*; check the server"),
    ):
        generate_video(settings, KEY)
    bucket.hold()
    failure = DataSet.of(settings).failures.read_one(KEY)
    assert failure is not None
    assert "cannot be written to" in failure.sentence
    # What is only in the folder of that machine counts for nothing.
    generate_video(settings, KEY)
    bucket.hold()
    assert bucket.noted() == set()
    assert bucket.pictures() == pictures(tmp_path / "a")


def test_a_store_that_ignores_conditions_is_refused(
    bucket: Bucket, tiny_film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with through_proxy(bucket, monkeypatch) as proxy:
        proxy.rewrites = {b"if-none-match: *": b"x-none-match:  *"}
        with pytest.raises(StoreError, match=r"may only be created \(If-None-Match.*; use a store with"):
            probe_video(stored_settings(tmp_path / "a", tiny_film), KEY)
        with pytest.raises(DatasetAssetsError, match="overwrites what may only be created"):
            check_store(URL)
        proxy.rewrites = {b"if-match: ": b"x-match:  "}
        with pytest.raises(DatasetAssetsError, match="overwrites what was replaced meanwhile"):
            check_store(URL)
        proxy.rewrites = {}
        assert check_store(URL) == f"{URL}: writes, conditions, lists and deletes work"
    assert {name for name in bucket.names() if "/.doctor/" in name} == set()


def test_doctor_tries_the_store(bucket: Bucket, tiny_film: Film, tmp_path: Path) -> None:
    found = {each.what: each for each in examine(stored_settings(tmp_path / "a", tiny_film))}
    assert found["object store"].passed
    assert "shared folder" not in found
    bucket.client.delete_object(Bucket=BUCKET, Key="none")
    other = stored_settings(tmp_path / "a", tiny_film, url="s3://absent/set")
    found = {each.what: each for each in examine(other)}
    assert not found["object store"].passed
    assert "there is no such bucket" in found["object store"].detail


@pytest.mark.parametrize(
    "url",
    [
        "https://host/set",
        "s3://",
        "s3://ab",
        "s3://Bucket/set",
        "s3://key:secret@bucket/set",
        "s3://bucket/../x",
    ],
)
def test_other_addresses_are_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    config = write_config(tmp_path, {}, base_settings={"machines": "many", "output_url": url})
    with pytest.raises(ConfigError, match=r"output_url.* is not an address of an object store") as caught:
        load_settings(config)
    assert "secret" not in str(caught.value)


def test_a_store_needs_many_machines_and_no_watched_folders(tmp_path: Path) -> None:
    config = write_config(tmp_path, {}, base_settings={"output_url": URL})
    with pytest.raises(ConfigError, match='output_url needs machines: "many"'):
        load_settings(config)
    config = write_config(
        tmp_path,
        {},
        base_settings={"output_url": URL, "machines": "many"},
        watch=[{"folder": str(tmp_path), "categories": {"toon": 1}}],
    )
    with pytest.raises(ConfigError, match="films of watched folders are registered in a folder"):
        load_settings(config)


def test_a_folder_with_a_data_set_of_its_own_is_no_copy(
    bucket: Bucket, tiny_film: Film, tmp_path: Path
) -> None:
    generate_video(small_settings(tmp_path / "own", tiny_film.path), KEY)
    made = pictures(tmp_path / "own")
    with pytest.raises(DatasetAssetsError, match=r"holds a data set of its own, not a copy of s3://"):
        generate_video(stored_settings(tmp_path / "own", tiny_film), KEY)
    assert pictures(tmp_path / "own") == made
    generate_video(stored_settings(tmp_path / "copy", tiny_film), KEY)
    others: list[dict[str, Any]] = [
        {},
        {"machines": "many"},
        {"machines": "many", "output_url": "s3://another/set"},
    ]
    for other in others:
        settings = small_settings(tmp_path / "copy", tiny_film.path, **other)
        with pytest.raises(DatasetAssetsError, match=rf"is a copy of the data set in {URL}, and "):
            generate_video(settings, KEY)


def test_a_process_that_was_forked_after_its_parents_first_request_is_refused(bucket: Bucket) -> None:
    ObjectStore(URL).put("name", b"")
    with (
        patch.object(os, "getpid", lambda: -1),
        pytest.raises(RuntimeError, match="was forked after its parent used an object store"),
    ):
        ObjectStore(URL).put("name", b"")


def test_credentials_are_in_no_log(bucket: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), patch.dict(os.environ, AWS_SECRET_ACCESS_KEY=PASSWORD):
        module._opened.cache_clear()
        ObjectStore(URL).put("name", b"")
        with pytest.raises(StoreError):
            ObjectStore("s3://absent", retry_s=0).put("name", b"")
    assert PASSWORD not in caplog.text
