"""The gallery's pages come with the runs, whatever their end, and end none of them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
import pytest

from dataset_assets.assets import GALLERY_VARIABLE
from dataset_assets_tests.assets.world import ALL, KEY, World, failure, metadata
from dataset_assets_tests.gallery.pages import Page

Finished = tuple[World, dg.ExecuteInProcessResult]


def page_at(world: World, url: object) -> Path:
    """The file that `dataset-assets ui` serves at an address."""
    path = urlsplit(str(url)).path
    assert path.startswith("/gallery/")
    return world.root / path.removeprefix("/")


def test_every_asset_leads_to_a_page_that_is_there(finished: Finished) -> None:
    world, result = finished
    links = [metadata(result, asset)["gallery"].value for asset in ALL[1:]]
    links.append(metadata(world.materialize_stats(), "dataset_stats")["gallery"].value)
    assert [link for link in links if not page_at(world, link).is_file()] == []
    assert urlsplit(str(links[1])).fragment == "category=general"


def test_plain_dagster_which_serves_no_page_gives_its_path(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = finished
    monkeypatch.delenv(GALLERY_VARIABLE)
    links = [
        metadata(world.materialize("toon_patches"), "toon_patches")["gallery"].value,
        metadata(world.materialize_stats(), "dataset_stats")["gallery"].value,
    ]
    pages = world.root / "gallery"
    assert links == [str(pages / "videos/film.html"), str(pages / "index.html")]


def test_a_page_shows_the_patches_of_the_run(finished: Finished) -> None:
    world, result = finished
    page = Page(page_at(world, metadata(result, "general_patches")["gallery"].value))
    general = [crop for crop in page.all("a", class_="crop") if crop["data-category"] == "general"]
    assert len(general) == metadata(result, "general_patches")["patches"].value
    assert all(path.is_file() for path in page.files())


def test_a_page_of_what_is_there_comes_with_the_first_asset(world: World) -> None:
    world.materialize("source_video")
    assert page_at(world, f"/gallery/videos/{KEY}.html").is_file()
    assert page_at(world, "/gallery/index.html").is_file()


def test_a_failed_run_shows_what_is_wrong_and_the_remedy(world: World) -> None:
    world.materialize(*ALL)
    world.film.write_bytes(b"no film")
    what, remedy = failure(world.materialize(*ALL, may_fail=True)).split("; ")
    world.materialize_stats()
    for name in (f"videos/{KEY}.html", "index.html"):
        assert {what, remedy} <= set(Page(page_at(world, f"/gallery/{name}")).texts)


def test_no_run_fails_because_the_gallery_cannot_be_written(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    world.root.mkdir()
    (world.root / "gallery").write_text("not a folder")
    result = world.materialize(*ALL)
    assert result.success
    assert world.materialize_stats().success
    assert metadata(result, "general_patches")["patches"].value
    assert "the gallery was not updated" in capfd.readouterr().err
