"""What the webserver serves of a data set beside Dagster's own pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets.dataset import DataSet
from dataset_assets.ui.webserver import DatasetFiles
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
    path, stat = DatasetFiles(DataSet(root)).lookup_path(name)
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
