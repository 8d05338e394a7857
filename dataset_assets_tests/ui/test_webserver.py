"""What the webserver serves of a data set beside Dagster's own pages."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from dataset_assets.config import ConfigReader
from dataset_assets.dataset import DataSet
from dataset_assets.ui.webserver import DatasetFiles, gallery_routes, refusal_of
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.gallery.pages import Page
from dataset_assets_tests.generated import Generated

SERVED = (
    "gallery/index.html",
    "gallery/gallery.css",
    "gallery/videos/alpha.html",
    "gallery/patches/alpha.js",
)
KEPT = (
    "metadata/videos/video=alpha/part-0.parquet",
    ".dagster/dagster.yaml",
    "gallery/.lock",
    "../config.json",
)


def is_served(root: Path, name: str) -> bool:
    assert (root / name).is_file()
    config = ConfigReader(root.parent / "config.json")
    path, stat = DatasetFiles(DataSet(root), config).lookup_path(name)
    assert not path or Path(path).samefile(root / name)
    return stat is not None


@pytest.mark.parametrize("name", SERVED + KEPT)
def test_pages_are_served_and_tables_are_not(generated: Generated, name: str) -> None:
    assert is_served(generated.root, name) == (name in SERVED)


def test_all_that_a_page_leads_to_is_served(generated: Generated) -> None:
    root = generated.root
    files = {path.resolve().relative_to(root).as_posix() for path in Page(root / SERVED[2]).files()}
    assert {Path(name).suffix for name in files} == {".css", ".html", ".jpg", ".js", ".png"}
    assert [name for name in files if not is_served(root, name)] == []


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """The configuration of a data set of which nothing is made."""
    films = {name: (tmp_path / f"{name}.mkv", {"general": 1.0}) for name in ("Alpha", "Beta")}
    return write_config(tmp_path, films)


class Browser:
    """What asks the routes of the gallery for its index."""

    def __init__(self, config: Path) -> None:
        reader = ConfigReader(config)
        self._app = Starlette(routes=gallery_routes(DataSet.of(reader.read()), reader))

    def index(self) -> tuple[int, str]:
        """The status and the text of the answer."""
        sent: list[Message] = []

        async def ask() -> None:
            requests = iter([{"type": "http.request"}])

            async def receive() -> Message:
                return next(requests, {"type": "http.disconnect"})

            async def send(message: Message) -> None:
                sent.append(message)

            path = "/dataset/gallery/index.html"
            scope = {
                "type": "http",
                "asgi": {"spec_version": "2.4"},  # of a server that ends the answer, not the browser
                "method": "GET",
                "path": path,
                "query_string": b"",
                "headers": [],
            }
            await self._app(scope, receive, send)

        asyncio.run(ask())
        return sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:]).decode()


def test_the_index_is_there_before_any_run_and_lists_every_configured_video(fresh: Path) -> None:
    status, page = Browser(fresh).index()
    assert status == 200
    assert "Alpha" in page
    assert "Beta" in page


def test_pages_have_the_line_of_a_mistake_in_the_configuration_until_it_is_corrected(fresh: Path) -> None:
    there = Browser(fresh)
    kept = fresh.read_text()
    assert 'role="alert"' not in there.index()[1]
    fresh.write_text(kept.replace('"base_frame_limit": 6', '"base_frame_limit": "<b>"'))
    broken = there.index()[1]
    assert broken.count('role="alert"') == 1
    assert (
        f"No run starts: {fresh}:3 base_settings.base_frame_limit: &#34;&lt;b&gt;&#34; does not fit" in broken
    )
    fresh.write_text(kept)
    assert 'role="alert"' not in there.index()[1]


def test_a_data_set_that_cannot_be_written_has_no_index_and_breaks_nothing(fresh: Path) -> None:
    (fresh.parent / "dataset").write_text("a file where the folder would be")
    assert Browser(fresh).index()[0] == 404


def test_checks_are_launched_with_assets_alone() -> None:
    checks = [{"assetKey": {"path": ["general_patches"]}, "name": "up_to_date"}]
    refusal = refusal_of({"assetSelection": [], "assetCheckSelection": checks})
    assert refusal.startswith("checks cannot run on their own: ")
    others: tuple[dict[str, Any], ...] = (
        {"assetSelection": [{"path": ["general_patches"]}], "assetCheckSelection": checks},
        {"assetSelection": None, "assetCheckSelection": None},
        {"assetSelection": [], "assetCheckSelection": []},
        {},
    )
    assert [refusal_of(selector) for selector in others] == [""] * 4
