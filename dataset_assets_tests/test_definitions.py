"""A mistake in the configuration: definitions are there, and runs that start nevertheless report it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from dataset_assets.assets import HOLDS_RUNS_VARIABLE, failure_of_run, is_config_mistake
from dataset_assets.config import CONFIG_VARIABLE
from dataset_assets.definitions import defs
from dataset_assets.errors import ConfigError
from dataset_assets.partitions import VIDEO_PARTITIONS
from dataset_assets_tests.configurations import write_config


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    return home


def named(config: Path, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    """The definitions as Dagster loads them where the environment names a configuration."""
    monkeypatch.setenv(CONFIG_VARIABLE, str(config))
    found = defs(None)
    assert isinstance(found, dg.Definitions)
    return found


def config_of(folder: Path, **sections: object) -> Path:
    return write_config(folder, {"Film": (folder / "film.mkv", {"general": 1.0})}, **sections)


def test_definitions_are_those_of_before_while_the_configuration_holds_a_mistake(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(tmp_path, nightly={"cron": "5 4 * * *"})
    named(config, monkeypatch)
    config.write_text("{")
    broken = named(config, monkeypatch)
    assert broken.resolve_schedule_def("nightly").cron_schedule == "5 4 * * *"
    config_of(tmp_path, nightly={"cron": "6 4 * * *"})
    assert named(config, monkeypatch).resolve_schedule_def("nightly").cron_schedule == "6 4 * * *"


def test_a_configuration_that_was_never_valid_and_that_of_another_file_have_no_definitions(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(config_of(tmp_path / "one"), monkeypatch)
    other = config_of(tmp_path / "other")
    other.write_text("{")
    with pytest.raises(ConfigError):
        named(other, monkeypatch)


@pytest.mark.parametrize("is_held", [False, True])
def test_a_run_on_a_broken_configuration_names_the_line_and_is_started_again_where_runs_are_held(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_held: bool
) -> None:
    if is_held:
        monkeypatch.setenv(HOLDS_RUNS_VARIABLE, "1")
    config = config_of(tmp_path)
    job = named(config, monkeypatch).resolve_job_def("make_patches")
    config.write_text(config.read_text().replace('"base_frame_limit": 6', '"base_frame_limit": "six"'))
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(VIDEO_PARTITIONS.name or "", ["film"])
        run_id = job.execute_in_process(instance=instance, partition_key="film", raise_on_error=False).run_id
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert is_config_mistake(run)
        assert run.tags["dagster/max_retries"] == ("2" if is_held else "0")
        assert not is_config_mistake(dg.DagsterRun("make_patches", tags=run.tags)), "of the run that follows"
        sentence = failure_of_run(instance, run, 0.0).sentence
    assert sentence.startswith(f"{config}:3 base_settings.base_frame_limit: ")


def test_errors_that_a_user_can_correct_are_printed_in_one_line_each(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config = config_of(tmp_path)
    job = named(config, monkeypatch).resolve_job_def("make_patches")
    kept = config.read_text()
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(VIDEO_PARTITIONS.name or "", ["film"])
        job.execute_in_process(instance=instance, partition_key="film", raise_on_error=False)
        refused = capfd.readouterr().err
        config.write_text(kept.replace('"base_frame_limit": 6', '"base_frame_limit": "six"'))
        job.execute_in_process(instance=instance, partition_key="film", raise_on_error=False)
        broken = capfd.readouterr().err
    for printed, sentence in (
        (refused, "film.mkv"),
        (broken, f"film: {config}:3 base_settings.base_frame_limit: "),
    ):
        (line,) = [line for line in printed.splitlines() if " - ERROR - " in line]
        assert sentence in line
        assert "Stack Trace" not in printed
        assert "Traceback" not in printed
