"""The scores table of one video and category, as a pass and later scoring write it.

A row counts only while the patches table has a patch with the files that it was measured on, so scores may be
written before or after patches are. Not here: measuring (`scores`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from dataset_assets.dataset import DataSet, VideoWork, current_scores
from dataset_assets.errors import DamagedTableError
from dataset_assets.scores import SCORES_VERSION, PatchScores
from dataset_assets.tables import SCORES, PatchRow, Provenance, ScoreRow


class ScoreLedger:
    """The scores of a video's patches in one category.

    Attributes:
        removed: Rows of the table on disk that were not taken over: of patches that are gone or were made
            again since, and of older scores.
        is_changed: Whether the table on disk holds other rows, or says that it is of other patches.
    """

    def __init__(self, data_set: DataSet, category: str, key: str, patches: Sequence[PatchRow]) -> None:
        """Take over the scores that are those of the patches as they are now.

        A damaged table has none, so it is replaced.

        Args:
            data_set: The data set.
            category: Name of the category.
            key: The video's key.
            patches: The rows of the patches table.
        """
        self._path = data_set.tables.scores_path(category, key)
        before, target = _read(data_set, category, key)
        self._rows = current_scores(patches, before)
        self.removed = len(before) - len(self._rows)
        # Also where patches are gone that had no score, or the table is damaged.
        self.is_changed = self.removed > 0 or target not in (None, len(patches))

    def __contains__(self, patch_id: object) -> bool:
        """Return whether a patch has scores."""
        return patch_id in self._rows

    def __len__(self) -> int:
        """Return how many patches have scores."""
        return len(self._rows)

    def add(self, row: ScoreRow) -> None:
        """Record the scores of a patch."""
        self._rows[row.patch_id] = row
        self.is_changed = True

    def rows(self, patches: Iterable[PatchRow]) -> list[ScoreRow]:
        """Return the scores of those of these patches that have some, in their order."""
        found = ((patch, self._rows.get(patch.patch_id)) for patch in patches)
        return [row for patch, row in found if row is not None and row.is_of(patch)]

    def commit(self, work: VideoWork, patches: Sequence[PatchRow], made_from: Provenance | None) -> None:
        """Replace the table, if anything changed; remove it where it would have no rows.

        Args:
            work: The right to write the video.
            patches: The rows of the patches table.
            made_from: What the patches table is made from; None where there is none.
        """
        rows = self.rows(patches)
        if made_from is None or not rows:
            if self._path.exists():
                work.remove_table(self._path)
        elif self.is_changed:
            provenance = replace(
                made_from,
                code_version=str(SCORES_VERSION),
                complete=len(rows) == len(patches),
                target=len(patches),
                chosen=None,
                mix=None,
                strata_target=None,
                outdated=0,
            )
            work.write_table(self._path, SCORES, rows, provenance)
        self.is_changed = False


def score_row(patch: PatchRow, scores: PatchScores) -> ScoreRow:
    """Return the row of a patch's scores.

    Args:
        patch: Its row, which names an LR stack.
        scores: What was measured on its files.
    """
    stack = patch.largest_stack
    if stack is None or stack.content_hash is None:
        raise ValueError(f"{patch.patch_id} has no LR stack that scores could be of")
    return ScoreRow(
        patch_id=patch.patch_id,
        window=patch.window,
        gt_hash=patch.gt_hash,
        lr_hash=stack.content_hash,
        scores_version=SCORES_VERSION,
        **asdict(scores),
    )


def _read(data_set: DataSet, category: str, key: str) -> tuple[list[ScoreRow], int | None]:
    """Return the rows of a scores table, and of how many patches it is.

    None where it is absent; a damaged one has no rows and is of no number of patches, so it is replaced.
    """
    tables = data_set.tables
    try:
        made = tables.read_provenance(tables.scores_path(category, key))
        return tables.read_scores(category, key), None if made is None else made.target
    except DamagedTableError:
        return [], -1
