"""Runs wait while the configuration holds a mistake, which is printed once."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from dataset_assets.config import ConfigReader
from dataset_assets.ui.config_guard import ConfigGuard
from dataset_assets_tests.automation.samples import add_run
from dataset_assets_tests.configurations import write_config


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path, {"Film": (tmp_path / "film.mkv", {"general": 1.0})})


def test_a_mistake_holds_runs_and_is_printed_in_one_line_until_it_is_corrected(
    config: Path, instance: dg.DagsterInstance
) -> None:
    output = io.StringIO()
    guard = ConfigGuard(ConfigReader(config), output)
    kept = config.read_text()
    assert guard.may_start_runs(instance)
    config.write_text(kept.replace('"base_frame_limit": 6', '"base_frame_limit": "six"'))
    assert [guard.may_start_runs(instance) for _ in range(5)] == [False] * 5
    config.write_text(kept)
    assert [guard.may_start_runs(instance) for _ in range(5)] == [True] * 5
    held, released = output.getvalue().splitlines()
    assert held.startswith(
        f"configuration: no run starts until this is corrected: {config}:3 base_settings.base_frame_limit: "
    )
    assert released == "configuration: runs start again"


def test_a_file_that_an_editor_is_writing_holds_runs_and_prints_nothing(
    config: Path, instance: dg.DagsterInstance
) -> None:
    output = io.StringIO()
    guard = ConfigGuard(ConfigReader(config), output)
    kept = config.read_text()
    config.write_text("")
    assert not guard.may_start_runs(instance)
    config.write_text(kept)
    assert [guard.may_start_runs(instance) for _ in range(3)] == [True] * 3
    assert output.getvalue() == ""


def test_the_logs_of_held_runs_say_once_what_they_wait_for(
    config: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = ConfigGuard(ConfigReader(config), io.StringIO())
    queued = add_run(instance, "film", dg.DagsterRunStatus.NOT_STARTED)
    # A run that is queued in truth needs a code location to come from.
    monkeypatch.setattr(instance, "get_runs", lambda *_, **__: [queued])
    config.write_text("{")
    for _ in range(3):
        guard.may_start_runs(instance)
    entries = instance.all_logs(queued.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    notes = [entry.message for entry in entries]
    assert len(notes) == 1
    assert f"It starts once this is corrected: {config}:1" in notes[0]
