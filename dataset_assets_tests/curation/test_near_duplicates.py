"""Near-duplicates of films that share material: what is found, and what a second run does."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dataset_assets.config import Settings
from dataset_assets.curation import find_duplicates, near_duplicates, take_census, video_pairs
from dataset_assets.dataset import DataSet, current_duplicates, select, sides_of
from dataset_assets.generate import generate_video
from dataset_assets.tables import WINDOWS
from dataset_assets_tests.curation.same_films import (
    configured,
    film,
    generate,
    pairs,
    path_of,
    rows,
    shots,
)
from dataset_assets_tests.generate.samples import copied
from dataset_assets_tests.validation.samples import accepted, triplets

FEATURE, OPENING = shots(1, 2, 3, 4), shots(11)


@pytest.fixture(scope="module")
def made(films_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A feature, the same smaller and worse; two episodes with one opening; dark and unrelated films."""
    films = {
        "Alpha": film(films_folder, "same-feature", FEATURE),
        "Beta": film(films_folder, "same-feature-small", FEATURE, small=True),
        "Episode 1": film(films_folder, "same-episode-1", [*OPENING, *shots(12, 13)]),
        "Episode 2": film(films_folder, "same-episode-2", [*OPENING, *shots(14, 15)], small=True),
        "Dark one": film(films_folder, "same-dark-1", shots(21, 22, 23, exposure=0.06)),
        "Dark two": film(films_folder, "same-dark-2", shots(24, 25, 26, exposure=0.06), small=True),
    }
    toon = {"toon": 1.0}
    return generate(
        configured(tmp_path_factory.mktemp("same"), films, alpha={"general": 1.0, "toon": 1.0}, beta=toon)
    )


@pytest.fixture
def settings(made: Settings, tmp_path: Path) -> Settings:
    """A copy that is not compared yet."""
    return copied(made, tmp_path / "out")


def _mark(path: Path) -> tuple[int, int]:
    return path.stat().st_ino, path.stat().st_mtime_ns


def test_a_film_under_two_names_and_an_opening_are_found_and_nothing_else(settings: Settings) -> None:
    report = find_duplicates(settings)
    assert report.problems == ()
    found = pairs(settings)
    assert set(found) == {("beta", "alpha"), ("episode-2", "episode-1")}
    tables = DataSet.of(settings).tables
    # Both films have windows at the same keyframes, and all of them are found.
    of_alpha = {row.time_s for row in tables.read_windows("alpha") if row.accepted}
    of_beta = {row.time_s for row in tables.read_windows("beta") if row.accepted}
    assert {time_s for time_s, _ in found["beta", "alpha"]} == of_alpha & of_beta != set()
    assert all(time_s == of_s for time_s, of_s in found["beta", "alpha"])
    assert all(time_s == of_s < 36 / 24 for time_s, of_s in found["episode-2", "episode-1"])


def test_pairs_say_what_they_look_like(settings: Settings) -> None:
    report = find_duplicates(settings)
    kinds = {(each.video, each.of_video): each for each in video_pairs(DataSet.of(settings), report.rows)}
    assert kinds["beta", "alpha"].kind == "same film"
    assert kinds["beta", "alpha"].offset_s == 0
    assert kinds["episode-2", "episode-1"].kind == "opening"


def test_a_second_run_compares_nothing_and_writes_no_file(settings: Settings) -> None:
    first = find_duplicates(settings)
    mark = _mark(path_of(settings))
    again = find_duplicates(settings)
    assert (first.made, again.made, again.confirmed) == (6, 0, 0)
    assert again.rows == first.rows
    assert _mark(path_of(settings)) == mark


@pytest.mark.parametrize("order", [("alpha", "episode-1"), ("episode-2", "beta", "alpha")])
def test_the_order_in_which_films_come_changes_no_byte(settings: Settings, order: tuple[str, ...]) -> None:
    find_duplicates(settings)
    expected = path_of(settings).read_bytes()
    shutil.rmtree(path_of(settings).parent)
    windows = settings.base.output_base_dir / "metadata/windows"
    away = settings.base.output_base_dir / "away"
    away.mkdir()
    for key in order:
        (windows / f"video={key}").rename(away / key)
    find_duplicates(settings)
    for key in order:
        (away / key).rename(windows / f"video={key}")
        assert find_duplicates(settings).made == 1
    assert path_of(settings).read_bytes() == expected


def test_a_run_that_is_stopped_goes_on_where_it_was(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_duplicates(settings)
    expected = path_of(settings).read_bytes()
    path_of(settings).unlink()
    monkeypatch.setattr(near_duplicates, "COMMIT_WINDOWS", 1)

    def stop(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_duplicates(settings, on_videos=stop)
    assert find_duplicates(settings).made == 3
    assert path_of(settings).read_bytes() == expected


def test_rows_of_a_film_that_is_gone_or_has_other_windows_do_not_count(settings: Settings) -> None:
    data_set = DataSet.of(settings)
    find_duplicates(settings)
    tables = data_set.tables
    before = {row.window for row in current_duplicates(data_set.tables) if row.video == "beta"}
    path = tables.windows_path("alpha")
    provenance = tables.read_provenance(path)
    assert provenance is not None
    changed = [
        replace(row, signature=bytes(np.roll(np.frombuffer(row.signature or b"", np.uint8), 7)))
        if row.window == min(row.window for row in tables.read_windows("alpha") if row.accepted)
        else row
        for row in tables.read_windows("alpha")
    ]
    tables.write(path, WINDOWS, changed, provenance)
    stale = {row.window for row in current_duplicates(data_set.tables) if row.video == "beta"}
    assert len(stale) == len(before) - 1
    assert find_duplicates(settings).made == 1
    assert {row["window"] for row in rows(settings) if row["video"] == "beta"} == stale

    data_set.remove_video("alpha")
    assert all(row.of_video != "alpha" for row in current_duplicates(data_set.tables))
    report = find_duplicates(settings)
    assert (report.made, report.removed) == (0, 1)
    assert set(pairs(settings)) == {("episode-2", "episode-1")}


@pytest.mark.parametrize("is_removed", [True, False])
def test_what_shows_an_accepted_patch_stays_known_when_its_own_window_goes(
    settings: Settings, is_removed: bool
) -> None:
    """Else it would be trained on, although its picture lies in Val/GT."""
    data_set = DataSet.of(settings)
    find_duplicates(settings)
    copies = {row["of_window"]: row["window"] for row in rows(settings) if row["of_video"] == "alpha"}
    chosen = next(each for each in triplets(settings) if each.row.window in copies and each.video == "alpha")
    accepted(settings, [chosen], 0.1)
    copy = copies[chosen.row.window]

    def sides() -> dict[int, str]:
        of_beta = [each for each in triplets(settings, "toon") if each.video == "beta"]
        return dict(zip((each.row.window for each in of_beta), sides_of(data_set, of_beta), strict=True))

    before = sides()
    assert before[copy] == "apart"
    if is_removed:
        data_set.remove_video("alpha")
    else:
        path, kept = data_set.tables.windows_path("alpha"), data_set.tables.read_windows("alpha")
        provenance = data_set.tables.read_provenance(path)
        assert provenance is not None
        rest = [row for row in kept if row.window != chosen.row.window]
        data_set.tables.write(path, WINDOWS, rest, provenance)
    for _ in range(2):
        report = find_duplicates(settings)
        assert chosen.row.window not in {row.of_window for row in report.rows if row.of_video == "alpha"}
        assert sides() == before
    assert copy not in {row.window for row in current_duplicates(data_set.tables) if row.video == "beta"}
    data_set.validation.decline(data_set.validation.accepted())
    assert set(sides().values()) == {"train"}


def test_a_damaged_windows_table_is_reported_and_others_are_compared(settings: Settings) -> None:
    path = DataSet.of(settings).tables.windows_path("alpha")
    path.write_bytes(path.read_bytes()[:-1])
    report = find_duplicates(settings)
    assert len(report.problems) == 1
    assert "alpha" in report.problems[0]
    assert set(pairs(settings)) == {("episode-2", "episode-1")}


def test_a_damaged_table_is_made_again(settings: Settings) -> None:
    find_duplicates(settings)
    expected = path_of(settings).read_bytes()
    path_of(settings).write_bytes(expected[:-1])
    assert find_duplicates(settings).made == 6
    assert path_of(settings).read_bytes() == expected


def test_without_pictures_only_what_is_much_alike_is_found(settings: Settings) -> None:
    shutil.rmtree(settings.base.output_base_dir / "metadata/pictures")
    find_duplicates(settings)
    found = rows(settings)
    assert {(row["video"], row["of_video"]) for row in found} <= {
        ("beta", "alpha"),
        ("episode-2", "episode-1"),
    }
    assert all(row["peak"] is row["block_error"] is None for row in found)


def test_the_selection_leaves_later_windows_out_where_the_earlier_has_a_patch_in_the_category(
    settings: Settings,
) -> None:
    data_set = DataSet.of(settings)
    everything = select(data_set).triplets
    assert select(data_set, where="duplicate_of IS NULL").triplets == everything
    find_duplicates(settings)
    toon = {each.row.window for each in everything if (each.category, each.video) == ("toon", "alpha")}
    left_out = {
        (each.category, each.video, each.row.window)
        for each in select(data_set, where="duplicate_of is not null").triplets
    }
    assert left_out == {
        ("toon" if row["video"] == "beta" else "general", row["video"], row["window"])
        for row in rows(settings)
        if row["video"] != "beta" or row["of_window"] in toon
    }
    (first, *_) = (row for row in rows(settings) if row["video"] == "episode-2")
    (chosen,) = select(
        data_set, where=f"video = 'episode-2' and duplicate_of = 'episode-1:{first['of_window']}'"
    ).triplets
    assert chosen.row.window == first["window"]
    curation = dict.fromkeys(("general", "toon"), "duplicate_of IS NULL")
    assert select(data_set, curation=curation).triplets == [
        each for each in everything if (each.category, each.video, each.row.window) not in left_out
    ]


def test_a_count_follows_the_earlier_film(settings: Settings) -> None:
    """What curation leaves out of a film depends on which windows another one has."""
    data_set = DataSet.of(settings)
    find_duplicates(settings)

    def left_out() -> dict[str, int]:
        found = take_census(settings, data_set).categories
        return {name: each.left_out for name, each in found.items()}

    before = left_out()
    assert before == select(data_set, curation=settings.curation).left_out
    assert before["toon"] > 0
    data_set.remove_video("alpha")
    assert left_out() == select(data_set, curation=settings.curation).left_out != before


def test_a_film_that_grows_is_compared_again(settings: Settings, tmp_path: Path) -> None:
    find_duplicates(settings)
    base = settings.base.model_copy(update={"base_frame_limit": 2})
    fewer = copied(settings.model_copy(update={"base": base}), tmp_path / "fewer")
    generate_video(fewer, "beta")
    assert find_duplicates(fewer).made == 1
    accepted = {row.window for row in DataSet.of(fewer).tables.read_windows("beta") if row.accepted}
    assert {row["window"] for row in rows(fewer) if row["video"] == "beta"} <= accepted
