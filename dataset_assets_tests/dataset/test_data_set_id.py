"""Which folder is the shared one: its id, and runs on machines that see another folder."""

from __future__ import annotations

import re
import socket
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import dagster as dg
import pytest

from dataset_assets.assets import data_set_tags, failure_of_run
from dataset_assets.assets.runs import CONFIG_MISTAKE_TAG, MAX_RETRIES_TAG
from dataset_assets.automation import failure_sensor
from dataset_assets.config import ConfigReader, Settings, load_settings
from dataset_assets.dataset import DataSet, keep_data_set_id, refuse_other_data_set
from dataset_assets.errors import ConfigError
from dataset_assets.resources import DatasetConfig
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.generate.samples import files, small_settings

RUN_ID = str(uuid.uuid4())


def settings_of(folder: Path, **base: Any) -> Settings:
    return small_settings(folder, folder / "film.mkv", machines="many", **base)


def config_of(folder: Path, **base: Any) -> Path:
    folder.mkdir()
    chosen = {"machines": "many", "output_base_dir": str(folder / "dataset"), **base}
    return write_config(folder, {"A": (folder / "a.mkv", {"general": 1.0})}, base_settings=chosen)


def kept(settings: Settings) -> str:
    found = keep_data_set_id(settings)
    assert found
    return found


def test_a_folder_keeps_its_id_and_another_has_another(tmp_path: Path) -> None:
    one, other = settings_of(tmp_path / "one"), settings_of(tmp_path / "other")
    assert kept(one) == kept(one) != kept(other)
    assert files(tmp_path / "one").keys() == {"metadata/.data_set/id"}


def test_processes_that_start_together_agree_on_the_id(tmp_path: Path) -> None:
    settings, barrier = settings_of(tmp_path), Barrier(8)

    def keep(_: int) -> str:
        barrier.wait()
        return kept(settings)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(keep, range(8)))) == 1
    assert files(tmp_path).keys() == {"metadata/.data_set/id"}
    assert [path.name for path in (tmp_path / "metadata").iterdir()] == [".data_set"]


def test_the_id_of_who_comes_first_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, draw = settings_of(tmp_path), uuid.uuid4
    firsts: list[str] = []

    def overtaken() -> uuid.UUID:
        if not firsts:
            firsts.append("")
            firsts[0] = kept(settings)
        return draw()

    monkeypatch.setattr("uuid.uuid4", overtaken)
    assert kept(settings) == firsts[0]


def test_a_folder_that_cannot_be_written_has_no_id(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        keep_data_set_id(settings_of(tmp_path / "file"))


def test_the_id_survives_a_change_of_how_many_machines_there_are(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    found = kept(settings)
    with DataSet.of(settings).hold("a"):
        pass
    (tmp_path / "metadata/.machines").unlink()
    assert kept(settings) == found


def test_only_another_folder_is_refused_and_nothing_is_written_to_it(tmp_path: Path) -> None:
    head, private = settings_of(tmp_path / "head"), settings_of(tmp_path / "private")
    found = kept(head)
    refuse_other_data_set(head, found)
    # Of a launcher that gives none.
    refuse_other_data_set(private, None)
    folder = re.escape(str(tmp_path / "private"))
    sentence = f"^{socket.gethostname()}: {folder} is not the data set that the head sees; mount .*{folder}"
    with pytest.raises(ConfigError, match=sentence):
        refuse_other_data_set(private, found)
    assert not (tmp_path / "private").exists()
    kept(private)
    with pytest.raises(ConfigError, match=sentence):
        refuse_other_data_set(private, found)


def test_folders_of_a_data_set_in_a_store_are_not_compared(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, output_url="s3://bucket/films")
    assert keep_data_set_id(settings) is None
    refuse_other_data_set(settings, "another")
    assert files(tmp_path) == {}


@pytest.mark.parametrize("partition", ["a", None])
def test_a_run_in_a_folder_of_its_own_fails_for_no_film_and_is_tried_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, partition: str | None
) -> None:
    found = kept(load_settings(config_of(tmp_path / "head")))
    private = config_of(tmp_path / "private", lease_s=600)
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)

    @dg.op(required_resource_keys={"dataset_config"})
    def make() -> None:
        raise AssertionError("it worked")

    @dg.job(resource_defs={"dataset_config": DatasetConfig(path=str(private))})
    def making() -> None:
        make()

    tags = data_set_tags(RUN_ID, found) | ({"dagster/partition": partition} if partition else {})
    with dg.DagsterInstance.ephemeral() as instance:
        result = making.execute_in_process(instance=instance, tags=tags, run_id=RUN_ID, raise_on_error=False)
        (run,) = instance.get_runs()
        failure = failure_of_run(instance, run, 0.0)
        context = dg.build_run_status_sensor_context(
            "failure_sensor", result.get_run_failure_event(), instance, run
        ).for_run_failure()
        failure_sensor(context, config_reader=ConfigReader(private))
    assert "is not the data set that the head sees" in failure.sentence
    assert 600.0 in waits
    assert run.tags[MAX_RETRIES_TAG] == "2"
    assert run.tags[CONFIG_MISTAKE_TAG] == run.run_id
    assert not (tmp_path / "private/dataset").exists()


def test_a_run_that_is_started_again_is_not_held_to_the_id_of_the_first(tmp_path: Path) -> None:
    private = config_of(tmp_path / "private")
    inherited = data_set_tags(RUN_ID, kept(load_settings(config_of(tmp_path / "head"))))

    @dg.op(required_resource_keys={"dataset_config"})
    def make() -> None:
        pass

    @dg.job(resource_defs={"dataset_config": DatasetConfig(path=str(private))})
    def making() -> None:
        make()

    with dg.DagsterInstance.ephemeral() as instance:
        assert making.execute_in_process(instance=instance, tags=inherited).success
