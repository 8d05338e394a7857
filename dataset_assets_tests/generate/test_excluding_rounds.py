"""Exclusions that come and go between runs on made-up films: the table is that of a fresh run each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_assets.config import BaseSettings, TimeRange
from dataset_assets.dataset import WINDOWS_VERSION, DataSet, SettingsHashes
from dataset_assets.generate.rounds import Rounds
from dataset_assets.generate.window_ledger import WindowLedger
from dataset_assets.tables import Provenance, Sampled, WindowRow
from dataset_assets.windows import Exclusions
from dataset_assets_tests.generate.test_rounds import Settings, Story, choices, sizes, stories
from dataset_assets_tests.tables.samples import PROVENANCE
from dataset_assets_tests.windows.samples import KEY

# A tick of the made-up films.
TIME_BASE = Fraction(1, 1000)
SEQUENCE = "sequence"


@dataclass(frozen=True)
class Step:
    """What a run is asked for.

    Attributes:
        target: Windows wanted.
        ranges: Excluded ranges: shares of the film, and of what is left of it after the start.
        by_hand: Windows of the run before that are excluded by hand, by their place among those accepted.
    """

    target: int
    ranges: Sequence[tuple[float, float]] = ()
    by_hand: Sequence[int] = ()


steps = st.builds(
    Step,
    st.integers(1, 25),
    st.lists(st.tuples(st.floats(0, 0.99), st.floats(0.01, 0.6)), max_size=2),
    st.lists(st.integers(0, 24), max_size=3),
)


def exclusions_of(story: Story, step: Step, frames: Sequence[int]) -> Exclusions:
    length_s = float(story.film.extent.timeline.length * TIME_BASE)
    texts = [
        f"{start * length_s:.6f}-{(start + (1 - start) * share) * length_s + 1e-3:.6f}"
        for start, share in step.ranges
    ]
    return Exclusions.of(story.film.extent, TIME_BASE, map(TimeRange.parse, texts), frames)


def run(
    folder: Path, story: Story, step: Step, chosen: Settings, frames: Sequence[int], size: int
) -> list[WindowRow]:
    """Find windows as `VideoPass` does, in the table of this folder; gives its rows."""
    exclusions = exclusions_of(story, step, frames)
    extent = story.film.extent
    sampled = Sampled(SEQUENCE, extent.spans, extent.frame_ticks, "both", 255.0, 10.0)
    made = Provenance(
        repr(exclusions),
        PROVENANCE.source_fingerprint,
        WINDOWS_VERSION,
        complete=False,
        target=step.target,
        max_attempts=chosen.max_attempts,
        sampled=sampled,
    )
    limits = BaseSettings(output_base_dir=folder, max_mean_abs_diff=255.0, max_cut_score=10.0)
    ledger = WindowLedger(
        DataSet(folder),
        KEY,
        made,
        limits,
        cast("SettingsHashes", {SEQUENCE}),
        lambda _: False,
        lambda _: exclusions,
        rebuilds=False,
    )
    sequence = story.film.sequence(chosen.sampling, seed=chosen.seed, known=ledger.placements())
    rounds = Rounds(ledger, sequence, step.target * chosen.max_attempts)
    while batch := rounds.next_round(step.target, size):
        for placement in batch:
            if ledger.row(placement.number) is None:
                row = story.judged(placement)
                if row.accepted and exclusions.hold_window(row.pts):
                    row = replace(row, accepted=False, reason="excluded")
                ledger.add(row)
        rounds.settle(batch)
    ledger.keep_below(sequence.number, rounds.accepted)
    with DataSet(folder).hold(KEY) as work:
        ledger.commit(work, complete=True)
    rows = ledger.rows()
    assert [row.window for row in rows if row.accepted] == rounds.accepted
    assert rounds.tried == sum(row.is_tried for row in rows) <= step.target * chosen.max_attempts
    for row in rows:
        if row.accepted:
            assert not exclusions.hold_window(row.pts)
    return rows


@settings(max_examples=60, deadline=None)
@given(stories, choices, st.lists(steps, min_size=2, max_size=5), sizes)
def test_any_way_to_an_exclusion_ends_where_a_fresh_run_does(
    story: Story, chosen: Settings, asked: list[Step], size: int
) -> None:
    """Ranges and windows come and go while the data set grows and shrinks."""
    story = replace(story, unusable=story.unusable[:1])
    with TemporaryDirectory() as grown:
        rows: list[WindowRow] = []
        for step in asked:
            accepted = [row for row in rows if row.accepted]
            frames = sorted({accepted[at].pts[3] for at in step.by_hand if at < len(accepted)})
            rows = run(Path(grown), story, step, chosen, frames, size)
            with TemporaryDirectory() as fresh:
                assert rows == run(Path(fresh), story, step, chosen, frames, 10**6)
