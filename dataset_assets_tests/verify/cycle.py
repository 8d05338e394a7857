"""What a person does with a data set: make what is missing, read it back, compare."""

from __future__ import annotations

from dataset_assets.config import Settings
from dataset_assets.dataset import SOURCE, WINDOWS, DataSet
from dataset_assets.generate import generate_video, probe_video
from dataset_assets.verify import VideoFindings, verify
from dataset_assets_tests.generate.samples import KEY, pictures, tables


def make(settings: Settings) -> None:
    """What `generate` does: makes what is missing or unfinished, and nothing else."""
    found = DataSet.of(settings).statuses(settings, settings.videos[0])
    missing = [name for name, status in found.items() if not status.is_done]
    if SOURCE in missing:
        probe_video(settings, KEY)
    categories = [name for name in settings.categories if name in missing]
    if WINDOWS in missing or categories:
        generate_video(settings, KEY, windows=WINDOWS in missing, categories=categories)


def only(settings: Settings, *, repair: bool = False, deep_share: float = 0.0) -> VideoFindings:
    """What is found of the one video."""
    (found,) = verify(settings, workers=2, repair=repair, deep_share=deep_share)
    assert found.key == KEY
    return found


def assert_same(one: Settings, other: Settings) -> None:
    """Both data sets hold the same bytes and rows, and nothing of a run that was killed."""
    roots = [each.base.output_base_dir for each in (one, other)]
    assert pictures(roots[0]) == pictures(roots[1])
    assert tables(roots[0]) == tables(roots[1])
    assert [list(root.rglob("metadata/.[!l]*/*")) for root in roots] == [[], []]
