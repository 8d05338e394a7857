"""What `verify` says of decisions for validation, and that no repair deletes one."""

from __future__ import annotations

from collections.abc import Sequence

from dataset_assets.config import Settings
from dataset_assets.dataset import DataSet, ValidationPatch
from dataset_assets.verify import Kind, VideoFindings, verify
from dataset_assets_tests.validation.samples import accepted, proposed, root, states, triplets, val_files


def verified(settings: Settings, *, repair: bool = False) -> list[VideoFindings]:
    """The videos of which something is wrong."""
    return [each for each in verify(settings, repair=repair) if each.findings]


def decided(settings: Settings) -> Sequence[ValidationPatch]:
    """Two accepted patches and a proposed one."""
    one, two, three = triplets(settings)[:3]
    proposed(settings, [three])
    return accepted(settings, [one, two])


def test_decisions_as_they_were_made_are_no_findings(settings: Settings) -> None:
    decided(settings)
    assert verified(settings) == []


def test_an_accepted_file_that_is_missing_or_changed_is_found_and_put_back(settings: Settings) -> None:
    one, two = decided(settings)
    before = val_files(settings)
    for patch in (one, two):
        assert patch.row.val_path is not None
    (root(settings) / str(one.row.val_path)).unlink()
    (root(settings) / str(two.row.val_path)).write_bytes(b"mine")
    (found,) = verified(settings)
    missing, changed = found.findings
    assert {missing.kind, changed.kind} == {Kind.VALIDATION}
    assert f"accepts {one.row.patch_id}, but {one.row.val_path} is missing" in missing.what
    assert f"`dataset-assets validation accept {one.name}`" in missing.what
    assert f"{two.row.val_path} was changed" in changed.what
    (repaired,) = verified(settings, repair=True)
    assert repaired.left_out == "not repaired: what was decided for validation is not deleted"
    assert not repaired.repaired
    (root(settings) / str(two.row.val_path)).unlink()
    DataSet.of(settings).validation.accept(settings, [one, two])
    assert val_files(settings) == before
    assert verified(settings) == []


def test_a_damaged_table_of_decisions_is_found_and_survives_a_repair(settings: Settings) -> None:
    (one, _) = decided(settings)
    path = DataSet.of(settings).tables.validation_path(one.category, one.video)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    broken = [each for each in triplets(settings) if each.video == one.video][-1]
    gt = root(settings) / broken.row.gt_path
    gt.write_bytes(b"")
    (found,) = verified(settings, repair=True)
    assert found.repaired
    assert {each.kind for each in found.findings} == {Kind.FILE, Kind.VALIDATION}
    assert found.deleted == len(found.findings) - 1
    assert not gt.exists()
    assert path.read_bytes() == content[: len(content) // 2]
    path.write_bytes(content)
    assert states(settings)[one.name] == "accepted"
