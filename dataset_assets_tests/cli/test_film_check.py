from __future__ import annotations

import ctypes
import time
from pathlib import Path

import av

from dataset_assets.addresses import FilmPath
from dataset_assets.cli.film_check import check_films
from dataset_assets.errors import VideoError
from dataset_assets_tests.films import Film
from dataset_assets_tests.sounds import write_sound

PATIENT_S = 60.0
# What begins the frames of a Matroska file.
CLUSTER = b"\x1f\x43\xb6\x75"


def act(film: FilmPath) -> tuple[int, int]:
    """Do to the process that looks at a film what the film's name says."""
    match str(film):
        case "crash":
            ctypes.string_at(0)
        case "hang":
            time.sleep(PATIENT_S)
        case "refused":
            raise VideoError("it is refused", "replace the file")
    return 640, 360


def write_headers(film: Path, path: Path) -> Path:
    """Write the headers of a film without a frame, as a copy that was cut off leaves them."""
    with av.open(str(film)) as source, av.open(str(path), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)
    headers, cluster, frames = path.read_bytes().partition(CLUSTER)
    path.write_bytes(headers + cluster + frames[:100])
    return path


def test_what_cannot_be_a_film_is_refused_in_the_order_given(sdr_film: Film, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(sdr_film.path.read_bytes()[:5000])
    headers = write_headers(sdr_film.path, tmp_path / "headers.mkv")
    films = [sdr_film.path, write_sound(tmp_path / "sound.mkv"), broken, headers, *[sdr_film.path] * 5]
    found = check_films(films, limit_s=PATIENT_S)
    assert list(found.refused) == films[1:4]
    assert found.refused[films[1]].what == "it has no video stream"
    assert found.refused[broken].remedy == "replace the file"
    assert found.refused[headers].what == "its video has no readable frame with a time stamp"
    assert (found.slow, found.sizes) == ((), {sdr_film.path: (sdr_film.width, sdr_film.height)})


def test_a_film_that_hangs_counts_as_there() -> None:
    found = check_films([Path("hang")], limit_s=0.1, look=act)
    assert (found.refused, found.slow) == ({}, (Path("hang"),))


def test_a_film_that_crashes_the_decoder_is_refused_and_no_other() -> None:
    found = check_films([Path("crash"), Path("sound"), Path("refused")], limit_s=PATIENT_S, look=act)
    assert {str(film): error.what for film, error in found.refused.items()} == {
        "crash": "the decoder crashes on it",
        "refused": "it is refused",
    }
