"""What only the film can tell: pictures that agree with one another, but are not what it shows."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from dataset_assets.config import Settings
from dataset_assets.dataset import TableStore
from dataset_assets.tables import VIDEOS, WindowRow
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY
from dataset_assets_tests.verify import damages
from dataset_assets_tests.verify.cycle import assert_same, make, only


def exchange_two_patches(root: Path) -> None:
    """Puts two triplets of one size in each other's place, with rows that say so."""
    rows = damages.general(root)
    first, second = damages.square(root)[:2]
    contents = [(root / getattr(second, column)).read_bytes() for column in ("gt", "lr5", "lr7")]
    others = [(root / getattr(first, column)).read_bytes() for column in ("gt", "lr5", "lr7")]
    changed_first, changed_second = first, second
    for column, content, other in zip(("gt", "lr5", "lr7"), contents, others, strict=True):
        changed_first = damages.put(root, changed_first, column, content)
        changed_second = damages.put(root, changed_second, column, other)
    swapped = {first.window: changed_first, second.window: changed_second}
    damages.rewrite(root, [swapped.get(row.window, row) for row in rows])


def test_a_sound_data_set_is_what_the_film_shows(whole: Settings) -> None:
    found = only(whole, deep_share=1.0)
    assert (found.findings, found.notes) == ([], [])
    windows = TableStore(whole.base.output_base_dir).read_windows(KEY)
    assert found.windows_compared == sum(row.accepted for row in windows) > 1


def test_a_small_share_is_one_window_at_least(whole: Settings) -> None:
    assert only(whole, deep_share=0.001).windows_compared == 1


def test_only_the_film_reveals_patches_in_each_others_place(settings: Settings, whole: Settings) -> None:
    exchange_two_patches(settings.base.output_base_dir)
    assert only(settings).findings == []
    found = only(settings, deep_share=1.0, repair=True)
    assert {finding.kind.value for finding in found.findings} == {"source"}
    assert len(found.findings) == 6
    assert found.repaired
    make(settings)
    assert_same(settings, whole)


def test_only_the_film_reveals_times_that_are_a_frame_late(settings: Settings, whole: Settings) -> None:
    step = 512

    def late(row: WindowRow) -> tuple[int, ...]:
        return tuple(pts + step for pts in row.pts)

    damages.change_accepted(pts=late)(settings.base.output_base_dir)
    first = damages.first_accepted(TableStore(whole.base.output_base_dir).read_windows(KEY))
    assert first.pts[1] - first.pts[0] == step
    assert only(settings).findings == []
    found = only(settings, deep_share=1.0, repair=True)
    assert {finding.kind.value for finding in found.findings} == {"source"}
    make(settings)
    assert_same(settings, whole)


def test_a_videos_row_is_held_against_the_film(settings: Settings, whole: Settings) -> None:
    store = TableStore(settings.base.output_base_dir)
    row, provenance = store.read_video(KEY), store.read_provenance(store.video_path(KEY))
    assert row is not None
    assert provenance is not None
    store.write(store.video_path(KEY), VIDEOS, [replace(row, bit_depth=10)], provenance)
    assert only(settings).findings == []
    found = only(settings, deep_share=0.1, repair=True)
    assert [finding.kind.value for finding in found.findings] == ["table"]
    make(settings)
    assert_same(settings, whole)


def test_another_film_in_its_place_is_a_note_and_no_damage(
    settings: Settings, rotated_film: Film, tmp_path: Path
) -> None:
    film = Path(shutil.copy2(rotated_film.path, tmp_path / "film.mp4"))
    entry = settings.videos[0].model_copy(update={"path": film})
    found = only(settings.model_copy(update={"videos": (entry,)}), deep_share=1.0)
    assert found.findings == []
    assert found.windows_compared == 0
    assert any("film has changed" in note for note in found.notes)
