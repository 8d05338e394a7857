"""A Dagster home is there as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console

from dataset_assets.cli.demo import run_demo
from dataset_assets.config import CONFIG_VARIABLE, Settings, load_settings
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.launch.home import dagster_home, enter_home, home_of
from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import pictures, write_config
from dataset_assets_tests.films import Film


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv(CONFIG_VARIABLE, "")  # put back what `enter_home` sets
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
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


def test_a_home_whose_making_was_killed_is_made_again(
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
    assert entered(settings, config) == ["configuration.json", "dagster.yaml", "history", "schedules"]


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
    assert entered(settings, config) == ["configuration.json", "dagster.yaml", "history", "schedules"]


@pytest.mark.parametrize(
    ("name", "is_inside"),
    [
        ('50% #1 & "more"; it\'s {} $HOME \\ a=b,c|d', True),
        ("-naïve\n🎬 ", True),
        ("What now? (2019)", False),
        ("%41", False),
        ("Film [2019]", False),
        ("a*", False),
        ("/".join(["long" * 60] * 3), False),
    ],
)
def test_a_home_holds_its_history_and_settings_whatever_the_data_sets_folder_is_called(
    name: str, is_inside: bool, config: Path, tmp_path: Path
) -> None:
    base = {"output_base_dir": f"./{name}"}
    videos = {"Film": (tmp_path / "film.mkv", {"toon": 1.0})}
    settings = load_settings(write_config(tmp_path, videos, base_settings=base))
    assert entered(settings, config) == ["configuration.json", "dagster.yaml", "history", "schedules"]
    home = dagster_home(settings)
    assert home.is_relative_to(
        settings.base.output_base_dir if is_inside else tmp_path / "state/dataset-assets"
    )
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.telemetry_enabled is False  # as `dagster.yaml` says
    expected = {"config.json", name.split("/")[0] if is_inside else "state"}
    assert {path.name for path in tmp_path.iterdir()} == expected


def test_two_data_sets_never_share_a_home(config: Path, tmp_path: Path) -> None:
    data_sets = [tmp_path / name for name in ("What?", "What!?", "what?/what?", "千?", "%41", "%42")]
    assert len({home_of(data_set) for data_set in data_sets}) == len(data_sets)


@pytest.mark.slow
def test_a_home_of_an_impossible_name_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for name in ("What?", "%41", "[1]", "x" * 250 + "/" + "y" * 250):
        changes = {"DAGSTER_HOME": str(tmp_path / name)}
        watch: list[dict[str, object]] = [{"folder": ".", "categories": {"toon": 1}, "settled_after_s": 0}]
        (tmp_path / "film.mkv").write_bytes(b"film")
        config = write_config(tmp_path, {}, watch=watch)
        for command in ("generate", "ui"):
            done = run(command, "--config", config, changes=changes)
            assert (done.returncode, done.stdout) == (1, ""), done.stderr
            assert "error Dagster can keep no history in" in done.stderr
            assert done.stderr.endswith("set it to a folder of another name.\n")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "film.mkv"]


def test_the_demonstration_is_refused_before_its_films_are_made(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "What?"))
    with pytest.raises(DatasetAssetsError, match="set it to a folder of another name"):
        run_demo(tmp_path / "demo", Console())
    assert not (tmp_path / "demo").exists()


@pytest.mark.slow
def test_a_data_set_of_an_odd_name_is_generated(tmp_path: Path, vfr_film: Film) -> None:
    own = tmp_path / "It's? 50%41 #1;\n[x]"
    own.mkdir()
    film = own / "-a?b%20 #[1].mkv"
    film.write_bytes(vfr_film.path.read_bytes())
    base = {"output_base_dir": "./What now? (2019)", "base_frame_limit": 1}
    config = write_config(own, {"Film": (film, {"toon": 1.0})}, base_settings=base)
    changes = {"XDG_STATE_HOME": str(tmp_path / "state")}
    for command in ("doctor", "generate", "verify"):
        done = run(command, "--config", config, changes=changes)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert len(pictures(own / "What now? (2019)")) == 3
    assert sorted(path.name for path in own.iterdir()) == sorted(
        ["What now? (2019)", "config.json", film.name]
    )
