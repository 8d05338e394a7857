"""Videos that no run is requested for, since it would be refused: it replaces too many finished patches.

Here: which they are, found out in the time that a tick has. Not here: what is refused (`generate`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from dataset_assets.assets import patches_asset
from dataset_assets.automation.pending import Pending
from dataset_assets.config import Settings, VideoEntry
from dataset_assets.counting import counted
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError, ReplacingError
from dataset_assets.generate import refuse_run

# Dagster ends a tick after 60 s; one video of 1,000 patches takes 50 ms.
LOOK_S = 20.0


class Refusals:
    """Finds out whether runs would be refused; remembers that over ticks while the settings stand."""

    def __init__(self) -> None:
        """Know of no video."""
        self._settings: Settings | None = None
        self._known: dict[tuple[str, str], str] = {}
        self._until_s = 0.0

    def begin(self, settings: Settings) -> None:
        """Begin a tick.

        Args:
            settings: The configuration, the same object until it changes.
        """
        if settings is not self._settings:
            self._settings, self._known = settings, {}
        self._until_s = time.monotonic() + LOOK_S

    def reason(
        self, settings: Settings, data_set: DataSet, entry: VideoEntry, pending: Pending
    ) -> str | None:
        """Return why a run would be refused.

        Args:
            settings: The configuration, with the films of watched folders.
            data_set: The data set.
            entry: The video.
            pending: What its run has to make.

        Returns:
            Why; empty where it would not be refused, None where this tick has no time left to find out.
        """
        if settings.base.allow_replacing or not pending.replaces:
            return ""
        question = entry.key, pending.reason
        if question not in self._known:
            if time.monotonic() >= self._until_s:
                return None
            self._known[question] = _reason(settings, data_set, entry, pending)
        # What would not be refused may have been made since, by a run that was interrupted.
        return self._known[question] or self._known.pop(question)


def _reason(settings: Settings, data_set: DataSet, entry: VideoEntry, pending: Pending) -> str:
    wanted = [name for name in settings.categories if patches_asset(name) in pending.assets]
    try:
        refuse_run(settings, data_set, entry, wanted)
    except ReplacingError as error:
        return error.what
    except DatasetAssetsError:
        pass  # a damaged table: the run says so
    return ""


def refusal_notice(refused: Mapping[str, str]) -> str:
    """Return one line about videos that are left out, and how to make them; empty without any.

    Args:
        refused: Why a run would be refused, by the video's key.
    """
    if not refused:
        return ""
    first = next(iter(refused.values()))
    return (
        f"{counted(len(refused), 'video')} left out, of which more than a tenth of the finished patches "
        f"would be replaced (first {first}): if that is wanted, launch a backfill of them with the tag "
        "dataset_assets/replace, set base_settings.allow_replacing to true, or run "
        "`dataset-assets generate --yes`"
    )
