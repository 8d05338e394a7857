"""Films that were enlarged, with `working_size: native`: what is made of them, and what becomes stale."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image

from dataset_assets.config import Category, Format, Settings
from dataset_assets.dataset import SOURCE, WINDOWS, DataSet
from dataset_assets.generate import generate_video, planned_changes, probe_video
from dataset_assets.verify import verify
from dataset_assets_tests.encode import write_video
from dataset_assets_tests.films import Film, Shot, sdr_frames
from dataset_assets_tests.generate.samples import (
    CATEGORIES,
    KEY,
    patch_rows,
    pictures,
    small_settings,
    tables,
    window_rows,
)

TRUE_SIZE, CODED_SIZE = (640, 360), (960, 540)
SHOTS = tuple(Shot(seed, 14, 2, 2) for seed in range(60, 66))
RATE = 24
# The whole frame of what the film holds fits, that of the coded frame does not.
FORMATS = {
    "square": Format(width=96, height=96, folder="Square"),
    "wide": Format(width=636, height=360, folder="Wide"),
    "large": Format(width=900, height=540, folder="Large"),
}
PATCHES = set(CATEGORIES)


def true_frames() -> Iterator[NDArray[np.uint8]]:
    yield from sdr_frames(SHOTS, *TRUE_SIZE)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 640x360, enlarged to 960x540."""
    path = tmp_path_factory.mktemp("enlarged") / "film.mkv"
    enlarged = (cv2.resize(frame, CODED_SIZE, interpolation=cv2.INTER_CUBIC) for frame in true_frames())
    frames = (frame.astype(np.uint8) for frame in enlarged)
    write_video(path, frames, rate=RATE, keyint=7, options={"preset": "veryfast", "crf": "10"})
    return path


def settings_of(output: Path, film: Path, **base: Any) -> Settings:
    return small_settings(output, film, formats=FORMATS, **base)


def make(settings: Settings) -> None:
    probe_video(settings, KEY)
    generate_video(settings, KEY)


def forget_measures(settings: Settings) -> None:
    """Makes a videos table one of a release that did not measure what a film holds."""
    path = DataSet.of(settings).tables.video_path(KEY)
    table = pq.ParquetFile(path).read()
    for name in ("native_width", "native_height", "native_z"):
        column = table.schema.get_field_index(name)
        field = table.schema.field(name)
        table = table.set_column(column, field, pa.nulls(len(table), field.type))
    pq.write_table(table, path)


def states(settings: Settings) -> dict[str, str]:
    data_set = DataSet.of(settings)
    return {name: status.state for name, status in data_set.statuses(settings, settings.videos[0]).items()}


@pytest.fixture(scope="module")
def native(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("native") / "out"
    make(settings_of(output, film, working_size="native"))
    return output


def test_patches_are_those_of_the_film_before_it_was_enlarged(native: Path) -> None:
    originals, pts = list(true_frames()), {row["window"]: row["pts"] for row in window_rows(native)}
    formats = set()
    for category in CATEGORIES:
        for row in patch_rows(native, category):
            number = round(pts[row["window"]][3] / 1000 * RATE)
            area = np.s_[row["y"] : row["y"] + row["height"], row["x"] : row["x"] + row["width"]]
            gt = np.asarray(Image.open(native / row["gt_path"]))
            error = np.mean((gt.astype(float) - originals[number][area]) ** 2)
            assert 10 * np.log10(255**2 / error) > 33
            formats.add(row["format"])
    assert formats == {"square", "wide"}


def test_the_row_says_what_the_film_holds_and_verify_agrees(native: Path, film: Path) -> None:
    settings = settings_of(native, film, working_size="native")
    row = DataSet.of(settings).tables.read_video(KEY)
    assert row is not None
    assert (row.width, row.height) == CODED_SIZE
    assert (row.native_width, row.native_height) == TRUE_SIZE
    assert (row.working_width, row.working_height, row.active_width, row.active_height) == TRUE_SIZE * 2
    assert set(states(settings).values()) == {"done"}
    (found,) = verify(settings, deep_share=1.0)
    assert (found.findings, found.notes) == ([], [])


def test_the_setting_makes_an_enlarged_film_stale_and_back(native: Path, film: Path, tmp_path: Path) -> None:
    coded = settings_of(native, film)
    assert {name for name, state in states(coded).items() if state != "done"} == {SOURCE, WINDOWS, *PATCHES}
    output = tmp_path / "out"
    make(settings_of(output, film))
    changed = settings_of(output, film, working_size="native")
    assert {name for name, state in states(changed).items() if state != "done"} == {
        SOURCE,
        WINDOWS,
        *PATCHES,
    }
    planned = planned_changes(changed, DataSet.of(changed), changed.videos[0])
    assert all(changes.kept == 0 for changes in planned.values())
    make(changed)
    assert pictures(output) == pictures(native)
    assert tables(output) == tables(native)


def test_the_setting_changes_nothing_of_a_film_that_was_not_enlarged(sdr_film: Film, tmp_path: Path) -> None:
    output = tmp_path / "out"
    make(small_settings(output, sdr_film.path))
    before = pictures(output), tables(output)
    native = small_settings(output, sdr_film.path, working_size="native")
    assert set(states(native).values()) == {"done"}
    make(native)
    assert (pictures(output), tables(output)) == before
    assert set(states(small_settings(output, sdr_film.path)).values()) == {"done"}


def test_a_film_that_was_probed_by_an_earlier_release_is_measured_first(
    sdr_film: Film, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    settings = small_settings(output, sdr_film.path)
    make(settings)
    before = pictures(output)
    forget_measures(settings)
    assert set(states(settings).values()) == {"done"}
    native = small_settings(output, sdr_film.path, working_size="native")
    assert states(native)[SOURCE] == "stale"
    planned = planned_changes(native, DataSet.of(native), native.videos[0])
    assert all(changes.replaced == 0 for changes in planned.values())
    make(native)
    assert set(states(native).values()) == {"done"}
    assert pictures(output) == before


def test_formats_that_do_not_fit_any_more_are_left_out(native: Path, film: Path, tmp_path: Path) -> None:
    only_large = {name: Category(folder=each.folder, mix={"large": 1.0}) for name, each in CATEGORIES.items()}
    settings = small_settings(
        tmp_path / "out", film, formats=FORMATS, categories=only_large, working_size="native"
    )
    make(settings)
    found = states(settings)
    assert {found[name] for name in PATCHES} == {"too_small"}
    coded = small_settings(tmp_path / "out", film, formats=FORMATS, categories=only_large)
    assert "too_small" not in states(coded).values()
