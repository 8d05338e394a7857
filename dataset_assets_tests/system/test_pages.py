"""Dagster's pages and the gallery beside them in a real browser: the ways of docs/operating.md."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from dataset_assets.config import DEFAULT_FORMATS
from dataset_assets_tests.browser import CHROMIUM
from dataset_assets_tests.system.conftest import BROKEN, DONE, Ended
from dataset_assets_tests.system.dagster_ui import PER_VIDEO, DagsterUi
from dataset_assets_tests.system.pages import PATIENCE_MS, Pages

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine")


@pytest.fixture
def pages(browser: Browser, ui: DagsterUi) -> Iterator[Pages]:
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    yield Pages(context.new_page(), ui.address)
    context.close()


def test_the_lineage_opens_with_every_asset_and_its_state(pages: Pages, done: Ended) -> None:
    pages.open_lineage()
    for asset in (*PER_VIDEO, "dataset_stats"):
        assert pages.node(asset).is_visible(), asset
    assert not pages.dialog.is_visible()  # nothing that wants to be clicked away first


def test_a_partitions_page_leads_to_the_contact_sheet(pages: Pages, ui: DagsterUi, done: Ended) -> None:
    pages.open_partition("general_patches", "gamma")
    shown = ui.metadata("general_patches", "gamma")
    assert pages.entry("patches").locator("td").nth(1).inner_text() == str(shown["patches"])
    made = next(name for name in DEFAULT_FORMATS if name in shown["format_mix"])
    pages.entry("format_mix").get_by_text(made).wait_for()  # seen without a click
    width, height = pages.open_contact_sheet().evaluate("each => [each.naturalWidth, each.naturalHeight]")
    assert width <= 990
    assert height > 100


def test_the_gallery_opens_from_a_partition_under_the_same_address_and_is_filtered(
    pages: Pages, ui: DagsterUi, done: Ended
) -> None:
    pages.open_partition("toon_patches", "gamma")
    with pages.page.context.expect_page() as opened:
        pages.entry("gallery").get_by_role("link").first.click()
    gallery = opened.value
    gallery.set_default_timeout(PATIENCE_MS)
    gallery.wait_for_selector("[data-filtered=windows]")
    assert gallery.url.startswith(ui.address)
    cards = gallery.locator("[data-filtered=windows] > .card:visible")
    toon = ui.metadata("toon_patches", "gamma")["patches"]
    assert cards.count() == toon  # the link is filtered by its category
    gallery.locator(".chip:has([name=category][value=''])").click()
    assert cards.count() == ui.metadata("scene_windows", "gamma")["windows"] > toon
    gallery.locator(".site a").click()
    gallery.wait_for_url(f"{ui.address}/assets/scene_windows?view=partitions&partition=gamma")


def test_three_clicks_launch_a_backfill_of_what_is_missing(
    pages: Pages, ui: DagsterUi, done: Ended, failed: Ended
) -> None:
    states = ui.partitions("toon_patches")
    missing = sorted({*states["unmaterialized"]} - {*states["failed"]})
    assert missing
    assert not {*DONE, BROKEN} & {*missing}
    pages.open_job("make_patches")
    pages.choose_missing()
    backfill = pages.launch()
    try:
        assert ui.backfills()[backfill] == missing
    finally:
        ui.cancel(backfill)
        ui.wait_for_backfill(backfill)


def test_the_pools_limit_is_edited_on_its_page(pages: Pages, ui: DagsterUi, done: Ended) -> None:
    try:
        pages.open_pool("decode")
        pages.enter_limit(5)
        pages.save_limit()
        ui.wait_until(lambda: ui.limit() == 5, "the limit")
    finally:
        ui.set_limit(2)
