"""What `generate` is about to do to the patches that are there, over all videos that it was asked for.

One video's part is worked out in `generate`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dataset_assets.assets import patches_asset
from dataset_assets.cli.unprobed import Unprobed
from dataset_assets.config import Settings, VideoEntry
from dataset_assets.counting import counted
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.generate import (
    Changes,
    finished_patches,
    planned_changes,
    refuse_to_replace,
    removed_category,
)
from dataset_assets.launch import Task
from dataset_assets.video import seen


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would do.

    Attributes:
        by_video: What happens to the patches of each video, by key and category.
        unprobed: What is known of the films that were not probed yet.
        absent: Keys of the videos whose film is not there to make patches of; they are not counted.
        problems: Why the patches of some videos could not be counted; their runs report it too.
    """

    by_video: Mapping[str, Mapping[str, Changes]]
    unprobed: Unprobed
    absent: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def changes(self) -> Changes:
        """What happens to the patches of all videos together."""
        return sum((each for changes in self.by_video.values() for each in changes.values()), Changes())

    @property
    def to_make(self) -> Mapping[str, Mapping[str, int]]:
        """Patches that are made, by video and category."""
        return {
            key: {name: each.to_make for name, each in changes.items()}
            for key, changes in self.by_video.items()
        }

    def windows(self, key: str) -> int | None:
        """Return the windows that a run on a video works on: one serves all categories.

        None where its patches could not be counted.
        """
        return max(self.to_make[key].values(), default=0) if key in self.by_video else None

    @property
    def replacing(self) -> frozenset[str]:
        """Keys of the videos of which patches are deleted or made again."""
        return frozenset(
            key for key, changes in self.by_video.items() if any(each.replaced for each in changes.values())
        )

    def refuse_to_replace(
        self, data_set: DataSet, categories: Sequence[str], others: Collection[str]
    ) -> None:
        """Refuse a run that would replace many finished patches.

        Args:
            data_set: The data set.
            categories: The categories that are asked for.
            others: Keys of the videos that are asked for and up to date, whose patches count as finished.

        Raises:
            ReplacingError: It would delete or make again more than a tenth of them.
        """
        replacing = self.replacing
        if not replacing:
            return
        finished = self.changes.finished + finished_patches(data_set, categories, others)
        videos = next(iter(replacing)) if len(replacing) == 1 else counted(len(replacing), "video")
        concerned = {name for key in replacing for name, each in self.by_video[key].items() if each.replaced}
        place = f"{data_set.folder}, {', '.join(sorted(concerned))} of {videos}"
        refuse_to_replace(place, self.changes, finished)


def preview_changes(
    settings: Settings,
    data_set: DataSet,
    entries: Sequence[VideoEntry],
    tasks: Sequence[Task],
    categories: Sequence[str],
    unprobed: Unprobed,
    *,
    force: bool,
) -> Preview:
    """Work out what a run would do.

    Args:
        settings: The configuration.
        data_set: The data set.
        entries: The videos that are asked for.
        tasks: What is to be made of those that are not up to date.
        categories: The categories that are asked for; all where empty.
        unprobed: What is known of the films that were not probed yet; nothing happens to the patches of those
            that cannot be used.
        force: Whether what is up to date is rebuilt.
    """
    is_of_all = len(entries) == len(settings.videos) and not categories
    by_video: dict[str, Mapping[str, Changes]] = {}
    problems, absent = [], []
    for task in tasks:
        if task.key in unprobed.refused:
            continue
        entry = settings.video(task.key)
        removes_left = is_of_all or all(patches_asset(name) in task.assets for name in settings.categories)
        chosen = None if removes_left else (categories or list(settings.categories))
        try:
            changes = planned_changes(
                settings,
                data_set,
                entry,
                chosen,
                misfits=unprobed.misfits.get(task.key, ()),
                rebuilds=force,
            )
        except DatasetAssetsError as error:  # a table is damaged
            problems.append(f"{task.key}: {error}")
            continue
        if any(each.to_make for each in changes.values()) and seen(entry.path) is None:
            absent.append(task.key)
        else:
            by_video[task.key] = changes
    left = data_set.left_categories(settings) if is_of_all else {}
    for key in left.keys() - {task.key for task in tasks}:
        try:
            by_video[key] = {name: removed_category(data_set, name, key) for name in left[key]}
        except DatasetAssetsError as error:
            problems.append(f"{key}: {error}")
    return Preview(by_video, unprobed, tuple(absent), tuple(problems))
