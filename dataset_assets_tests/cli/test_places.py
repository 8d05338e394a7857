"""Which configuration and which Dagster home a command takes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import dagster as dg
import pytest

from dataset_assets.config import load_settings
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.launch.home import dagster_home, enter_home
from dataset_assets_tests.command import ROOT, run
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.generated import Generated


def config_named(folder: Path, name: str) -> Path:
    return write_config(folder, {name: (folder / "film.mkv", {"general": 1.0})})


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration, and an environment that is put back after the test."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("DATASET_ASSETS_CONFIG", "")
    return config_named(tmp_path / "project", "Film")


def test_the_option_goes_before_the_variable_and_that_before_the_default(tmp_path: Path) -> None:
    default = config_named(tmp_path / "configs", "By default")
    default.rename(default.with_name("generator_config.json"))
    variable = {"DATASET_ASSETS_CONFIG": str(config_named(tmp_path / "variable", "By variable"))}
    option = config_named(tmp_path / "option", "By option")
    assert "by-default" in run("videos", "list", cwd=tmp_path).stdout
    assert "by-variable" in run("videos", "list", cwd=tmp_path, changes=variable).stdout
    assert "by-option" in run("videos", "list", "--config", option, cwd=tmp_path, changes=variable).stdout


def test_without_a_configuration_the_command_says_how_to_name_one(tmp_path: Path) -> None:
    done = run("videos", "list", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no such configuration file" in done.stderr
    assert "DATASET_ASSETS_CONFIG" in done.stderr


def test_history_lies_beside_the_data_set(config: Path) -> None:
    settings = load_settings(config)
    assert dagster_home(settings) == settings.base.output_base_dir / ".dagster"


def test_the_home_holds_our_settings_and_no_telemetry(config: Path) -> None:
    home = enter_home(load_settings(config), config)
    ours = (ROOT / "configs" / "dagster.yaml").read_bytes()
    assert (home / "dagster.yaml").read_bytes() == ours
    assert os.environ["DAGSTER_HOME"] == str(home)
    assert os.environ["DATASET_ASSETS_CONFIG"] == str(config)
    with dg.DagsterInstance.get() as instance:
        assert instance.telemetry_enabled is False
        assert instance.get_settings("concurrency")["pools"]["granularity"] == "run"
        assert instance.run_retries_enabled
        assert instance.run_monitoring_enabled


def test_a_home_that_has_settings_keeps_them(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = config.parent / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: true}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    assert enter_home(load_settings(config), config) == home
    assert (home / "dagster.yaml").read_text() == "telemetry: {enabled: true}\n"


def test_a_home_that_cannot_be_made_is_reported(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(config / "home"))
    with pytest.raises(DatasetAssetsError, match="set DAGSTER_HOME to a folder that you may write"):
        enter_home(load_settings(config), config)


@pytest.mark.parametrize("place", ["dataset", "dataset/inner"])
def test_a_data_set_in_the_place_of_a_file_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    (tmp_path / "dataset").touch()
    film = {"Film": (tmp_path / "film.mkv", {"general": 1.0})}
    config = write_config(tmp_path, film, base_settings={"output_base_dir": place})
    blocking = f"{tmp_path}/{place}: the data set cannot be there, since {tmp_path}/dataset is a file"
    with pytest.raises(DatasetAssetsError, match=r"set base_settings\.output_base_dir to a folder") as error:
        enter_home(load_settings(config), config)
    assert error.value.what == blocking


def test_a_port_that_is_taken_is_reported(config: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("ui", "--config", config, "--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error Port {port} of 127.0.0.1 cannot be used")
    assert "name another by --port, or another address" in done.stderr


def test_generate_honours_dagster_home(generated: Generated, tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = run("generate", "--config", generated.config, changes={"DAGSTER_HOME": str(home)})
    assert done.returncode == 0, done.stderr
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert sorted(instance.get_dynamic_partitions("videos")) == ["alpha", "beta"]
