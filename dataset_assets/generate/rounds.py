"""Which candidates are tried next, and which of the accepted ones stay: rounds through a film's sequence.

A round takes at most as many candidates as windows are missing, so none is ever tried that is not needed: the
candidates that were tried are those up to the last window that is wanted, whatever the size of rounds, lanes
and kills. After a round its windows are settled in the order of the sequence. Making windows and patches does
not belong here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from dataset_assets.reasons import EXCLUDED
from dataset_assets.tables import WindowRow
from dataset_assets.windows import (
    BY_OTHERS,
    DUPLICATE,
    OVERLAP,
    AcceptedSignatures,
    Placement,
    signature_from,
)


class Rows(Protocol):
    """The rows of a video's candidates; `WindowLedger` has them."""

    def row(self, number: int) -> WindowRow | None:
        """Return the row of a candidate; None where it was not tried yet."""

    def add(self, row: WindowRow) -> None:
        """Record what came of a candidate."""

    def skips(self, placement: Placement) -> bool:
        """Return whether a candidate is not tried, and record that it is not."""


class Rounds:
    """The candidates of one film, round after round.

    Attributes:
        accepted: Numbers of the windows that stay, in the order of the sequence.
        signatures: What they show.
        tried: Candidates that were tried, but for excluded ones.
        is_full: Whether the film has no place left.
        is_crowded: Whether candidates had to be placed inside GOPs that hold one already.
    """

    def __init__(
        self,
        rows: Rows,
        sequence: Iterator[Placement],
        cap: int,
        strata: Collection[int] = (),
        *,
        pause: int | None = None,
    ) -> None:
        """Begin before the first candidate.

        Args:
            rows: What earlier runs found, and what is found now.
            sequence: The candidates, in order.
            cap: Candidates that may be tried in all.
            strata: Windows of the release before, which count as accepted first.
            pause: A number that no round goes past: what is made from it on depends on the candidates below.
        """
        self.accepted: list[int] = []
        self.signatures = AcceptedSignatures()
        self.tried = 0
        self.is_full = False
        self.is_crowded = False
        self._rows = rows
        self._sequence = sequence
        self._cap = cap
        self._pause = pause
        self._held: Placement | None = None
        self._spans: list[tuple[int, int]] = []
        for number in evenly_first(strata):
            row = rows.row(number)
            if row is not None:
                self._accept(number, row)
                self.tried += 1

    def next_round(self, target: int, size: int) -> list[Placement]:
        """Return the candidates of the next round, by number; none where no more are wanted or left.

        Args:
            target: Windows that are wanted in all.
            size: Candidates at most while each has a GOP of its own. Where GOPs are shared, one pass for all
                that are missing decodes fewer frames.
        """
        wanted = min(target - len(self.accepted), self._cap - self.tried)
        batch: list[Placement] = []
        while len(batch) < wanted and (self.is_crowded or len(batch) < size):
            placement = self._held or next(self._sequence, None)
            self._held = None
            if placement is None:
                self.is_full = True
                break
            if batch and self._pause is not None and batch[0].number < self._pause <= placement.number:
                self._held = placement
                break
            if not self._rows.skips(placement):
                self.is_crowded |= not placement.is_at_keyframe
                batch.append(placement)
        self.tried += len(batch)
        return batch

    def settle(self, batch: Sequence[Placement]) -> list[int]:
        """Settle which windows of a round stay: of two that share frames or a picture the first does.

        One that was excluded by hand counts as if it had not been tried, but what shows the same is a
        duplicate: it is not wanted either.

        Returns:
            Numbers of the windows that were accepted by themselves and do not stay.
        """
        rejected = []
        for placement in batch:
            row = self._rows.row(placement.number)
            if row is not None and row.reason == EXCLUDED:
                self.tried -= 1
                if row.signature is not None:
                    self.signatures.add(signature_from(row.signature))
                continue
            if row is None or not (row.accepted or row.reason in BY_OTHERS):
                continue
            reason = self._reason(row)
            if (row.accepted, row.reason) != (reason is None, reason):
                self._rows.add(replace(row, accepted=reason is None, reason=reason))
            if reason is None:
                self._accept(placement.number, row)
            else:
                rejected.append(placement.number)
        return rejected

    def _reason(self, row: WindowRow) -> str | None:
        first, last = row.pts[0], row.pts[-1]
        if any(first <= end and start <= last for start, end in self._spans):
            return OVERLAP
        if row.signature is not None and self.signatures.contains_like(signature_from(row.signature)):
            return DUPLICATE
        return None

    def _accept(self, number: int, row: WindowRow) -> None:
        self._spans.append((row.pts[0], row.pts[-1]))
        if row.signature is not None:
            self.signatures.add(signature_from(row.signature))
        self.accepted.append(number)


def evenly_first(numbers: Collection[int]) -> list[int]:
    """Return the windows of strata in an order of which every prefix is spread evenly: bits reversed."""
    bits = max(numbers, default=0).bit_length()
    return sorted(numbers, key=lambda number: int(f"{number:0{bits or 1}b}"[::-1], 2))
