"""What is said before a run that it would do, and what is stopped because nobody asked for it."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.config import Category, Format, Settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import ReplacingError
from dataset_assets.generate import Changes, generate_video, planned_changes, probe_video
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import (
    CATEGORIES,
    FORMATS,
    KEY,
    WEIGHTS,
    files,
    patch_rows,
    raise_version,
    small_settings,
)

OTHER_MIX = CATEGORIES | {
    "general": Category(folder="Universal/Learn", mix={"square": 0.7, "wide": 0.2, "large": 0.1})
}
OTHER_FOLDER = CATEGORIES | {"toon": Category(folder="Cartoon", mix=CATEGORIES["toon"].mix)}
LARGER = FORMATS | {"wide": Format(width=162, height=81, folder="Wide")}


@pytest.fixture(scope="module")
def made_film(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film beside the finished data set that was made of it."""
    film = tmp_path_factory.mktemp("made") / "film.mp4"
    shutil.copy2(sdr_film.path, film)
    settings = small_settings(film.with_name("out"), film)
    probe_video(settings, KEY)
    generate_video(settings, KEY)
    return film


@pytest.fixture
def film(made_film: Path, tmp_path: Path) -> Path:
    """The film, beside a copy of its data set in `out`."""
    shutil.copytree(made_film.with_name("out"), tmp_path / "out")
    return Path(shutil.copy2(made_film, tmp_path / "film.mp4"))


def settings_of(film: Path, **changed: Any) -> Settings:
    return small_settings(film.with_name("out"), film, **{"allow_replacing": False} | changed)


def planned(settings: Settings) -> Changes:
    changes = planned_changes(settings, DataSet.of(settings), settings.videos[0])
    return sum(changes.values(), Changes())


def ground_truths(output: Path) -> dict[str, tuple[str, int]]:
    return {path: state for path, state in files(output).items() if "/GT/" in path}


def rows_and_pictures(output: Path) -> dict[str, tuple[str, int]]:
    """Every file but the note that the last run failed."""
    return {path: state for path, state in files(output).items() if "/.failures/" not in path}


@pytest.mark.parametrize(
    "changed",
    [
        {"base_frame_limit": 7},
        {"base_frame_limit": 4},
        {"weights": WEIGHTS | {"toon": 1.0}},
        {"weights": WEIGHTS | {"general": 0.5}},
        {"categories": OTHER_MIX},
        {"categories": OTHER_FOLDER},
        {"formats": LARGER},
        {"lr_kernel": "area"},
        {"max_mean_abs_diff": 3.0},
        {"max_attempts": 1},
    ],
    ids=lambda changed: " ".join(changed),
)
def test_what_is_said_is_what_happens(film: Path, changed: dict[str, Any]) -> None:
    settings = settings_of(film, **changed)
    before = ground_truths(film.with_name("out"))
    said = planned(settings)
    generate_video(settings, KEY, may_replace=True)
    after = ground_truths(film.with_name("out"))
    done = Counter(
        "deleted" if path not in after else "kept" if after[path] == state else "remade"
        for path, state in before.items()
    )
    assert (said.kept, said.remade + said.deleted) == (done["kept"], done["remade"] + done["deleted"])
    # A film may have no place for what is to be added; what moves has another name.
    assert said.to_make >= len(after.keys() - before.keys())
    assert said.finished == len(before)


@pytest.mark.parametrize("changed", [{"seed": 1}, {"sampling": "uniform"}, {"interlaced": "deinterlace"}])
def test_windows_that_are_placed_otherwise_take_all_patches_along(
    film: Path, changed: dict[str, Any]
) -> None:
    said, made = planned(settings_of(film, **changed)), len(ground_truths(film.with_name("out")))
    is_effective = changed != {"interlaced": "deinterlace"}
    assert (said.kept, said.replaced) == ((0, made) if is_effective else (made, 0))


def test_nothing_changes_where_all_is_done(film: Path) -> None:
    made = len(ground_truths(film.with_name("out")))
    assert planned(settings_of(film)) == Changes(kept=made)


def test_another_code_version_is_stopped(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raise_version(monkeypatch, "PATCHES_VERSION")
    before = rows_and_pictures(film.with_name("out"))
    with pytest.raises(ReplacingError, match="the code that makes it changed"):
        generate_video(settings_of(film), KEY)
    assert rows_and_pictures(film.with_name("out")) == before


@pytest.mark.parametrize("changed", [{"seed": 1}, {"base_frame_limit": 3}, {"lr_kernel": "area"}])
def test_what_replaces_many_patches_stops_before_it_touches_one(film: Path, changed: dict[str, Any]) -> None:
    settings = settings_of(film, **changed)
    before = rows_and_pictures(film.with_name("out"))
    with pytest.raises(ReplacingError) as stopped:
        generate_video(settings, KEY)
    assert rows_and_pictures(film.with_name("out")) == before
    made = len([path for path in before if "/GT/" in path])
    assert stopped.value.what.startswith(f"{KEY}: of {made} finished patches ")
    assert "--yes" in stopped.value.remedy
    assert "allow_replacing" in stopped.value.remedy
    generate_video(settings_of(film, **changed, allow_replacing=True), KEY)
    assert rows_and_pictures(film.with_name("out")) != before


def test_growing_and_a_tenth_of_the_patches_are_not_stopped(film: Path) -> None:
    assert generate_video(settings_of(film, base_frame_limit=7), KEY).made >= 0
    rows = [row["window"] for name in CATEGORIES for row in patch_rows(film.with_name("out"), name)]
    one_less = {"weights": WEIGHTS | {"toon": 0.14}, "base_frame_limit": 7}
    assert planned(settings_of(film, **one_less)).replaced == 1 <= len(rows) / 10
    generate_video(settings_of(film, **one_less), KEY)


def test_a_category_that_left_the_configuration_is_guarded(film: Path) -> None:
    left = {name: CATEGORIES[name] for name in ("general", "toon")}
    weights = {"general": 1.0, "toon": 0.25}
    with pytest.raises(ReplacingError, match="space left the configuration"):
        generate_video(settings_of(film, categories=left, weights=weights), KEY)
    generate_video(settings_of(film, categories=left, weights=weights), KEY, may_replace=True)
    assert not list(film.with_name("out").glob("Space/**/*.png"))


def test_a_film_that_changed_is_not_guarded(film: Path, tiny_film: Film) -> None:
    shutil.copy2(tiny_film.path, film)
    os.utime(film)
    settings = settings_of(film)
    said = planned(settings)
    assert said.kept == said.replaced == 0 < said.remade
    assert generate_video(settings, KEY).made > 0


def test_what_is_forced_is_not_guarded(film: Path) -> None:
    settings = settings_of(film)
    made = len(ground_truths(film.with_name("out")))
    changes = planned_changes(settings, DataSet.of(settings), settings.videos[0], rebuilds=True)
    assert sum(changes.values(), Changes()).remade == made
    assert generate_video(settings, KEY, force=True).made == made
