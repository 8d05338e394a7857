"""Runs that end early, in any way and at any moment: nothing is left behind, and the bytes are the same."""

from __future__ import annotations

import errno
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from dataset_assets.config import Category, Settings
from dataset_assets.errors import SpaceError
from dataset_assets.generate import generate_video
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import X264_OPTIONS, Film, Shot, interlaced, sdr_frames
from dataset_assets_tests.generate.interrupting import When, at_disk_call, interrupt, kill_at
from dataset_assets_tests.generate.samples import (
    CATEGORIES,
    KEY,
    WEIGHTS,
    files_named_by_rows,
    pictures,
    small_settings,
    tables,
)

OTHER_MIX = CATEGORIES | {"general": Category(folder="Universal/Learn", mix={"wide": 0.5, "large": 0.5})}
WEIGHTS_WITHOUT_TOON = {"general": 1.0, "space": 0.5}
WITHOUT_TOON = {name: category for name, category in CATEGORIES.items() if name != "toon"}


@pytest.fixture(scope="module")
def whole(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set that one run without an interruption makes."""
    output = tmp_path_factory.mktemp("whole")
    generate_video(small_settings(output, sdr_film.path), KEY)
    return output


def interrupt_until_done(settings: Settings, step: int, when: When = "before") -> int:
    """Interrupts run after run at ever later moments until one gets through; gives the number of runs."""
    for run in count(1):
        try:
            with at_disk_call(run * step, interrupt, when):
                generate_video(settings, KEY)
            return run
        except KeyboardInterrupt:
            files_named_by_rows(settings.base.output_base_dir)
    raise AssertionError


def assert_same(output: Path, whole: Path) -> None:
    assert pictures(output) == pictures(whole)
    assert tables(output) == tables(whole)


@pytest.mark.parametrize("when", ["before", "after"])
def test_interrupted_runs_end_in_the_same_bytes(
    sdr_film: Film, tmp_path: Path, whole: Path, when: When
) -> None:
    assert interrupt_until_done(small_settings(tmp_path, sdr_film.path), 11, when) > 3
    assert_same(tmp_path, whole)


def test_interrupted_runs_over_an_older_data_set_end_in_the_same_bytes(
    sdr_film: Film, tmp_path: Path, whole: Path
) -> None:
    generate_video(small_settings(tmp_path, sdr_film.path, categories=OTHER_MIX, lr_kernel="area"), KEY)
    assert interrupt_until_done(small_settings(tmp_path, sdr_film.path), 13) > 3
    assert_same(tmp_path, whole)


def test_killed_runs_lose_less_than_a_checkpoint_and_end_in_the_same_bytes(
    sdr_film: Film, tmp_path: Path, whole: Path
) -> None:
    output = tmp_path / "out"
    settings = small_settings(output, sdr_film.path)
    moments = kill_at(tmp_path, settings, [3, 17, 40, 47, 52, 60, 90, 400])
    assert moments["3"] == "killed"
    assert list(moments.values()).count("killed") >= 4
    if "finished" not in moments.values():
        generate_video(settings, KEY)
    assert_same(output, whole)


@pytest.mark.parametrize("moment", [25, 45, 60])
def test_what_a_killed_run_left_is_gone_when_other_settings_are_generated(
    sdr_film: Film, tmp_path: Path, moment: int
) -> None:
    output = tmp_path / "out"
    assert kill_at(tmp_path, small_settings(output, sdr_film.path), [moment]) == {str(moment): "killed"}
    other = small_settings(
        output, sdr_film.path, weights=WEIGHTS_WITHOUT_TOON, categories=WITHOUT_TOON, seed=7
    )
    generate_video(other, KEY)
    assert files_named_by_rows(output) == set(pictures(output))
    assert not any(name.startswith("Toon") for name in pictures(output))


def test_what_a_killed_run_left_is_gone_even_where_nothing_is_to_be_made(
    sdr_film: Film, tmp_path: Path
) -> None:
    every_window = WEIGHTS | {"toon": 1.0}
    output, rehearsal = tmp_path / "out", tmp_path / "rehearsal"
    for folder in (output, rehearsal):
        settings = small_settings(folder, sdr_film.path, weights=every_window)
        generate_video(settings, KEY, categories=["general", "space"])
    with at_disk_call(-1, interrupt) as calls:
        generate_video(settings, KEY)
    fourth_name = [number for number, call in enumerate(calls, 1) if call == "replace"][3]
    settings = small_settings(output, sdr_film.path, weights=every_window)
    assert kill_at(tmp_path, settings, [fourth_name]) == {str(fourth_name): "killed"}
    assert any(name.startswith("Toon") and "/." not in name for name in pictures(output))
    settings = small_settings(output, sdr_film.path, weights=WEIGHTS_WITHOUT_TOON, categories=WITHOUT_TOON)
    assert generate_video(settings, KEY, categories=["general"]).made == 0
    assert files_named_by_rows(output) == set(pictures(output))


@pytest.mark.parametrize("moment", [5, 36, 44, 52])
def test_a_full_disk_is_one_sentence_and_costs_only_the_last_windows(
    sdr_film: Film, tmp_path: Path, whole: Path, moment: int
) -> None:
    settings = small_settings(tmp_path, sdr_film.path)

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(SpaceError, match=f"{KEY}: the disk is full"), at_disk_call(moment, full):
        generate_video(settings, KEY)
    named = files_named_by_rows(tmp_path)
    assert not any(Path(name).name.startswith(".") for name in pictures(tmp_path))
    assert named <= set(pictures(tmp_path))
    generate_video(settings, KEY)
    assert_same(tmp_path, whole)


ORDERS: dict[str, list[tuple[bool, list[str]]]] = {
    "one by one": [(True, ["general"]), (False, ["space"]), (False, ["toon"])],
    "windows alone, then backwards": [(True, []), (False, ["toon"]), (False, ["space", "general"])],
    "all categories replayed": [(True, []), (False, ["general", "space", "toon"])],
    "with windows each time": [(True, ["space"]), (True, ["toon", "general"])],
}


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_in_which_categories_are_made_changes_no_byte(
    sdr_film: Film, tmp_path: Path, whole: Path, order: str
) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    for windows, categories in ORDERS[order]:
        generate_video(settings, KEY, windows=windows, categories=categories)
    assert_same(tmp_path, whole)


def test_rebuilding_everything_gives_the_same_bytes(sdr_film: Film, tmp_path: Path, whole: Path) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    generate_video(settings, KEY)
    for name in list(pictures(tmp_path))[::2]:
        (tmp_path / name).write_bytes(b"damaged")
    report = generate_video(settings, KEY, force=True)
    assert 3 * report.made == len(pictures(whole))
    assert_same(tmp_path, whole)


def test_replayed_hdr_windows_make_the_patches_of_the_first_pass(pq_film: Film, tmp_path: Path) -> None:
    together, apart = tmp_path / "together", tmp_path / "apart"
    generate_video(small_settings(together, pq_film.path, sampling="uniform", base_frame_limit=3), KEY)
    settings = small_settings(apart, pq_film.path, sampling="uniform", base_frame_limit=3)
    generate_video(settings, KEY, categories=[])
    generate_video(settings, KEY, windows=False)
    assert pictures(together)
    assert_same(apart, together)


@pytest.fixture(scope="module")
def awkward_films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Films where more is carried over from window to window than in intact progressive H.264."""
    folder = tmp_path_factory.mktemp("awkward")
    films = {name: folder / f"{name}.mkv" for name in ("av1", "interlaced", "damaged", "repeating")}
    shots = [Shot(31, 60)]
    av1 = {"preset": "12", "crf": "35"}
    write_video(films["av1"], sdr_frames(shots, 320, 192), codec="libsvtav1", keyint=20, options=av1)
    fields = X264_OPTIONS | {"x264-params": "tff=1", "bf": "2"}
    moments = interlaced(sdr_frames([Shot(31, 120, 2, 0)], 320, 192))
    write_video(films["interlaced"], moments, keyint=4, options=fields)
    write_video(films["damaged"], sdr_frames(shots, 320, 192), keyint=60, options=X264_OPTIONS)
    still = [Shot(seed, 20, 0, 0) for seed in (31, 32, 31)]
    write_video(films["repeating"], sdr_frames(still, 320, 192), keyint=20, options=X264_OPTIONS)
    content = bytearray(films["damaged"].read_bytes())
    places = np.linspace(0.5, 0.9, 4) * len(content)
    for place in places.astype(int):
        content[place : place + 40] = bytes(40)
    films["damaged"].write_bytes(content)
    return films


@pytest.mark.parametrize("sampling", ["keyframe", "uniform"])
@pytest.mark.parametrize("kind", ["av1", "interlaced", "damaged", "repeating"])
def test_a_run_that_starts_at_any_window_makes_the_patches_of_one_that_went_on(
    awkward_films: dict[str, Path], tmp_path: Path, kind: str, sampling: str
) -> None:
    outputs = tmp_path / "whole", tmp_path / "resumed"
    whole, resumed = (
        small_settings(
            output, awkward_films[kind], sampling=sampling, interlaced="deinterlace", checkpoint_every=1
        )
        for output in outputs
    )
    report = generate_video(whole, KEY)
    assert report.info.interlaced == (kind == "interlaced")
    assert bool(report.windows.rejected.get("corrupt")) == (kind == "damaged")
    assert bool(report.windows.rejected.get("duplicate")) == (kind == "repeating")
    assert report.made > 0
    assert interrupt_until_done(resumed, 15) > 3
    assert_same(outputs[1], outputs[0])
    replayed = small_settings(
        tmp_path / "replayed", awkward_films[kind], sampling=sampling, interlaced="deinterlace"
    )
    generate_video(replayed, KEY, categories=[])
    generate_video(replayed, KEY, windows=False, lanes=2)
    assert_same(tmp_path / "replayed", outputs[0])
    for lanes in (2, 5):
        output = tmp_path / f"{lanes} lanes"
        settings = small_settings(
            output, awkward_films[kind], sampling=sampling, interlaced="deinterlace", checkpoint_every=10
        )
        generate_video(settings, KEY, lanes=lanes)
        assert_same(output, outputs[0])
