"""Check the validation patches of a video: their tables, and the files of accepted ones in `Val/GT`.

What a person decided is in no other place, so a repair deletes none of it. Not here: which patches are
proposed (`curation`), and what a decision does (`dataset`).
"""

from __future__ import annotations

from collections.abc import Iterable

from dataset_assets.dataset import DataSet, ValidationPatch
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.verify.findings import Kind, VideoFindings


def check_validation(data_set: DataSet, key: str, categories: Iterable[str], found: VideoFindings) -> None:
    """Read the validation tables of a video, and compare the files of accepted patches with them.

    Args:
        data_set: The data set.
        key: The video's key.
        categories: Names of the categories.
        found: Findings are added to it.
    """
    for category in categories:
        path = data_set.tables.validation_path(category, key)
        place = path.relative_to(data_set.folder)
        try:
            rows = data_set.tables.read_validation(category, key)
        except DatasetAssetsError as error:
            found.add(Kind.VALIDATION, place, str(error))
            continue
        for row in rows:
            patch = ValidationPatch(key, category, row)
            if wrong := data_set.validation.file_state(patch):
                remedy = f"`dataset-assets validation accept {patch.name}` puts a missing file back"
                found.add(Kind.VALIDATION, place, f"accepts {row.patch_id}, but {wrong}; {remedy}")
