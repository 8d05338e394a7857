"""What is proposed: candidates that teach something, diverse, and never what a person has declined."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataset_assets.config import Settings
from dataset_assets.curation import propose, score_video
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports import ExportOptions, plan_export
from dataset_assets.tables import SCORES
from dataset_assets_tests.exports.samples import replace_patch
from dataset_assets_tests.generate.samples import copied
from dataset_assets_tests.validation.samples import root, states, triplets, val_files

SPAN_S = 0.5


@pytest.fixture(scope="module")
def scored(whole: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The data set with scores, which is only looked at."""
    settings = copied(whole, tmp_path_factory.mktemp("scored") / "out")
    for entry in settings.videos:
        score_video(settings, entry.key)
    return settings


@pytest.fixture
def settings(scored: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A copy of it, to be changed."""
    return copied(scored, tmp_path_factory.mktemp("proposed") / "out")


def spoil(settings: Settings, key: str, **scores: float) -> None:
    """Gives all general patches of a film some scores."""
    tables = DataSet.of(settings).tables
    path = tables.scores_path("general", key)
    made_from = tables.read_provenance(path)
    assert made_from is not None
    rows = [replace(row, **scores) for row in tables.read_scores("general", key)]  # type: ignore[arg-type]
    tables.write(path, SCORES, rows, made_from)


def films(settings: Settings) -> set[str]:
    return {name.split("/")[1].rpartition("_")[0] for name in states(settings)}


def test_a_proposal_is_spread_over_the_films_and_writes_nothing_into_val(settings: Settings) -> None:
    (found,) = propose(settings, ["general"], count=6, span_s=SPAN_S)
    assert len(found.proposed) == 6
    assert set(states(settings).values()) == {"proposed"}
    assert films(settings) == {"one", "two", "three"}
    assert val_files(settings) == {}
    assert found.patches == len(triplets(settings))
    assert 6 < found.set_apart < found.patches


def test_the_same_data_set_gives_the_same_proposal(settings: Settings) -> None:
    propose(settings, ["general", "toon"], count=5, span_s=SPAN_S)
    first = states(settings)
    propose(settings, ["general", "toon"], count=5, span_s=SPAN_S)
    assert states(settings) == first
    assert sorted({name.split("/")[0] for name in first}) == ["general", "toon"]


def test_what_curation_leaves_out_is_not_proposed(settings: Settings) -> None:
    """It would be in no validation split."""
    chosen = settings.model_copy(update={"curation": {"general": "video <> 'two'"}})
    propose(chosen, ["general"], count=100, span_s=SPAN_S)
    assert films(settings) == {"one", "three"}


@pytest.mark.parametrize("scores", [{"detail_db": 50.0}, {"combing": 0.02}, {"subtitle": 0.2}])
def test_what_teaches_nothing_or_is_damaged_is_not_proposed(
    settings: Settings, scores: dict[str, float]
) -> None:
    spoil(settings, "one", **scores)
    propose(settings, ["general"], count=100, span_s=SPAN_S)
    assert films(settings) == {"two", "three"}


def test_what_was_accepted_counts_and_what_was_declined_does_not_come_back(settings: Settings) -> None:
    data_set = DataSet.of(settings)
    propose(settings, ["general"], count=4, span_s=SPAN_S)
    first, second, *_ = data_set.validation.read()
    data_set.validation.accept(settings, [first])
    data_set.validation.decline([second])
    propose(settings, ["general"], count=4, span_s=SPAN_S)
    found = {each.name: each for each in data_set.validation.read()}
    assert found[first.name].row.state == "accepted"
    assert found[second.name].row.state == "declined"
    proposed = [each for each in found.values() if each.row.state == "proposed"]
    assert len(proposed) == 3
    assert not any(
        each.video == second.video and abs(each.row.time_s - second.row.time_s) <= SPAN_S for each in proposed
    )


def test_films_that_are_named_give_all_and_are_set_apart_whole(settings: Settings) -> None:
    (found,) = propose(settings, ["general"], videos=["two"], count=3)
    assert films(settings) == {"two"}
    assert {each.row.span_s for each in DataSet.of(settings).validation.read()} == {None}
    assert found.set_apart == sum(each.video == "two" for each in triplets(settings))


def test_a_smaller_proposal_replaces_a_larger_one(settings: Settings) -> None:
    propose(settings, ["general"], count=6, span_s=SPAN_S)
    propose(settings, ["general"], count=1, span_s=SPAN_S)
    assert len(states(settings)) == 1
    assert len(list(root(settings).glob("metadata/validation/*/*/*.parquet"))) == 1


def test_a_patch_that_was_made_again_needs_scores_first(settings: Settings) -> None:
    replace_patch(settings, triplets(settings)[0])
    patches = len(triplets(settings))
    with pytest.raises(
        DatasetAssetsError, match=f"1 of {patches} patches of general have no scores; run `da"
    ):
        propose(settings, ["general"])


def test_what_the_user_has_put_into_val_is_set_apart_too(settings: Settings) -> None:
    """Under whatever name, as with v2.0; it stays the user's file."""
    chosen = triplets(settings)[3]
    folder = root(settings) / "Universal/Learn/Val/GT"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "best scene.png").write_bytes((root(settings) / chosen.row.gt_path).read_bytes())
    (folder / "from elsewhere.png").write_bytes(b"another picture")
    before = val_files(settings)
    (found,) = propose(settings, ["general"], count=3, span_s=SPAN_S)
    assert (found.adopted, found.accepted, len(found.proposed)) == (1, 1, 2)
    assert states(settings)[f"general/{chosen.row.patch_id}"] == "accepted"
    assert propose(settings, ["general"], count=3, span_s=SPAN_S)[0].adopted == 0
    selected = plan_export(settings, ExportOptions("redux")).selected
    assert [each.row.patch_id for each in selected.of("val")] == [chosen.row.patch_id]
    assert selected.set_apart > 0
    data_set = DataSet.of(settings)
    data_set.validation.decline([each for each in data_set.validation.read() if each.row.state == "accepted"])
    assert val_files(settings) == before
