"""Makes the pictures of docs/operating.md, and the asset graph of README.md, from the real UI.

    .venv/bin/python -m docs.make_screenshots [--films FOLDER] [--only NAME]

The sample films of `make demo` and a file that is no film are taken up by a backfill in the UI itself; each
picture is what a person sees on that way. Needs Chromium and the tools that `make test` sets up.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, ViewportSize

from dataset_assets.demo.films import demo_config, make_films
from dataset_assets_tests.browser import chromium
from dataset_assets_tests.system.dagster_ui import DagsterUi, running_ui
from dataset_assets_tests.system.pages import Pages

IMAGES = Path(__file__).parent / "images"
# 1600x1000 pixels, with texts that can still be read where a page shows them 900 wide.
WINDOW, SCALE = ViewportSize(width=1280, height=800), 1.25
WIDE_WINDOW = ViewportSize(width=1600, height=1000)
MARGIN = 20
# Where in the window a text begins; 0 where it is not.
TOP_OF_TEXT = """(text) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const start = node.data.indexOf(text);
    if (start < 0) continue;
    const range = document.createRange();
    range.setStart(node, start);
    range.setEnd(node, start + text.length);
    const top = range.getBoundingClientRect().top;
    if (top > 0) return top;
  }
  return 0;
}"""
MAX_SIZE, MAX_BYTES = (1600, 1000), 150_000
LOST = "lost-reel"
SHOWN = "uhd-hdr10-with-cuts"


class Camera:
    """Takes pictures of a tab, under names that stay."""

    def __init__(self, page: Page, only: str) -> None:
        """Prepare to take all pictures, or `only` one."""
        self._page = page
        self._only = only

    def take(self, name: str, *parts: Locator, height: float = 0.0, photo: bool = False) -> None:
        """Save a picture as `docs/images/<name>.png`.

        Args:
            name: Its name.
            parts: What it shows; the full window without them.
            height: How much of the window it shows, from the top, where there are no parts; 0 is all.
            photo: Whether most of it is film.
        """
        if self._only not in ("", name):
            return
        self._page.mouse.move(0, 0)
        self._page.wait_for_load_state("networkidle")
        self._page.evaluate("document.fonts.ready")
        size = self._page.viewport_size
        assert size
        window = FloatRect(x=0, y=0, width=size["width"], height=height or size["height"])
        clip = _around(parts, window) if parts else window
        shot = self._page.screenshot(animations="disabled", clip=clip)
        picture = Image.open(io.BytesIO(shot)).convert("RGB")
        picture.thumbnail(MAX_SIZE)
        # Maximum coverage keeps colours of few pixels, such as a red dot; film looks better by median cut.
        method = Image.Quantize.MEDIANCUT if photo else Image.Quantize.MAXCOVERAGE
        few = picture.quantize(256, method, dither=Image.Dither.NONE)
        path = IMAGES / f"{name}.png"
        few.save(path, optimize=True)
        size_bytes = path.stat().st_size
        assert size_bytes <= MAX_BYTES, f"{path} has {size_bytes} bytes"
        print(f"{path.name}: {picture.width}x{picture.height}, {size_bytes / 1e3:.0f} kB")


def _around(parts: tuple[Locator, ...], window: FloatRect) -> FloatRect:
    boxes = [box for part in parts if (box := part.bounding_box())]
    x = max(0.0, min(box["x"] for box in boxes) - MARGIN)
    y = max(0.0, min(box["y"] for box in boxes) - MARGIN)
    right = max(box["x"] + box["width"] for box in boxes) + MARGIN
    bottom = max(box["y"] + box["height"] for box in boxes) + MARGIN
    return FloatRect(
        x=x, y=y, width=min(right, window["width"]) - x, height=min(bottom, window["height"]) - y
    )


def prepare(folder: Path, films: Path) -> Path:
    """Write the demonstration's configuration with one video more, whose file is no film."""
    make_films(films, report=print)
    (folder / "films").symlink_to(films.resolve())
    lost = folder / f"{LOST}.mkv"
    lost.write_bytes(b"not a film " * 1000)
    config = demo_config(folder)
    settings = json.loads(config.read_text(encoding="utf-8"))
    settings["videos"].append({"name": "Lost reel", "path": str(lost), "categories": {"general": 0.5}})
    config.write_text(json.dumps(settings, indent=2), encoding="utf-8")
    return config


def first_backfill(ui: DagsterUi, pages: Pages, camera: Camera) -> None:
    """Make what is missing, and look at the pool meanwhile."""
    pages.open_job("make_patches")
    pages.choose_missing()
    pages.dialog.get_by_text(LOST).first.wait_for()
    camera.take("launch-missing", pages.dialog)
    backfill = pages.launch()
    ui.wait_until(lambda: "STARTED" in {run.status for run in ui.runs()}, "a video is decoded")
    pages.open_pool()
    pages.enter_limit(3)
    camera.take("pool-limit")
    ui.wait_until(lambda: any(run.status == "SUCCESS" for run in ui.runs()), "a video is done")
    pages.open(f"/runs/b/{backfill}")
    pages.page.get_by_text("completed").wait_for()
    camera.take("backfill", height=330)
    ui.wait_for_backfill(backfill)
    ui.wait_for_run(ui.launch("update_stats"))


def lineage(pages: Pages, camera: Camera) -> None:
    """Show the graph in a window that is wide enough for the boxes to show their state."""
    pages.page.set_viewport_size(WIDE_WINDOW)
    pages.open_lineage()
    camera.take("asset-graph", *pages.page.locator("foreignObject").all())
    pages.page.set_viewport_size(WINDOW)


def partition(pages: Pages, camera: Camera) -> None:
    """Show a film's patches."""
    pages.open_partition("general_patches", SHOWN)
    pages.entry("format_mix").wait_for()
    camera.take("partition")
    pages.open_partition("scene_windows", SHOWN)
    pages.entry("reject_reasons").wait_for()
    camera.take("windows")
    pages.open_partition("general_patches", "animation")
    pages.open_contact_sheet()
    camera.take("contact-sheet", pages.dialog, photo=True)


def _to_top(part: Locator) -> None:
    part.evaluate("each => each.scrollIntoView({block: 'start'})")


def numbers(pages: Pages, camera: Camera) -> None:
    """Show plots over the films, checks, and the statistics."""
    pages.open("/assets/general_patches")
    pages.page.get_by_text("Plots", exact=True).first.click()
    pages.page.locator("canvas").first.wait_for()
    _to_top(pages.page.get_by_text("Metadata", exact=True).first)
    camera.take("plots")
    pages.open("/assets/general_patches?view=checks")
    pages.page.get_by_text("triplets_whole").first.click()
    pages.page.get_by_text("Evaluation result").wait_for()
    camera.take("checks")
    pages.page.set_viewport_size(WIDE_WINDOW)
    pages.open("/assets/dataset_stats")
    pages.entry("failed_videos").wait_for()
    _to_top(pages.entry("videos_done"))
    camera.take("statistics", height=900)
    pages.page.set_viewport_size(WINDOW)


def failure(ui: DagsterUi, pages: Pages, camera: Camera) -> None:
    """Show the way from a red partition to the error message."""
    pages.open_partition("source_video", LOST)
    pages.page.get_by_text("did not materialize this asset").wait_for()
    camera.take("failed-partition", height=560)
    (run,) = ui.runs(LOST)
    pages.open(f"/runs/{run.run_id}")
    message = pages.page.get_by_text("cannot be opened as a film").first
    message.wait_for()
    message.scroll_into_view_if_needed()
    # Without Dagster's own stack under the message.
    camera.take("failed-run", height=pages.page.evaluate(TOP_OF_TEXT, "Stack Trace"))


def automation(pages: Pages, camera: Camera) -> None:
    """Schedules and sensors."""
    pages.open("/automation")
    pages.page.get_by_text("videos_sensor").first.wait_for()
    pages.page.get_by_text("nightly").first.wait_for()
    camera.take("automation", height=600)


def main() -> None:
    """Make them all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=Path, default=Path("demo/films"), help="the sample films")
    parser.add_argument("--only", default="", help="the one picture to recreate")
    given = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    folder = Path(tempfile.gettempdir()) / "vsr-films"  # a name that can be shown
    folder.mkdir()
    try:
        config = prepare(folder, given.films)
        with running_ui(config) as ui, chromium() as browser:
            page = browser.new_context(viewport=WINDOW, device_scale_factor=SCALE).new_page()
            pages, camera = Pages(page, ui.address), Camera(page, given.only)
            first_backfill(ui, pages, camera)
            steps: list[Callable[[], None]] = [
                lambda: lineage(pages, camera),
                lambda: partition(pages, camera),
                lambda: numbers(pages, camera),
                lambda: failure(ui, pages, camera),
                lambda: automation(pages, camera),
            ]
            for step in steps:
                step()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
