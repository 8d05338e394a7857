"""How far a video has come: what is wanted of it, done, out of reach, and to do.

The only definition of these figures; every screen shows sums of them. Here: one video, from its tables'
footers and states, and from rows where exclusions changed. Not here: what is missing or stale and why
(`status`), and adding up (`statistics`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset.excluded_windows import ExcludedWindows
from dataset_assets.dataset.failures import Failure
from dataset_assets.dataset.progress import Progress
from dataset_assets.dataset.remaining import remaining
from dataset_assets.dataset.status import EXCLUSIONS_CHANGED, WINDOWS, AssetStatus
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import Counts, Provenance


@dataclass(frozen=True, slots=True)
class Completion:
    """How far windows, or the patches of a category, have come; of one video or added up.

    `done + short + to_do` is `target`.

    Attributes:
        target: What the configuration wants; nothing of a film that no format fits, and of one that the last
            run refused only what there is. How many patches a window has is known once its patches are made:
            others count as `crops_per_window`.
        done: What there is of it, up to date.
        short: What a film cannot give: it is full, or `max_attempts` is reached.
        stale: What there is besides: of a stale table, or more than is wanted. It is made again, kept or
            deleted by the next run.
        windows_to_do: Windows of which patches are to be made, where windows have several and that is known.
    """

    target: int = 0
    done: int = 0
    short: int = 0
    stale: int = 0
    windows_to_do: int | None = None

    @property
    def to_do(self) -> int:
        """What is still to be made."""
        return self.target - self.done - self.short

    @property
    def share(self) -> float | None:
        """Share that is done of what can be given, 0..1; None where that is nothing."""
        possible = self.target - self.short
        return self.done / possible if possible else None

    @property
    def as_refused(self) -> Completion:
        """What is left of it where the film is refused, which gives nothing more until it is replaced."""
        return Completion(self.done, self.done, 0, self.stale)

    def __add__(self, other: Completion) -> Completion:
        """Return the sums."""
        return Completion(
            self.target + other.target,
            self.done + other.done,
            self.short + other.short,
            self.stale + other.stale,
        )


def completions_of(
    settings: Settings,
    entry: VideoEntry,
    tables: TableStore,
    statuses: Mapping[str, AssetStatus],
    excluded_windows: ExcludedWindows,
    progress: Progress | None = None,
    *,
    failure: Failure | None = None,
) -> dict[str, Completion]:
    """Return how far a video has come.

    Args:
        settings: The configuration.
        entry: The video.
        tables: The data set's tables.
        statuses: The states of the video's tables.
        excluded_windows: Windows that users excluded by hand.
        progress: What a run on the video has done, also of what its tables do not hold yet.
        failure: Why its last run failed; it may have refused the film.

    Returns:
        A completion under `WINDOWS` and each category's name. A table that cannot be read counts as missing.
    """
    windows = _footer(tables, tables.windows_path(entry.key))
    there = windows[1].accepted if windows else 0
    most, stay = _most(windows, statuses), None
    if windows is not None and statuses[WINDOWS].reason == EXCLUSIONS_CHANGED:
        with suppress(DatasetAssetsError):
            stay = remaining(settings, entry, tables, windows, excluded_windows.read(entry.key))
    most = most if stay is None else stay.possible
    staying = None if stay is None else len(stay.windows)
    found = {
        WINDOWS: _completion(statuses[WINDOWS], settings.window_target(entry), there, most, staying=staying)
    }
    for category in settings.categories:
        patches = _footer(tables, tables.patches_path(category, entry.key))
        there = sum(patches[1].patches.values()) if patches else 0
        current = there - patches[0].outdated if patches else 0
        if progress is not None and category in progress.patches:
            current, there = progress.patches[category], max(there, progress.patches[category])
        staying = None
        if stay is not None and progress is None and statuses[category].reason == EXCLUSIONS_CHANGED:
            with suppress(DatasetAssetsError):
                rows = tables.read_patches(category, entry.key)
                staying = sum(row.window in stay.windows for row in rows)
        found[category] = _completion(
            statuses[category],
            settings.target(entry, category),
            there,
            most,
            current,
            staying=staying,
            crops=settings.base.crops_per_window,
            patches=patches,
            progress_target=None if progress is None else progress.patches_target.get(category),
            is_worked_on=progress is not None,
        )
    if progress is None and failure is not None and failure.refuses(entry.path):
        return {name: each.as_refused for name, each in found.items()}
    return found


def windows_to_do(completions: Mapping[str, Completion], *, force: bool = False) -> int:
    """Return the windows that a run has to work on: one window serves all categories.

    Args:
        completions: How far a video has come, by table.
        force: Whether the run rebuilds what is up to date.
    """
    most = completions[WINDOWS].target
    of_each = (
        each.target if force else each.to_do if each.windows_to_do is None else each.windows_to_do
        for each in completions.values()
    )
    return max(min(most, each) for each in of_each)


def _completion(
    status: AssetStatus,
    target: int,
    there: int,
    most: int | None,
    current: int | None = None,
    *,
    staying: int | None = None,
    crops: int = 1,
    patches: tuple[Provenance, Counts] | None = None,
    progress_target: int | None = None,
    is_worked_on: bool = False,
) -> Completion:
    """Return one figure of a video.

    Args:
        status: The state of the table.
        target: Windows wanted.
        there: Rows of the table, of all settings.
        most: Windows that the film can give; None where that is not known.
        current: Rows of the present settings, where some may be of others.
        staying: Rows of a stale table that stay, where that is known.
        crops: Patches of a window that are wanted; 1 where rows are windows.
        patches: What a patches table is made from, and its counts.
        progress_target: Patches that a run on the video finds to be wanted.
        is_worked_on: Whether a run works on it, so that rows count though the table is stale or missing.
    """
    if status.state == "too_small":
        return Completion(stale=there)
    if staying is not None:
        current = staying
    is_kept = status.only_target or status.only_files or staying is not None
    is_current = status.state in ("done", "partial") or is_kept or is_worked_on
    wanted, windows = target * crops, None
    if progress_target is not None:
        wanted = progress_target
    elif crops > 1 and patches is not None and is_current and staying is None:
        made, counts = patches
        # Of a finished table it is known how many patches its windows have.
        if made.complete and made.crops_per_window == crops and counts.windows <= target:
            wanted = there + (target - counts.windows) * crops
            windows = target - counts.windows
    done = min(wanted, there if current is None else current) if is_current else 0
    if status.state == "done":
        short = wanted - done
    else:
        out_of_reach = 0 if most is None else max(0, target - most) * crops
        short = min(wanted - done, out_of_reach)
    if windows is not None:
        windows -= short // crops
    return Completion(wanted, done, short, there - done, windows)


def _most(windows: tuple[Provenance, Counts] | None, statuses: Mapping[str, AssetStatus]) -> int | None:
    """Return how many windows the film can give, as far as its windows table says; None where it does not."""
    if windows is None:
        return None
    made, counts = windows
    status = statuses[WINDOWS]
    is_full = made.sampled is not None and made.sampled.is_full and status.only_target
    return counts.accepted if status.state == "done" or is_full else None


def _footer(tables: TableStore, path: Path) -> tuple[Provenance, Counts] | None:
    with suppress(DatasetAssetsError):  # which the statistics report
        return tables.read_footer(path)
    return None
