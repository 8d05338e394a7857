"""What can be asked of an export: mistakes are one sentence each, and the split is by film."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, Selection, Triplet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports import ExportOptions, plan_export
from dataset_assets.exports.selected import selected
from dataset_assets_tests.exports.samples import export, triplets


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"layout": "vimeo"}, r"There is no layout 'vimeo'; did you mean `vimeo90k`\?"),
        ({"frames": 3}, r"has 5 or 7 LR frames of each window, not 3; use --frames 5 or --frames 7"),
        ({"gt": "every"}, r"There is no ground truth of 'every' frames; use --gt middle or --gt all"),
        ({"layout": "pairs", "gt": "all"}, r"pairs holds the ground truth of the middle frame only; .*redux"),
        ({"frames": 5, "gt": "all"}, r"of all frames read 7 frames; leave --frames 5 or --gt all out"),
        ({"val_videos": ("beta",), "val_share": 0.5}, r"use --val-videos or --val-share, not both"),
        ({"val_share": 1.0}, r"validation share 1 is not a share .* from 0 to below 1"),
        ({"val_share": -0.1}, r"validation share -0.1 is not a share"),
        ({"val_videos": ("bata",)}, r"--val-videos: no selected triplet is of the video 'bata'; .*`beta`"),
        ({"val_videos": ("alpha", "beta")}, r"All selected films are for validation, and none for training"),
        ({"categories": ("genral",)}, r"genral"),
        ({"formats": ("small",)}, r"small"),
        ({"where": "no_such_column > 1"}, r"The condition 'no_such_column > 1' is not valid"),
        ({"where": "false"}, r"Nothing is selected"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_remedy(
    whole: Settings, tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(DatasetAssetsError, match=sentence):
        export(whole, options.pop("layout", "redux"), tmp_path / "x", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("layout", "package", "extra"),
    [("vimeo90k-lmdb", "lmdb", "lmdb"), ("pairs-lmdb", "lmdb", "lmdb"), ("packed", "blosc2", "packed")],
)
def test_a_missing_package_is_named_with_its_extra(
    whole: Settings, tmp_path: Path, layout: Any, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == package else found(name, *rest)
    )
    with pytest.raises(DatasetAssetsError, match=rf"{package}, .*pip install -e '\.\[{extra}\]'"):
        plan_export(whole, ExportOptions(layout), tmp_path / "x")


def test_a_film_is_on_one_side_of_the_split_and_stays_there_when_films_are_added(
    whole: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (template, *_) = triplets(whole, "general")

    def films(count: int) -> list[Triplet]:
        return [
            Triplet(f"film-{number}", category, replace(template.row, window=window))
            for category in ("general", "toon")
            for number in range(count)
            for window in (0, 1)
        ]

    def split(count: int, share: float) -> dict[str, str]:
        monkeypatch.setattr(
            "dataset_assets.exports.selected.select", lambda *_, **__: Selection(films(count), {}, {}, 0)
        )
        items = selected(DataSet.of(whole), ExportOptions("redux", val_share=share), {}).items
        sides = {(item.triplet.video, item.split) for item in items}
        assert len(sides) == count
        return dict(sides)

    small, large = split(200, 0.1), split(400, 0.1)
    assert {key: large[key] for key in small} == small
    assert 20 <= sum(side == "val" for side in large.values()) <= 60
    more = split(400, 0.2)
    assert {key for key, side in large.items() if side == "val"} < {
        key for key, side in more.items() if side == "val"
    }
    # A share of few films, never all of them, whatever they drew.
    counts = [sum(side == "val" for side in split(3, share).values()) for share in (0.3, 0.5, 0.9)]
    assert counts[0] == 1 <= counts[1] <= counts[2] <= 2
    # So few that none is drawn: a share was asked for nevertheless.
    assert sum(side == "val" for side in split(3, 0.001).values()) == 1


def test_names_that_two_categories_share_are_refused(
    whole: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (template, *_) = triplets(whole, "general")
    found = [Triplet("c", "a_b", template.row), Triplet("b-c", "a", template.row)]
    monkeypatch.setattr(
        "dataset_assets.exports.selected.select", lambda *_, **__: Selection(found, {}, {}, 0)
    )
    with pytest.raises(DatasetAssetsError, match=r"name a film a-b-c in the export; export them one by one"):
        selected(DataSet.of(whole), ExportOptions("redux"), {})


def test_a_selection_of_two_scales_is_refused(whole: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *_ = triplets(whole, "general")
    found = [first, replace(second, row=replace(second.row, scale=2))]
    monkeypatch.setattr(
        "dataset_assets.exports.selected.select", lambda *_, **__: Selection(found, {}, {}, 0)
    )
    with pytest.raises(DatasetAssetsError, match=r"mixes LR of the scales 2, 3; .*--where"):
        selected(DataSet.of(whole), ExportOptions("redux"), {})


@pytest.mark.parametrize("layout", ["redux", "packed", "webdataset", "vimeo90k-lmdb"])
def test_the_estimate_is_not_below_what_is_written_nor_far_above(
    whole: Settings, tmp_path: Path, layout: Any
) -> None:
    plan = plan_export(whole, ExportOptions(layout, copies_gt=True), tmp_path / "x")
    report = export(whole, layout, tmp_path / "x", copies_gt=True)
    allocated = sum(path.stat().st_blocks * 512 for path in (tmp_path / "x").rglob("*"))
    assert report.size_bytes * 0.9 <= plan.size.size_bytes <= allocated * 1.4
