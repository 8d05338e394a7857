"""What of a video is done, missing or stale: read from the tables' footers and the source's size and time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset.identity import CODE_VERSION, patches_hash, source_hash, windows_hash
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.video.fingerprint import Fingerprint

SOURCE = "source"
WINDOWS = "windows"


@dataclass(frozen=True, slots=True)
class AssetStatus:
    """Whether one table of a video is up to date.

    Attributes:
        state: `done`; `missing` (no table), `partial` (a run was interrupted) or `stale`.
        reason: Why it is not done, in a few words; empty where it is.
    """

    state: Literal["done", "missing", "partial", "stale"]
    reason: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing has to be made."""
        return self.state == "done"


def statuses_of(settings: Settings, entry: VideoEntry, tables: TableStore) -> dict[str, AssetStatus]:
    """Look up the state of a video's tables.

    Args:
        settings: The configuration.
        entry: The video.
        tables: The data set's tables.

    Returns:
        A status under `SOURCE`, `WINDOWS` and each category's name. A source file that is gone counts as
        unchanged: what was made of it stays.
    """
    hashes = {
        SOURCE: (tables.video_path(entry.key), source_hash(settings, entry)),
        WINDOWS: (tables.windows_path(entry.key), windows_hash(settings, entry)),
    }
    for category in settings.categories:
        hashes[category] = (
            tables.patches_path(category, entry.key),
            patches_hash(settings, entry, category),
        )
    # All tables of a video are mostly made from the same file, which is looked at once.
    is_of_film = cache(lambda fingerprint: fingerprint.is_of(entry.path))
    return {name: _status(tables, path, hash_, is_of_film) for name, (path, hash_) in hashes.items()}


def _status(
    tables: TableStore, path: Path, settings_hash: str, is_of_film: Callable[[Fingerprint], bool]
) -> AssetStatus:
    try:
        provenance = tables.read_provenance(path)
    except DatasetAssetsError as error:
        return AssetStatus("stale", str(error))
    if provenance is None:
        return AssetStatus("missing", "never made")
    if provenance.code_version != CODE_VERSION:
        return AssetStatus("stale", "the code that makes it changed")
    if not is_of_film(provenance.source_fingerprint):
        return AssetStatus("stale", "the source file changed")
    if provenance.settings_hash != settings_hash:
        return AssetStatus("stale", "its settings changed")
    if not provenance.complete:
        return AssetStatus("partial", "a run was interrupted")
    return AssetStatus("done")
