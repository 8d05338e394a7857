"""A video's page: what it shows, where it leads, and that nothing in a name can harm it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dataset_assets.config import Category, Format, Settings
from dataset_assets.dataset import DataSet, Failure, TableStore, encode_picture, picture_name
from dataset_assets.gallery import page_of, refresh_gallery, write_video_page
from dataset_assets.gallery.rendering import clock, percent, score, size
from dataset_assets.gallery.video_page import read_video_page
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.tables import PATCHES, VIDEOS, WINDOWS
from dataset_assets.windows.rules import RULES
from dataset_assets_tests.films import Film
from dataset_assets_tests.gallery.pages import Page
from dataset_assets_tests.generate.samples import (
    CATEGORIES,
    FORMATS,
    KEY,
    patch_rows,
    small_settings,
    window_rows,
)
from dataset_assets_tests.tables.samples import ACCEPTED, PATCH, PROVENANCE, REJECTED, VIDEO

NO_SCORES: dict[str, Any] = dict.fromkeys(
    ("mean_abs_diff", "cut_score", "brightness", "contrast", "sharpness", "repeated_frames")
)
NASTY = """<script>alert("1")</script>'&amp;"><img src=x onerror=alert(2)>"""


def page_file(settings: Settings, key: str = KEY) -> Path:
    return settings.base.output_base_dir / "gallery" / page_of(key)


def test_a_page_leads_to_files_that_exist_and_nowhere_else(shown: Settings) -> None:
    page = Page(page_file(shown))
    files = page.files()
    assert [path for path in files if not path.is_file()] == []
    root = shown.base.output_base_dir
    rows = [row for category in CATEGORIES for row in patch_rows(root, category)]
    named = {(root / row[name]).resolve() for row in rows for name in ("gt_path", "lr5_path", "lr7_path")}
    assert {path.resolve() for path in files} >= named


def test_every_window_stands_on_the_page_with_its_time_and_scores_and_its_crops(shown: Settings) -> None:
    root = shown.base.output_base_dir
    page = Page(page_file(shown))
    rows = window_rows(root)
    accepted = [row["window"] for row in rows if row["accepted"]]
    assert accepted
    assert [each["id"] for each in page.all("li", class_="window")] == [f"w{window}" for window in accepted]
    for row in (each for each in rows if each["reason"] != "passed_over"):
        assert f"at {clock(row['time_s'])}" in page.text
        assert f"{'cut'} {score(row['cut_score'])}" in page.text
        assert f"repeated frames {row['repeated_frames']}" in page.text
    patches = [row for category in CATEGORIES for row in patch_rows(root, category)]
    crops = page.all("a", class_="crop")
    assert sorted(crop["data-rect"] for crop in crops) == sorted(
        f"{row['width']} {row['height']} {row['x']} {row['y']}" for row in patches
    )
    assert len(page.all("i", class_="box")) == len(patches)


def test_every_rejected_candidate_is_listed_and_the_first_ones_are_shown(shown: Settings) -> None:
    page = Page(page_file(shown))
    rows = window_rows(shown.base.output_base_dir)
    rejected = [row for row in rows if row["reason"] not in (None, "passed_over")]
    reasons = [row["reason"] for row in rejected]
    assert {"cut", "near_black"} <= set(reasons)
    assert [card["data-reason"] for card in page.all("li", class_="rejected")] == reasons
    alternatives = [image["alt"] for image in page.all("img") if image["alt"].startswith("Rejected at")]
    first = [row for row in rejected if row["window"] < 3 * shown.base.base_frame_limit]
    assert len(alternatives) == len(first)


def test_every_picture_has_an_alternative_text_and_every_control_a_name(shown: Settings) -> None:
    for path in (page_file(shown), shown.base.output_base_dir / "gallery/index.html"):
        page = Page(path)
        assert all("alt" in image for image in page.all("img"))
        assert [html["lang"] for html in page.all("html")] == ["en"]
        assert len(page.all("h1")) == 1


@pytest.mark.parametrize("number", range(2))
def test_the_same_tables_give_the_same_bytes(copied: Settings, number: int) -> None:
    folder = copied.base.output_base_dir / "gallery"
    refresh_gallery(copied)  # the copy has another path
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    if number:
        for path in before:
            path.unlink()
    refresh_gallery(copied, all_pages=True)
    assert {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()} == before


def test_a_moved_data_set_has_the_same_page(shown: Settings, copied: Settings) -> None:
    assert Page(page_file(copied)).files()
    refresh_gallery(copied, all_pages=True)
    assert page_file(copied).read_bytes() == page_file(shown).read_bytes()


def nasty_data_set(root: Path) -> Settings:
    """Tables in which everything that people choose is hostile."""
    settings = small_settings(
        root,
        Path("/films") / NASTY.replace("/", "-"),
        formats=FORMATS | {"square": Format(width=96, height=96, folder='F #?%41&"<>')},
        categories=CATEGORIES | {"general": Category(folder='C "#é?', mix={"square": 1.0})},
    )
    store = TableStore(root)
    video = replace(VIDEO, name=NASTY, path=f"/films/{NASTY}", codec=NASTY, warnings=(NASTY,))
    provenance = replace(PROVENANCE, source_fingerprint=video.source_fingerprint)
    store.write(store.video_path(KEY), VIDEOS, [video], provenance)
    rows = [replace(REJECTED, reason=NASTY), ACCEPTED]
    store.write(store.windows_path(KEY), WINDOWS, rows, provenance)
    folder = 'C "#é?/F #?%41&"<>'
    names = {kind: f"{folder}/{kind}/{KEY}_000000.png" for kind in ("GT", "LR_5frames", "LR_7frames")}
    for name in names.values():
        (root / name).parent.mkdir(parents=True)
        (root / name).touch()
    patch = replace(
        PATCH,
        window=ACCEPTED.window,
        format=NASTY,
        gt_path=names["GT"],
        lr5_path=names["LR_5frames"],
        lr7_path=names["LR_7frames"],
    )
    store.write(store.patches_path("general", KEY), PATCHES, [patch], provenance)
    DataSet(root).failures.keep(Failure(KEY, "", NASTY, NASTY))
    return settings


def test_every_reason_has_its_sentence_its_blamed_scores_and_its_frames(tmp_path: Path) -> None:
    settings, store = small_settings(tmp_path, tmp_path / "film.mkv"), TableStore(tmp_path)
    data_set = DataSet(tmp_path)
    rows, black = [], encode_picture(np.zeros((9, 16, 3), np.uint8))
    for window, rule in enumerate(RULES):
        row = replace(ACCEPTED, window=window, accepted=False, reason=rule.name, signature=None)
        rows.append(row if rule.is_measured else replace(row, **NO_SCORES))
        name = picture_name(PROVENANCE.source_fingerprint, row.pts, row.reason)
        if name is not None:
            data_set.pictures(KEY).write(name, black)
    store.write(store.windows_path(KEY), WINDOWS, rows, PROVENANCE)
    page = read_video_page(settings, data_set, KEY)
    shown = sorted((*page.rejected, *page.excluded), key=lambda each: each.window)
    for candidate, rule in zip(shown, RULES, strict=True):
        assert candidate.description == rule.description
        assert len([each for each in candidate.scores if each.is_blamed]) == len(rule.blamed)
        assert candidate.pictured_frames == max(1, len(rule.shown_frames))
        assert bool(candidate.picture) == rule.is_measured
    refresh_gallery(settings)
    html = page_file(settings).read_text(encoding="utf-8")
    assert [rule.name for rule in RULES if rule.description not in html] == []


def test_names_and_sentences_are_texts_and_never_elements(tmp_path: Path) -> None:
    settings = nasty_data_set(tmp_path)
    refresh_gallery(settings)
    for path in (page_file(settings), tmp_path / "gallery/index.html"):
        page = Page(path)
        assert all(set(script) == {"src", "defer"} for script in page.all("script"))
        assert [each for _, each in page.elements if any(name.startswith("on") for name in each)] == []
        assert page.text.count(NASTY) >= 1
    assert Page(page_file(settings)).text.count(NASTY) >= 7


def test_any_folder_that_a_configuration_may_name_is_found(tmp_path: Path) -> None:
    settings = nasty_data_set(tmp_path)
    write_video_page(settings, KEY)
    files = [path for path in Page(page_file(settings)).files() if path.suffix == ".png"]
    assert len(files) >= 3
    assert all(path.is_file() for path in files)


def test_a_window_whose_picture_is_gone_or_torn_shows_what_the_table_has(copied: Settings) -> None:
    pictures = sorted((copied.base.output_base_dir / "metadata/pictures").rglob("*.jpg"))
    pictures[0].unlink()
    for path in pictures[1:]:
        path.write_bytes(path.read_bytes()[:-5])
    write_video_page(copied, KEY)
    page = Page(page_file(copied))
    measured = sum(row["signature"] is not None for row in window_rows(copied.base.output_base_dir))
    coarse = page.all("img", class_="coarse")
    assert len(coarse) == measured > 0
    assert all(image["src"].startswith("data:image/png;base64,") for image in coarse)
    assert all(path.is_file() for path in page.files())
    assert not (copied.base.output_base_dir / f"gallery/covers/{KEY}.jpg").exists()


def test_a_video_without_tables_of_windows_shows_its_film(tmp_path: Path, sdr_film: Film) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    probe_video(settings, KEY)
    write_video_page(settings, KEY)
    assert "1280\u00d7720, h264" in Page(page_file(settings)).text


def test_a_video_that_was_not_probed_shows_its_patches_without_their_places(
    tmp_path: Path, sdr_film: Film
) -> None:
    settings = small_settings(tmp_path, sdr_film.path, weights={"general": 0.5})
    generate_video(settings, KEY)
    write_video_page(settings, KEY)
    page = Page(page_file(settings))
    assert len(page.all("a", class_="crop")) == 3
    assert page.all("i", class_="box") == []
    assert all(path.is_file() for path in page.files())


def test_the_pictures_of_a_cut_show_both_sides(shown: Settings) -> None:
    root = shown.base.output_base_dir
    page = Page(page_file(shown))
    for card in page.all("li", class_="pair"):
        assert card["data-reason"] == "cut"
    pictures = {path.name: path for path in page.files() if "pictures" in path.parts}
    shapes = {name.count("-"): Image.open(path).size for name, path in pictures.items()}
    assert shapes == {1: (480, 270), 2: (960, 270)}
    assert {path.name for path in (root / f"metadata/pictures/video={KEY}").iterdir()} == set(pictures)


def test_numbers_are_written_for_people() -> None:
    assert [clock(each) for each in (0.0, 59.96, 3599.9, 3600.0)] == [
        "0:00.0",
        "1:00.0",
        "59:59.9",
        "1:00:00.0",
    ]
    assert [size(each) for each in (900, 2_340_000, 4e9)] == ["1 kB", "2.3 MB", "4.0 GB"]
    assert [percent(*each) for each in ((1, 3), (0, 0))] == ["33\u202f%", "\u2013"]
    assert [score(each) for each in (0.123, 12.34, 180.2)] == ["0.12", "12.3", "180"]
