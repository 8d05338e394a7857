"""Accepting and declining validation patches from the page that the UI serves: who may, and what it does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dataset_assets.config import Settings
from dataset_assets.gallery import index_path, refresh_gallery, write_validation_page
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.browser import CHROMIUM
from dataset_assets_tests.exports.samples import drop_patch, export
from dataset_assets_tests.films import Film
from dataset_assets_tests.gallery.opened import LOW_CONTRAST
from dataset_assets_tests.generate.samples import KEY, small_settings
from dataset_assets_tests.ui.serving import Served, serving
from dataset_assets_tests.validation.samples import accepted, proposed, states, triplets, val_files

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine")


@pytest.fixture(scope="module")
def made(tiny_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A data set with three proposals, which is only looked at."""
    settings = small_settings(tmp_path_factory.mktemp("made"), tiny_film.path)
    probe_video(settings, KEY)
    generate_video(settings, KEY)
    proposed(settings, triplets(settings)[:2], 0.1)
    proposed(settings, triplets(settings, "space")[:1], 0.1)
    refresh_gallery(settings)
    return settings


@pytest.fixture
def address(served: Served) -> str:
    return f"{served.origin}/dataset/gallery/validation.html"


def first(settings: Settings) -> str:
    return f"general/{triplets(settings)[0].row.patch_id}"


def post(served: Served, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
    """What the page's own button sends."""
    given = {
        "Content-Type": "application/json",
        "X-Validation-Token": served.ask_at("/validation")[1]["token"],
    }
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return served.ask_at("/validation", body, given)


def test_a_patch_is_accepted_and_declined(served: Served, settings: Settings) -> None:
    name = first(settings)
    status, answer = post(served, {"patch": name, "state": "accepted"})
    assert status == 200
    assert answer["states"] == states(settings)
    assert states(settings)[name] == "accepted"
    assert [Path(each).stem for each in val_files(settings)] == [name.split("/")[1]]
    status, answer = post(served, {"patch": name, "state": "declined"})
    assert (status, answer["states"][name]) == (200, "declined")
    assert val_files(settings) == {}


def test_exports_that_train_on_an_accepted_patch_are_named(served: Served, settings: Settings) -> None:
    export(settings, "redux")
    assert served.ask_at("/validation")[1]["exports"] == []
    answer = post(served, {"patch": first(settings), "state": "accepted"})[1]
    assert answer["exports"] == ["redux"]
    export(settings, "redux")
    assert served.ask_at("/validation")[1]["exports"] == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X_Validation_Token": "guessed"}, 403),
        ({"Origin": "https://evil.example.org"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Host": "evil.example.org"}, 400),
    ],
)
def test_foreign_requests_change_nothing(
    served: Served, settings: Settings, headers: dict[str, str], status: int
) -> None:
    before = states(settings)
    assert post(served, {"patch": first(settings), "state": "accepted"}, **headers)[0] == status
    assert states(settings) == before
    assert val_files(settings) == {}


def test_the_token_of_exclusions_decides_nothing(served: Served, settings: Settings) -> None:
    headers = {"X_Validation_Token": served.token(KEY)}
    assert post(served, {"patch": first(settings), "state": "accepted"}, **headers)[0] == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"patch": 1, "state": "accepted"}', 400),
        (b'{"patch": "general/a", "state": "proposed"}', 400),
        (b'{"patch": "general/a", "state": "accepted"}', 404),
        (b"[" * 5000, 413),
    ],
)
def test_what_names_no_patch_changes_nothing(
    served: Served, settings: Settings, body: bytes, status: int
) -> None:
    before = states(settings)
    assert post(served, body)[0] == status
    assert states(settings) == before


def test_a_patch_that_is_gone_is_answered_with_the_remedy(served: Served, settings: Settings) -> None:
    drop_patch(settings, triplets(settings)[0])
    name = next(iter(sorted(states(settings))))
    status, answer = post(served, {"patch": name, "state": "accepted"})
    assert status == 409
    assert answer["message"].endswith("propose again: `dataset-assets validation propose`")


@in_browser
def test_buttons_accept_and_decline(page: Page, settings: Settings) -> None:
    name = first(settings)
    card = page.locator(f"[data-patch='{name}']")
    expect(card.locator(".decision")).to_have_text("Proposed.")
    card.get_by_role("button", name="Accept").click()
    expect(card.locator(".decision")).to_have_text(
        "In Val/GT. Neither it nor what is near it is for training."
    )
    expect(page.locator("[data-count=accepted]")).to_have_text("1")
    expect(page.locator("[data-count=proposed]")).to_have_text("2")
    assert states(settings)[name] == "accepted"
    assert len(val_files(settings)) == 1
    page.reload()
    expect(card.get_by_role("button", name="Accept")).to_have_attribute("aria-pressed", "true")
    card.get_by_role("button", name="Decline").click()
    expect(card.locator(".decision")).to_have_text("Declined: it is not proposed again.")
    assert states(settings)[name] == "declined"
    assert val_files(settings) == {}


@in_browser
def test_every_picture_loads_and_opens_beside_its_lr(page: Page) -> None:
    for picture in page.locator(".decisions img").all():
        picture.scroll_into_view_if_needed()
        page.wait_for_function("(each) => each.naturalWidth > 0", arg=picture.element_handle())
    page.locator(".decisions a.crop").first.click()
    dialog = page.locator("dialog")
    expect(dialog).to_be_visible()
    page.wait_for_function("() => document.querySelector('dialog .lr').naturalWidth > 0")
    page.keyboard.press("Escape")
    assert page.evaluate(LOW_CONTRAST) == []


@in_browser
def test_the_page_names_exports_that_still_train_on_it(page: Page, settings: Settings) -> None:
    export(settings, "redux")
    page.get_by_role("button", name="Accept").first.click()
    expect(page.locator(".exports")).to_have_text(
        "redux still trains on patches that are set apart: dataset-assets validation refresh exports again."
    )


@in_browser
def test_a_page_from_the_disk_shows_what_was_decided_and_has_no_buttons(
    browser: Browser, settings: Settings
) -> None:
    (each,) = accepted(settings, triplets(settings)[:1], 0.1)
    path = write_validation_page(settings, with_index=True)
    page = browser.new_page()
    page.goto(index_path(settings).as_uri())
    page.get_by_role("link", name="Validation").click()
    assert page.url == path.as_uri()
    expect(page.locator(f"[data-patch='{each.name}'] .decision")).to_contain_text("In Val/GT")
    assert page.locator("[data-decide]:visible").count() == 0
    page.locator(".chip:has(input[value=accepted])").click()
    assert page.locator(".decisions > li:visible").count() == 1
    page.close()


@in_browser
def test_a_lost_ui_is_reported_and_the_page_keeps_the_state(browser: Browser, settings: Settings) -> None:
    page = browser.new_page()
    with serving(settings) as served:
        page.goto(f"{served.origin}/dataset/gallery/validation.html")
        expect(page.get_by_role("button", name="Accept").first).to_be_visible()
    page.get_by_role("button", name="Accept").first.click()
    expect(page.locator(".decision-problem")).to_contain_text("nothing was changed")
    expect(page.locator(".decision").first).to_have_text("Proposed.")
    page.close()


def test_the_page_goes_with_the_last_proposal(settings: Settings) -> None:
    folder = index_path(settings).parent
    assert (folder / "validation.html").exists()
    assert "validation.html" in index_path(settings).read_text()
    shutil.rmtree(settings.base.output_base_dir / "metadata/validation")
    refresh_gallery(settings)
    assert not (folder / "validation.html").exists()
    assert "validation.html" not in index_path(settings).read_text()
