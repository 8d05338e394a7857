"""Which recorded scores are those of the patches as they are now.

Not here: measuring what has none (`curation`).
"""

from __future__ import annotations

from collections.abc import Iterable

from dataset_assets.scores import SCORES_VERSION
from dataset_assets.tables import PatchRow, ScoreRow


def current_scores(patches: Iterable[PatchRow], recorded: Iterable[ScoreRow]) -> dict[str, ScoreRow]:
    """Return the scores that were measured on the files that patches have, by this release's measure.

    Args:
        patches: Patches of a video in a category.
        recorded: Rows of its scores table.

    Returns:
        Scores by `patch_id`; none of a patch that was made again since, or never scored.
    """
    by_id = {patch.patch_id: patch for patch in patches}
    return {
        row.patch_id: row
        for row in recorded
        if row.scores_version == SCORES_VERSION and row.patch_id in by_id and row.is_of(by_id[row.patch_id])
    }
