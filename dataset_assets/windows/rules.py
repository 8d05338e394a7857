"""The rules that reject a candidate for a window: for each its name, its description, and its condition.

A new rule is an entry in `RULES`, and a measure in `candidate` if it shares one; tables, statistics and
gallery use the names and descriptions from here. `docs/tables.md` explains each to users. Not here: the
measures themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, assert_never

from dataset_assets.frames import MIDDLE_FRAME
from dataset_assets.windows import measures
from dataset_assets.windows.candidate import FIRST_FRAME, LAST_FRAME, Candidate

SHOWN_FRAMES = (MIDDLE_FRAME,)
"""The frames that users see of an accepted window."""


class Limits(Protocol):
    """The settings that rules need; `config.BaseSettings` has them."""

    @property
    def cut_rule(self) -> Literal["both", "blocks", "legacy"]:
        """Which test detects cuts."""

    @property
    def max_mean_abs_diff(self) -> float:
        """The difference of first and last preview at which there is a cut, 0..255."""

    @property
    def max_cut_score(self) -> float:
        """The score of the block test above which there is a cut."""


@dataclass(frozen=True, slots=True)
class RejectionRule:
    """One reason to reject a candidate.

    Attributes:
        name: The reason in the windows table.
        description: What is wrong, for users, in a few words.
        rejects: Whether a candidate is rejected by it.
        blamed: The scores that are the reason: columns of the windows table.
        shown_frames: The frames that users see of a rejected candidate, side by side; none if it is rejected
            before its frames are measured.
        doubts_source: Whether a source file that disappears or is replaced during reading looks the same.
    """

    name: str
    description: str
    rejects: Callable[[Candidate, Limits], bool]
    blamed: tuple[str, ...] = ()
    shown_frames: tuple[int, ...] = SHOWN_FRAMES
    doubts_source: bool = False

    @property
    def is_measured(self) -> bool:
        """Whether all measures are taken of the candidates that it rejects."""
        return bool(self.shown_frames)


def _is_cut(candidate: Candidate, limits: Limits) -> bool:
    by_difference = candidate.mean_abs_diff >= limits.max_mean_abs_diff
    by_blocks = candidate.cut_score > limits.max_cut_score
    match limits.cut_rule:
        case "both":
            return by_difference or by_blocks
        case "blocks":
            return by_blocks
        case "legacy":
            return by_difference
        case unknown:
            assert_never(unknown)


# Applied in this order: the first that rejects gives the reason, and those after it cost nothing. What cannot
# be measured comes first. CPU ms for a window of UHD: blocks 7, combs 5, bars 0.1, duplicates up to 2; scores
# are taken of each measured candidate, for the table, so that a rule on one costs nothing.
RULES: tuple[RejectionRule, ...] = (
    RejectionRule(
        "corrupt",
        "the decoder found errors",
        lambda candidate, _: candidate.is_corrupt,
        shown_frames=(),
        doubts_source=True,
    ),
    RejectionRule(
        "other_parameters",
        "another size, pixel shape or colour than most of the film",
        lambda candidate, _: not candidate.has_film_parameters,
        shown_frames=(),
    ),
    RejectionRule(
        "blocky",
        "blocks in a part of the picture",
        lambda candidate, _: candidate.has_blocks,
        shown_frames=(),
        doubts_source=True,
    ),
    RejectionRule(
        "too_few_frames",
        "fewer than 7 frames follow",
        lambda candidate, _: not candidate.is_complete,
        shown_frames=(),
        doubts_source=True,
    ),
    RejectionRule(
        "cut",
        "a cut lies inside",
        _is_cut,
        blamed=("cut_score", "mean_abs_diff"),
        shown_frames=(FIRST_FRAME, LAST_FRAME),
    ),
    RejectionRule(
        "near_black",
        "near black",
        lambda candidate, _: candidate.brightness < measures.MIN_BRIGHTNESS,
        blamed=("brightness",),
    ),
    RejectionRule(
        "flat",
        "flat, almost no contrast",
        lambda candidate, _: candidate.contrast < measures.MIN_CONTRAST,
        blamed=("contrast",),
    ),
    RejectionRule("black_bars", "black bars in the picture", lambda candidate, _: candidate.has_bars),
    RejectionRule(
        "blurred",
        "soft, no sharp edge",
        lambda candidate, _: candidate.sharpness < measures.MIN_SHARPNESS,
        blamed=("sharpness",),
    ),
    RejectionRule("combed", "lines of two moments in one frame", lambda candidate, _: candidate.has_combs),
    RejectionRule(
        "duplicate", "shows the same as an accepted one", lambda candidate, _: candidate.is_duplicate
    ),
)
_RULES_BY_NAME = {rule.name: rule for rule in RULES}


def rejecting_rule(candidate: Candidate, limits: Limits) -> RejectionRule | None:
    """Return the first rule that rejects a candidate; None where it is accepted."""
    return next((rule for rule in RULES if rule.rejects(candidate, limits)), None)


def rule_named(reason: str | None) -> RejectionRule | None:
    """Return the rule of a reason in a table; None for an accepted window and for an unknown reason."""
    return _RULES_BY_NAME.get(reason or "")
