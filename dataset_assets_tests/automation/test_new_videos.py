from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from dataset_assets.assets import DECODE_POOL
from dataset_assets.automation.new_videos import videos_sensor
from dataset_assets.config import ConfigReader, kept_settings, load_settings
from dataset_assets.partitions import VIDEO_PARTITIONS, add_missing
from dataset_assets_tests.configurations import write_config


def config_of(folder: Path, names: Sequence[str]) -> Path:
    return write_config(folder, {name: (folder / f"{name}.mkv", {"general": 1.0}) for name in names})


def tick(instance: dg.DagsterInstance, config: Path) -> tuple[list[str], str | None]:
    """Evaluates the sensor; gives the partitions in their order, and what the sensor says."""
    context = dg.build_sensor_context(instance=instance, resources={"config_reader": ConfigReader(config)})
    evaluated = videos_sensor(context)
    assert isinstance(evaluated, dg.SkipReason)
    return list(instance.get_dynamic_partitions(VIDEO_PARTITIONS.name or "")), evaluated.skip_message


def test_the_sensor_adds_configured_videos_and_removes_none(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        first = tick(instance, config_of(tmp_path, ["B", "A Film"]))
        second = tick(instance, config_of(tmp_path, ["B", "C"]))
    assert first == (["a-film", "b"], "2 videos, 2 new, first a-film")
    assert second == (["a-film", "b", "c"], "2 videos, 1 new, first c")


def test_the_sensor_keeps_the_configuration_for_when_it_holds_mistakes(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        before = load_settings(config_of(tmp_path, ["A", "B"]))
        config = config_of(tmp_path, ["A", "B"])
        tick(instance, config)
        config.write_text("{")
        tick(instance, config)
    assert kept_settings(config, tmp_path) == before


def test_the_sensor_says_why_it_does_nothing(tmp_path: Path) -> None:
    config = config_of(tmp_path, ["A", "B"])
    with dg.DagsterInstance.ephemeral() as instance:
        tick(instance, config)
        assert tick(instance, config) == (["a", "b"], "2 videos, no new one")


def test_a_change_of_max_workers_is_applied_and_a_limit_set_by_hand_stays_until_then(tmp_path: Path) -> None:
    films = {"A": (tmp_path / "a.mkv", {"general": 1.0})}
    cursor = None
    found = []
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        storage = instance.event_log_storage
        for workers, by_hand in ((3, 1), (3, 1), (5, None)):
            config = write_config(tmp_path, films, base_settings={"max_workers": workers})
            resources = {"config_reader": ConfigReader(config)}
            context = dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources)
            videos_sensor(context)
            cursor = context.cursor
            found.append(storage.get_concurrency_info(DECODE_POOL).slot_count)
            if by_hand is not None:
                storage.set_concurrency_slots(DECODE_POOL, by_hand)
    assert found == [3, 1, 5]


def test_partitions_are_added_sorted_and_once(tmp_path: Path) -> None:
    settings = load_settings(config_of(tmp_path, ["B", "C", "A"]))
    with dg.DagsterInstance.ephemeral() as instance:
        assert add_missing(instance, settings) == ["a", "b", "c"]
        assert add_missing(instance, settings) == []


def test_a_film_dropped_into_a_watched_folder_becomes_a_partition(tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    watch = [{"folder": "films", "categories": {"general": 1.0}, "settled_after_s": 3600}]
    config = write_config(tmp_path, {}, watch=watch)
    with dg.DagsterInstance.ephemeral() as instance:
        empty = tick(instance, config)
        (films / "New Film.mkv").write_bytes(b"film")
        written = tick(instance, config)
        watch[0]["settled_after_s"] = 0
        write_config(tmp_path, {}, watch=watch)
        whole = tick(instance, config)
        shutil.rmtree(films)
        away = tick(instance, config)
    assert empty == ([], "0 videos, no new one")
    assert written == ([], "0 videos, no new one, 1 still being written")
    assert whole == (["new-film"], "1 video, 1 new, first new-film")
    assert away[0] == ["new-film"]
    assert (away[1] or "").startswith(f"1 video, no new one; {films}: there is no such folder;")


def test_a_mistake_in_the_configuration_is_the_reason_to_skip_until_it_is_corrected(tmp_path: Path) -> None:
    config = config_of(tmp_path, ["A"])
    content = config.read_text()
    reader = ConfigReader(config)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, resources={"config_reader": reader})
        config.write_text(content.replace('"base_frame_limit": 6', '"base_frame_limit": "six"'))
        broken = videos_sensor(context)
        config.write_text(content)
        corrected = videos_sensor(context)
    assert isinstance(broken, dg.SkipReason)
    assert (broken.skip_message or "").startswith(f"{config}:3 base_settings.base_frame_limit: ")
    assert isinstance(corrected, dg.SkipReason)
    assert corrected.skip_message == "1 video, 1 new, first a"
