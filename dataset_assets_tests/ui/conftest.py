"""A data set that the UI serves, for tests that change it from its pages.

A module of tests has a fixture `made`, the settings of a data set that nobody changes, and with `page` a
fixture `address`, of the page that is opened.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from dataset_assets.config import Settings
from dataset_assets_tests.generate.samples import small_settings
from dataset_assets_tests.ui.serving import Served, serving


@pytest.fixture
def settings(made: Settings, tmp_path: Path) -> Settings:
    """A copy of the data set, to be changed."""
    output = Path(shutil.copytree(made.base.output_base_dir, tmp_path / "out"))
    return small_settings(output, made.videos[0].path)


@pytest.fixture
def served(settings: Settings) -> Iterator[Served]:
    """A webserver over it."""
    with serving(settings) as running:
        yield running


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page as the UI serves it; at its end nothing must have gone wrong on it."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    opened = context.new_page()
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.goto(address)
    yield opened
    context.close()
    assert troubles == []
