"""The gallery in a real browser, opened from the disk: what people do with mouse and keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from dataset_assets.config import Settings
from dataset_assets.curation import take_census
from dataset_assets.dataset import DataSet
from dataset_assets.gallery import index_path, page_of, refresh_gallery
from dataset_assets.generate import generate_video
from dataset_assets_tests.browser import CHROMIUM
from dataset_assets_tests.curation.scored import score_all
from dataset_assets_tests.gallery.opened import LOW_CONTRAST, choose, watched_page
from dataset_assets_tests.generate.samples import KEY, patch_rows, window_rows

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine")


@pytest.fixture
def page(browser: Browser, shown: Settings) -> Iterator[Page]:
    """The film's page, from the disk; at its end nothing must have gone wrong on it."""
    with watched_page(browser, 800) as opened:
        opened.goto((index_path(shown).parent / page_of(KEY)).as_uri())
        yield opened


def cards(page: Page, list_name: str) -> int:
    found: int = page.locator(f"[data-filtered={list_name}] > .card:visible").count()
    return found


def test_windows_are_filtered_by_category_and_format(page: Page, shown: Settings) -> None:
    root = shown.base.output_base_dir
    accepted = sum(row["accepted"] for row in window_rows(root))
    space = patch_rows(root, "space")
    large = [row for row in space if row["format"] == "large"]
    assert len(large) < len(space) < accepted
    assert cards(page, "windows") == accepted
    choose(page, "category", "space")
    assert cards(page, "windows") == len(space)
    assert page.locator("a.crop:visible").count() == len(space)
    assert page.locator(f"text={len(space)} of {accepted}").is_visible()
    choose(page, "format", "large")
    assert cards(page, "windows") == len(large)
    assert page.url.endswith("#category=space&format=large")
    page.reload()
    assert cards(page, "windows") == len(large)
    choose(page, "category", "")
    choose(page, "format", "")
    assert cards(page, "windows") == accepted
    assert "#" not in page.url


def test_a_link_with_a_category_opens_the_page_filtered(page: Page, shown: Settings) -> None:
    page.goto(page.url + "#category=toon")
    assert cards(page, "windows") == len(patch_rows(shown.base.output_base_dir, "toon"))


def test_rejected_candidates_are_filtered_by_reason_with_the_keyboard(page: Page, shown: Settings) -> None:
    reasons = [row["reason"] for row in window_rows(shown.base.output_base_dir) if row["reason"]]
    assert len(set(reasons)) > 1
    page.locator("[name=reason][value='']").focus()
    page.keyboard.press("ArrowRight")
    chosen = page.locator("[name=reason]:checked").get_attribute("value")
    assert cards(page, "rejected") == reasons.count(str(chosen)) < len(reasons)


def test_a_triplet_opens_at_full_size_with_gt_beside_lr(page: Page) -> None:
    first = page.locator("a.crop").first
    width, height = map(int, (first.get_attribute("data-rect") or "").split()[:2])
    first.click()
    dialog = page.locator("dialog")
    assert dialog.is_visible()
    gt, lr = dialog.locator("img.gt"), dialog.locator("img.lr")
    page.wait_for_function("[...document.querySelectorAll('dialog img')].every((each) => each.naturalWidth)")
    assert gt.evaluate("each => [each.naturalWidth, each.naturalHeight]") == [width, height]
    assert gt.evaluate("each => [each.width, each.height]") == [width, height]
    assert lr.evaluate("each => [each.naturalWidth, each.naturalHeight]") == [width // 3, 7 * height // 3]
    assert lr.evaluate("each => [each.width, each.height]") == [width, 7 * height]
    assert lr.evaluate("each => getComputedStyle(each).imageRendering") == "pixelated"
    assert lr.evaluate("each => each.offsetTop") == -3 * height
    dialog.locator("[name=zoom]").select_option("2")
    assert gt.evaluate("each => each.width") == 2 * width
    dialog.locator("[name=frame]").fill("6")
    assert lr.evaluate("each => each.offsetTop") == -6 * 2 * height


@pytest.mark.parametrize("stack", [5, 7])
def test_a_triplet_with_one_stack_shows_the_frames_of_that_one(
    browser: Browser, copied: Settings, stack: Literal[5, 7]
) -> None:
    files = {"lr_stacks": [stack], "gt_frames": "all" if stack == 7 else "middle"}
    base = copied.base.model_copy(update=files)
    settings = copied.model_copy(update={"base": base})
    generate_video(settings, KEY)
    refresh_gallery(settings)
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.goto((index_path(settings).parent / page_of(KEY)).as_uri())
    first = page.locator("a.crop").first
    width, height = map(int, (first.get_attribute("data-rect") or "").split()[:2])
    first.click()
    dialog = page.locator("dialog")
    lr, frame = dialog.locator("img.lr"), dialog.locator("[name=frame]")
    page.wait_for_function("[...document.querySelectorAll('dialog img')].every((each) => each.naturalWidth)")
    assert lr.evaluate("each => [each.naturalWidth, each.naturalHeight]") == [width // 3, stack * height // 3]
    skipped = (7 - stack) // 2
    assert frame.evaluate("each => [each.min, each.max]") == [str(skipped), str(6 - skipped)]
    assert lr.evaluate("each => each.offsetTop") == -(3 - skipped) * height
    frame.fill(str(6 - skipped))
    assert lr.evaluate("each => each.offsetTop") == -(stack - 1) * height
    names = ("gt", "lr5", "lr7", "gt7")
    links = {name: dialog.locator(f"[data-file={name}]").is_visible() for name in names}
    assert links == {"gt": True, "lr5": stack == 5, "lr7": stack == 7, "gt7": stack == 7}
    page.close()


def test_triplets_are_leafed_through_with_the_keyboard(page: Page) -> None:
    first = page.locator("a.crop").first
    first.focus()
    page.keyboard.press("Enter")
    sources = [page.locator("dialog img.gt").get_attribute("src")]
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
        sources.append(page.locator("dialog img.gt").get_attribute("src"))
    assert sources[1] == sources[3]
    assert len(set(sources)) == 3
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    second = page.locator("a.crop").nth(1)
    assert second.evaluate("each => each === document.activeElement")


def test_every_picture_on_the_page_can_be_seen(page: Page) -> None:
    for card in page.locator(".card").all():
        card.scroll_into_view_if_needed()
    page.wait_for_function(
        "[...document.querySelectorAll('main img')].every((each) => each.complete && each.naturalWidth)"
    )
    assert page.locator("main img").count() > 4


def test_the_index_leads_to_the_page_and_finds_a_video_by_its_name(page: Page) -> None:
    page.locator("nav a").click()
    page.locator("[name=text]").fill("no such film")
    assert cards(page, "videos") == 0
    assert page.locator("text=No video matches.").is_visible()
    page.locator("[name=text]").fill("a FILM")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{page_of(KEY)}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_and_nothing_is_wider_than_a_narrow_window(
    page: Page, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 700})
    for path in ("", "../index.html"):
        page.goto(page.url.split("#")[0] if not path else page.locator("nav a").evaluate("each => each.href"))
        assert page.evaluate(LOW_CONTRAST) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") == 320
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(15, 17, 20)") == (scheme == "dark")


def test_without_scripts_a_triplet_is_a_link(browser: Browser, shown: Settings) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((index_path(shown).parent / page_of(KEY)).as_uri())
    assert not page.locator("form").first.is_visible()
    page.locator("a.crop").first.click()
    page.wait_for_url("**/GT/*.png")
    context.close()


def test_scores_are_shown_as_bars_whose_heights_are_counts(copied: Settings, browser: Browser) -> None:
    score_all(copied)
    refresh_gallery(copied)
    found = take_census(copied, DataSet.of(copied)).categories
    with watched_page(browser, 900) as page:
        page.goto(index_path(copied).as_uri())
        page.get_by_role("link", name="Scores").click()
        assert len(page.locator("section").all()) == len(found)
        for number, each in enumerate(found.values()):
            section = page.locator("section").nth(number)
            for name, counts in each.histograms.items():
                bars = section.get_by_role("img", name=f"Histogram of {name}").locator("rect:not(.behind)")
                heights = bars.evaluate_all("all => all.map(each => each.getBoundingClientRect().height)")
                highest = max(heights)
                assert highest > 50
                assert [round(height / highest * max(counts)) for height in heights] == counts
        assert page.evaluate(LOW_CONTRAST) == []
