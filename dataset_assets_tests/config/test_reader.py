"""A configuration that is read again when it changes, and what is left of it while it holds a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets.config import ConfigReader
from dataset_assets.config.register import register_path
from dataset_assets.errors import ConfigError
from dataset_assets_tests.configurations import write_config


def config_of(folder: Path, limit: int) -> Path:
    films = {"Film": (folder / "film.mkv", {"general": 1.0})}
    return write_config(folder, films, base_settings={"base_frame_limit": limit})


def test_settings_are_read_again_only_when_the_file_has_changed(tmp_path: Path) -> None:
    reader = ConfigReader(config_of(tmp_path, 7))
    first = reader.read()
    assert reader.read() is first
    config_of(tmp_path, 888)
    assert reader.read().base.base_frame_limit == 888


def test_a_mistake_is_one_line_and_leaves_the_last_settings_until_it_is_corrected(tmp_path: Path) -> None:
    config = config_of(tmp_path, 7)
    reader = ConfigReader(config)
    before = reader.read()
    config.write_text(config.read_text().replace('"base_frame_limit": 7', '"base_frame_limit": "many"'))
    with pytest.raises(ConfigError):
        reader.read()
    assert reader.mistake().startswith(f"{config}:3 base_settings.base_frame_limit")
    assert "\n" not in reader.mistake()
    assert reader.last_valid() is before
    config_of(tmp_path, 9)
    assert reader.mistake() == ""
    assert reader.last_valid() is reader.read()


def test_of_several_mistakes_the_first_is_named_and_the_others_are_counted(tmp_path: Path) -> None:
    config = write_config(tmp_path, {}, base_settings={"base_frame_limit": "many", "seed": "x"})
    with pytest.raises(ConfigError) as caught:
        ConfigReader(config).read()
    others = len(caught.value.problems) - 1
    assert others >= 1
    assert caught.value.summary.endswith(f"({others} more: `dataset-assets doctor` lists all)")


def test_a_file_that_goes_and_comes_back_is_a_mistake_meanwhile(tmp_path: Path) -> None:
    config = config_of(tmp_path, 7)
    reader = ConfigReader(config)
    assert reader.mistake() == ""
    content = config.read_bytes()
    config.unlink()
    assert "there is no such configuration file" in reader.mistake()
    config.write_bytes(content)
    assert reader.mistake() == ""


def test_a_broken_register_of_watched_films_is_a_mistake_until_it_is_corrected(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    config = write_config(tmp_path, {}, watch=[{"folder": "films", "categories": {"general": 1.0}}])
    register = register_path(ConfigReader(config).read())
    register.parent.mkdir(parents=True)
    register.write_text("{")
    reader = ConfigReader(config)
    assert str(register) in reader.mistake()
    register.write_text(
        '{"films": [{"path": "%s", "name": "A", "size_bytes": 1}]}' % (tmp_path / "films/a.mkv")
    )
    assert [entry.key for entry in reader.read().videos] == ["a"]
