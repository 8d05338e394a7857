"""`videos exclude`: windows that are excluded by hand, or not any more."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from dataset_assets.config import Settings
from dataset_assets.counting import was
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.frames import MIDDLE_FRAME
from dataset_assets.gallery import write_video_page
from dataset_assets.object_store import StoreError
from dataset_assets.windows import has_frame


def exclude(settings: Settings, key: str, numbers: Sequence[int], console: Console, *, undoes: bool) -> None:
    """Exclude windows, or take that back, and write the video's page.

    Args:
        settings: The configuration.
        key: The video's key.
        numbers: Numbers of the windows, as the gallery shows them.
        console: Where it is reported.
        undoes: Whether they are not to be excluded any more.

    Raises:
        ConfigError: The configuration has no such video.
        DatasetAssetsError: The video has no such window, it is not excluded, or a file cannot be read or
            written.
    """
    settings.video(key)
    data_set = DataSet.of(settings)
    data_set.copy.refresh_video(key)
    windows = {row.window: row for row in data_set.excludable_windows(key)}
    if unknown := [str(number) for number in numbers if number not in windows]:
        raise DatasetAssetsError(
            f"{key} has no window {', '.join(unknown)}", "its page in the gallery shows their numbers"
        )
    excluded = data_set.excluded_windows.read(key)
    if undoes and (others := [each for each in numbers if not has_frame(windows[each].pts, excluded)]):
        listed = ", ".join(map(str, others))
        raise DatasetAssetsError(
            f"{key}: {listed} {was(len(others))} not excluded by hand, so nothing was changed",
            "its page in the gallery shows which windows are",
        )
    try:
        for number in numbers:
            pts = windows[number].pts
            if undoes:
                data_set.excluded_windows.take_back(key, pts[0], pts[-1])
            else:
                data_set.excluded_windows.add(key, pts[MIDDLE_FRAME])
        write_video_page(settings, key)
    except StoreError:
        raise
    except OSError as error:
        raise DatasetAssetsError(
            f"{error.filename}: cannot be written ({error.strerror})",
            "free some space, or correct its permissions",
        ) from error
    shown = ", ".join(map(str, numbers))
    if undoes:
        what = f"{key}: {shown} no longer excluded; the next generate makes the patches again"
    else:
        what = f"{key}: {shown} excluded; the next generate deletes the patches and tries other places"
    console.print(escape(what), soft_wrap=True)
