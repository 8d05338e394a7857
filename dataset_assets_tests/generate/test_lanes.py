"""Several windows of a film at a time: order, stopping, and what a killed run loses."""

from __future__ import annotations

from pathlib import Path
from threading import active_count

import pytest

from dataset_assets.errors import VideoError
from dataset_assets.generate import generate_video
from dataset_assets.generate.lane import Job, Lane
from dataset_assets.generate.lanes import Lanes
from dataset_assets.video.probing import probe
from dataset_assets.windows.duplicates import AcceptedSignatures
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.interrupting import at_disk_call, interrupt
from dataset_assets_tests.generate.samples import KEY, pictures, small_settings, tables
from dataset_assets_tests.windows.samples import placements_of


def jobs_of(film: Film, windows: int) -> list[Job]:
    return [Job(placement, None, {}, {}) for placement in placements_of(probe(film.path), windows)]


def lanes_of(film: Film, tmp_path: Path, count: int, checkpoint_every: int = 10) -> Lanes:
    settings = small_settings(tmp_path, film.path).base
    info, accepted = probe(film.path), AcceptedSignatures()
    return Lanes(count, checkpoint_every, lambda stop: Lane(info, settings, accepted, stop))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_windows_come_back_in_order_and_are_the_same_from_any_lane(
    sdr_film: Film, tmp_path: Path, count: int
) -> None:
    jobs = jobs_of(sdr_film, 7)
    with lanes_of(sdr_film, tmp_path, 1) as lanes:
        alone = [made.row for made in lanes.make(jobs)]
    with lanes_of(sdr_film, tmp_path, count) as lanes:
        made = list(lanes.make(jobs))
    assert [each.job for each in made] == jobs
    assert [each.row for each in made] == alone
    assert any(each.row.accepted for each in made)


def test_threads_end_with_the_lanes_though_windows_are_left(sdr_film: Film, tmp_path: Path) -> None:
    before = active_count()
    with lanes_of(sdr_film, tmp_path, 2) as lanes:
        next(lanes.make(jobs_of(sdr_film, 9)))
        assert active_count() > before
    assert active_count() == before


def test_a_film_that_cannot_be_opened_is_reported_by_every_lane(sdr_film: Film, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(sdr_film.path.read_bytes())
    jobs, info = jobs_of(sdr_film, 4), probe(film)
    film.unlink()
    settings, accepted = small_settings(tmp_path, film).base, AcceptedSignatures()
    with (
        Lanes(2, 10, lambda stop: Lane(info, settings, accepted, stop)) as lanes,
        pytest.raises(VideoError, match="does not exist"),
    ):
        list(lanes.make(jobs))


@pytest.mark.parametrize("count", [1, 2, 3, 8, 40])
@pytest.mark.parametrize("checkpoint_every", [1, 2, 10, 50])
def test_no_more_windows_run_ahead_than_there_must(
    sdr_film: Film, tmp_path: Path, count: int, checkpoint_every: int
) -> None:
    with lanes_of(sdr_film, tmp_path, count, checkpoint_every) as lanes:
        assert lanes.ahead <= max(checkpoint_every, 2 * (count - 1))
        assert (lanes.ahead == 0) == (count == 1)


@pytest.mark.parametrize("lanes", [1, 3])
def test_interrupted_runs_in_lanes_end_in_the_same_bytes(sdr_film: Film, tmp_path: Path, lanes: int) -> None:
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    generate_video(small_settings(whole, sdr_film.path), KEY)
    settings = small_settings(resumed, sdr_film.path)
    interrupted = 0
    for run in range(1, 100):
        try:
            with at_disk_call(run * 9, interrupt):
                generate_video(settings, KEY, lanes=lanes)
            break
        except KeyboardInterrupt:
            interrupted += 1
    assert interrupted > 2
    assert pictures(resumed) == pictures(whole)
    assert tables(resumed) == tables(whole)
