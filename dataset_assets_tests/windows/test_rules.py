"""The list of rules: their order, their names and texts, and what it costs to ask them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.tables.schemas import WINDOWS
from dataset_assets.windows.candidate import Candidate
from dataset_assets.windows.rules import (
    BY_OTHERS,
    OVERLAP,
    RULES,
    UndecidedError,
    judged_again,
    rejecting_rule,
    rule_named,
)
from dataset_assets_tests.windows.test_judging import LimitsSample

# Each reason with what a candidate must have for it; scores and limits lie far apart.
FAULTS: dict[str, dict[str, Any]] = {
    "corrupt": {"is_corrupt": True},
    "other_parameters": {"has_film_parameters": False},
    "blocky": {"has_blocks": True},
    "too_few_frames": {"is_complete": False},
    "cut": {"cut_score": 1.0},
    "near_black": {"brightness": 2.0},
    "flat": {"contrast": 0.5},
    "black_bars": {"has_bars": True},
    "blurred": {"sharpness": 0.1},
    "combed": {"has_combs": True},
    "excluded": {"is_excluded": True},
    "duplicate": {"is_duplicate": True},
}
SOUND: dict[str, Any] = {
    "is_corrupt": False,
    "has_film_parameters": True,
    "has_blocks": False,
    "is_complete": True,
    "mean_abs_diff": 3.0,
    "cut_score": 0.1,
    "brightness": 200.0,
    "contrast": 40.0,
    "has_bars": False,
    "sharpness": 0.9,
    "has_combs": False,
    "is_excluded": False,
    "is_duplicate": False,
}


@dataclass
class MeasuresSample:
    """Stands for a candidate whose measures are known, and remembers which were asked for."""

    measures: dict[str, Any]
    asked: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return self.measures[name]


def reason_of(sample: MeasuresSample, limits: LimitsSample | None = None) -> str | None:
    rule = rejecting_rule(cast("Candidate", sample), limits or LimitsSample())
    return rule.name if rule else None


def test_each_fault_alone_is_the_reason_and_none_is_none() -> None:
    found = {name: reason_of(MeasuresSample(SOUND | fault)) for name, fault in FAULTS.items()}
    assert found == {name: name for name in FAULTS}
    assert reason_of(MeasuresSample(SOUND)) is None


def test_of_several_faults_the_first_in_order_is_the_reason() -> None:
    names = list(FAULTS)
    # The last one is detected among windows, not on a candidate by itself.
    assert [rule.name for rule in RULES] == [*names, OVERLAP]
    for place, name in enumerate(names):
        faults = SOUND
        for later in names[place:]:
            faults = faults | FAULTS[later]
        assert reason_of(MeasuresSample(faults)) == name


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_measured_for_rules_after_the_one_that_rejects(name: str) -> None:
    sample = MeasuresSample(SOUND | FAULTS[name])
    reason_of(sample)
    later = list(FAULTS)[list(FAULTS).index(name) + 1 :]
    assert set(sample.asked).isdisjoint(measure for each in later for measure in FAULTS[each])


SCORES = ("mean_abs_diff", "cut_score", "brightness", "contrast")


@dataclass(frozen=True)
class Recorded:
    """What the table keeps of a candidate."""

    mean_abs_diff: float | None
    cut_score: float | None
    brightness: float | None
    contrast: float | None
    reason: str | None


limits = st.builds(
    LimitsSample,
    st.sampled_from(["both", "blocks", "legacy"]),
    st.sampled_from([10.0, 45.0, 90.0]),
    st.sampled_from([0.1, 0.65, 1.5]),
)
measures = st.fixed_dictionaries(
    {
        "mean_abs_diff": st.floats(0, 120, width=32),
        "cut_score": st.floats(0, 2, width=32),
        "brightness": st.floats(0, 255, width=32),
        "contrast": st.floats(0, 127, width=32),
        "sharpness": st.floats(0, 1.5, width=32),
        "has_bars": st.booleans(),
        "has_combs": st.booleans(),
        "is_excluded": st.booleans(),
        "is_duplicate": st.booleans(),
        "is_corrupt": st.integers(0, 9).map(lambda number: number == 0),
    }
)


@given(measures, limits, limits)
def test_other_limits_are_applied_to_recorded_scores_as_to_the_frames(
    measured: dict[str, Any], before: LimitsSample, after: LimitsSample
) -> None:
    sample = MeasuresSample(SOUND | measured)
    reason, wanted = reason_of(sample, before), reason_of(sample, after)
    is_measured = not measured["is_corrupt"]
    scores = {name: measured[name] if is_measured else None for name in SCORES}
    row = Recorded(**scores, reason=reason)
    try:
        again = judged_again(row, after)
    except UndecidedError:
        # Only what was a cut and is none any more has to be looked at again.
        assert reason == "cut"
        assert wanted not in ("cut", "near_black", "flat")
    else:
        # Which windows it is a duplicate of is settled with them; whether it is excluded may have changed.
        assert again == (None if wanted in BY_OTHERS | {"excluded"} else wanted)


def test_names_and_descriptions_of_rules_are_unique() -> None:
    assert len({rule.name for rule in RULES}) == len({rule.description for rule in RULES}) == len(RULES)
    assert all(rule_named(rule.name) is rule for rule in RULES)


def test_rules_blame_columns_of_the_windows_table() -> None:
    assert {column for rule in RULES for column in rule.blamed} <= set(WINDOWS.names)


def test_a_reason_that_no_rule_has_names_none() -> None:
    assert rule_named(None) is None
    assert rule_named("a_rule_of_another_release") is None
