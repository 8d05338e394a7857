from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest
from rich.console import Console

from dataset_assets.cli.monitor import monitor
from dataset_assets.config import ConfigReader, keep_config, load_settings
from dataset_assets.monitor.collector import SnapshotCollector
from dataset_assets.monitor.history import History
from dataset_assets.partitions import add_missing
from dataset_assets_tests.command import ROOT, environment, freeze, processes_of, run, start, wait_until
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.generated import Generated
from dataset_assets_tests.monitor.test_history import files
from dataset_assets_tests.progress import read_progress
from dataset_assets_tests.terminal import Terminal

NICE = 7
SECONDS_TO_STOP = 30.0
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="needs /proc to see processes"
)


def snapshot(config: Path) -> dict[str, Any]:
    """What `monitor --json` prints."""
    done = run("monitor", "--json", "--config", config)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_is_piped_is_one_view_without_colour_codes(generated: Generated) -> None:
    before = files(generated.config.parent)
    done = run("monitor", "--config", generated.config, changes={"TERM": "xterm-256color"})
    assert files(generated.config.parent) == before
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "nothing runs  2 of 2 done" in done.stdout
    assert "last run: update_stats succeeded" in done.stdout
    assert "100%" in done.stdout


@pytest.mark.parametrize("as_json", [False, True])
def test_a_data_set_that_does_not_exist_yet_is_shown_and_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    config = write_config(tmp_path, {"Film": (tmp_path / "absent.mkv", {"general": 1.0})})
    monitor(ConfigReader(config), Console(), once=True, as_json=as_json)
    shown = capsys.readouterr().out
    if as_json:
        found = json.loads(shown)
        assert (found["state"], found["overall"]["videos_waiting"], found["last_run"]) == ("idle", 1, None)
    else:
        assert "nothing runs  0 of 1 done  1 to do\nno run has ended yet\n" in shown
    assert [path.name for path in tmp_path.iterdir()] == [config.name]


@pytest.mark.parametrize("way", ["q", "ctrl+c", "terminate"])
def test_the_view_ends_and_leaves_the_terminal_as_it_was(generated: Generated, way: str) -> None:
    with Terminal("monitor", "--config", generated.config) as terminal:
        terminal.wait_for("q ends this view; runs go on")
        assert terminal.lines[1] == "nothing runs  2 of 2 done"
        assert not terminal.is_as_before
        if way == "q":
            terminal.resize(40, 20)
            terminal.wait_for("I/O read -, write -")
            terminal.press("xq")
        elif way == "ctrl+c":
            terminal.press("\x03")
        else:
            terminal.process.terminate()
        assert terminal.end() == 0
        assert terminal.is_as_before
    assert terminal.written.count(b"\x1b[?1049h") == terminal.written.count(b"\x1b[?1049l") == 1
    assert terminal.written.rindex(b"\x1b[?25h") > terminal.written.rindex(b"\x1b[?25l")
    assert b"Traceback" not in terminal.written


@pytest.mark.slow
def test_generate_shows_the_view_while_it_runs_and_its_outcome_after(tmp_path: Path, vfr_film: Film) -> None:
    config = write_config(tmp_path, {"Film": (vfr_film.path, {"general": 1.0})})
    with Terminal("generate", "--config", config) as terminal:
        terminal.wait_for("Ctrl+C stops; what is committed stays")
        terminal.wait_for("1 running  0 of 1 done")
        assert terminal.end() == 0
        shown = "".join(terminal.lines)
    assert "done film" in shown
    assert "1 of 1 video is up to date" in shown
    assert "Ctrl+C" not in shown


@pytest.mark.slow
def test_plus_and_minus_change_the_workers_of_generate_and_q_does_not_stop_it(
    tmp_path: Path, vfr_film: Film
) -> None:
    # More than are made while a busy machine comes to the second worker: there is a film left for it.
    films = {name: (vfr_film.path, {"general": 1.0}) for name in "ABCDEFGH"}
    config = write_config(tmp_path, films)
    with Terminal("generate", "--workers", "1", "--config", config) as terminal:
        terminal.wait_for("workers 1, + and - change that")
        terminal.press("q+")
        terminal.wait_for("workers 2, + and - change that")
        terminal.wait_for("2 running")
        terminal.press("---")
        terminal.wait_for("workers 1, + and - change that")
        assert terminal.end() == 0
        assert terminal.is_as_before
        assert "8 of 8 videos are up to date" in "".join(terminal.lines)


def test_the_view_follows_the_configuration_and_shows_a_mistake_in_it(tmp_path: Path) -> None:
    films = {"Film": (tmp_path / "absent.mkv", {"general": 1.0})}
    config = write_config(tmp_path, films)
    kept = config.read_text()
    with Terminal("monitor", "--config", config, columns=200) as terminal:
        terminal.wait_for("nothing runs  0 of 1 done")
        config.write_text(kept.replace('"base_frame_limit": 6', '"base_frame_limit": "six"'))
        terminal.wait_for(f"no run starts: {config}:3 base_settings.base_frame_limit")
        write_config(tmp_path, films | {"Second": (tmp_path / "second.mkv", {"general": 1.0})})
        terminal.wait_for("nothing runs  0 of 2 done")
        terminal.press("q")
        assert terminal.end() == 0
        # All of the view has been read by then.
        assert "no run starts" not in "".join(terminal.lines)


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("broken", ['"base_frame_limit": "six"', '"base_frame_limit": 6,,'])
def test_what_goes_on_is_shown_under_a_mistake_in_the_configuration(
    generated: Generated, tmp_path: Path, as_json: bool, broken: str
) -> None:
    root = tmp_path / "copy"
    shutil.copytree(generated.config.parent, root)
    config = root / generated.config.name
    keep_config(config, root / "dataset/.dagster")
    text = config.read_text()
    assert '"base_frame_limit": 6' in text
    config.write_text(text.replace('"base_frame_limit": 6', broken))
    done = run("monitor", "--json" if as_json else "--once", "--config", config)
    assert (done.returncode, done.stderr) == (2, "")
    if as_json:
        found = json.loads(done.stdout)
        assert found["problems"][0].startswith(f"no run starts: {config}:3")
        assert found["overall"]["videos_done"] == 2
    else:
        first, *others = done.stdout.splitlines()
        assert first.startswith(f"error no run starts: {config}:3")
        assert "nothing runs  2 of 2 done" in others
        assert not any("no run starts" in line for line in others)


def test_a_mistake_in_a_configuration_of_which_nothing_is_known_is_reported_alone(tmp_path: Path) -> None:
    config = write_config(tmp_path, {"Film": (tmp_path / "absent.mkv", {"general": 1.0})})
    config.write_text(config.read_text().replace('"base_frame_limit": 6', '"base_frame_limit": "six"'))
    done = run("monitor", "--once", "--config", config)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error {config}:3 base_settings.base_frame_limit: ")


class Launched(NamedTuple):
    """A run that was launched in one of the ways."""

    how: str
    config: Path
    process: subprocess.Popen[str]


def launch(how: str, config: Path) -> subprocess.Popen[str]:
    """Launches a run of the one film of a configuration."""
    if how == "generate":
        return start("generate", "--config", config)
    home = config.parent / "dataset/.dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        add_missing(instance, load_settings(config))
    execute = ["-m", "dagster", "job", "execute", "-m", "dataset_assets.definitions"]
    return subprocess.Popen(
        [sys.executable, *execute, "-j", "make_patches", "--tags", '{"dagster/partition": "film"}'],
        cwd=ROOT,
        env=environment({"DAGSTER_HOME": str(home), "DATASET_ASSETS_CONFIG": str(config)}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


@pytest.fixture(params=["generate", "Dagster"])
def launched(request: pytest.FixtureRequest, tmp_path: Path, pq_film: Film) -> Iterator[Launched]:
    """A run that was launched in one of the ways, stopped on its way with its process alive."""
    base = {"base_frame_limit": 10, "checkpoint_every": 100, "nice": NICE}
    config = write_config(
        tmp_path, {"Film": (pq_film.path, {"general": 1.0, "space": 1.0})}, base_settings=base
    )
    progress = tmp_path / "dataset/metadata/.progress"
    process = launch(request.param, config)
    try:
        wait_until(lambda: any(each.windows_done for each in read_progress(progress)), "a window")
        freeze(read_progress(progress)[0].pid)
        yield Launched(request.param, config, process)
    finally:
        kill(config, process)


def kill(config: Path, process: subprocess.Popen[str]) -> None:
    """Kills a run with all its processes, so that none can say anything."""
    pids = {process.pid, *processes_of(config)} if process.poll() is None else processes_of(config)
    for sign in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
    process.communicate(timeout=SECONDS_TO_STOP)
    wait_until(lambda: processes_of(config) == [], "every process ends", SECONDS_TO_STOP)


@needs_proc
def test_a_run_is_shown_however_it_was_launched_and_not_once_it_is_dead(launched: Launched) -> None:
    how, config, process = launched
    (progress,) = read_progress(config.parent / "dataset/metadata/.progress")
    assert os.getpriority(os.PRIO_PROCESS, progress.pid) == max(NICE, os.getpriority(os.PRIO_PROCESS, 0))
    before = files(config.parent)
    found = snapshot(config)
    assert files(config.parent) == before
    (video,) = found["videos"]
    assert (found["state"], video["key"], video["phase"]) == ("running", "film", "working")
    assert (video["launched_by"], video["pid"]) == (how, progress.pid)
    assert (video["windows_done"], video["windows_target"]) == (progress.windows_done, 10)
    # The first candidate is committed at once, the others with the end of the round.
    assert video["windows_uncommitted"] == progress.windows_worked - 1
    assert progress.started_s <= video["committed_s"] <= time.time()
    assert video["memory_bytes"] == found["machine"]["runs_memory_bytes"] > 50e6
    assert video["cpu_percent"] == found["machine"]["runs_written_bytes_per_s"] == 0.0
    assert found["overall"]["videos_running"] == 1

    kill(config, process)
    settings = load_settings(config)
    collector = SnapshotCollector(settings)
    with History(config.parent / "dataset/.dagster", ["film"]) as history:
        dead = collector.snapshot(history.read({}, collector.overview(), time.time()))
    assert (dead.state, dead.videos, dead.overall.videos_running) == ("idle", (), 0)
    (failure,) = dead.failures
    assert failure.sentence.startswith("film: ")
