from __future__ import annotations

import shutil
from pathlib import Path

from dataset_assets_tests.command import run
from dataset_assets_tests.gallery.pages import Page
from dataset_assets_tests.generated import Generated


def test_generate_leaves_a_gallery_that_leads_to_the_patches(generated: Generated) -> None:
    index = Page(generated.root / "gallery/index.html")
    assert {card["data-state"] for card in index.all("li", class_="video")} == {"short"}
    assert [path.stem for path in index.files() if path.parent.name == "videos"] == ["alpha", "beta"]
    page = Page(generated.root / "gallery/videos/beta.html")
    assert page.all("a", class_="crop")
    assert all(path.is_file() for path in [*index.files(), *page.files()])


def test_the_gallery_is_made_again_by_a_command(generated: Generated, tmp_path: Path) -> None:
    shutil.copytree(generated.root, tmp_path / "dataset")
    shutil.rmtree(tmp_path / "dataset/gallery")
    shutil.copyfile(generated.config, tmp_path / "config.json")
    done = run("gallery", "--config", tmp_path / "config.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"2 videos in {tmp_path}/dataset/gallery/index.html\n"
    for name in ("index.html", "videos/alpha.html", "videos/beta.html"):
        assert (tmp_path / "dataset/gallery" / name).read_bytes() == (
            generated.root / "gallery" / name
        ).read_bytes()


def test_what_stops_the_gallery_is_reported_in_a_sentence(generated: Generated, tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset/gallery").write_text("not a folder")
    shutil.copyfile(generated.config, tmp_path / "config.json")
    done = run("gallery", "--config", tmp_path / "config.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "The gallery cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
