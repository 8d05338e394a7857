"""The list of rules: their order, their names and texts, and what it costs to ask them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from dataset_assets.tables.schemas import WINDOWS
from dataset_assets.windows.candidate import Candidate
from dataset_assets.windows.rules import RULES, rejecting_rule, rule_named
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


def reason_of(sample: MeasuresSample) -> str | None:
    rule = rejecting_rule(cast("Candidate", sample), LimitsSample())
    return rule.name if rule else None


def test_each_fault_alone_is_the_reason_and_none_is_none() -> None:
    found = {name: reason_of(MeasuresSample(SOUND | fault)) for name, fault in FAULTS.items()}
    assert found == {name: name for name in FAULTS}
    assert reason_of(MeasuresSample(SOUND)) is None


def test_of_several_faults_the_first_in_order_is_the_reason() -> None:
    names = [rule.name for rule in RULES]
    assert names == list(FAULTS)
    for place, name in enumerate(names):
        faults = SOUND
        for later in names[place:]:
            faults = faults | FAULTS[later]
        assert reason_of(MeasuresSample(faults)) == name


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_measured_for_rules_after_the_one_that_rejects(name: str) -> None:
    sample = MeasuresSample(SOUND | FAULTS[name])
    reason_of(sample)
    later = [rule.name for rule in RULES][list(FAULTS).index(name) + 1 :]
    assert set(sample.asked).isdisjoint(measure for each in later for measure in FAULTS[each])


def test_names_and_descriptions_of_rules_are_unique() -> None:
    assert len({rule.name for rule in RULES}) == len({rule.description for rule in RULES}) == len(RULES)
    assert all(rule_named(rule.name) is rule for rule in RULES)


def test_rules_blame_columns_of_the_windows_table() -> None:
    assert {column for rule in RULES for column in rule.blamed} <= set(WINDOWS.names)


def test_a_reason_that_no_rule_has_names_none() -> None:
    assert rule_named(None) is None
    assert rule_named("a_rule_of_another_release") is None
