"""What only the film can tell: pictures that agree with one another, but are not what it shows."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dataset_assets.config import Settings
from dataset_assets.dataset import TableStore
from dataset_assets.tables import VIDEOS, WINDOWS, WindowRow
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, small_settings
from dataset_assets_tests.verify import damages
from dataset_assets_tests.verify.cycle import assert_same, make, only
from dataset_assets_tests.verify.damages import Damage


def exchange_two_patches(root: Path) -> None:
    """Puts two triplets of one size in each other's place, with rows that say so."""
    rows = damages.general(root)
    first, second = damages.square(root)[:2]
    contents = [(root / getattr(second, f"{kind}_path")).read_bytes() for kind in damages.KINDS]
    others = [(root / getattr(first, f"{kind}_path")).read_bytes() for kind in damages.KINDS]
    changed_first, changed_second = first, second
    for kind, content, other in zip(damages.KINDS, contents, others, strict=True):
        changed_first = damages.put(root, changed_first, kind, content)
        changed_second = damages.put(root, changed_second, kind, other)
    swapped = {first.window: changed_first, second.window: changed_second}
    damages.rewrite(root, [swapped.get(row.window, row) for row in rows])


def test_a_sound_data_set_is_what_the_film_shows(whole: Settings) -> None:
    found = only(whole, deep_share=1.0)
    assert (found.findings, found.notes) == ([], [])
    windows = TableStore(whole.base.output_base_dir).read_windows(KEY)
    assert found.windows_compared == sum(row.accepted for row in windows) > 1


def test_a_film_without_a_place_for_all_windows_is_sound(sdr_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path / "out", sdr_film.path, base_frame_limit=30)
    make(settings)
    made = TableStore(tmp_path / "out").read_provenance(TableStore(tmp_path / "out").windows_path(KEY))
    assert made is not None
    assert made.sampled is not None
    assert made.sampled.is_full
    found = only(settings, deep_share=1.0)
    assert (found.findings, found.notes) == ([], [])


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


@pytest.mark.parametrize(
    "damage",
    [
        damages.change_accepted(keyframe_pts=lambda row: row.pts[0] - 1),
        damages.change_accepted(
            start_pts=lambda row: row.pts[0] - 1, keyframe_pts=lambda row: row.pts[0] - 1
        ),
        damages.change_candidate(damages.first_passed_over, keyframe_pts=lambda _: 7),
    ],
    ids=["keyframe of a window", "start of a window", "keyframe of one passed over"],
)
def test_a_candidate_in_another_place_is_told_by_the_film_alone(
    settings: Settings, whole: Settings, damage: Damage
) -> None:
    damage(settings.base.output_base_dir)
    assert only(settings).findings == []
    found = only(settings, deep_share=0.1, repair=True)
    (finding,) = found.findings
    assert (finding.kind.value, Path(finding.place).parts[1]) == ("source", "windows")
    make(settings)
    assert_same(settings, whole)


def test_candidates_are_placed_in_the_extent_that_is_recorded(settings: Settings) -> None:
    """Not in that of a later probe, which may find another end."""
    store = TableStore(settings.base.output_base_dir)
    path = store.windows_path(KEY)
    made = store.read_provenance(path)
    assert made is not None
    assert made.sampled is not None
    ((start, end),) = made.sampled.spans
    shorter = replace(made.sampled, spans=((start, end - (end - start) // 3),))
    store.write(path, WINDOWS, store.read_windows(KEY), replace(made, sampled=shorter))
    assert {finding.kind.value for finding in only(settings, deep_share=0.1).findings} == {"source"}


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
