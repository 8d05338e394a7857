"""Remedies that depend on where a video comes from: an entry of the file, or a watched folder.

What reads films does not know the entry, so its errors hold the general wordings of `errors`, which are
completed here. Not here: what is wrong with a film (`video`).
"""

from __future__ import annotations

import glob
import json

from dataset_assets.config.models import Settings, VideoEntry, WatchedVideo
from dataset_assets.config.operation import watching
from dataset_assets.errors import CORRECT_PATH, LEAVE_OUT


def fitting_remedy(remedy: str, settings: Settings, entry: VideoEntry) -> str:
    """Return a remedy in the words that fit a video.

    Args:
        remedy: The remedy, which may hold `LEAVE_OUT` and `CORRECT_PATH`.
        settings: The configuration.
        entry: The video.
    """
    remove = f"`dataset-assets videos remove {entry.key}`"
    if isinstance(entry, WatchedVideo):
        leave_out = f"{how_to_exclude(settings, entry)}, then call {remove}"
        # Its path is where it was found: there is none to correct.
        correct_path = f"remove it by {remove}"
    else:
        leave_out = f"remove it from the configuration by {remove}"
        correct_path = "correct its path in the configuration"
    return remedy.replace(LEAVE_OUT, leave_out).replace(CORRECT_PATH, correct_path)


def how_to_exclude(settings: Settings, entry: WatchedVideo) -> str:
    """Return how a film of a watched folder is left out, such as "add "a.mkv" to `exclude` of ..."."""
    folder = watching(settings.watch, entry.path)
    if folder is None:
        return f"add {_quoted(entry.path.name)} to `exclude` of its watched folder"
    pattern = _quoted(entry.path.relative_to(folder.folder).as_posix())
    return f"add {pattern} to `exclude` of the watched folder {folder.folder}"


def _quoted(path: str) -> str:
    """Return the pattern that matches one path, as the file would write it."""
    return json.dumps(glob.escape(path), ensure_ascii=False)
