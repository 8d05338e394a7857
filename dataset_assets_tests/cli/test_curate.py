"""The command `curate`: what it prints and keeps, and the page of patches near to limits."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser

from dataset_assets.config import load_settings
from dataset_assets_tests.browser import CHROMIUM
from dataset_assets_tests.command import run
from dataset_assets_tests.curation.scored import drop_scores, score_all
from dataset_assets_tests.gallery.opened import LOW_CONTRAST, watched_page
from dataset_assets_tests.generated import Generated


@pytest.fixture(scope="module")
def scored(generated: Generated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a copy of the data set, of which odd windows hold nothing to learn."""
    folder = tmp_path_factory.mktemp("curated") / "copy"
    shutil.copytree(generated.config.parent, folder)
    config = folder / generated.config.name
    score_all(load_settings(config), lambda _, row: {"detail_db": 70.0 if row.window % 2 else 40.0})
    return config


@pytest.fixture
def copy(scored: Path, tmp_path: Path) -> Path:
    shutil.copytree(scored.parent, tmp_path / "copy")
    return tmp_path / "copy" / scored.name


def cells(output: str, clause: str) -> list[list[str]]:
    """The cells of each line of a clause, after its text."""
    return [
        re.split(r"\s*\u2502\s*", line.strip("\u2502 \n"))[1:]
        for line in output.splitlines()
        if clause in line and line[0] == "\u2502"
    ]


def with_curation(config: Path, curation: object) -> None:
    content = yaml.safe_load(config.read_text())
    config.write_text(json.dumps(content | {"curation": curation}))


def test_it_prints_what_each_clause_leaves_out_and_keeps_the_conditions(copy: Path) -> None:
    kept = copy.with_name("dataset") / "metadata/curation.json"
    done = run("curate", "--config", copy)
    assert (done.returncode, done.stderr) == (0, "")
    titles = [line for line in done.stdout.splitlines() if " patches: " in line]
    assert [title.split(",")[0] for title in titles] == ["general", "toon"]
    (general, toon) = cells(done.stdout, "detail_db <= 60")
    assert int(general[0]) > 0
    assert cells(done.stdout, "combing < 0.01")[0][0] == "0"
    assert [cells(done.stdout, "all together")[number][0] for number in (0, 1)] == [general[0], toon[0]]
    assert done.stdout.splitlines()[-1].startswith("in force for exports, and for TripletDataset")
    assert not kept.exists()
    with_curation(copy, {"toon": None, "general": "width > 0"})
    done = run("curate", "--config", copy)
    assert json.loads(kept.read_text()) == {"general": "width > 0", "toon": None}
    assert "toon, 4 patches: all are taken" in done.stdout


def test_a_preview_tries_a_condition_and_keeps_nothing(copy: Path) -> None:
    with_curation(copy, {"toon": "width > 0"})
    tried = ("--where", "detail_db < 50 and sharpness > 0", "--categories", "general")
    done = run("curate", "--config", copy, "--preview", *tried)
    assert done.returncode == 0, done.stderr
    assert "toon" not in done.stdout
    page = copy.with_name("dataset") / "gallery/curation.html"
    assert done.stdout.splitlines()[-1] == f"the patches nearest to each limit: {page}"
    assert not (copy.with_name("dataset") / "metadata/curation.json").exists()
    files = re.findall(r'href="([^"]+\.png)"', page.read_text())
    assert files
    assert all((page.parent / name).is_file() for name in files)


def test_patches_without_scores_are_counted_with_the_remedy(copy: Path) -> None:
    drop_scores(load_settings(copy))
    lines = run("curate", "--config", copy).stdout.splitlines()
    sentence = "toon: 4 of 4 patches not scored, so that they are taken: `dataset-assets score` measures them"
    assert sentence in lines


@pytest.mark.parametrize(
    ("arguments", "sentence", "code"),
    [
        (
            ("--where", "true"),
            "--where tries a condition, and keeps none; add --preview, or write it under",
            1,
        ),
        (
            ("--preview", "--where", "detial_db < 5"),
            "--where: 'detial_db < 5' is not valid: there is no column",
            2,
        ),
        (("--categories", "genral"), "--categories: there is no category genral; did you mean `general`?", 2),
    ],
)
def test_a_mistake_is_one_sentence(
    scored: Path, arguments: tuple[str, ...], sentence: str, code: int
) -> None:
    done = run("curate", "--config", scored, *arguments)
    assert done.returncode == code
    assert done.stderr.startswith(f"error {sentence}")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine")
def test_the_page_shows_both_sides_of_a_limit_and_opens_a_triplet(copy: Path, browser: Browser) -> None:
    done = run("curate", "--config", copy, "--preview")
    assert done.returncode == 0, done.stderr
    with watched_page(browser, 900) as page:
        page.goto((copy.with_name("dataset") / "gallery/curation.html").as_uri())
        assert page.locator("h2").all_text_contents()[0].startswith("general ")
        clause = page.locator("h3.clause", has_text="detail_db <= 60").first
        left_out, taken = (clause.locator(f"xpath=following-sibling::ol[{place}]") for place in (1, 2))
        assert {each.split()[0] for each in left_out.locator("h3").all_text_contents()} == {"70"}
        assert {each.split()[0] for each in taken.locator("h3").all_text_contents()} == {"40"}
        loaded = "image => image.decode().then(() => image.naturalWidth > 0)"
        assert taken.locator("img").first.evaluate(loaded)
        taken.locator("a.crop").first.click()
        assert page.locator("dialog#triplet .gt").evaluate(loaded)
        assert page.locator("dialog#triplet .lr").evaluate(loaded)
        page.keyboard.press("Escape")
        assert page.evaluate(LOW_CONTRAST) == []
        page.locator("ol.grid a:not(.crop)").first.click()
        assert "/videos/" in page.url
