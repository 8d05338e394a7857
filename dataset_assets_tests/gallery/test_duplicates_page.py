"""The page of near-duplicates: pairs of videos with their windows side by side, and the ways to it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dataset_assets.config import Settings
from dataset_assets.curation import find_duplicates
from dataset_assets.gallery import page_of, refresh_gallery, write_duplicates_page
from dataset_assets_tests.browser import CHROMIUM
from dataset_assets_tests.curation.same_films import configured, film, generate, rows, shots
from dataset_assets_tests.gallery.opened import LOW_CONTRAST, watched_page
from dataset_assets_tests.gallery.pages import Page
from dataset_assets_tests.generate.samples import copied


@pytest.fixture(scope="module")
def made(films_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A film under two names, compared, with its gallery."""
    films = {
        "Alpha <1>": film(films_folder, "same-feature", shots(1, 2, 3, 4)),
        "Beta": film(films_folder, "same-feature-small", shots(1, 2, 3, 4), small=True),
    }
    settings = generate(configured(tmp_path_factory.mktemp("shown"), films))
    find_duplicates(settings)
    refresh_gallery(settings)
    return settings


def gallery(settings: Settings) -> Path:
    return settings.base.output_base_dir / "gallery"


def test_windows_of_both_videos_stand_side_by_side_with_their_times(made: Settings) -> None:
    page = Page(gallery(made) / "duplicates.html")
    found = rows(made)
    pictures = [each["src"] for each in page.all("img")]
    assert len(pictures) == 2 * min(12, len(found)) > 0
    assert all(path.exists() for path in page.files())
    assert [
        ("video=beta" in first, "video=alpha-1" in second)
        for first, second in zip(pictures[::2], pictures[1::2], strict=True)
    ] == [(True, True)] * (len(pictures) // 2)
    assert "Alpha <1>" in page.texts
    assert "same film" in page.text
    assert "at the same times" in page.text
    windows = {each["href"].partition("#")[2] for each in page.all("a") if "#w" in each.get("href", "")}
    assert windows <= {f"w{row[name]}" for row in found for name in ("window", "of_window")}


def test_the_index_and_the_pages_of_videos_lead_to_it(made: Settings) -> None:
    index = Page(gallery(made) / "index.html")
    assert [each for each in index.all("a") if each.get("href") == "duplicates.html"]
    video = Page(gallery(made) / page_of("beta"))
    assert [each for each in video.all("a") if each.get("href") == "../duplicates.html#text=beta"]


def test_without_a_comparison_or_with_a_damaged_table_the_page_says_what_to_do(
    made: Settings, tmp_path: Path
) -> None:
    settings = copied(made, tmp_path / "copy")
    table = settings.base.output_base_dir / "metadata/duplicates/part-0.parquet"
    table.write_bytes(table.read_bytes()[:-1])
    assert "is damaged; delete it and run" in Page(write_duplicates_page(settings)).text
    shutil.rmtree(table.parent)
    assert "The videos were not compared yet" in Page(write_duplicates_page(settings)).text
    find_duplicates(settings)
    shutil.rmtree(settings.base.output_base_dir / "metadata/pictures")
    assert "no picture" in Page(write_duplicates_page(settings)).text


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine")
def test_a_browser_shows_the_pictures_and_finds_a_video(browser: Browser, made: Settings) -> None:
    address = (gallery(made) / "duplicates.html").as_uri()
    with watched_page(browser, 900) as opened:
        opened.goto(f"{address}#text=beta")
        assert opened.locator(".card.videos:visible").count() == 1
        picture = opened.locator(".frame.two img").first
        opened.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
        assert opened.evaluate(LOW_CONTRAST) == []
        opened.locator("input[name=text]").fill("gamma")
        assert opened.locator(".card.videos:visible").count() == 0
        assert opened.get_by_text("No pair matches.").is_visible()
