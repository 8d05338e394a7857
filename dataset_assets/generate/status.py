"""What of a video is done, missing or stale: read from the tables' footers and the source's size and time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.generate.identity import CODE_VERSION, patches_hash, source_hash, windows_hash
from dataset_assets.tables import TableStore

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


def statuses(settings: Settings, entry: VideoEntry, store: TableStore) -> dict[str, AssetStatus]:
    """Look up the state of a video's tables.

    Args:
        settings: The configuration.
        entry: The video.
        store: The data set's tables.

    Returns:
        A status under `SOURCE`, `WINDOWS` and each category's name. A source file that is gone counts as
        unchanged: what was made of it stays.
    """
    found = {SOURCE: _status(entry, store, store.video_path(entry.key), source_hash(settings, entry))}
    found[WINDOWS] = _status(entry, store, store.windows_path(entry.key), windows_hash(settings, entry))
    for category in settings.categories:
        path = store.patches_path(category, entry.key)
        found[category] = _status(entry, store, path, patches_hash(settings, entry, category))
    return found


def _status(entry: VideoEntry, store: TableStore, path: Path, settings_hash: str) -> AssetStatus:
    try:
        provenance = store.read_provenance(path)
    except DatasetAssetsError as error:
        return AssetStatus("stale", str(error))
    if provenance is None:
        return AssetStatus("missing", "never made")
    if provenance.code_version != CODE_VERSION:
        return AssetStatus("stale", "the code that makes it changed")
    if not provenance.source_fingerprint.is_of(entry.path):
        return AssetStatus("stale", "the source file changed")
    if provenance.settings_hash != settings_hash:
        return AssetStatus("stale", "its settings changed")
    if not provenance.complete:
        return AssetStatus("partial", "a run was interrupted")
    return AssetStatus("done")
