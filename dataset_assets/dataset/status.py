"""What of a video is done, missing or stale: read from the tables' footers and the source's size and time.

Not here: what shapes a table (`identity`), and requesting runs (`automation`, `launch`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.counting import counted
from dataset_assets.dataset import strata
from dataset_assets.dataset.excluded_windows import ExcludedWindows
from dataset_assets.dataset.identity import (
    BY_FILM,
    PATCHES_VERSION,
    SOURCE_VERSION,
    WINDOWS_VERSION,
    WORKING_SIZE,
    has_other_exclusions,
    irrelevant_by_row,
    patches_hashes,
    source_hashes,
    windows_hashes,
)
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.dataset.working_frames import active_area, share_held
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.frames import FileKind, are_made_without_film
from dataset_assets.patches import misfit
from dataset_assets.tables import Counts, Provenance, VideoRow
from dataset_assets.video import Rect

SOURCE = "source"
WINDOWS = "windows"
CODE_CHANGED = "the code that makes it changed"
SOURCE_CHANGED = "the source file changed"
EXCLUSIONS_CHANGED = "exclude changed"
_SETTINGS_CHANGED = "its settings changed"
_CAP_CHANGED = "max_attempts changed"
_WINDOWS_CHANGED = "its windows changed"
# What makes the windows stale, and so their patches.
_CAUSES = (CODE_CHANGED, EXCLUSIONS_CHANGED)


@dataclass(frozen=True, slots=True)
class AssetStatus:
    """Whether one table of a video is up to date.

    Attributes:
        state: `done`; `missing` (no table), `partial` (a run was interrupted) or `stale`; `too_small` where
            no format fits the film, so that there is nothing to make.
        reason: Why it is not done, in a few words; empty where it is.
        only_target: Whether the table is finished and only more or fewer rows are wanted, so that the first
            ones stay as they are.
        only_files: Whether the table is finished and its patches only have files of other kinds than are
            wanted, which is put right without the film.
    """

    state: Literal["done", "missing", "partial", "stale", "too_small"]
    reason: str = ""
    only_target: bool = False
    only_files: bool = False

    @property
    def is_done(self) -> bool:
        """Whether nothing has to be made."""
        return self.state in ("done", "too_small")


def statuses_of(
    settings: Settings, entry: VideoEntry, tables: TableStore, excluded_windows: ExcludedWindows
) -> dict[str, AssetStatus]:
    """Return the state of a video's tables.

    Args:
        settings: The configuration.
        entry: The video.
        tables: The data set's tables.
        excluded_windows: Windows that users excluded by hand.

    Returns:
        A status under `SOURCE`, `WINDOWS` and each category's name. A source file that is missing counts as
        unchanged: what was made of it stays.
    """
    look = _Look(settings, entry, tables, excluded_windows)
    found = {SOURCE: look.source(), WINDOWS: look.windows()}
    for category in settings.categories:
        of_patches = look.patches(category)
        if of_patches.reason == _SETTINGS_CHANGED and found[WINDOWS].reason in _CAUSES:
            # Their hash holds that of the windows, which is the cause.
            of_patches = found[WINDOWS]
        found[category] = of_patches
    wanted = [found[name] for name in settings.wanting(entry)]
    if wanted and all(status.state == "too_small" for status in wanted) and not found[WINDOWS].is_done:
        found[WINDOWS] = AssetStatus("too_small", look.misfit() or wanted[0].reason)
    return found


def has_other_cap(made: Provenance, counts: Counts, max_attempts: int | None) -> bool:
    """Whether a windows table would be another one with this cap on candidates for each window."""
    if max_attempts is None or made.max_attempts in (None, max_attempts):
        return False
    is_full = made.sampled is not None and made.sampled.is_full
    is_short = counts.accepted < made.target and not is_full
    return is_short or counts.candidates > made.target * max_attempts


class _Look:
    """One look at the tables of a video."""

    def __init__(
        self, settings: Settings, entry: VideoEntry, tables: TableStore, excluded_windows: ExcludedWindows
    ) -> None:
        self._settings = settings
        self._entry = entry
        self._tables = tables
        self._excluded: frozenset[int] = frozenset()
        self._problem = ""
        try:
            self._excluded = excluded_windows.read(entry.key)
        except DatasetAssetsError as error:
            self._problem = str(error)
        self._excludes = bool(self._excluded or entry.exclude)
        # All tables of a video are mostly made from the same file, which is looked at once.
        self._is_of_film = cache(lambda fingerprint: fingerprint.was_of(entry.path))
        self._strata = 0
        self._accepted: int | None = None
        self._is_resampled = False
        self._footer: tuple[Provenance, Counts] | None = None
        self._irrelevant: frozenset[str] = frozenset()
        self._has_row = False
        self._row: VideoRow | None = None

    def source(self) -> AssetStatus:
        depends_on_row = self._settings.base.working_size == "native"
        row = self._video_row() if depends_on_row else None
        is_measured = row is not None and row.native_z is not None
        is_full = row is not None and share_held(row) == 1
        irrelevant = frozenset({WORKING_SIZE} if is_full else ())

        def is_equal(made: Provenance) -> bool:
            hashes = source_hashes(self._settings, self._entry, irrelevant, is_measured=is_measured)
            return made.settings_hash in hashes or self._is_equal_in_strata(
                made, partial(strata.source_hashes, self._settings, self._entry)
            )

        status = self._status(self._tables.video_path(self._entry.key), {SOURCE_VERSION: is_equal}, 1)
        if is_measured or status.is_done:
            self._irrelevant = irrelevant
        if status.reason == _SETTINGS_CHANGED and (row := self._video_row()) is not None:
            here = str(self._entry.path)
            if row.path != here:
                return AssetStatus("stale", f"it was probed as {row.path}, and is {here} here")
        return status

    def windows(self) -> AssetStatus:
        """Return the state of the windows; asked after `source`."""

        def is_equal(made: Provenance) -> bool:
            self._strata = made.sampled.strata if made.sampled else 0
            return made.settings_hash in windows_hashes(
                self._settings, self._entry, self._irrelevant, self._excluded
            )

        def is_equal_in_strata(made: Provenance) -> bool:
            self._strata = made.target
            return self._is_equal_in_strata(
                made, partial(strata.windows_hashes, self._settings, self._entry, made.target)
            )

        path = self._tables.windows_path(self._entry.key)
        versions = {WINDOWS_VERSION: is_equal, strata.VERSION: is_equal_in_strata}
        status = self._status(path, versions, self._settings.window_target(self._entry))
        status = self._with_exclusions(status)
        if status.is_done and self._footer is not None:
            self._accepted = self._footer[1].accepted
        self._is_resampled = status.state == "stale" and (bool(self._strata) or status.reason == _CAP_CHANGED)
        return status

    def _with_exclusions(self, status: AssetStatus) -> AssetStatus:
        """Return the state of the windows table, given the one by its hash and target."""
        made = self._footer[0] if self._footer is not None else None
        if made is None:
            return status
        if self._problem:
            return AssetStatus("stale", self._problem)
        is_of_strata = made.code_version == strata.VERSION
        if is_of_strata and self._excludes and status.reason not in (SOURCE_CHANGED, _SETTINGS_CHANGED):
            return AssetStatus("stale", EXCLUSIONS_CHANGED)
        if status.reason == _SETTINGS_CHANGED and has_other_exclusions(
            made, self._settings, self._entry, self._irrelevant, self._excluded
        ):
            return AssetStatus("stale", EXCLUSIONS_CHANGED)
        return status

    def patches(self, category: str) -> AssetStatus:
        """Return the state of a category's patches; asked after `windows`."""

        def is_equal(made: Provenance) -> bool:
            return made.settings_hash in patches_hashes(
                self._settings, self._entry, category, self._irrelevant, self._excluded
            )

        def is_equal_in_strata(made: Provenance) -> bool:
            hashes = partial(
                strata.patches_hashes, self._settings, self._entry, category, self._strata, made.target
            )
            return self._is_equal_in_strata(made, hashes)

        path = self._tables.patches_path(category, self._entry.key)
        versions = {PATCHES_VERSION: is_equal, strata.VERSION: is_equal_in_strata}
        target = self._settings.target(self._entry, category)
        status = self._status(path, versions, target, self._settings.base.crops_per_window)
        if target and (why := self._misfit(category, status)):
            return AssetStatus("too_small", why)
        if not target and self._footer is not None and not sum(self._footer[1].patches.values()):
            # Nothing is wanted and nothing is there, whatever the settings.
            return AssetStatus("done")
        status = self._with_files(self._with_scale(status))
        if status.is_done and self._footer is not None:
            # Windows in strata go in another order than that in which categories took them.
            chosen = self._footer[0].chosen
            wanted = target if self._accepted is None else min(target, self._accepted)
            if self._is_resampled or chosen not in (None, wanted):
                return AssetStatus("stale", _WINDOWS_CHANGED)
        return status

    def _with_scale(self, status: AssetStatus) -> AssetStatus:
        """Return the state of a patches table, given the one by its hash: a change of scale is named."""
        made, wanted = self._footer[0].scale if self._footer else 0, self._settings.base.scale
        if status.reason != _SETTINGS_CHANGED or made == wanted:
            return status
        return AssetStatus("stale", f"scale changed from {made} to {wanted}")

    def _with_files(self, status: AssetStatus) -> AssetStatus:
        """Return the state of a patches table, given the one by its hash and target."""
        if self._footer is None or not (status.state in ("done", "partial") or status.only_target):
            return status
        made, counts = self._footer
        wanted = self._settings.base.file_kinds
        if made.kinds == wanted or not counts.patches:
            return status
        reason = ", ".join(
            f"{kind} is {'' if kind in wanted else 'not '}wanted"
            for kind in FileKind
            if (kind in wanted) != (kind in made.kinds)
        )
        only_files = status.is_done and are_made_without_film(wanted, made.kinds)
        return AssetStatus("stale", reason, only_files=only_files)

    def misfit(self) -> str:
        """Return why no format of any category that wants patches fits the film; empty as in `_misfit`."""
        area = self._area()
        mixes = [self._settings.categories[name].mix for name in self._settings.wanting(self._entry)]
        return "" if area is None else misfit(self._settings.formats, mixes, area)

    def _status(
        self,
        path: Path,
        is_equal: Mapping[str, Callable[[Provenance], bool]],
        target: int,
        crops: int | None = None,
    ) -> AssetStatus:
        """Return the state of a table.

        Args:
            path: Its file.
            is_equal: By each version of the code whose tables are valid, whether the settings that a table
                was made with mean what the present ones mean.
            target: What is asked for.
            crops: Patches of a window that are asked for; None where the table is not of patches.
        """
        self._footer = None
        try:
            footer = self._tables.read_footer(path)
        except DatasetAssetsError as error:
            return AssetStatus("stale", str(error))
        if footer is None:
            return AssetStatus("missing", "never made")
        self._footer = made, counts = footer
        if made.code_version not in is_equal:
            return AssetStatus("stale", CODE_CHANGED)
        if not self._is_of_film(made.source_fingerprint):
            return AssetStatus("stale", SOURCE_CHANGED)
        if not is_equal[made.code_version](made):
            return AssetStatus("stale", _SETTINGS_CHANGED)
        if made.target != target or (crops is not None and made.crops_per_window != crops):
            has_same_cap = made.max_attempts in (None, self._settings.base.max_attempts)
            reason = f"{target:,} wanted instead of {made.target:,}"
            if made.target == target and crops is not None:
                reason = f"{counted(crops, 'crop')} of a window wanted instead of {made.crops_per_window}"
            return AssetStatus("stale", reason, only_target=made.complete and has_same_cap)
        if not made.complete:
            return AssetStatus("partial", "a run was interrupted")
        if has_other_cap(made, counts, self._settings.base.max_attempts):
            return AssetStatus("stale", _CAP_CHANGED)
        return AssetStatus("done")

    def _misfit(self, category: str, status: AssetStatus) -> str:
        """Return why no format of a category fits the film; empty where one does, or where that is not known.

        The row of the film is read only where the patches table, of this status, does not decide.
        """
        is_of_settings = status.state in ("done", "partial") or status.only_target
        made, counts = self._footer if self._footer is not None and is_of_settings else (None, None)
        if (made and made.mix) or (counts and counts.patches):
            return ""
        area = self._area()
        if area is None:
            return "no format fits" if made and made.mix is not None else ""
        return misfit(self._settings.formats, [self._settings.categories[category].mix], area)

    def _area(self) -> Rect | None:
        """Return the active area of the film as it is now; None where it was not probed."""
        row = self._video_row()
        if row is None or not self._is_of_film(row.source_fingerprint):
            return None
        return active_area(row, self._settings.base.working_size)

    def _is_equal_in_strata(
        self, made: Provenance, hashes: Callable[[frozenset[str]], strata.StrataHashes]
    ) -> bool:
        """Whether a table of the release before was made with settings that give the same contents.

        The row of the film is read only where it decides: it costs 10 times a footer (0.8 ms).
        """
        if made.settings_hash in hashes(self._irrelevant):
            return True
        if made.settings_hash not in hashes(BY_FILM | self._irrelevant):
            return False
        row = self._video_row()
        return (
            row is not None
            and row.source_fingerprint.has_same_content(made.source_fingerprint)
            and made.settings_hash in hashes(irrelevant_by_row(row))
        )

    def _video_row(self) -> VideoRow | None:
        if not self._has_row:
            self._has_row = True
            with suppress(DatasetAssetsError):  # damaged, which is for `verify` to report
                self._row = self._tables.read_video(self._entry.key)
        return self._row
