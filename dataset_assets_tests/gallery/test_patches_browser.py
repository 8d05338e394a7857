"""The page of all patches in a real browser, opened from the disk: what people do with mouse and keyboard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Route

from dataset_assets_tests.browser import CHROMIUM
from dataset_assets_tests.gallery.opened import LOW_CONTRAST, choose, watched_page
from dataset_assets_tests.gallery.patches import SCORES, chunk_path, table_rows
from dataset_assets_tests.generated import Generated

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine")

IDENTITY = 'video, "window", category'
# Video, window and category of each tile in the page, in order.
TILES = """() => [...document.querySelectorAll(".patches > li")]
  .sort((one, other) => one.ariaPosInSet - other.ariaPosInSet)
  .map((tile) => store.describe(tile.patch))
  .map((patch) => [patch.video.key, patch.number, patch.category])"""


@pytest.fixture
def page(browser: Browser, generated: Generated) -> Iterator[Page]:
    """The page of all patches, from the disk; at its end nothing must have gone wrong on it."""
    with watched_page(browser, 1600) as opened:
        open_patches(opened, generated.root)
        yield opened


def open_patches(page: Page, root: Path, address: str = "") -> None:
    page.goto("about:blank")
    page.goto((root / "gallery/patches.html").as_uri() + address)
    is_loaded(page)


def is_loaded(page: Page) -> None:
    page.wait_for_selector(".patches[aria-busy=false]")


def tiles(page: Page) -> list[tuple[str, int, str]]:
    return [tuple(each) for each in page.evaluate(TILES)]


def test_every_patch_is_shown_by_video_and_time(page: Page, generated: Generated) -> None:
    expected = table_rows(generated.root, IDENTITY, "ORDER BY video, time_s, category")
    assert len({row[0] for row in expected}) == 2
    assert tiles(page) == expected
    assert page.locator(".shown").text_content() == f"{len(expected)} of {len(expected)} patches"
    assert page.locator(".patches > li").count() == len(expected)


@pytest.mark.parametrize("score", SCORES)
def test_patches_are_sorted_by_every_score(page: Page, generated: Generated, score: str) -> None:
    # Labels follow also where a patch keeps its place.
    page.locator("[name=sort]").select_option("gt_bits_per_pixel")
    page.locator("[name=sort]").select_option(score)
    order = "video, time_s, category"
    assert tiles(page) == table_rows(generated.root, IDENTITY, f"ORDER BY {score} DESC, {order}")
    label = page.locator(f"[name=sort] option[value={score}]").inner_text()
    assert {text.rpartition(" ")[0] for text in page.locator(".kind small").all_inner_texts()} == {label}
    choose(page, "order", "lowest")
    assert tiles(page) == table_rows(generated.root, IDENTITY, f"ORDER BY {score}, {order}")


@pytest.mark.parametrize("score", SCORES)
def test_patches_are_filtered_by_every_score(page: Page, generated: Generated, score: str) -> None:
    values = [row[0] for row in table_rows(generated.root, score, f"ORDER BY {score}")]
    middle = values[len(values) // 2]
    page.locator(".ranges summary").click()
    page.locator(f"[name={score}_min]").fill(repr(middle))
    expected = table_rows(
        generated.root, IDENTITY, f"WHERE {score} >= {middle!r} ORDER BY video, time_s, category"
    )
    assert tiles(page) == expected
    page.locator(f"[name={score}_max]").fill(repr(middle))
    assert 0 < len(tiles(page)) <= len(expected)


def test_patches_are_filtered_by_category_format_and_video_and_the_address_says_so(
    page: Page, generated: Generated
) -> None:
    choose(page, "category", "general")
    choose(page, "format", "small_540")
    page.locator("[name=video]").fill("bEt")
    where = "WHERE category = 'general' AND format = 'small_540' AND video = 'beta'"
    expected = table_rows(generated.root, IDENTITY, f"{where} ORDER BY video, time_s, category")
    assert expected
    assert tiles(page) == expected
    page.locator("[name=sort]").select_option("sharpness")
    assert page.url.endswith("#category=general&format=small_540&video=bEt&sort=sharpness")
    open_patches(page, generated.root, page.url[page.url.index("#") :])
    assert tiles(page) == table_rows(
        generated.root, IDENTITY, f"{where} ORDER BY sharpness DESC, time_s, category"
    )
    assert page.locator("[name=format]:checked").get_attribute("value") == "small_540"
    page.locator("[name=video]").fill("no such film")
    assert tiles(page) == []
    assert page.locator("text=No patch matches.").is_visible()


def test_a_key_that_is_part_of_another_name_finds_its_own_video_alone(page: Page) -> None:
    keys = page.evaluate(
        """() => {
          const found = (text, videos) => videos.filter(videoFilter(text, videos)).map((video) => video.key);
          const videos = ["alpha", "alpha-2"].map((key) => ({ key, name: key.replace("-", " ") }));
          return ["Alpha", "alpha-2", "alph"].map((text) => found(text, videos));
        }"""
    )
    assert keys == [["alpha"], ["alpha-2"], ["alpha", "alpha-2"]]


def test_a_patch_opens_at_full_size_with_its_facts_and_leads_to_its_place(
    page: Page, generated: Generated
) -> None:
    columns = "video, \"window\", width, height, format('{:.2f}', sharpness)"
    (first, second, *_) = table_rows(generated.root, columns, "ORDER BY video, time_s, category")
    page.locator(".patches a").first.click()
    dialog = page.locator("dialog")
    page.wait_for_function("[...document.querySelectorAll('dialog img')].every((each) => each.naturalWidth)")
    assert dialog.locator("img.gt").evaluate("each => [each.naturalWidth, each.width]") == 2 * [first[2]]
    facts = dialog.locator(".about").inner_text().split()
    assert facts[facts.index("sharpness") + 1] == first[4]
    assert first[0] in facts
    page.keyboard.press("ArrowRight")
    assert f"window {second[1]} " in (dialog.locator("h2").text_content() or "")
    dialog.locator("[data-place]").click()
    page.wait_for_url(f"**/videos/{second[0]}.html#w{second[1]}")
    assert page.locator(".card:target h3").inner_text().startswith(f"Window {second[1]} ")
    page.get_by_text("Sort these patches").click()
    page.wait_for_url(f"**/patches.html#video={second[0]}")
    is_loaded(page)
    assert {video for video, *_ in tiles(page)} == {second[0]}


def test_the_grid_is_gone_through_with_the_keyboard(page: Page) -> None:
    position = "Number(document.activeElement.closest('li')?.ariaPosInSet)"
    count = page.evaluate("grid.patches.length")
    columns = page.evaluate("grid.columns")
    assert 1 < columns < count
    page.locator("[name=sort]").focus()
    page.keyboard.press("Tab")  # the ranges
    page.keyboard.press("Tab")
    assert page.evaluate(position) == 1
    for key, expected in (
        ("ArrowRight", 2),
        ("ArrowDown", 2 + columns),
        ("ArrowUp", 2),
        ("End", count),
        ("ArrowRight", count),
        ("Home", 1),
    ):
        page.keyboard.press(key)
        assert page.evaluate(position) == expected, key
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    # A dialog's end is an event of its own, which comes after the key's.
    page.wait_for_function(f"{position} === 2")


@pytest.mark.parametrize("width", [360, 1200])
def test_of_a_million_patches_only_those_in_sight_are_in_the_page(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("grid.show(Uint32Array.from({ length: 1e6 }, (_, index) => index % store.count))")
    for key, position in (("End", 1_000_000), ("ArrowLeft", 999_999), ("Home", 1)):
        page.evaluate("grid.list.querySelector('a[tabindex=\"0\"]').focus({ preventScroll: true })")
        page.keyboard.press(key)
        focused = page.locator(".patches a:focus")
        assert focused.evaluate("each => Number(each.closest('li').ariaPosInSet)") == position
        box = focused.bounding_box()
        assert box
        assert 0 <= box["y"] <= 800 - box["height"]
        assert 4 < page.locator(".patches > li").count() < 100
    page.evaluate("scrollTo(0, document.scrollingElement.scrollHeight / 2)")
    page.wait_for_function(
        """[...document.querySelectorAll(".patches > li")]
          .some((tile) => Math.abs(tile.ariaPosInSet - 5e5) < 1e4 && tile.getBoundingClientRect().top > 0)"""
    )


def test_every_thumbnail_can_be_seen_also_where_windows_have_no_picture(
    browser: Browser, generated: Generated, tmp_path: Path
) -> None:
    shutil.copytree(generated.root, tmp_path / "dataset")
    chunk = chunk_path(tmp_path / "dataset", "alpha")
    chunk.write_text(chunk.read_text().replace('"area":[', '"area":null,"unused":['))
    page = browser.new_page(viewport={"width": 1200, "height": 1600})
    open_patches(page, tmp_path / "dataset")
    page.wait_for_function(
        "[...document.querySelectorAll('.patches img')].every((each) => each.complete && each.naturalWidth)"
    )
    sources = page.locator(".patches img").evaluate_all("all => all.map((each) => each.src)")
    assert {"/LR_5frames/" in source for source in sources} == {True, False}
    assert not any("/GT/" in source for source in sources)
    page.close()


def test_the_patches_of_other_videos_are_shown_where_a_chunk_is_missing_or_of_another_release(
    browser: Browser, generated: Generated, tmp_path: Path
) -> None:
    shutil.copytree(generated.root, tmp_path / "dataset")
    page = browser.new_page()
    chunk = chunk_path(tmp_path / "dataset", "alpha")
    for content in ("addPatches({", 'addPatches({"form":0},\n{});\n', None):
        if content is None:
            chunk.unlink()
        else:
            chunk.write_text(content)
        open_patches(page, tmp_path / "dataset")
        page.wait_for_selector("#unread:visible")
        assert "1 of 2 videos are not shown (Alpha)" in page.locator("#unread").inner_text()
        assert {video for video, *_ in tiles(page)} == {"beta"}
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_and_nothing_is_wider_than_a_narrow_window(
    page: Page, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 700})
    page.locator(".ranges summary").click()
    page.locator("[name=sort]").select_option("gt_bits_per_pixel")
    assert page.evaluate(LOW_CONTRAST) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") == 320


@pytest.mark.parametrize("name", ["index.html", "patches.html", "videos/beta.html"])
@pytest.mark.parametrize("is_beside_dagster", [True, False])
def test_a_page_names_its_data_set_and_leads_back_to_the_dagster_that_serves_it(
    browser: Browser, generated: Generated, name: str, is_beside_dagster: bool
) -> None:
    def serve(route: Route) -> None:
        path = route.request.url.removeprefix("http://gallery.test").split("?")[0]
        if path == "/server_info" and is_beside_dagster:
            route.fulfill(json={"dagster_webserver_version": "1"})
        elif (generated.root / path.removeprefix("/dataset/")).is_file():
            route.fulfill(path=generated.root / path.removeprefix("/dataset/"))
        else:
            route.fulfill(status=404)

    page = browser.new_page()
    page.route("http://gallery.test/**", serve)
    with page.expect_response("**/server_info"):
        page.goto(f"http://gallery.test/dataset/gallery/{name}")
    page.wait_for_load_state("networkidle")
    line = page.locator(".site")
    assert line.locator("b").inner_text() == generated.root.name
    assert str(generated.root) in line.inner_text()
    assert page.title().endswith(f" \u2013 {generated.root.name}")
    link = line.locator("a")
    assert link.is_visible() == is_beside_dagster
    if is_beside_dagster:
        path = "/assets/scene_windows?view=partitions&partition=beta" if "beta" in name else "/"
        assert link.get_attribute("href") == path
    page.close()
