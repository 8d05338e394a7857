"""What is known of a configuration while it holds mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets.config import keep_config, kept_settings, load_settings, named_data_set
from dataset_assets_tests.configurations import write_config


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path, {"Film": (tmp_path / "film.mkv", {"general": 1.0})})


def test_the_settings_of_before_are_those_of_the_same_file_alone(config: Path, tmp_path: Path) -> None:
    before = load_settings(config)
    home = tmp_path / "home"
    home.mkdir()
    assert kept_settings(config, home) is None
    keep_config(config, home)
    config.write_text("{")
    assert kept_settings(config, home) == before
    assert kept_settings(config.with_name("other.json"), home) is None
    for content in ("", "{}", "[]"):
        (home / "configuration.json").write_text(content)
        assert kept_settings(config, home) is None


def test_a_folder_that_cannot_be_written_keeps_nothing_and_hides_nothing(
    config: Path, tmp_path: Path
) -> None:
    keep_config(config, tmp_path / "absent")
    assert kept_settings(config, tmp_path / "absent") is None


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ('{"base_settings": {"output_base_dir": "../out \\u00fc", "max_workers": three}}', "../out ü"),
        ("base_settings:\n  output_base_dir: data set  \n  max_workers: [\n", "data set"),
        ("base_settings: {output_base_dir: 'it', max_workers: [}", "it"),
        ('{"base_settings": {"output_base_dir": "/data",,', "/data"),
        ('{"base_settings": {}}', None),
        ('{"base_settings": {"output_base_dir": 5', "5"),
    ],
)
def test_the_data_set_is_found_in_a_text_with_mistakes(tmp_path: Path, text: str, folder: str | None) -> None:
    config = tmp_path / "below/config.yaml"
    config.parent.mkdir()
    config.write_text(text, encoding="utf-8")
    expected = None if folder is None else (config.parent / folder).resolve()
    assert named_data_set(config) == expected
    assert named_data_set(config.with_name("absent.json")) is None
