"""What of a video is done, missing or stale: read from the tables' footers and the source's size and time.

Not here: what shapes a table (`identity`), and requesting runs (`automation`, `launch`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset.identity import (
    BY_FILM,
    PATCHES_VERSION,
    SOURCE_VERSION,
    WINDOWS_VERSION,
    SettingsHashes,
    irrelevant_by_row,
    patches_hashes,
    source_hashes,
    windows_hashes,
)
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import Provenance, VideoRow
from dataset_assets.video import Fingerprint

SOURCE = "source"
WINDOWS = "windows"
_CODE_CHANGED = "the code that makes it changed"
_SETTINGS_CHANGED = "its settings changed"


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
    """Return the state of a video's tables.

    Args:
        settings: The configuration.
        entry: The video.
        tables: The data set's tables.

    Returns:
        A status under `SOURCE`, `WINDOWS` and each category's name. A source file that is missing counts as
        unchanged: what was made of it stays.
    """
    read_row = cache(partial(_video_row, entry, tables))
    # All tables of a video are mostly made from the same file, which is looked at once.
    is_of_film = cache(lambda fingerprint: fingerprint.is_of(entry.path))

    def status(path: Path, version: str, hashes: Callable[[frozenset[str]], SettingsHashes]) -> AssetStatus:
        return _status(tables, path, version, is_of_film, lambda made: _is_equal(made, hashes, read_row))

    found = {
        SOURCE: status(tables.video_path(entry.key), SOURCE_VERSION, partial(source_hashes, settings, entry)),
        WINDOWS: status(
            tables.windows_path(entry.key), WINDOWS_VERSION, partial(windows_hashes, settings, entry)
        ),
    }
    for category in settings.categories:
        path = tables.patches_path(category, entry.key)
        of_patches = status(path, PATCHES_VERSION, partial(patches_hashes, settings, entry, category))
        if (of_patches.reason, found[WINDOWS].reason) == (_SETTINGS_CHANGED, _CODE_CHANGED):
            # Their hash holds that of the windows, whose version is the cause.
            of_patches = found[WINDOWS]
        found[category] = of_patches
    return found


def _status(
    tables: TableStore,
    path: Path,
    code_version: str,
    is_of_film: Callable[[Fingerprint], bool],
    has_equal_settings: Callable[[Provenance], bool],
) -> AssetStatus:
    try:
        provenance = tables.read_provenance(path)
    except DatasetAssetsError as error:
        return AssetStatus("stale", str(error))
    if provenance is None:
        return AssetStatus("missing", "never made")
    if provenance.code_version != code_version:
        return AssetStatus("stale", _CODE_CHANGED)
    if not is_of_film(provenance.source_fingerprint):
        return AssetStatus("stale", "the source file changed")
    if not has_equal_settings(provenance):
        return AssetStatus("stale", _SETTINGS_CHANGED)
    if not provenance.complete:
        return AssetStatus("partial", "a run was interrupted")
    return AssetStatus("done")


def _is_equal(
    made: Provenance,
    hashes: Callable[[frozenset[str]], SettingsHashes],
    read_row: Callable[[], VideoRow | None],
) -> bool:
    """Return whether a table was made with settings that give the same contents as the present ones.

    The row of the film is read only where it decides: it costs 10 times a footer (0.8 ms).
    """
    if made.settings_hash in hashes(frozenset()):
        return True
    if made.settings_hash not in hashes(BY_FILM):
        return False
    row = read_row()
    return (
        row is not None
        and row.source_fingerprint.has_same_content(made.source_fingerprint)
        and made.settings_hash in hashes(irrelevant_by_row(row))
    )


def _video_row(entry: VideoEntry, tables: TableStore) -> VideoRow | None:
    try:
        return tables.read_video(entry.key)
    except DatasetAssetsError:
        return None  # damaged, which is for `verify` to report
