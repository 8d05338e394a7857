"""Names and texts from anywhere: whatever they are, files lie in the data set and mistakes are sentences."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dataset_assets.config import load_settings
from dataset_assets.config.keys import video_key
from dataset_assets.dataset import TableStore, patch_id, triplet_paths
from dataset_assets.errors import ConfigError
from dataset_assets.frames import DEFAULT_KINDS

few = settings(max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])

letters = st.one_of(st.characters(), st.sampled_from(list("./\\~\0\n\r: 'aA1_-=%$;é🎬\u202e")))
texts = st.text(letters, max_size=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
weights = st.dictionaries(
    st.sampled_from(["general", "SPACE", "Toon", "x/../y"]), st.floats() | st.integers(-1, 2), max_size=3
)
files = st.fixed_dictionaries(
    {
        "base_settings": st.fixed_dictionaries(
            {"output_base_dir": texts}, optional={"seed": values, "max_attempts": values, "nice": values}
        ),
        "videos": st.lists(
            st.fixed_dictionaries({"name": texts, "path": texts, "categories": weights | values}), max_size=3
        ),
    },
    optional={
        "formats": st.dictionaries(
            texts,
            st.fixed_dictionaries({"width": values, "height": st.just(81), "folder": texts}),
            max_size=1,
        ),
        "categories": st.dictionaries(
            st.sampled_from(["night", "General"]),
            st.fixed_dictionaries({"folder": texts, "mix": st.just({"small_540": 1.0})}),
            max_size=1,
        ),
        "other": values,
    },
)


@few
@given(texts)
@example("../../x")
@example("a/b")
@example("x" * 300)
@example("a\nb\0c")
@example("🎬 1")
@example("CON.1")
@example("--help")
def test_a_name_becomes_a_file_name_inside_its_folder(name: str) -> None:
    key = video_key(name)
    if not key:
        return
    root = Path("/data set")
    for path in (
        *triplet_paths("General", "Square", patch_id(key, 3), DEFAULT_KINDS),
        TableStore(root).windows_path(key),
    ):
        assert ".." not in path.parts
        assert key in path.as_posix()
        assert all(len(part.encode()) <= 120 and part.isascii() and part.isprintable() for part in path.parts)


@few
@given(content=files)
def test_any_configuration_is_read_or_reported_with_clear_errors(content: object, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    problems: list[str] | None = None
    try:
        found = load_settings(file)
    except ConfigError as error:
        problems = error.problems
    if problems is not None:
        assert problems
        assert all(problem.startswith(str(file)) for problem in problems)
        assert not any("\n" in problem for problem in problems)
        return
    root = found.base.output_base_dir
    keys = [entry.key for entry in found.videos]
    assert len(set(keys)) == len(keys)
    for category in found.categories.values():
        for size in found.formats.values():
            folder = root / category.folder / size.folder
            assert folder.is_relative_to(root)
            assert ".." not in folder.parts[len(root.parts) :]
    for entry in found.videos:
        assert 0 <= found.window_target(entry) <= found.base.base_frame_limit


@few
@given(text=st.text(st.sampled_from(list("{}[]:,-&*!|>#'\" \n\tab1.~")), max_size=80))
def test_any_text_is_yaml_or_a_mistake(text: str, tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(text, encoding="utf-8")
    with suppress(ConfigError):
        load_settings(file)


@pytest.mark.parametrize("weight", ["NaN", "Infinity", "-Infinity", "1e999", "true", '"1"'])
def test_a_weight_that_is_no_number_is_a_mistake(weight: str, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    video = f'{{"name": "a", "path": "a.mkv", "categories": {{"general": {weight}}}}}'
    file.write_text(f'{{"base_settings": {{"output_base_dir": "out"}}, "videos": [{video}]}}')
    with pytest.raises(ConfigError, match=r"categories\.general: .* use a number between 0 and 1"):
        load_settings(file)


@pytest.mark.parametrize("folder", ["x" * 256, "é" * 128, "/".join(["x" * 200] * 20)])
def test_a_name_that_no_disk_can_hold_is_a_mistake(folder: str, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    video = {"name": "a", "path": "a.mkv", "categories": {"general": 1}}
    file.write_text(json.dumps({"base_settings": {"output_base_dir": folder}, "videos": [video]}))
    with pytest.raises(
        ConfigError, match=r"output_base_dir: (holds a name|is a path) of more than \d+ bytes"
    ):
        load_settings(file)


def test_a_configuration_in_a_folder_whose_name_is_not_text_is_a_mistake(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    file = folder / "c.json"
    file.write_text(json.dumps({"base_settings": {"output_base_dir": "out"}, "videos": []}))
    with pytest.raises(ConfigError, match="output_base_dir: lies in a folder whose name is not UTF-8"):
        load_settings(file)
