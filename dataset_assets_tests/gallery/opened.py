"""Pages of the gallery in a real browser: how they are opened, used and measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, Request

# Contrast of every text on the page with what is behind it, as WCAG 2 computes it; those below 4.5.
LOW_CONTRAST = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3)
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = channels(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.9) return colour;
    }
    return [255, 255, 255];
  };
  const isText = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim();
  const texts = [...document.querySelectorAll("body *")].filter((element) =>
    element.checkVisibility() && [...element.childNodes].some(isText));
  return texts.map((element) => {
    const [one, other] = [channels(getComputedStyle(element).color), behind(element)].map(light);
    return [element.textContent.trim(), (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)];
  }).filter(([, contrast]) => contrast < 4.5);
}"""


@contextmanager
def watched_page(browser: Browser, height: int) -> Iterator[Page]:
    """A page of 1200 pixels' width, on which nothing must have gone wrong at its end."""
    context = browser.new_context(viewport={"width": 1200, "height": height})
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text))
    page.on("requestfailed", lambda request: troubles.extend(_missing(request)))
    yield page
    context.close()
    assert troubles == []


def _missing(request: Request) -> list[str]:
    """The address of a picture that could not be had; a picture that another one replaces is given up."""
    return [] if request.failure == "net::ERR_ABORTED" else [request.url]


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f".chip:has([name={name}][value='{value}'])").click()
