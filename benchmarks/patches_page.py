"""Measures the gallery's page of all patches in a headless Chromium.

    python -m benchmarks.patches_page [--videos 67] [--folder FOLDER]

The data set of `benchmarks.synthetic`, 1,500 patches a video, goes to `.cache/benchmarks/patches_page/` and
stays there. It has no pictures, so that tiles stay empty.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.synthetic import make_data_set
from dataset_assets.config import load_settings
from dataset_assets.gallery import index_path, refresh_gallery
from dataset_assets_tests.browser import chromium

CACHE = Path(__file__).parent.parent / ".cache" / "benchmarks" / "patches_page"
IS_LOADED = ".patches[aria-busy=false]"
NOTE_FIRST_TILE = """new MutationObserver(() => {
  if (document.querySelector(".patch")) window.firstTileAt ??= performance.now();
}).observe(document, { subtree: true, childList: true })"""
# Milliseconds from a change of a field until the page was painted again.
CHANGE = """async ([name, value]) => {
  const startedAt = performance.now();
  const field = document.querySelector("form.filters").elements[name];
  field.value = value;
  document.querySelector("form.filters").dispatchEvent(new Event("input"));
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return performance.now() - startedAt;
}"""
CHANGES = (
    ("sort", "sharpness"),
    ("sort", "repeated_frames"),
    ("sort", "gt_bits_per_pixel"),
    ("order", "lowest"),
    ("format", "large_720"),
    ("sharpness_min", "0.8"),
    ("video", "feature-film-0042"),
)


def measure(page: Page, gallery: Path) -> None:
    """Print what a user waits for."""
    page.add_init_script(NOTE_FIRST_TILE)
    page.goto((gallery / "patches.html").as_uri())
    page.wait_for_selector(IS_LOADED, timeout=300_000)
    loaded, first = page.evaluate("[performance.now(), window.firstTileAt]")
    print(f"{first:8.0f} ms  first tiles")
    print(f"{loaded:8.0f} ms  all loaded")
    for name, value in CHANGES:
        taken = page.evaluate(CHANGE, [name, value])
        print(f"{taken:8.0f} ms  {name} = {value}: {page.locator('.shown').text_content()}")


def main() -> None:
    """Make the data set, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--videos", type=int, default=67)
    parser.add_argument("--folder", type=Path, default=CACHE)
    chosen = parser.parse_args()
    settings = load_settings(make_data_set(chosen.folder / str(chosen.videos), chosen.videos))
    refresh_gallery(settings)
    gallery = index_path(settings).parent
    chunks = [path.stat().st_size for path in (gallery / "patches").iterdir()]
    print(f"{sum(chunks) / 1e6:8.1f} MB  in {len(chunks)} scripts")
    with chromium() as browser:
        measure(browser.new_page(viewport={"width": 1400, "height": 900}), gallery)


if __name__ == "__main__":
    main()
