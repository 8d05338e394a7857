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
from dataset_assets.reasons import EXCLUDED
from dataset_assets.windows import measures
from dataset_assets.windows.candidate import FIRST_FRAME, LAST_FRAME, Candidate

SHOWN_FRAMES = (MIDDLE_FRAME,)
"""The frames that users see of an accepted window."""


CUT, NEAR_BLACK, FLAT, DUPLICATE, OVERLAP = "cut", "near_black", "flat", "duplicate", "overlap"
BY_OTHERS = frozenset({DUPLICATE, OVERLAP})
"""Reasons that lie in other windows than the candidate's own frames."""


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


class CutScores(Protocol):
    """The scores that cuts are detected by, as a candidate has them and a row records them."""

    @property
    def mean_abs_diff(self) -> float | None:
        """Mean difference of the previews of the first and last frame; None where it was not measured."""

    @property
    def cut_score(self) -> float | None:
        """Largest score of the block test; None where it was not measured."""


class RecordedScores(CutScores, Protocol):
    """What a row of the windows table records of a candidate."""

    @property
    def brightness(self) -> float | None:
        """As `Candidate.brightness`."""

    @property
    def contrast(self) -> float | None:
        """As `Candidate.contrast`."""

    @property
    def reason(self) -> str | None:
        """Why it was rejected, None where it was accepted."""


def _is_cut(scores: CutScores, limits: Limits) -> bool:
    by_difference = (scores.mean_abs_diff or 0.0) >= limits.max_mean_abs_diff
    by_blocks = (scores.cut_score or 0.0) > limits.max_cut_score
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
        CUT,
        "a cut lies inside",
        _is_cut,
        blamed=("cut_score", "mean_abs_diff"),
        shown_frames=(FIRST_FRAME, LAST_FRAME),
    ),
    RejectionRule(
        NEAR_BLACK,
        "near black",
        lambda candidate, _: candidate.brightness < measures.MIN_BRIGHTNESS,
        blamed=("brightness",),
    ),
    RejectionRule(
        FLAT,
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
    # After all that lies in its frames: the row says what becomes of it when the exclusion is taken back.
    RejectionRule(EXCLUDED, "excluded by hand", lambda candidate, _: candidate.is_excluded),
    RejectionRule(
        DUPLICATE, "shows the same as an accepted one", lambda candidate, _: candidate.is_duplicate
    ),
    # Detected among the windows of a round, not on a candidate by itself.
    RejectionRule(OVERLAP, "shares frames with an accepted one", lambda *_: False),
)
_RULES_BY_NAME = {rule.name: rule for rule in RULES}


def rejecting_rule(candidate: Candidate, limits: Limits) -> RejectionRule | None:
    """Return the first rule that rejects a candidate; None where it is accepted."""
    return next((rule for rule in RULES if rule.rejects(candidate, limits)), None)


def rule_named(reason: str | None) -> RejectionRule | None:
    """Return the rule of a reason in a table; None for an accepted window and for an unknown reason."""
    return _RULES_BY_NAME.get(reason or "")


class UndecidedError(Exception):
    """The recorded scores do not say what a rule would; the frames have to be judged again."""


def judged_again(row: RecordedScores, limits: Limits) -> str | None:
    """Return the reason that limits give a recorded candidate by itself, None where they accept it.

    Rules whose limits are settings are asked again; the others said the same before. Exclusions are ignored,
    except that a candidate which was not decoded because of one stays as it is.

    Raises:
        UndecidedError: It is no cut any more, and what comes after cuts was not asked before.
    """
    if row.cut_score is None:
        return row.reason
    if _is_cut(row, limits):
        return CUT
    if row.reason != CUT:
        return None if row.reason == EXCLUDED or row.reason in BY_OTHERS else row.reason
    if (row.brightness or 0.0) < measures.MIN_BRIGHTNESS:
        return NEAR_BLACK
    if (row.contrast or 0.0) < measures.MIN_CONTRAST:
        return FLAT
    raise UndecidedError
