"""Generating whole small films: the patches against what the bundled ffmpeg decodes, tables against files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from dataset_assets.config import DEFAULT_CATEGORIES, DEFAULT_FORMATS, Settings
from dataset_assets.generate import VideoReport, generate_video, plan_video, probe_video
from dataset_assets.video.probing import probe
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import (
    KEY,
    files_named_by_rows,
    patch_rows,
    pictures,
    small_settings,
    tables,
    window_rows,
)

HDR_CHAIN = (
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=mobius,"
    "zscale=t=bt709:m=bt709,format=yuv420p,scale=1920:1080:flags=lanczos"
)
SDR_CHAIN = "format=yuv420p"
REFERENCES = {"pq_film": (HDR_CHAIN, 48.0), "sdr_film": (SDR_CHAIN, 50.0)}
CATEGORIES = list(DEFAULT_CATEGORIES)

Luma = npt.NDArray[np.float64]


def whole_settings(output: Path, film: Film, **base: Any) -> Settings:
    return small_settings(
        output, film.path, formats=DEFAULT_FORMATS, categories=DEFAULT_CATEGORIES, base_frame_limit=3, **base
    )


def reference_lumas(film: Film, pts: Sequence[int], chain: str) -> dict[int, Luma]:
    """The limited-range luma of the frames with these PTS, as the reference chain has it."""
    wanted = sorted(set(pts))
    select = "+".join(rf"eq(pts\,{each})" for each in wanted)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-copyts", "-i", film.path]
    command += ["-vf", f"select={select},{chain}", "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(len(wanted), film.height * 3 // 2, film.width)
    return {each: frame[: film.height].astype(float) for each, frame in zip(wanted, frames, strict=True)}


def luma_of(path: Path) -> Luma:
    """The limited-range BT.709 luma of an RGB picture."""
    rgb = np.asarray(Image.open(path)).astype(np.float64)
    luma: Luma = 16 + 219 / 255 * (rgb @ [0.2126, 0.7152, 0.0722])
    return luma


def psnr(one: Luma, other: Luma) -> float:
    return float(10 * np.log10(255**2 / np.mean((one - other) ** 2)))


def frame_numbers(film: Film, pts: Sequence[int]) -> list[int]:
    info = probe(film.path)
    return [round((each - info.start_pts) * info.time_base * film.rate) for each in pts]


@pytest.fixture(params=list(REFERENCES))
def film_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_gt_is_the_middle_frame_as_the_reference_chain_has_it(
    film_name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    film: Film = request.getfixturevalue(film_name)
    chain, least_db = REFERENCES[film_name]
    generate_video(whole_settings(tmp_path, film), KEY)
    windows = {row["window"]: row["pts"] for row in window_rows(tmp_path) if row["accepted"]}
    rows = [row for category in CATEGORIES for row in patch_rows(tmp_path, category)]
    assert len(rows) >= 5
    references = reference_lumas(film, [pts for window in windows.values() for pts in window[3:5]], chain)
    for row in rows:
        middle, next_to_it = (references[pts] for pts in windows[row["window"]][3:5])
        place = np.s_[row["y"] : row["y"] + row["height"], row["x"] : row["x"] + row["width"]]
        gt = luma_of(tmp_path / row["gt_path"])
        assert psnr(gt, middle[place]) >= least_db
        assert psnr(gt, next_to_it[place]) < least_db - 6


def test_every_row_has_its_files_and_every_file_its_row(sdr_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    probe_video(settings, KEY)
    report = generate_video(settings, KEY)
    named = files_named_by_rows(tmp_path)
    assert named == set(pictures(tmp_path))
    assert len(named) == 3 * report.made > 0
    for category, made in report.categories.items():
        assert [row["patch_id"] for row in patch_rows(tmp_path, category)] == [
            row.patch_id for row in made.rows
        ]
        assert made.size_bytes == sum(
            (tmp_path / name).stat().st_size for row in made.rows for name in names(row)
        )
    assert {path.split("/")[1] for path in tables(tmp_path)} == {"videos", "windows", "patches", "scores"}


def names(row: Any) -> tuple[str, ...]:
    return row.gt_path, row.lr5_path, row.lr7_path


def test_the_middle_lr_frame_is_the_same_in_both_stacks(sdr_film: Film, tmp_path: Path) -> None:
    generate_video(small_settings(tmp_path, sdr_film.path), KEY)
    for row in patch_rows(tmp_path, "general"):
        lr5, lr7 = (np.asarray(Image.open(tmp_path / row[name])) for name in ("lr5_path", "lr7_path"))
        height = row["height"] // 3
        assert np.array_equal(lr7[height:-height], lr5)


@pytest.mark.parametrize("sampling", ["keyframe", "uniform"])
def test_no_accepted_window_straddles_a_cut_or_overlaps_another(
    dark_cuts_film: Film, tmp_path: Path, sampling: str
) -> None:
    settings = small_settings(tmp_path, dark_cuts_film.path, sampling=sampling, base_frame_limit=12)
    report = generate_video(settings, KEY)
    assert report.windows.rejected["cut"] > 0
    windows = [row["pts"] for row in window_rows(tmp_path) if row["accepted"]]
    numbers = [frame_numbers(dark_cuts_film, pts) for pts in windows]
    assert len(numbers) == report.windows.accepted > 1
    for window in numbers:
        assert window == list(range(window[0], window[0] + 7))
        assert not any(window[0] < cut <= window[-1] for cut in dark_cuts_film.cuts)
    frames = [number for window in numbers for number in window]
    assert len(frames) == len(set(frames))


def test_no_crop_of_a_letterboxed_film_holds_a_bar(letterboxed_film: Film, tmp_path: Path) -> None:
    report = generate_video(whole_settings(tmp_path, letterboxed_film), KEY)
    space = report.categories["space"]
    assert space.mix == {"small_540": 1.0}
    assert set(space.left_out) == {"xlarge_1440", "fullhd_1920"}
    assert report.made >= 3
    top, bottom = letterboxed_film.bars, letterboxed_film.height - letterboxed_film.bars
    for category in CATEGORIES:
        for row in patch_rows(tmp_path, category):
            assert top <= row["y"] <= row["y"] + row["height"] <= bottom
            gt = np.asarray(Image.open(tmp_path / row["gt_path"]))
            for edge in (gt[0], gt[-1], gt[:, 0], gt[:, -1]):
                assert edge.max() > 30


def test_the_estimated_size_is_enough_and_not_ten_times_too_much(sdr_film: Film, tmp_path: Path) -> None:
    settings = whole_settings(tmp_path, sdr_film)
    report = generate_video(settings, KEY, categories=["general"])
    plan = plan_video(settings, settings.videos[0], report.info)
    made = report.categories["general"]
    assert made.size_bytes <= plan.size_bytes("general") * len(made.rows) / made.possible * 1.5
    assert plan.size_bytes("general") <= 10 * made.size_bytes
    assert plan.size_bytes("general", made=made.possible) == 0


def test_a_rotated_film_gives_upright_crops_inside_the_upright_frame(
    rotated_film: Film, tmp_path: Path
) -> None:
    generate_video(small_settings(tmp_path, rotated_film.path), KEY)
    rows = patch_rows(tmp_path, "general")
    assert rows
    assert all(row["x"] + row["width"] <= 720 and row["y"] + row["height"] <= 1280 for row in rows)
    assert files_named_by_rows(tmp_path) == set(pictures(tmp_path))


def test_a_film_shorter_than_its_windows_says_so(sdr_film: Film, tmp_path: Path) -> None:
    report = generate_video(small_settings(tmp_path, sdr_film.path, base_frame_limit=1000), KEY)
    assert (report.windows.target, report.windows.possible) == (1000, sdr_film.frames // 7)
    assert report.windows.accepted <= report.windows.possible
    general = report.categories["general"]
    assert (general.target, general.possible) == (1000, sdr_film.frames // 7)
    assert len(general.rows) == report.windows.accepted


def test_a_weight_of_nought_is_a_finished_table_without_rows(sdr_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, sdr_film.path, weights={"general": 0.5})
    report = generate_video(settings, KEY)
    for category in ("space", "toon"):
        made = report.categories[category]
        assert (made.target, made.rows) == (0, ())
        rows, provenance = tables(tmp_path)[
            f"metadata/patches/category={category}/video={KEY}/part-0.parquet"
        ]
        assert (rows, provenance["complete"], provenance["target"]) == ([], True, 0)
    assert not any(name.startswith(("Space", "Toon")) for name in pictures(tmp_path))


def test_a_film_that_no_category_wants_is_finished_with_empty_tables(sdr_film: Film, tmp_path: Path) -> None:
    report = generate_video(small_settings(tmp_path, sdr_film.path, weights={}), KEY)
    assert report.made == 0
    assert all(rows == [] and provenance["complete"] for rows, provenance in tables(tmp_path).values())
    assert len(tables(tmp_path)) == 4


def test_a_category_of_weight_nought_needs_no_windows(sdr_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, sdr_film.path, weights={"general": 1.0})
    generate_video(settings, KEY, windows=False, categories=["toon"])
    assert [provenance["complete"] for _, provenance in tables(tmp_path).values()] == [True]


def test_the_folder_for_validation_pictures_is_made_and_its_contents_are_left_alone(
    sdr_film: Film, tmp_path: Path
) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    generate_video(settings, KEY)
    mine = tmp_path / "Universal/Learn/Val/GT" / f"{KEY}_000001.png"
    assert mine.parent.is_dir()
    mine.write_bytes(b"mine")
    generate_video(settings, KEY, force=True)
    generate_video(small_settings(tmp_path, sdr_film.path, weights={}), KEY)
    assert set(pictures(tmp_path)) == {mine.relative_to(tmp_path).as_posix()}
    assert mine.read_bytes() == b"mine"


def test_a_second_run_makes_nothing_and_reports_the_same(sdr_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    first = generate_video(settings, KEY)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    second = generate_video(settings, KEY)
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert {path: time for path, time in before.items() if path.suffix != ".lock"} == {
        path: time for path, time in after.items() if path.suffix != ".lock"
    }
    assert (first.made > 0, second.made) == (True, 0)
    assert summary(first) == summary(second)


def summary(report: VideoReport) -> Any:
    return report.windows, {
        name: (made.target, made.rows, made.mix) for name, made in report.categories.items()
    }


def test_probing_fills_the_videos_table(pq_film: Film, tmp_path: Path) -> None:
    row = probe_video(small_settings(tmp_path, pq_film.path), KEY)
    (stored,) = tables(tmp_path)[f"metadata/videos/video={KEY}/part-0.parquet"][0]
    assert stored["name"] == row.name == "A Film"
    assert stored["path"] == str(pq_film.path)
    assert (stored["width"], stored["height"]) == (pq_film.width, pq_film.height)
    assert (stored["hdr_format"], stored["max_cll"], stored["peak"]) == ("pq", 800.0, 8.0)
    assert stored["mastering_max_nits"] == 4000.0
    assert stored["size_bytes"] == pq_film.path.stat().st_size


def test_ten_lines_of_python_do_without_dagster(sdr_film: Film, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "base_settings: {output_base_dir: out, base_frame_limit: 1, min_free_gb: 0}\n"
        f"videos: [{{name: A Film, path: '{sdr_film.path}', categories: {{toon: 1}}}}]\n"
    )
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from dataset_assets.config import load_settings\n"
        "from dataset_assets.generate import generate_video\n"
        "settings = load_settings(Path(sys.argv[1]))\n"
        "for video in settings.videos:\n"
        "    print(generate_video(settings, video.key).made)\n"
        "assert not any(name.startswith('dagster') for name in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, config],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
