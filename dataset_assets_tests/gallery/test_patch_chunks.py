"""The chunks of the page of all patches: what they hold, when they are written, and that they go."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from dataset_assets.config import Settings, load_settings
from dataset_assets.dataset import DataSet, TableStore
from dataset_assets.gallery import refresh_gallery, write_video_page
from dataset_assets.gallery.patch_chunks import encode_chunk
from dataset_assets.gallery.video_page import read_video_page
from dataset_assets.tables import PATCHES, WINDOWS
from dataset_assets_tests.gallery.pages import Page
from dataset_assets_tests.gallery.patches import (
    COLUMNS,
    FILES,
    SCORES,
    chunk_path,
    chunk_rows,
    decoded,
    table_rows,
)
from dataset_assets_tests.gallery.test_video_page import nasty_data_set
from dataset_assets_tests.generate.samples import KEY
from dataset_assets_tests.generated import Generated
from dataset_assets_tests.tables.samples import ACCEPTED, PATCH, PROVENANCE


@pytest.fixture
def two(tmp_path: Path, generated: Generated) -> Settings:
    """A copy of a data set of two videos, to be changed."""
    shutil.copytree(generated.root, tmp_path / "dataset")
    shutil.copyfile(generated.config, tmp_path / "config.json")
    settings = load_settings(tmp_path / "config.json")
    refresh_gallery(settings)
    return settings


def root_of(settings: Settings) -> Path:
    return settings.base.output_base_dir


def contents(settings: Settings) -> dict[str, tuple[int, bytes]]:
    folder = root_of(settings) / "gallery"
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("key", ["alpha", "beta"])
def test_a_chunk_holds_what_duckdb_reads_from_the_tables(two: Settings, key: str) -> None:
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    order = "ORDER BY time_s, category"  # general, toon: also the order of the configuration
    expected = table_rows(root_of(two), names, f"WHERE video = '{key}' {order}")
    time = COLUMNS.index("time_s")
    found = chunk_rows(chunk_path(root_of(two), key))
    assert [row[:time] + row[time + 1 :] for row in found] == [
        row[:time] + row[time + 1 :] for row in expected
    ]
    assert [row[time] for row in found] == [float(np.float32(row[time])) for row in expected]
    assert len({row[0] for row in found}) == (2 if key == "beta" else 1)


def test_a_chunk_knows_the_pictures_of_its_windows(shown: Settings) -> None:
    head, columns = decoded(chunk_path(root_of(shown), KEY))
    (active,) = [DataSet.of(shown).tables.read_video(KEY)]
    assert active
    assert head["area"] == [active.active_x, active.active_y, active.active_width, active.active_height]
    names = [columns["pictures"]["start"] + rest for rest in columns["pictures"]["rest"]]
    assert len(names) == len(set(names)) > 0
    assert all((root_of(shown) / "gallery" / unquote(name)).is_file() for name in names)


def test_a_picture_that_is_gone_has_no_address(copied: Settings) -> None:
    for path in (root_of(copied) / "metadata/pictures").rglob("*.jpg"):
        path.unlink()
    write_video_page(copied, KEY)
    pictures = decoded(chunk_path(root_of(copied), KEY))[1]["pictures"]
    assert pictures["start"] == ""
    assert set(pictures["rest"]) == {None}


def test_the_only_window_of_a_video_has_its_picture(shown: Settings, tmp_path: Path) -> None:
    page = read_video_page(shown, DataSet.of(shown), KEY)
    (tmp_path / "chunk.js").write_bytes(encode_chunk(replace(page, accepted=page.accepted[:1])))
    pictures = decoded(tmp_path / "chunk.js")[1]["pictures"]
    (rest,) = pictures["rest"]
    assert (root_of(shown) / "gallery" / unquote(pictures["start"] + rest)).is_file()


def test_a_score_that_was_not_measured_is_no_number(copied: Settings) -> None:
    store = TableStore(root_of(copied))
    store.write(
        store.windows_path(KEY),
        WINDOWS,
        [replace(ACCEPTED, cut_score=None, repeated_frames=None)],
        PROVENANCE,
    )
    store.write(
        store.patches_path("general", KEY), PATCHES, [replace(PATCH, window=ACCEPTED.window)], PROVENANCE
    )
    write_video_page(copied, KEY)
    (row,) = chunk_rows(chunk_path(root_of(copied), KEY))
    scores = dict(zip(SCORES, row[-len(SCORES) :], strict=True))
    assert {name for name, value in scores.items() if math.isnan(value)} == {"cut_score", "repeated_frames"}


def test_files_of_any_folder_that_a_configuration_may_name_are_found(tmp_path: Path) -> None:
    settings = nasty_data_set(tmp_path)
    refresh_gallery(settings)
    rows = chunk_rows(chunk_path(tmp_path, KEY))
    assert rows
    for row in rows:
        for name in FILES:
            assert (tmp_path / unquote(row[COLUMNS.index(name)])).is_file()


def test_after_a_run_on_one_video_only_its_chunk_and_the_page_of_all_are_written(two: Settings) -> None:
    before = contents(two)
    store = TableStore(root_of(two))
    (row, *_), footer = (
        store.read_patches("toon", "beta"),
        store.read_provenance(store.patches_path("toon", "beta")),
    )
    assert footer
    store.write(store.patches_path("toon", "beta"), PATCHES, [row], footer)
    write_video_page(two, "beta")
    refresh_gallery(two)
    after = contents(two)
    assert after.keys() == before.keys()
    written = {name for name in after if after[name] != before[name]}
    assert written == {
        "patches/beta.js",
        "patches.html",
        "scores.html",
        "index.html",
        "videos/beta.html",
        "covers/beta.jpg",
    }


def test_a_chunk_with_the_same_patches_is_not_written_again(two: Settings) -> None:
    before = contents(two)
    refresh_gallery(two, all_pages=True)
    after = contents(two)
    assert {name: after[name] for name in after if name.startswith("patches/")} == {
        name: before[name] for name in before if name.startswith("patches/")
    }


def test_the_chunk_of_a_removed_video_goes(two: Settings) -> None:
    DataSet.of(two).remove_video("alpha")
    refresh_gallery(two)
    assert [path.name for path in (root_of(two) / "gallery/patches").iterdir()] == ["beta.js"]
    page = (root_of(two) / "gallery/patches.html").read_text()
    assert "beta.js" in page
    assert "alpha" not in page


@pytest.mark.parametrize("content", [None, "", "addPatches({", 'addPatches({"form":0},\n{});\n'])
def test_a_chunk_that_is_missing_damaged_or_of_another_form_is_written_again(
    two: Settings, content: str | None
) -> None:
    path = chunk_path(root_of(two), "alpha")
    whole = path.read_bytes()
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    assert refresh_gallery(two).written == 1
    assert path.read_bytes() == whole
    assert refresh_gallery(two).written == 0


def test_the_page_of_all_patches_leads_to_files_that_exist_and_names_its_data_set(two: Settings) -> None:
    gallery = root_of(two) / "gallery"
    page = Page(gallery / "patches.html")
    assert [path for path in page.files() if not path.is_file()] == []
    assert len(page.all("h1")) == 1
    assert gallery / "patches.html" in Page(gallery / "index.html").files()
    assert str(root_of(two)) in (gallery / "data_set.js").read_text()
    for name in ("index.html", "patches.html", "videos/beta.html"):
        assert (gallery / "data_set.js").resolve() in [
            path.resolve() for path in Page(gallery / name).files()
        ], name
