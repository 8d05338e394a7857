"""Looking at films without decoding them: many at addresses at a time, and not again on every page."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dataset_assets.addresses import Address
from dataset_assets.errors import VideoError
from dataset_assets.video import film_files, objects
from dataset_assets.video.film_files import FileState, is_there, look_at, open_film, seen
from dataset_assets.video.fingerprint import Fingerprint
from dataset_assets_tests.film_server import FilmServer, FilmStore

CONTENT = bytes(range(256)) * 9000


def test_a_file_and_an_object_of_the_same_bytes_have_the_same_content(
    tmp_path: Path, http_films: FilmServer, s3_films: FilmStore
) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(CONTENT)
    http_films.files["a.mkv"] = CONTENT
    ours = Fingerprint.of(path)
    for address in (http_films.address("a.mkv"), s3_films.put("a.mkv", CONTENT)):
        theirs = Fingerprint.of(address)
        assert theirs.has_same_content(ours)
        assert Fingerprint.parse(str(theirs)) == theirs
        assert theirs.is_of(address)
        assert ours.is_of(address)
        with open_film(address) as file:
            assert file.read() == CONTENT


def test_an_object_uploaded_in_other_parts_is_the_same_film(
    s3_films: FilmStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = CONTENT * 6
    address = s3_films.put("parts.mkv", content)
    known = Fingerprint.of(address)
    half = 6 << 20
    upload = s3_films.client.create_multipart_upload(Bucket="films", Key="parts.mkv")["UploadId"]
    parts = [
        s3_films.client.upload_part(
            Bucket="films", Key="parts.mkv", UploadId=upload, PartNumber=number, Body=part
        )
        for number, part in ((1, content[:half]), (2, content[half:]))
    ]
    s3_films.client.complete_multipart_upload(
        Bucket="films",
        Key="parts.mkv",
        UploadId=upload,
        MultipartUpload={
            "Parts": [{"PartNumber": n + 1, "ETag": each["ETag"]} for n, each in enumerate(parts)]
        },
    )
    assert FileState.of(address).version != known.version
    assert known.is_of(address)
    assert known.was_of(address)
    with monkeypatch.context() as nobody:
        nobody.setattr(film_files, "state_of", None)  # what is known of the new version is enough
        assert known.was_of(address)
    s3_films.put("parts.mkv", content[::-1])
    assert not known.is_of(address)
    assert not known.was_of(address)


def test_a_film_that_is_away_or_absent_counts_as_unchanged(http_films: FilmServer) -> None:
    address = http_films.address("a.mkv")
    http_films.files["a.mkv"] = CONTENT
    known = Fingerprint.of(address)
    http_films.status = 503
    assert known.is_of(address)
    http_films.status = 404
    assert known.is_of(address)
    assert not is_there(address)


def test_many_films_are_asked_for_at_a_time_and_once(http_films: FilmServer) -> None:
    names = [f"{number}.mkv" for number in range(40)]
    http_films.files |= dict.fromkeys(names[:-1], CONTENT)
    together = threading.Barrier(8, timeout=30)
    http_films.before = lambda number: together.wait() if number < 8 else None
    films = [http_films.address(name) for name in names]
    look_at([*films, Path("film.mkv")])
    assert len(http_films.requests) == 40
    assert [seen(film) is not None for film in films] == [True] * 39 + [False]
    look_at(films)
    assert len(http_films.requests) == 40
    look_at(films, max_age_s=0)
    assert len(http_films.requests) == 80


def test_what_was_seen_is_asked_again_where_it_differs(http_films: FilmServer) -> None:
    address = http_films.address("a.mkv")
    http_films.files["a.mkv"] = CONTENT
    look_at([address])
    http_films.files["a.mkv"] = CONTENT[::-1]
    renewed = Fingerprint.of(address)
    film_files._looks[address] = film_files._looks[address][0], FileState(len(CONTENT), "old")
    assert renewed.was_of(address)


def test_a_store_that_is_away_is_asked_for_few_films(
    monkeypatch: pytest.MonkeyPatch, nothing_read: None
) -> None:
    asked: list[Address] = []
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        films = [Address.parse(f"http://127.0.0.1:{unused.getsockname()[1]}/{n}.mkv") for n in range(500)]

        def asking(film: Address) -> objects.ObjectState:
            asked.append(film)
            return objects.state_of(film)

        monkeypatch.setattr(film_files, "state_of", asking)
        look_at(films)
        assert {seen(film) for film in films} == {None}
    assert len(asked) <= film_files.AT_A_TIME


def test_a_local_film_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(CONTENT)
    monkeypatch.setattr(film_files, "state_of", None)
    look_at([path])
    state = seen(path)
    assert state is not None
    assert (state.size_bytes, state.version) == (len(CONTENT), str(path.stat().st_mtime_ns))
    assert seen(tmp_path / "absent.mkv") is None
    with pytest.raises(FileNotFoundError):
        FileState.of(tmp_path / "absent.mkv")
    assert not isinstance(FileNotFoundError(), VideoError)


def test_obstore_is_imported_by_the_first_request_alone() -> None:
    imports = "import sys, dataset_assets.cli.doctor, dataset_assets.launch.worker"
    subprocess.run([sys.executable, "-c", f"{imports}; sys.exit('obstore' in sys.modules)"], check=True)
