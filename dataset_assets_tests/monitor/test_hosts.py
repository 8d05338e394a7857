"""Runs of other machines, which show themselves by leases and progress files alone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from dataset_assets.config import Settings, load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.definitions import MAKE_PATCHES_JOB, build_defs
from dataset_assets.monitor.collector import SnapshotCollector
from dataset_assets.monitor.history import History
from dataset_assets.monitor.plain_text import status_line
from dataset_assets.monitor.snapshot import Activity, Snapshot
from dataset_assets.partitions import add_missing
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.machines import holder_of, lease, write_progress

W1, W2 = holder_of("w1", pid=os.getpid()), holder_of("w2")
FIGURES = {"windows_target": 40, "windows_done": 20, "windows_worked": 20, "windows_pending": 20}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    films = {name: (tmp_path / "absent.mkv", {"general": 1.0}) for name in ("A", "B", "C")}
    return write_config(tmp_path, films, base_settings={"machines": "many"})


@pytest.fixture
def settings(config: Path) -> Settings:
    settings = load_settings(config)
    with DataSet.of(settings).hold("c"):
        pass
    return settings


def snapshot(settings: Settings) -> Snapshot:
    return SnapshotCollector(settings).snapshot(Activity())


def test_films_of_other_machines_are_shown_as_worked_on_with_their_host(settings: Settings) -> None:
    root = settings.base.output_base_dir
    for key, holder in (("a", W1), ("b", W2)):
        lease(root, key, holder)
        write_progress(root, key, holder, **FIGURES)
    found = snapshot(settings)
    assert found.state == "running"
    assert [(each.key, each.host, each.phase) for each in found.videos] == [
        ("a", "w1", "working"),
        ("b", "w2", "working"),
    ]
    assert [(each.windows_done, each.launched_by) for each in found.videos] == [(20, "elsewhere")] * 2
    # The number of its process is one of this machine.
    assert (found.videos[0].pid, found.videos[0].memory_bytes) == (os.getpid(), None)
    assert found.machine.runs_memory_bytes is None
    assert found.overall.videos_running == 2
    assert found.overall.windows_per_minute == pytest.approx(40, rel=0.05)
    assert [(each.host, each.videos, each.videos_lost, each.is_here) for each in found.hosts] == [
        ("w1", 1, 0, False),
        ("w2", 1, 0, False),
    ]
    assert found.hosts[0].windows_per_minute == pytest.approx(20, rel=0.05)
    assert "2 running on 2 machines, 0 of 3 done" in status_line(found)


def test_a_machine_that_gave_no_sign_of_life_for_lease_s_is_lost(settings: Settings) -> None:
    root = settings.base.output_base_dir
    for key, holder, silent_s in (("a", W1, 0.0), ("b", W2, settings.base.lease_s + 1)):
        lease(root, key, holder, silent_s=silent_s)
        write_progress(root, key, holder, **FIGURES)
    found = snapshot(settings)
    assert [each.key for each in found.videos] == ["a"]
    assert found.interrupted == ("b",)
    (alive, lost) = found.hosts
    assert (alive.videos, alive.videos_lost, lost.videos, lost.videos_lost) == (1, 0, 0, 1)
    assert lost.beaten_s == pytest.approx(time.time() - settings.base.lease_s - 1, abs=2)


def test_progress_of_the_holder_before_is_not_that_of_the_present_one(settings: Settings) -> None:
    root = settings.base.output_base_dir
    lease(root, "a", W1)
    write_progress(root, "a", W2, **FIGURES)
    (video,) = snapshot(settings).videos
    assert (video.host, video.phase, video.windows_done, video.pid) == ("w1", "probing", 0, None)


def test_a_film_that_was_given_back_is_not_worked_on_though_its_progress_is_there(settings: Settings) -> None:
    root = settings.base.output_base_dir
    lease(root, "a", W1).write_bytes(b"free")
    write_progress(root, "a", W1, **FIGURES)
    found = snapshot(settings)
    assert (found.videos, found.interrupted, found.hosts) == ((), ("a",), ())


def test_a_clock_that_is_an_hour_off_changes_no_rate(settings: Settings) -> None:
    root = settings.base.output_base_dir
    for key, holder, ahead_s in (("a", W1, 3600.0), ("b", W2, -3600.0)):
        lease(root, key, holder)
        write_progress(root, key, holder, ahead_s=ahead_s, **FIGURES)
    for video in snapshot(settings).videos:
        assert video.windows_per_minute == pytest.approx(20, rel=0.05)
        assert video.eta_s == pytest.approx(60, rel=0.05)
        assert video.updated_s == pytest.approx(time.time(), abs=5)


def test_leases_are_not_all_read_for_each_snapshot(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dataset_assets.monitor.collector.PAUSE_PER_SCAN", 1e9)
    root = settings.base.output_base_dir
    lease(root, "a", W1)
    collector = SnapshotCollector(settings)
    assert collector.at_work().keys() == {"a"}
    lease(root, "b", W2)
    assert collector.at_work().keys() == {"a"}
    # What has progress is looked at in any case.
    write_progress(root, "b", W2, **FIGURES)
    assert collector.at_work().keys() == {"a", "b"}
    (root / "metadata/.leases/a/1").write_bytes(b"free")
    assert collector.at_work().keys() == {"b"}


def started_run(home: Path, config: Path, key: str) -> str:
    """Puts a run into the history whose process is one of another machine."""
    job = build_defs(config).resolve_job_def(MAKE_PATCHES_JOB)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        add_missing(instance, load_settings(config))
        tags = {"dagster/partition": key}
        run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTING, tags=tags)
        instance.report_dagster_event(
            dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job_name=job.name), run.run_id
        )
        instance.report_engine_event("Executing steps", run, EngineEventData.in_process(999_999))
        return run.run_id


def test_a_run_of_another_machine_goes_on_until_its_lease_expires(
    settings: Settings, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a history that several machines share.
    monkeypatch.setattr("dataset_assets.monitor.history.is_of_this_machine", lambda *_: False)
    monkeypatch.setattr("dataset_assets.monitor.history.host_of", lambda *_: "w3")
    root, home = settings.base.output_base_dir, tmp_path / "home"
    home.mkdir()
    collector = SnapshotCollector(settings)

    def activity() -> Activity:
        with History(home, ["a", "b", "c"]) as history:
            return history.read(DataSet.of(settings).at_work(), collector.overview(), time.time())

    # Of a run before this one.
    lease(root, "a", W2, silent_s=settings.base.lease_s + 5)
    run_id = started_run(home, config, "a")
    (run,) = activity().runs
    assert (run.key, run.run_id, run.host, activity().failures) == ("a", run_id, "w3", ())
    assert [each.host for each in collector.snapshot(activity()).videos] == ["w3"]
    path = lease(root, "a", W1)
    assert [run.key for run in activity().runs] == ["a"]
    write_progress(root, "a", W1, **FIGURES)
    assert [run.phase for run in activity().runs] == ["working"]
    found = collector.snapshot(activity())
    assert (found.videos[0].host, found.videos[0].run_id, found.failures) == ("w1", run_id, ())
    with pytest.MonkeyPatch.context() as patch:
        later_s = path.stat().st_mtime + settings.base.lease_s + 10
        patch.setattr("time.time", lambda: later_s)
        dead = activity()
    assert dead.runs == ()
    (failure,) = dead.failures
    assert "but w1 has given no sign of life for 1 min; if it was killed, run generate" in failure.sentence
