"""What only ffmpeg's own conversion can tell: pictures that are made wrongly each time they are made."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet
from dataset_assets.verify import VideoFindings, outside
from dataset_assets.verify.deep import compare_with_source
from dataset_assets.verify.outside import compare_with_reference, psnr
from dataset_assets.verify.reference import DecodedFrame, Tags, convert_frame, decodings
from dataset_assets.verify.tables import read_tables
from dataset_assets.video import colour, probing
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import Film, Shot, sdr_frames
from dataset_assets_tests.generate.samples import KEY, small_settings
from dataset_assets_tests.verify.cycle import make, only
from dataset_assets_tests.video.test_hidden import with_clean_aperture

Convert = Callable[..., Path]


@pytest.fixture
def converted(tmp_path: Path) -> Convert:
    """Makes a film of another one by ffmpeg's command line."""

    def convert(film: Film, name: str, *options: str, before: tuple[str, ...] = ()) -> Path:
        path = tmp_path / name
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *before, "-i", str(film.path)]
        subprocess.run([*command, *options, str(path)], check=True)
        return path

    return convert


def first_decoding(film: Path, pts: int, time_base: Fraction, start_pts: int) -> DecodedFrame:
    return next(decodings(film, pts, time_base, start_pts))


def decoded(film: Path) -> tuple[list[tuple[int, np.ndarray[Any, Any]]], Fraction]:
    """PTS and luma of every frame of a film, and its ticks, decoded from the start without any seeking."""
    with av.open(film) as container:
        stream = container.streams.video[0]
        frames = [(frame.pts, frame.to_ndarray(format="gray")) for frame in container.decode(stream)]
        assert stream.time_base is not None
        return [(pts, luma) for pts, luma in frames if pts is not None], stream.time_base


def assert_frames_are_found(film: Path, chosen: tuple[int, ...], turns: int = 0) -> None:
    """The frames that ffmpeg's command line gives for PTS are those of a plain decoding loop."""
    frames, time_base = decoded(film)
    for number in chosen:
        pts, luma = frames[number]
        frame = first_decoding(film, pts, time_base, frames[0][0])
        picture = convert_frame(frame, (frame.width, frame.height))
        expected = np.rot90(luma, turns)
        distances = [psnr(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), expected)]
        distances += [psnr(np.rot90(other, turns), expected) for at, other in frames if at != pts]
        # BT.601's weights here, BT.709's there; the next frame is 4 pixels off.
        assert distances[0] > max(distances[1:])
        assert distances[0] > 28


def test_frames_are_found_by_their_time_stamps(vfr_film: Film, rotated_film: Film) -> None:
    assert_frames_are_found(vfr_film.path, (0, 17, 71))
    assert_frames_are_found(rotated_film.path, (20,), turns=-1 if upright_turns_right(rotated_film) else 1)


def upright_turns_right(film: Film) -> bool:
    return probing.probe(film.path).geometry.orientation.flip_x


def test_frames_of_a_transport_stream_that_starts_late_are_found(sdr_film: Film, converted: Convert) -> None:
    late = converted(sdr_film, "late.ts", "-c", "copy", "-output_ts_offset", "3000")
    assert_frames_are_found(late, (0, 40))


def test_a_time_at_which_no_frame_begins_has_no_reference(sdr_film: Film) -> None:
    frames, time_base = decoded(sdr_film.path)
    assert list(decodings(sdr_film.path, frames[3][0] + 1, time_base, 0)) == []


def test_the_containers_tags_count_where_the_frames_have_none(hlg_film: Film, converted: Convert) -> None:
    silent = "hevc_metadata=colour_primaries=2:transfer_characteristics=2:matrix_coefficients=2"
    film = converted(hlg_film, "silent.mkv", "-c", "copy", "-bsf:v", silent)
    frames, time_base = decoded(film)
    with av.open(film) as container:
        first = next(container.decode(video=0))
        assert (first.colorspace, first.color_primaries) == (2, 2)  # unspecified
    frame = first_decoding(film, frames[5][0], time_base, frames[0][0])
    assert frame.tags == Tags("bt2020nc", "bt2020", "arib-std-b67", "tv")


def test_a_pixel_shape_that_changes_is_seen(sdr_film: Film, converted: Convert) -> None:
    options = ("-c:v", "mpeg2video", "-q:v", "4", "-g", "12", "-bf", "0")
    parts = []
    for sar, start in (("16/15", "0"), ("64/45", "3")):
        shape = ("-vf", f"scale=360:288,setsar={sar}", *options)
        parts.append(converted(sdr_film, f"{start}.ts", *shape, "-output_ts_offset", start))
    film = parts[0].with_name("joined.ts")
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames, time_base = decoded(film)
    shapes = [first_decoding(film, frames[at][0], time_base, frames[0][0]).working_size for at in (30, -30)]
    assert shapes == [(360, 270), (360, 202)]


def deep(settings: Settings) -> VideoFindings:
    """What comparing all windows finds, in this process, where what is patched holds."""
    found = VideoFindings(KEY)
    data_set = DataSet(settings.base.output_base_dir)
    tables = read_tables(data_set, KEY, found)
    return compare_with_source(settings, settings.videos[0], data_set, tables, 1.0)


def describe_as_sdr(monkeypatch: pytest.MonkeyPatch) -> None:
    """HDR taken for SDR, as where tags are overlooked."""
    right = colour.describe

    def wrong(*arguments: Any, **settings: Any) -> Any:
        described, warnings = right(*arguments, **settings)
        return replace(described, transfer="bt709", peak=0.0), warnings

    monkeypatch.setattr(probing, "describe", wrong)


@pytest.mark.parametrize("order", ["exact", "fast"])
def test_hdr_that_is_made_right_passes(order: str, hlg_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path / "out", hlg_film.path, base_frame_limit=2, colour_order=order)
    make(settings)
    found = deep(settings)
    assert (found.findings, found.notes) == ([], [])
    assert found.windows_compared > 0


def test_a_rotated_film_passes(rotated_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path / "out", rotated_film.path, base_frame_limit=2)
    make(settings)
    found = deep(settings)
    assert (found.findings, found.notes) == ([], [])


@pytest.mark.slow
def test_wrong_colours_are_found_although_they_would_be_made_again_and_a_repair_leaves_them(
    hlg_film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe_as_sdr(monkeypatch)
    film = Path(shutil.copy(hlg_film.path, tmp_path))  # of another path: what probing finds is cached
    settings = small_settings(tmp_path / "out", film, base_frame_limit=2)
    make(settings)
    found = deep(settings)
    assert {finding.kind.value for finding in found.findings} == {"colour"}
    assert {finding.place for finding in found.findings} == {
        row.gt_path
        for category in settings.categories
        for row in DataSet(settings.base.output_base_dir).tables.read_patches(category, KEY)
    }
    assert "with the tags bt2020nc/bt2020/arib-std-b67 tv; correct the film's tags" in found.findings[0].what

    def here(*arguments: Any) -> VideoFindings:
        return compare_with_source(*arguments[:-1])

    monkeypatch.setattr("dataset_assets.verify.run.compare_isolated", here)
    repaired = only(settings, deep_share=1.0, repair=True)
    assert (repaired.repaired, repaired.deleted) == (False, 0)
    assert repaired.left_out == "not repaired: generate would make the same pictures again"
    assert only(settings, deep_share=1.0).findings == found.findings


@pytest.mark.slow
def test_a_time_that_a_film_shows_twice_is_a_note(sdr_film: Film, converted: Convert, tmp_path: Path) -> None:
    options = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-bf", "0")
    parts = [
        converted(sdr_film, f"{name}.ts", "-vf", filters, *options)
        for name, filters in (("first", "null"), ("second", "reverse,negate"))
    ]
    film = tmp_path / "joined.ts"
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    settings = small_settings(tmp_path / "out", film)
    make(settings)
    info = probing.probe(film)
    right = first_decoding(parts[0], info.start_pts, info.time_base, info.start_pts)
    other = first_decoding(parts[1], info.start_pts, info.time_base, info.start_pts)
    assert not outside._is_another_frame(info, info.start_pts, right)
    assert outside._is_another_frame(info, info.start_pts, other)
    assert deep(settings).findings == []


def test_another_shape_than_the_frames_is_found(whole: Settings) -> None:
    data_set = DataSet(whole.base.output_base_dir)
    row = data_set.tables.read_patches("general", KEY)[0]
    window = next(
        each for each in data_set.tables.read_windows(KEY) if each.accepted and each.window == row.window
    )
    info = probing.probe(whole.videos[0].path)
    found = VideoFindings(KEY)
    wrong = replace(info, geometry=replace(info.geometry, sar=Fraction(4, 3)))
    for each in (info, wrong):
        compare_with_reference(whole, each, data_set.folder, window.pts[3], [row], found)
    (finding,) = found.findings
    assert finding.what.startswith(
        "is cut from a picture of 1280x540, while the reference conversion (stream 0 of the film) gives "
        "1280x720; "
    )


def test_a_frame_without_a_reference_is_a_note(whole: Settings) -> None:
    info = probing.probe(whole.videos[0].path)
    found = VideoFindings(KEY)
    rows = DataSet(whole.base.output_base_dir).tables.read_patches("general", KEY)
    for pts in (7, 8):
        compare_with_reference(whole, info, Path(), pts, rows, found)
    assert found.findings == []
    why = "ffmpeg finds no frame at a window's time stamp"
    assert found.notes == [f"not everything was compared with the reference conversion: {why}"]


def test_lines_that_the_container_hides_are_no_other_shape(tmp_path: Path) -> None:
    # As with PixelCrop: 302x148 of 320x180, in the middle but for 1 and 4 lines.
    plain = tmp_path / "plain.mp4"
    write_video(plain, sdr_frames([Shot(1, 40, 2, 0)], 320, 180), keyint=10, options={"preset": "ultrafast"})
    film = with_clean_aperture(plain, tmp_path / "film.mp4", (302, 1), (148, 1), (-1, 1), (-4, 1))
    settings = small_settings(tmp_path / "out", film, weights={"general": 1.0}, base_frame_limit=2)
    make(settings)
    found = deep(settings)
    assert (found.findings, found.notes) == ([], [])
    assert found.windows_compared > 0
