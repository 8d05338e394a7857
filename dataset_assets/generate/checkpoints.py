"""Write what a pass has made to the disk, in an order that survives any end of the run.

A row is in a table only while its files are complete and in place: it is deleted before its files are
replaced, and written after. A row that gets a further file, or loses one, takes the place of the one before,
and its other files are not touched. Each step below is on the disk before the next begins, since after a
power cut a later step may be there without an earlier one that was not flushed:

1. files recorded in the journal, then written under temporary names, window by window;
2. records of the files whose rows are deleted or lose them, then the tables without the deleted rows;
3. contents of the new files, then their names;
4. the windows table, then the scores tables, then the patches tables with the new rows;
5. deletion of files that no row names, then of the journal's records.

Not here: which rows there are (`ledger`), and the leftovers of a killed run (`dataset.journal`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dataset_assets.dataset import TripletPaths, VideoWork
from dataset_assets.generate.patch_ledger import PatchLedger, key_of
from dataset_assets.generate.score_ledger import ScoreLedger, score_row
from dataset_assets.generate.window_ledger import WindowLedger
from dataset_assets.patches import EncodedTriplet
from dataset_assets.scores import PatchScores
from dataset_assets.tables import PatchRow


class Checkpoints:
    """What a pass has made since its last commit, and the commits.

    Attributes:
        windows: Windows since the last commit that were found, or of which a patch was made.
        committed_s: Unix time of the last commit; 0 before the first.
    """

    def __init__(
        self,
        work: VideoWork,
        windows: WindowLedger | None,
        patches: Sequence[PatchLedger],
        scores: Mapping[PatchLedger, ScoreLedger] | None = None,
    ) -> None:
        """Start with nothing to commit.

        Args:
            work: The right to write the video.
            windows: The windows table, None where no windows are looked for; a finished one is not written
                again.
            patches: The patches tables that are worked on.
            scores: Their scores tables; None where nothing is measured.
        """
        self.windows = 0
        self.committed_s = 0.0
        self._work = work
        self._journal = work.journal
        self._window_ledger = windows
        self._ledgers = patches
        self._scores = scores or {}
        self._writer = work.triplet_writer()
        self._written: list[list[Path]] = []
        self._rows: list[tuple[PatchLedger, PatchRow]] = []

    def write(self, triplets: Sequence[tuple[TripletPaths, EncodedTriplet]]) -> None:
        """Write a window's triplets, which get their names with the commit of their rows."""
        written = [[paths.by_kind[kind] for kind in files] for paths, files in triplets]
        self._journal.note(written)
        for paths, files in triplets:
            self._writer.write(paths, files)
        self._written += written

    def add(self, ledger: PatchLedger, row: PatchRow, scores: PatchScores | None = None) -> None:
        """Add the row of a triplet whose files were written or are to be deleted, and its scores."""
        self._rows.append((ledger, row))
        if scores is not None:
            self._scores[ledger].add(score_row(row, scores))

    def commit(self, *, complete: bool) -> None:
        """Commit the windows and the rows that were added.

        If that fails, only the triplets since the last commit may be lost.

        Args:
            complete: Whether the pass is finished, so that rows of other settings are deleted.

        Raises:
            OSError: The disk is full or cannot be written.
        """
        # Removed first: a retry after a failure must not name files that could not be flushed.
        added, self._rows = self._rows, []
        written, self._written = self._written, []
        if not (added or self.windows or complete or any(ledger.is_changed for ledger in self._ledgers)):
            return
        for ledger in self._ledgers:
            ledger.give_up(None if complete else [key_of(row) for each, row in added if each is ledger])
        self._withdraw()
        self._journal.note(_losses(added))
        self._withdraw_degraded(added)
        self._writer.commit(written)
        for ledger, row in added:
            ledger.add(row)
        if self._window_ledger is not None and not self._window_ledger.is_complete:
            self._window_ledger.commit(self._work, complete=complete)
        for ledger in self._ledgers:
            if ledger.is_changed or (complete and not ledger.is_complete):
                self._commit_scores(ledger)
                ledger.commit(self._work, complete=complete)
        self._journal.settle({path for triplet in written for path in triplet})
        self.windows = 0
        self.committed_s = time.time()

    def _commit_scores(self, ledger: PatchLedger) -> None:
        """Write the scores of the rows that the patches table is to have.

        Before that table: scores without a patch do not count, and a patch without them would have none
        until scoring is asked for.
        """
        if (scores := self._scores.get(ledger)) is not None:
            scores.is_changed = True
            scores.commit(self._work, ledger.table_rows(), ledger.made_from)

    def _withdraw(self) -> None:
        """Delete outdated rows from the tables, before their files are replaced or deleted."""
        for ledger in self._ledgers:
            self._work.give_up(ledger.plan.category, ledger.given_up)
        for ledger in self._ledgers:
            if ledger.given_up:
                ledger.commit(self._work, complete=False)

    def _withdraw_degraded(self, added: Sequence[tuple[PatchLedger, PatchRow]]) -> None:
        """Withdraw the degraded stacks of patches that lose the LR which they were made of."""
        for ledger in self._ledgers:
            replaced = [(ledger.row(key_of(row)), row) for each, row in added if each is ledger]
            lost = [old for old, new in replaced if old is not None and old.lr7_hash != new.lr7_hash]
            self._work.withdraw_degraded(ledger.plan.category, lost)

    def discard(self) -> None:
        """Delete the files that were written and not committed."""
        self._writer.discard()


def _losses(added: Iterable[tuple[PatchLedger, PatchRow]]) -> list[list[Path]]:
    """Return the files that rows lose which are replaced by others."""
    replaced = [(ledger.row(key_of(row)), row) for ledger, row in added]
    return [
        [path for path in TripletPaths.of(before) if path not in set(TripletPaths.of(row))]
        for before, row in replaced
        if before is not None
    ]
