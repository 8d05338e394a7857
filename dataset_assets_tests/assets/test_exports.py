"""The asset `exports`: what it records, its checks, its mistakes, and runs that other jobs do not see."""

from __future__ import annotations

import json
from typing import Any

import dagster as dg
import pytest

from dataset_assets.definitions import build_defs
from dataset_assets_tests.assets.world import World, checks, failure, metadata

Finished = tuple[World, dg.ExecuteInProcessResult]


def export(world: World, *, may_fail: bool = False, **config: Any) -> dg.ExecuteInProcessResult:
    """Materialises the asset with some options."""
    return (
        build_defs(world.config)
        .resolve_job_def("export")
        .execute_in_process(
            instance=world.instance,
            run_config={"ops": {"exports": {"config": config}}},
            raise_on_error=not may_fail,
        )
    )


def test_it_records_counts_and_the_options_to_paste_and_its_checks_pass(finished: Finished) -> None:
    world, _ = finished
    result = export(world, layout="vimeo90k", categories=["general"])
    shown = metadata(result, "exports")
    record = json.loads((world.root / "exports/vimeo90k/export.json").read_text(encoding="utf-8"))
    assert shown["triplets"].value == record["counts"]["triplets"] > 0
    assert (shown["train"].value, shown["val"].value) == (shown["triplets"].value, 0)
    assert shown["files"].value == record["files"]
    assert shown["dagster/row_count"].value == shown["triplets"].value
    assert "type: Vimeo90KDataset" in str(shown["options"].value)
    assert f"gt_size: {record['max_gt_size']}" in str(shown["options"].value)
    assert str(shown["folder"].value) == str(world.root / "exports/vimeo90k")
    found = {name: each.passed for (asset, name), each in checks(result).items() if asset == "exports"}
    assert found == {"counts_match": True, "every_file_opens": True, "lr_aligned": True}


def test_without_options_it_exports_everything_for_redux(finished: Finished) -> None:
    world, _ = finished
    result = build_defs(world.config).resolve_job_def("export").execute_in_process(instance=world.instance)
    assert metadata(result, "exports")["layout"].value == "redux"
    assert (world.root / "exports/redux/README.md").is_file()
    again = export(world)
    assert metadata(again, "exports")["written_now"].value == 0


def test_a_folder_without_a_place_lies_among_the_exports_of_the_data_set(finished: Finished) -> None:
    world, _ = finished
    export(world, layout="pairs", folder="mine", categories=["general"])
    assert (world.root / "exports/mine/README.md").is_file()


def test_a_damaged_export_fails_its_check(finished: Finished) -> None:
    world, _ = finished
    export(world, layout="pairs")
    (picture, *_) = sorted((world.root / "exports/pairs/lq").iterdir())
    picture.write_bytes(picture.read_bytes()[:-20])
    found = checks(export(world, layout="pairs"))
    assert found["exports", "counts_match"].passed
    opens = found["exports", "every_file_opens"]
    assert not opens.passed
    assert picture.stem in (opens.description or "")
    assert opens.severity == dg.AssetCheckSeverity.ERROR


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"layout": "reduks"}, "There is no layout 'reduks'; did you mean `redux`?"),
        ({"where": "nonsense > 1"}, "The condition 'nonsense > 1' is not valid"),
        ({"val_videos": ["film"]}, "All selected films are for validation"),
    ],
)
def test_a_mistake_in_the_options_is_one_sentence(
    finished: Finished, config: dict[str, Any], sentence: str
) -> None:
    world, _ = finished
    assert sentence in failure(export(world, may_fail=True, **config))


def test_before_there_are_patches_it_says_so(world: World) -> None:
    assert "run generate" in failure(export(world, may_fail=True))
