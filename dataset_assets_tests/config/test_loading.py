"""Configurations as they are read: files, defaults, merging."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dataset_assets.config import (
    DEFAULT_CATEGORIES,
    DEFAULT_FORMATS,
    BaseSettings,
    Category,
    Format,
    Settings,
    VideoEntry,
    config_path,
    default_formats,
    load_settings,
)
from dataset_assets.config.loading import settings_from_text
from dataset_assets.errors import ConfigError
from dataset_assets_tests.config.samples import HEAD, settings_of

REPOSITORY = Path(__file__).parents[2]


def test_the_shipped_configurations_load() -> None:
    plain = load_settings(REPOSITORY / "configs/generator_config.json")
    assert plain.base.base_frame_limit == 1000
    assert [entry.key for entry in plain.videos] == ["feature-film", "space-documentary", "animated-short"]
    assert plain.formats == DEFAULT_FORMATS
    assert plain.categories == DEFAULT_CATEGORIES
    example = load_settings(REPOSITORY / "configs/categories.example.yaml")
    assert set(example.categories) == {"general", "space", "toon", "night"}
    assert "fullhd_1920" not in example.formats
    assert example.target(example.video("space-documentary"), "night") == 250


@pytest.mark.parametrize(
    ("scale", "sizes"),
    [
        (2, ["540x540", "720x404", "720x720", "1440x810", "1920x1080"]),
        (3, ["540x540", "720x405", "720x720", "1440x810", "1920x1080"]),
        (4, ["540x540", "720x404", "720x720", "1440x808", "1920x1080"]),
    ],
)
def test_the_formats_by_default_fit_every_scale(tmp_path: Path, scale: int, sizes: list[str]) -> None:
    text = HEAD.replace("\nvideos", f"\n  scale: {scale}\nvideos")
    for more in ("", "formats:\n  fullhd_1920: {folder: Full}\n"):
        settings = settings_of(text + more, tmp_path)
        assert [f"{each.width}x{each.height}" for each in settings.formats.values()] == sizes
    base = {"output_base_dir": "x", "scale": scale}
    assert Settings.model_validate({"base_settings": base, "videos": []}).formats == default_formats(scale)


def test_a_configuration_needs_only_a_folder_and_a_video(tmp_path: Path) -> None:
    settings = settings_of(HEAD, tmp_path)
    assert settings.base == BaseSettings(output_base_dir=tmp_path / "out")
    assert settings.videos[0].path == tmp_path / "dune.mkv"
    assert settings.categories["space"].mix == {"small_540": 0.30, "xlarge_1440": 0.45, "fullhd_1920": 0.25}
    assert settings.formats["medium_169"].model_dump() == {
        "width": 720,
        "height": 405,
        "folder": "Patches_Medium169",
    }


def test_paths_are_relative_to_the_file_and_not_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/c.yaml").write_text(HEAD.replace("dune.mkv", "../films/./dune.mkv"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    assert load_settings(Path("configs/c.yaml")).videos[0].path == tmp_path / "films/dune.mkv"
    home = settings_of(HEAD.replace("dune.mkv", "~/dune.mkv"), tmp_path)
    assert home.videos[0].path == Path("/home/someone/dune.mkv")


def test_a_colon_in_a_films_name_is_no_protocol(tmp_path: Path) -> None:
    for name in ("Alien: Romulus.mkv", "./Mission:Impossible.mkv", "C:film.mkv"):
        settings = settings_of(HEAD.replace("dune.mkv", json.dumps(name)), tmp_path)
        assert settings.videos[0].path == tmp_path / name


def test_category_names_are_matched_in_any_case(tmp_path: Path) -> None:
    text = HEAD.replace("{general: 0.5}", "{GENERAL: 0.5, Night: 1}")
    text += "categories:\n  NIGHT: {folder: N, mix: {small_540: 1}}\n"
    settings = settings_of(text, tmp_path)
    assert settings.videos[0].categories == {"general": 0.5, "night": 1.0}
    assert settings.categories["night"].folder == "N"


def test_sections_are_merged_over_the_defaults_by_name(tmp_path: Path) -> None:
    text = HEAD + (
        "formats:\n  large_720: null\n  small_540: {width: 300, height: 300, folder: Small}\n"
        "categories:\n  general: {folder: G, mix: {small_540: 1}}\n  toon: null\n"
    )
    settings = settings_of(text, tmp_path)
    assert list(settings.formats) == ["small_540", "medium_169", "xlarge_1440", "fullhd_1920"]
    assert settings.formats["small_540"].width == 300
    assert list(settings.categories) == ["general", "space"]
    assert settings.categories["general"].mix == {"small_540": 1.0}


def test_an_entry_needs_only_what_differs_from_its_default(tmp_path: Path) -> None:
    sections = {
        "formats": {"small_540": {"width": 480}},
        "categories": {"GENERAL": {"mix": {"small_540": 1}}, "space": {"folder": "S"}},
    }
    for name, text in (("c.yaml", HEAD + yaml.safe_dump(sections)), ("c.json", as_json(sections))):
        settings = settings_of(text, tmp_path, name)
        assert settings.formats["small_540"] == Format(width=480, height=540, folder="Patches")
        assert settings.categories["general"] == Category(
            folder="Universal/Mastermodell/Learn", mix={"small_540": 1.0}
        )
        assert settings.categories["space"] == Category(folder="S", mix=DEFAULT_CATEGORIES["space"].mix)


def as_json(sections: dict[str, Any]) -> str:
    return json.dumps(yaml.safe_load(HEAD) | sections)


def test_an_empty_section_keeps_the_defaults(tmp_path: Path) -> None:
    assert settings_of(HEAD + "formats:\ncategories:\n", tmp_path).formats == DEFAULT_FORMATS


def test_json_with_tabs_escapes_and_odd_spacing_loads(tmp_path: Path) -> None:
    text = (
        '{\n\t"base_settings"\n:\t{"output_base_dir":"out",\t"min_free_gb":1e-3},\n'
        '\t"videos":\t[\n\t\t{"name":"D\\u00fcne \\ud83d\\ude00\\/","path":"d.mkv",'
        '"categories":{"space":1}}\n\t]\n}\n'
    )
    settings = settings_of(text, tmp_path, "c.json")
    assert settings.base.min_free_gb == 0.001
    assert settings.videos[0].name == "Düne 😀/"
    assert settings.videos[0].key == "dune"


@given(st.lists(st.floats(0, 1), max_size=3), st.text("aé😀\t\n", max_size=5), st.integers(1, 10**9))
def test_json_loads_as_the_same_file_read_as_yaml(weights: list[float], text: str, limit: int) -> None:
    content = {
        "base_settings": {"output_base_dir": "out", "base_frame_limit": limit},
        "videos": [
            {"name": f"Film {number} {text}", "path": f"{text}.mkv", "categories": {"general": weight}}
            for number, weight in enumerate([1.0, *weights])
        ],
        "formats": None,
    }
    written = json.dumps(content, ensure_ascii=False)
    as_json, as_yaml = (settings_from_text(written, Path(name)) for name in ("c.json", "c.yaml"))
    assert as_json == as_yaml
    assert len(as_json.videos) == 1 + len(weights)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    for name in ("c.yaml", "c.json"):
        content = json.dumps({"base_settings": {"output_base_dir": "out"}, "videos": [VIDEO]})
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + content.encode())
        assert load_settings(tmp_path / name).videos[0].name == "Dune"


VIDEO = {"name": "Dune", "path": "dune.mkv", "categories": {"general": 1}}


def test_yaml_numbers_and_words_are_read_as_yaml_1_2_has_them(tmp_path: Path) -> None:
    text = HEAD.replace(
        "output_base_dir: out", "output_base_dir: out\n  min_free_gb: 1e-3\n  max_cut_score: .5"
    )
    settings = settings_of(text.replace("Dune", "2001-04-03").replace("dune.mkv", "no"), tmp_path)
    assert (settings.base.min_free_gb, settings.base.max_cut_score) == (0.001, 0.5)
    assert settings.videos[0].name == "2001-04-03"
    assert settings.videos[0].path == tmp_path / "no"


def test_an_alias_stands_for_its_anchor(tmp_path: Path) -> None:
    text = HEAD.replace("{general: 0.5}", "&both {general: 0.5, space: 1}")
    text += "  - {name: Arrival, path: arrival.mkv, categories: *both}\n"
    assert settings_of(text, tmp_path).videos[1].categories == {"general": 0.5, "space": 1.0}


any_text = st.text(
    st.characters(exclude_categories=()), max_size=8
)  # lone surrogates too, as JSON spells them
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(any_text, children, max_size=3),
    max_leaves=8,
)


def mostly(*right: Any) -> st.SearchStrategy[Any]:
    """Right values with wrong ones among them, so that the checks behind the first are reached too."""
    return st.one_of(st.sampled_from(right), st.sampled_from(right), json_values)


names = st.sampled_from(["general", "Toon", "small_540", "large_720", "a", "B-", ""])
mappings = st.dictionaries(names, mostly(0, 0.5, 1, 2), max_size=3)
entry_fields = st.fixed_dictionaries(
    {},
    optional={
        "name": mostly("A", "a", "?") | any_text,
        "path": mostly("a.mkv", "http://b", "") | any_text,
        "categories": mappings | json_values,
        "folder": mostly("A", "a/b", "..", "/"),
        "mix": mappings | json_values,
        "width": mostly(3, 9, 10),
        "height": mostly(3, 9, 10),
    },
)
sections = st.dictionaries(names | any_text, entry_fields | json_values, max_size=3)
configurations = st.fixed_dictionaries(
    {},
    optional={
        "base_settings": st.fixed_dictionaries({"output_base_dir": mostly("out")}) | json_values,
        "videos": st.lists(entry_fields | json_values, max_size=3) | json_values,
        "formats": sections | json_values,
        "categories": sections | json_values,
        "extra": json_values,
    },
)


@given(configurations | json_values, st.sampled_from(["c.json", "c.yaml"]))
def test_whatever_a_file_holds_it_loads_or_its_mistakes_are_reported(content: Any, name: str) -> None:
    problems: list[str] = []
    try:
        settings = settings_from_text(json.dumps(content), Path(name))
        assert settings.model_dump_json()
    except ConfigError as error:
        problems = error.problems or ["no problem reported"]
    for problem in problems:
        assert problem.startswith(f"{name}:")
        assert problem.endswith((".", "?"))
        assert problem.encode("utf-8")


@given(
    st.text(max_size=60) | st.text("[]{}:,-&*!#|>'\"\n\t ab1", max_size=60),
    st.sampled_from(["c.json", "c.yaml"]),
)
def test_whatever_text_a_file_is_its_mistakes_are_reported(text: str, name: str) -> None:
    with pytest.raises(ConfigError):
        settings_from_text(text, Path(name))


def test_the_configuration_is_the_given_one_then_the_environments_then_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATASET_ASSETS_CONFIG", "from/environment.yaml")
    assert config_path(Path("given.yaml")) == Path("given.yaml")
    assert config_path(None) == Path("from/environment.yaml")
    monkeypatch.setenv("DATASET_ASSETS_CONFIG", "")
    assert config_path(None) == Path("configs/generator_config.json")


def test_settings_made_in_python_are_held_to_the_same_rules(tmp_path: Path) -> None:
    base = BaseSettings(output_base_dir=tmp_path)
    dune = VideoEntry(name="Dune", path=tmp_path / "dune.mkv", categories={"general": 1, "spcae": 1})
    with pytest.raises(ValidationError, match="no such category; did you mean `space`"):
        Settings(base=base, videos=(dune,))


def test_every_setting_describes_itself() -> None:
    for model in (Settings, BaseSettings, VideoEntry, Format, Category):
        for name, field in model.model_fields.items():
            assert len(field.description or "") > 20, name
