"""Exports leave out what curation leaves out, say so, and follow when scores arrive."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from dataset_assets.cli.export import export_dataset
from dataset_assets.config import DEFAULT_CURATION, Settings
from dataset_assets.exports import ExportOptions, finished_exports
from dataset_assets_tests.curation.scored import drop_scores, score_all
from dataset_assets_tests.exports.samples import contents, export, inodes, triplets


def spoil(settings: Settings) -> set[str]:
    """Scores all; in odd windows of GENERAL there is nothing to learn. Gives the names of these patches."""
    score_all(
        settings,
        lambda category, row: {"detail_db": 70.0 if category == "general" and row.window % 2 else 30.0},
    )
    return {each.row.patch_id for each in triplets(settings, "general") if each.row.window % 2}


def names(folder: Path) -> set[str]:
    return {row["patch_id"] for row in pq.ParquetFile(folder / "split.parquet").read().to_pylist()}


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "export.json").read_text())
    return found


def said(settings: Settings, options: ExportOptions, folder: Path) -> str:
    """What the command prints."""
    text = StringIO()
    export_dataset(settings, options, folder, Console(file=text, width=1000), workers=1)
    return text.getvalue()


def test_what_is_left_out_is_in_no_file_and_named_in_record_page_and_output(
    settings: Settings, tmp_path: Path
) -> None:
    spoilt = spoil(settings)
    every = {each.row.patch_id for each in triplets(settings, "general")}
    folder = tmp_path / "x"
    output = said(settings, ExportOptions("pairs", ("general",)), folder)
    assert names(folder) == every - spoilt
    assert {path.stem for path in (folder / "gt").iterdir()} == every - spoilt
    sentence = f"curation leaves out {len(spoilt)} of {len(every)} patches (general {len(spoilt)})"
    assert sentence in output
    assert record(folder)["curation"] == {
        "conditions": {"general": DEFAULT_CURATION},
        "left_out": {"general": len(spoilt)},
        "unscored": 0,
    }
    page = (folder / "README.md").read_text()
    assert f"- Curation: general `{DEFAULT_CURATION}`.\n" in page
    assert f"{sentence[0].upper()}{sentence[1:]}." in page


def test_uncurated_takes_all_and_is_remembered(settings: Settings) -> None:
    spoilt = spoil(settings)
    folder = export(settings, "pairs", categories=("general",), curated=False).folder
    assert spoilt < names(folder)
    assert record(folder)["curation"]["conditions"] == {"general": None}
    assert "- Curation: none, all patches are taken." in (folder / "README.md").read_text()
    assert [each.curated for each in finished_exports(settings).values()] == [False]


def test_an_export_without_scores_has_all_and_names_the_remedy(settings: Settings, tmp_path: Path) -> None:
    drop_scores(settings)
    output = said(settings, ExportOptions("pairs"), tmp_path / "x")
    every = len(triplets(settings))
    assert record(tmp_path / "x")["counts"]["triplets"] == every
    assert f"{every} of {every} selected patches are not scored, so that curation takes them" in output
    assert "`dataset-assets score` measures them" in output


@pytest.mark.parametrize("layout", ["pairs", "packed", "vimeo90k-lmdb"])
def test_when_scores_arrive_the_same_export_drops_what_is_left_out_and_reads_nothing_again(
    settings: Settings, tmp_path: Path, layout: Any
) -> None:
    folder = tmp_path / "x"
    drop_scores(settings)
    export(settings, layout, folder, categories=("general",))
    every = names(folder)
    spoilt = spoil(settings)
    report = export(settings, layout, folder, categories=("general",))
    assert names(folder) == every - spoilt
    assert report.reused + report.written == len(every - spoilt)
    if layout == "pairs":
        assert (report.written, report.removed) == (0, len(spoilt))
    before = inodes(folder)
    assert export(settings, layout, folder, categories=("general",)).is_unchanged
    assert inodes(folder) == before


def test_another_condition_is_exported_and_kept_for_loaders(settings: Settings, tmp_path: Path) -> None:
    spoil(settings)
    folder = tmp_path / "x"
    export(settings, "pairs", folder)
    curation = {"general": None, "toon": "detail_db > 30"}
    changed = settings.model_copy(update={"curation": curation})
    export(changed, "pairs", folder)
    assert names(folder) == {each.row.patch_id for each in triplets(settings, "general")}
    kept = json.loads((settings.base.output_base_dir / "metadata/curation.json").read_text())
    assert kept == curation


def test_an_export_of_the_release_before_is_taken_over(settings: Settings) -> None:
    folder = export(settings, "pairs").folder
    before = contents(folder)
    made = record(folder)
    del made["curation"], made["selection"]["curated"]
    made["identity"] = "of another release"
    (folder / "export.json").write_text(json.dumps(made))
    (options,) = finished_exports(settings).values()
    assert options == ExportOptions("pairs")
    report = export(settings, "pairs")
    assert (report.written, report.removed) == (0, 0)
    after = contents(folder)
    changed = {name for name in before if name.endswith(".png") and before[name] != after[name]}
    assert (before.keys() ^ after.keys(), changed) == (set(), set())


def test_a_data_set_that_cannot_keep_conditions_is_exported_by_them(
    settings: Settings, tmp_path: Path
) -> None:
    """A folder in the file's place refuses as a read-only disk does."""
    name = triplets(settings)[0].row.patch_id
    changed = settings.model_copy(update={"curation": {"general": f"patch_id <> '{name}'", "toon": None}})
    kept = settings.base.output_base_dir / "metadata/curation.json"
    kept.unlink(missing_ok=True)
    kept.mkdir()
    report = export(changed, "redux", tmp_path / "x")
    assert record(report.folder)["curation"]["conditions"] == changed.curation
    assert kept.is_dir()
