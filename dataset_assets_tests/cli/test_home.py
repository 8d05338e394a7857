"""A Dagster home is there as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from dataset_assets.cli.home import dagster_home, enter_home
from dataset_assets.config import CONFIG_VARIABLE, Settings, load_settings
from dataset_assets_tests.configurations import write_config


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv(CONFIG_VARIABLE, "")  # put back what `enter_home` sets
    monkeypatch.setenv("DAGSTER_HOME", "")
    return write_config(tmp_path, {"Film": (tmp_path / "film.mkv", {"toon": 1.0})})


@pytest.fixture
def settings(config: Path) -> Settings:
    return load_settings(config)


def entered(settings: Settings, config: Path) -> list[str]:
    """Names of what lies in the home, which a Dagster instance can be opened in."""
    home = enter_home(settings, config)
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions("videos", ["film"])
        assert instance.get_dynamic_partitions("videos") == ["film"]
    return sorted(path.name for path in home.iterdir())


def test_a_home_whose_making_was_killed_is_made_anew(
    settings: Settings, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = dg.DagsterInstance.from_config

    def make_and_die(folder: str) -> dg.DagsterInstance:
        with make(folder):
            pass
        # What the first of several databases leaves when the second was about to come.
        (Path(folder) / "history/runs/index.db").write_bytes(b"")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dg.DagsterInstance, "from_config", make_and_die)
        with pytest.raises(KeyboardInterrupt):
            enter_home(settings, config)
    assert (dagster_home(settings) / ".making/history/runs/index.db").exists()
    assert entered(settings, config) == ["dagster.yaml", "history", "schedules"]


def test_a_home_killed_between_two_names_is_completed(
    settings: Settings, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def rename_once(path: Path, target: Path) -> Path:
        if target.name == "history":
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename_once)
        with pytest.raises(KeyboardInterrupt):
            enter_home(settings, config)
    assert (dagster_home(settings) / "schedules").exists()
    assert entered(settings, config) == ["dagster.yaml", "history", "schedules"]
