"""Excluding windows from the pages that the UI serves: who may, and what it does."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet
from dataset_assets.gallery import index_path, page_of, refresh_gallery
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.browser import CHROMIUM
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, patch_rows, small_settings, window_rows
from dataset_assets_tests.ui.serving import Served, serving

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine")


@pytest.fixture(scope="module")
def made(sdr_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A data set that nobody changes."""
    settings = small_settings(tmp_path_factory.mktemp("made"), sdr_film.path)
    probe_video(settings, KEY)
    generate_video(settings, KEY)
    refresh_gallery(settings)
    return settings


@pytest.fixture
def address(served: Served) -> str:
    return served.page(KEY)


def excluded(settings: Settings) -> frozenset[int]:
    return DataSet.of(settings).excluded_windows.read(KEY)


def middles(settings: Settings) -> dict[int, int]:
    """The PTS of the middle frame of each accepted window, by number."""
    rows = window_rows(settings.base.output_base_dir)
    return {row["window"]: row["pts"][3] for row in rows if row["accepted"]}


def test_a_window_is_excluded_and_taken_back(served: Served, settings: Settings) -> None:
    frame = next(iter(middles(settings).values()))
    assert served.post(KEY, frame, excluded=True) == (200, {"frames": [frame]})
    assert excluded(settings) == {frame}
    assert served.ask(KEY)[1]["frames"] == [frame]
    assert served.post(KEY, frame, excluded=False) == (200, {"frames": []})
    assert excluded(settings) == frozenset()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X_Exclusions_Token": ""}, 403),
        ({"X_Exclusions_Token": "guessed"}, 403),
        ({"Origin": "https://evil.example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Host": "evil.example.org"}, 400),
        ({"Host": "evil.example.org", "Origin": "http://evil.example.org"}, 400),
    ],
)
def test_foreign_requests_change_nothing(
    served: Served, settings: Settings, headers: dict[str, str], status: int
) -> None:
    frame = next(iter(middles(settings).values()))
    assert served.post(KEY, frame, excluded=True, **headers)[0] == status
    assert excluded(settings) == frozenset()


def test_a_proxy_that_sends_the_name_of_this_machine_is_no_stranger(
    served: Served, settings: Settings
) -> None:
    """As docs/reliability.md recommends for other machines."""
    frame = next(iter(middles(settings).values()))
    sent = {"Host": "127.0.0.1", "Origin": "https://films.example.org", "Sec_Fetch_Site": "same-origin"}
    assert served.post(KEY, frame, excluded=True, **sent)[0] == 200


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example.org"}, {"Sec-Fetch-Site": "cross-site"}])
def test_the_token_is_given_to_no_foreign_page(served: Served, header: dict[str, str]) -> None:
    status, answer = served.ask(KEY, None, header)
    assert status == 403
    assert "token" not in answer


def test_each_process_has_a_token_of_its_own(served: Served, settings: Settings) -> None:
    with serving(settings) as other:
        assert served.token(KEY) != other.token(KEY)
        frame = next(iter(middles(settings).values()))
        status, answer = other.post(KEY, frame, excluded=True, X_Exclusions_Token=served.token(KEY))
    assert status == 403
    assert "reload the page" in answer["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"frame": "1", "excluded": true}', 400),
        (b'{"frame": true, "excluded": true}', 400),
        (b'{"frame": 1, "excluded": 1}', 400),
        (b'{"frame": 1, "excluded": true}', 404),
        (b"[" * 5000, 413),
    ],
)
def test_what_names_no_window_changes_nothing(
    served: Served, settings: Settings, body: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/json", "X-Exclusions-Token": served.token(KEY)}
    assert served.ask(KEY, body, headers)[0] == status
    assert excluded(settings) == frozenset()


@pytest.mark.parametrize("key", ["..", "%2e%2e%2fsecrets", "A", "a_b"])
def test_no_other_file_is_read(served: Served, key: str) -> None:
    status, answer = served.ask(key)
    assert status == 404
    assert "token" not in answer


def test_a_damaged_file_is_answered_with_its_remedy(served: Served, settings: Settings) -> None:
    store = DataSet.of(settings).excluded_windows
    store.add(KEY, 1)
    store.path(KEY).write_text("{}")
    status, answer = served.ask(KEY)
    assert status == 409
    assert "delete it to exclude none by hand" in answer["message"]


@in_browser
def test_the_button_excludes_a_window_and_the_page_says_what_comes(page: Page, settings: Settings) -> None:
    number, frame = sorted(middles(settings).items())[1]
    card, note = page.locator(f"#w{number}"), page.locator("#next-run")
    expect(note).to_be_hidden()
    card.get_by_role("button", name="Exclude").click()
    expect(card.locator(".exclusion")).to_have_text(
        "Excluded by hand: the next run deletes its patches and tries another place."
    )
    expect(note).to_contain_text("The next run excludes 1 and brings back 0 of the windows")
    assert excluded(settings) == {frame}
    page.reload()
    expect(card.locator(".exclusion")).to_contain_text("the next run deletes its patches")
    generate_video(settings, KEY)
    refresh_gallery(settings)
    assert number not in middles(settings)
    assert not [
        row for row in patch_rows(settings.base.output_base_dir, "general") if row["window"] == number
    ]
    page.reload()
    expect(card.locator(".exclusion")).to_have_text("Excluded by hand.")
    expect(note).to_be_hidden()
    picture = card.locator("img")
    picture.scroll_into_view_if_needed()
    page.wait_for_function("(each) => each.naturalWidth > 0", arg=picture.element_handle())
    card.get_by_role("button", name="Take back").click()
    expect(card.locator(".exclusion")).to_contain_text("the next run makes its patches again")
    expect(note).to_contain_text("excludes 0 and brings back 1")
    assert excluded(settings) == frozenset()
    generate_video(settings, KEY)
    refresh_gallery(settings)
    page.reload()
    expect(card.locator("a.crop").first).to_be_visible()
    assert middles(settings)[number] == frame


@in_browser
def test_a_key_and_a_button_exclude_in_the_large_view(page: Page, settings: Settings) -> None:
    page.locator("a.crop").first.click()
    button = page.locator("dialog button.exclude")
    expect(button).to_have_text("Exclude window")
    page.keyboard.press("x")
    expect(button).to_have_text("Take window back")
    assert excluded(settings) == {next(iter(middles(settings).values()))}
    button.click()
    expect(button).to_have_text("Exclude window")
    assert excluded(settings) == frozenset()


@in_browser
def test_a_page_opened_from_the_disk_shows_the_state_and_how_to_change_it(
    browser: Browser, settings: Settings
) -> None:
    number, frame = sorted(middles(settings).items())[1]
    DataSet.of(settings).excluded_windows.add(KEY, frame)
    refresh_gallery(settings)
    page = browser.new_page()
    page.goto((index_path(settings).parent / page_of(KEY)).as_uri())
    expect(page.locator(f"#w{number} .exclusion")).to_contain_text("the next run deletes its patches")
    expect(page.locator("#next-run")).to_contain_text("excludes 1 and brings back 0")
    expect(page.locator(".how-to-exclude")).to_contain_text(f"dataset-assets videos exclude {KEY} NUMBER")
    assert page.locator("button.exclude:visible").count() == 0
    page.close()


@in_browser
def test_the_page_of_another_site_cannot_exclude(
    browser: Browser, served: Served, settings: Settings
) -> None:
    frame = next(iter(middles(settings).values()))
    page = browser.new_page()
    page.route(
        "http://evil.example.org/**", lambda route: route.fulfill(body="<body>", content_type="text/html")
    )
    page.goto("http://evil.example.org/")
    results = page.evaluate(
        """async ([address, body]) => {
          const outcome = (promise) => promise.then((answer) => answer.type, () => "refused");
          const json = { "Content-Type": "application/json", "X-Exclusions-Token": "guessed" };
          return [
            await outcome(fetch(address)),
            await outcome(fetch(address, { method: "POST", body, headers: json })),
            await outcome(fetch(address, { method: "POST", body, mode: "no-cors" })),
          ];
        }""",
        [f"{served.origin}/exclusions/{KEY}", f'{{"frame": {frame}, "excluded": true}}'],
    )
    assert results[:2] == ["refused", "refused"]
    assert excluded(settings) == frozenset()
    page.close()


@in_browser
def test_a_lost_ui_is_reported_and_the_page_keeps_the_state(browser: Browser, settings: Settings) -> None:
    page = browser.new_page()
    with serving(settings) as served:
        page.goto(served.page(KEY))
        expect(page.locator("button.exclude:visible").first).to_have_text("Exclude")
    page.locator("button.exclude:visible").first.click()
    expect(page.locator("section .exclusion-problem")).to_contain_text("nothing was changed")
    expect(page.locator("button.exclude:visible").first).to_have_text("Exclude")
    page.locator("a.crop").first.click()
    page.keyboard.press("x")
    expect(page.locator("dialog .exclusion-problem")).to_contain_text("nothing was changed")
    page.close()
