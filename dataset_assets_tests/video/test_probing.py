"""What a film is found to be, and the films that are refused."""

from __future__ import annotations

import os
import shutil
import wave
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from dataset_assets.errors import VideoError
from dataset_assets.video.fingerprint import Fingerprint
from dataset_assets.video.geometry import Rect
from dataset_assets.video.probing import probe
from dataset_assets_tests.encode import BT709, BT2020_PQ, write_video
from dataset_assets_tests.films import Film, Shot, pq_frames, sdr_frames

SMALL = {"preset": "ultrafast", "crf": "14"}


def pictures(count: int, width: int = 320, height: int = 180) -> Iterator[npt.NDArray[np.uint8]]:
    return sdr_frames([Shot(1, count, 2, 0)], width, height)


def test_a_codec_has_its_own_name_and_not_that_of_its_decoder(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    write_video(film, pictures(10), codec="libsvtav1", options={"preset": "12", "crf": "35"})
    assert probe(film).codec == "av1"


def test_a_pq_film_is_described(pq_film: Film) -> None:
    info = probe(pq_film.path)
    assert (info.container, info.codec, info.profile) == ("matroska", "hevc", "Main 10")
    assert (info.geometry.coded_width, info.geometry.coded_height) == (1920, 1080)
    assert (info.colour.pix_fmt, info.colour.bit_depth, info.colour.hdr_format) == ("yuv420p10le", 10, "pq")
    assert (info.colour.primaries, info.colour.matrix) == ("bt2020", "bt2020nc")
    assert (info.max_cll, info.mastering_max_nits, info.colour.peak) == (800, 4000.0, 8.0)
    assert info.active == Rect(0, 0, 1920, 1080)
    assert info.frame_rate == 24
    assert (info.frame_ticks, info.vfr, info.max_step) == (42, False, 63)
    assert (info.start_pts, round(info.duration_s, 2)) == (0, 3.0)
    assert (info.interlaced, info.warnings) == (False, ())
    assert info.size_bytes == pq_film.path.stat().st_size


def test_an_hlg_film_has_the_default_peak(hlg_film: Film) -> None:
    info = probe(hlg_film.path)
    assert (info.colour.hdr_format, info.colour.peak) == ("hlg", 10.0)
    assert (info.max_cll, info.mastering_max_nits) == (0, 0.0)
    assert info.duration_s == 1.5


def test_an_sdr_film_has_no_peak(sdr_film: Film) -> None:
    info = probe(sdr_film.path)
    assert (info.colour.hdr_format, info.colour.peak, info.colour.matrix) == (None, 0.0, "bt709")
    assert not info.colour.full_range
    assert info.duration_s == 3.0


def test_a_letterboxed_films_area_lies_inside_the_bars(letterboxed_film: Film) -> None:
    assert probe(letterboxed_film.path).active == Rect(0, 140, 1920, 800)


def test_a_short_start_in_another_aspect_ratio_does_not_hide_the_bars(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    full = sdr_frames([Shot(1, 20, 2, 0)], 320, 180)
    barred = sdr_frames([Shot(2, 100, 2, 0)], 320, 180, bars=24)
    write_video(film, [*full, *barred], keyint=10, options=SMALL)
    assert probe(film).active == Rect(0, 26, 320, 128)


def test_bars_of_a_film_whose_keyframe_is_black_are_found(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    black = [np.zeros((180, 320, 3), np.uint8)] * 10
    frames = [*black, *sdr_frames([Shot(1, 30, 2, 0)], 320, 180, bars=24)]
    write_video(film, frames, keyint=100, options=SMALL)
    assert probe(film).active == Rect(0, 26, 320, 128)


def with_text_and_noise(frames: Iterable[npt.NDArray[np.uint8]]) -> Iterator[npt.NDArray[np.uint8]]:
    """A subtitle half in the bar below, in the first second of three; noise over all of the frame."""
    rng = np.random.default_rng(1)
    for index, frame in enumerate(frames):
        result = frame.copy()
        if index % 36 < 12:
            place, font = (60, frame.shape[0] - 20), cv2.FONT_HERSHEY_DUPLEX
            cv2.putText(result, "He was here yesterday", place, font, 0.6, (235, 235, 235))
        noise = rng.normal(0, 3, (*frame.shape[:2], 1))
        yield np.clip(np.rint(result + noise), 0, 255).astype(np.uint8)


def test_a_subtitle_and_noise_in_the_bars_of_a_film_are_no_picture(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    frames = sdr_frames([Shot(1, 72, 2, 0)], 320, 180, bars=24)
    write_video(film, with_text_and_noise(frames), keyint=6, options=SMALL)
    assert probe(film).active == Rect(0, 26, 320, 128)


def test_bars_with_noise_of_a_10_bit_hdr_film_are_found(tmp_path: Path) -> None:
    film, rng = tmp_path / "film.mp4", np.random.default_rng(1)

    def barred(planes: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
        framed = planes.copy()
        for bar in (framed[:24], framed[156:180]):
            bar[:] = np.clip(np.rint(rng.normal(64, 12, bar.shape)), 0, 1023)
            bar[8:18, 250:300] = 600
        return framed

    frames = map(barred, pq_frames([Shot(1, 24, 2, 0)], 320, 180))
    options = {"preset": "ultrafast", "crf": "12"}
    write_video(film, frames, codec="libx265", pix_fmt="yuv420p10le", colour=BT2020_PQ, options=options)
    assert probe(film).active == Rect(0, 26, 320, 128)


def test_a_black_film_is_taken_whole_and_it_is_said(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    write_video(film, [np.zeros((180, 320, 3), np.uint8)] * 30, options=SMALL)
    info = probe(film)
    assert info.active == Rect(0, 0, 320, 180)
    assert info.warnings == ("every sampled frame is black: no black bars looked for",)


def test_a_planet_before_black_sky_is_taken_whole(shared_media: Path) -> None:
    info = probe(shared_media / "film__photoprism__earth.mov")
    assert info.active == info.geometry.working_rect


def test_the_sintel_trailers_bars_are_found(shared_media: Path) -> None:
    area = probe(shared_media / "film__libopenshot__sintel_trailer-720p.mp4").active
    # 1280x544 of 720 lines by its makers' word.
    assert (area.x, area.width) == (0, 1280)
    assert 88 <= area.y <= 92
    assert 628 <= area.bottom <= 632


def test_a_variable_frame_rate_is_seen(vfr_film: Film) -> None:
    info = probe(vfr_film.path)
    assert info.vfr
    assert info.max_step is None
    with av.open(vfr_film.path) as container:
        stamps = sorted(packet.pts for packet in container.demux(video=0) if packet.pts is not None)
    assert info.frame_ticks == pytest.approx(np.mean(np.diff(stamps)), rel=0.2)
    assert info.start_pts == stamps[0]
    assert info.end_pts == pytest.approx(stamps[-1], abs=info.frame_ticks * 2)


@pytest.mark.parametrize(
    ("name", "rate", "duration_s", "vfr"),
    [
        ("container__media__sample.flv", 30, 1.0, False),
        ("vfr__moviepy__fire2.mp4", 10.5, 2.38, True),
        ("container__media__sample_fragmented.mp4", 29.97, 1.0, False),
        ("container__moviepy__no_duration.webm", 15, 4.94, False),
        ("container__mediabunny__annex-b-avc.mkv", 21, 35.2, True),
        ("hdr-hlg__mediabunny__0.ts", 60, 4.967, False),
        ("edit-list-ts__shaka-player__360p30_h264_48k_160_aac_ts-0000000026.ts", 24, 2.0, False),
    ],
)
def test_headers_that_lie_are_not_believed(
    name: str, rate: float, duration_s: float, vfr: bool, shared_media: Path
) -> None:
    info = probe(shared_media / name)
    assert float(info.frame_rate) == pytest.approx(rate, rel=0.15 if vfr else 0.01)
    assert info.duration_s == pytest.approx(duration_s, rel=0.01)
    assert info.vfr == vfr


def test_nonsense_about_the_mastering_display_is_ignored_and_said(shared_media: Path) -> None:
    info = probe(shared_media / "hdr-pq__media__hdr10-video-with-sdr-container.mp4")
    assert info.mastering_max_nits == pytest.approx(0.1)
    assert info.colour.peak == 10.0
    assert info.warnings == ("mastering display maximum of 0.1 nits is implausible and ignored",)


def test_metadata_of_the_container_alone_counts(shared_media: Path) -> None:
    info = probe(shared_media / "hdr-pq__media__sample_with_colr_mdcv_and_clli.mp4")
    assert (info.max_cll, info.colour.peak) == (1100, 11.0)


def test_damage_at_the_start_is_left_out(sdr_film: Film, tmp_path: Path) -> None:
    film = tmp_path / "damaged.mp4"
    with av.open(sdr_film.path) as container:
        packet = next(container.demux(video=0))
        place = packet.pos
    content = bytearray(sdr_film.path.read_bytes())
    assert place is not None
    content[place + 2000 : place + 2400] = np.random.default_rng(0).bytes(400)
    film.write_bytes(content)
    info = probe(film)
    assert float(info.start_pts * info.time_base) == 0.5
    assert info.warnings[0].startswith("its first 0.5 s cannot be decoded (")


def test_a_title_in_another_encoding_is_no_obstacle(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    with av.open(film, "w") as container:
        container.metadata["title"] = "Am?lie"
        stream = container.add_stream("libx264", rate=24, options=SMALL)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for picture in pictures(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    content = film.read_bytes()
    assert b"Am?lie" in content
    film.write_bytes(content.replace(b"Am?lie", "Amélie".encode("latin-1")))
    assert probe(film).codec == "h264"


def refusal(path: Path) -> str:
    with pytest.raises(VideoError) as refused:
        probe(path)
    return str(refused.value)


def test_files_that_are_no_films_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "away.mkv") == (
        "the file does not exist; name the right file or bring the file back"
    )
    assert refusal(tmp_path) == "the path is not a file; name the right file"
    for name, content in (("empty.mkv", b""), ("text.mkv", b"This is no film.\n" * 99)):
        (tmp_path / name).write_bytes(content)
        assert "it cannot be opened as a film (Invalid data" in refusal(tmp_path / name)
        assert refusal(tmp_path / name).endswith("; replace the file")


def test_a_playlist_opens_no_other_file(sdr_film: Film, tmp_path: Path) -> None:
    shutil.copy(sdr_film.path, tmp_path / "film.mp4")
    playlist = tmp_path / "film.m3u8"
    playlist.write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nhttp://localhost/film.ts\n#EXT-X-ENDLIST\n"
    )
    assert refusal(playlist)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_file_that_must_not_be_read_is_refused(sdr_film: Film, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    shutil.copy(sdr_film.path, film)
    film.chmod(0)
    assert refusal(film) == "it must not be read; change the file's permissions"


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 8000, 8000, "NONE", "not compressed"))
        file.writeframes(bytes(16000))
    assert refusal(sound) == "it has no video stream; leave it out"


def test_fewer_than_seven_frames_are_refused(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    write_video(film, pictures(6), options=SMALL)
    assert refusal(film) == (
        "it has only 6 readable frames in a row at its start and a window needs 7; leave it out or replace "
        "the file"
    )
    write_video(film, pictures(7), options=SMALL)
    assert probe(film).frame_ticks > 0


@pytest.mark.parametrize(("codec", "name"), [("libx264", "film.h264"), ("libx265", "film.hevc")])
def test_a_raw_stream_without_time_stamps_is_refused(codec: str, name: str, tmp_path: Path) -> None:
    film = tmp_path / name
    options = SMALL if codec == "libx264" else {"preset": "ultrafast"}
    write_video(film, pictures(20), codec=codec, options=options)
    assert "no readable frame with a time stamp; put the raw stream into a container" in refusal(film)


def test_a_film_of_damage_alone_is_refused(shared_media: Path) -> None:
    film = shared_media / "broken__media__invalid-bitstream.webm"
    assert "its first frames cannot be decoded (" in refusal(film)


def test_dolby_vision_without_a_base_layer_is_refused(tmp_path: Path) -> None:
    plain, film = tmp_path / "plain.mp4", tmp_path / "film.mp4"
    options = {"preset": "ultrafast"}
    frames = pq_frames([Shot(1, 10)], 320, 180)
    write_video(plain, frames, codec="libx265", pix_fmt="yuv420p10le", colour=BT2020_PQ, options=options)
    assert probe(plain).colour.hdr_format == "pq"
    with av.open(plain) as container, av.open(film, "w", options={"strict": "unofficial"}) as copy:
        copied = copy.add_stream_from_template(container.streams.video[0])
        copied.codec_context.codec_tag = "dvh1"
        for packet in container.demux(video=0):
            if packet.size:
                packet.stream = copied
                copy.mux(packet)
    assert refusal(film) == (
        "it is Dolby Vision without an HDR10-compatible base layer (profile 5) and its colours would be "
        "wrong; use an HDR10 or SDR version of the film"
    )


@pytest.mark.parametrize(
    ("name", "hdr_format"),
    [("dolby-vision__dovi-tool__regular.mkv", "pq"), ("dolby-vision__media__sample_edit_list.mp4", "hlg")],
)
def test_dolby_vision_with_a_base_layer_is_taken(name: str, hdr_format: str, shared_media: Path) -> None:
    assert probe(shared_media / name).colour.hdr_format == hdr_format


def test_pixel_formats_that_cannot_be_converted_are_refused(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    write_video(film, pictures(10), codec="ffv1", pix_fmt="bgra", colour=BT709, keyint=1)
    assert "its pixel format bgra is not supported; re-encode it" in refusal(film)


def test_sides_are_named_upright_and_square(rotated_film: Film) -> None:
    info = probe(rotated_film.path)
    assert info.geometry.working_size == (720, 1280)
    assert info.geometry.orientation.rotation == 270
    assert info.geometry.sar == Fraction(1)
    assert info.active == Rect(0, 0, 720, 1280)


def test_a_fingerprint_depends_on_content_and_not_on_time(tmp_path: Path) -> None:
    film, copy = tmp_path / "film.mkv", tmp_path / "copy.mkv"
    film.write_bytes(np.random.default_rng(0).bytes(5 << 20))
    known = Fingerprint.of(film)
    assert known.is_of(film)
    shutil.copy(film, copy)
    os.utime(copy, ns=(1, 1))
    assert Fingerprint.of(copy) != known
    assert known.has_same_content(Fingerprint.of(copy))
    assert known.is_of(copy)
    for place in (0, 5 << 19, (5 << 20) - 1):
        content = bytearray(film.read_bytes())
        content[place] ^= 1
        copy.write_bytes(content)
        os.utime(copy, ns=(1, 1))
        assert not known.is_of(copy)
        assert not known.has_same_content(Fingerprint.of(copy))
    copy.write_bytes(film.read_bytes()[:-1])
    assert not known.is_of(copy)
    copy.unlink()
    assert known.is_of(copy)
