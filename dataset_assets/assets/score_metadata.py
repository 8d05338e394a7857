"""What Dagster shows of a video's scores, whichever run measured them.

Not here: the asset and its step (`patch_scores`).
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from dataset_assets.assets.reporting import Metadata, block_line, markdown_table
from dataset_assets.assets.runs import PATCH_SCORES
from dataset_assets.config import Settings
from dataset_assets.counting import percent
from dataset_assets.curation import SCALES, SCORES, CategoryScores, Summary, histograms_of, recorded_scores
from dataset_assets.dataset import DataSet
from dataset_assets.tables import ScoreRow


def scores_of_pass(settings: Settings, key: str) -> dg.AssetMaterialization | None:
    """Return the event of scores that making a video's patches has measured too.

    None where patches that were there before have none.
    """
    found = recorded_scores(settings, key)
    if not found or any(len(each.rows) < each.patches for each in found.values()):
        return None
    metadata = scores_metadata(settings, key, found)
    return dg.AssetMaterialization(PATCH_SCORES, metadata=metadata, partition=key)


def scores_metadata(settings: Settings, key: str, categories: Mapping[str, CategoryScores]) -> Metadata:
    """Return what is shown of a video's scores, by category."""
    of_categories = {name: Summary.of(each.rows) for name, each in categories.items()}
    of_all = Summary.of(row for each in categories.values() for row in each.rows)
    rows = [
        (
            name,
            str(each.patches),
            *(f"{each.medians[score]:.3g}" if score in each.medians else "-" for score in SCORES),
            percent(each.nothing_to_learn),
        )
        for name, each in of_categories.items()
    ]
    metadata: Metadata = {
        "video": dg.MetadataValue.text(key),
        "patches": dg.MetadataValue.int(of_all.patches),
        # Of each score a number, which the UI plots over the videos.
        **{name: dg.MetadataValue.float(round(median, 4)) for name, median in of_all.medians.items()},
        "nothing_to_learn": dg.MetadataValue.float(round(of_all.nothing_to_learn, 4)),
        "medians": dg.MetadataValue.md(
            markdown_table(("category", "patches", *SCORES, "nothing to learn"), rows)
        ),
        **{
            f"scores_of_{name}": dg.MetadataValue.md(_histograms(each.rows))
            for name, each in categories.items()
            if each.rows
        },
        "folder": dg.MetadataValue.path(DataSet.of(settings).metadata_folder / "scores"),
        "dagster/row_count": dg.MetadataValue.int(of_all.patches),
    }
    return metadata


def _histograms(rows: Sequence[ScoreRow]) -> str:
    """Return the histogram of each score as a line of blocks."""
    lines = [
        (name, f"{SCALES[name].low:.4g}", block_line(counts), f"{SCALES[name].high:.4g}")
        for name, counts in histograms_of(rows).items()
    ]
    return markdown_table(("score", "from", "patches", "to"), lines)
