from __future__ import annotations

import re
from pathlib import Path

import pytest

from dataset_assets.config import load_settings, without_entry
from dataset_assets.errors import ConfigError
from dataset_assets_tests.config.test_scan import COMMENTED_YAML, LAYOUTS, TABBED_JSON, config_with

BASE_YAML = "base_settings: {output_base_dir: out}\n"
ONE, TWO = "{name: One, path: a, categories: {}}", "{name: Two, path: a, categories: {}}"


def removed(text: str, key: str, folder: Path, name: str = "c.yaml") -> str:
    """The text without an entry; a failure where there is none."""
    found = without_entry(config_with(text, folder, name), key)
    assert found is not None
    return found.text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("before", "after"), LAYOUTS.values(), ids=LAYOUTS)
def test_what_was_added_is_removed_and_every_comment_stays(
    before: str, after: str, newline: str, tmp_path: Path
) -> None:
    name = "c.json" if before.startswith("{") else "c.yaml"
    text = removed(after.replace("\n", newline), "b", tmp_path, name)
    assert re.findall("#.*", text) == re.findall("#.*", after.replace("\n", newline))
    left = load_settings(config_with(text, tmp_path, name), may_lack_videos=True)
    assert left == load_settings(config_with(before, tmp_path, name), may_lack_videos=True)


EDITS = {
    "first in brackets": (f"videos: [{ONE}, {TWO}]\n", f"videos: [{TWO}]\n"),
    "first of lines": (f"videos:\n  - {ONE} # 1\n  # next\n  - {TWO}\n", f"videos:\n  # next\n  - {TWO}\n"),
    "first over lines": (
        f"videos:\n- name: One\n  path: a\n  categories:\n    general: 1\n- {TWO}\n",
        f"videos:\n- {TWO}\n",
    ),
    "last without a line end": (f"videos:\n  - {TWO}\n  - {ONE}", f"videos:\n  - {TWO}\n"),
    "only one": (f"videos: # all\n  - {ONE}\n", "videos: [] # all\n"),
    "brackets with comments": (
        f"videos: [\n  {ONE}, # 1\n  # next\n  {TWO}, # 2\n]\n",
        f"videos: [\n  # next\n  {TWO}, # 2\n]\n",
    ),
    "last in brackets with comments": (
        f"videos: [\n  {TWO}, # 2\n  {ONE} # 1\n]\n",
        f"videos: [\n  {TWO}, # 2\n]\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), EDITS.values(), ids=EDITS)
def test_only_the_entry_goes(before: str, after: str, tmp_path: Path) -> None:
    assert removed(BASE_YAML + before, "one", tmp_path) == BASE_YAML + after


def test_each_place_in_a_list_over_lines_of_json(tmp_path: Path) -> None:
    items = [f'    {{"name": "{name}", "path": "a", "categories": {{}}}}' for name in ("One", "Two", "Three")]
    start, end = '{\n  "base_settings": {"output_base_dir": "out"},\n  "videos": [\n', "\n  ]\n}\n"
    for index, key in enumerate(("one", "two", "three")):
        left = ",\n".join(items[:index] + items[index + 1 :])
        text = start + ",\n".join(items) + end
        assert removed(text, key, tmp_path, "c.json") == start + left + end
    assert removed(TABBED_JSON, "dune", tmp_path, "c.json").startswith('{\n\t"videos": [],\n')


def test_the_line_of_the_entry_is_named_and_the_file_left_as_it_is(tmp_path: Path) -> None:
    config = config_with(COMMENTED_YAML, tmp_path)
    found = without_entry(config, "dune")
    assert found is not None
    assert COMMENTED_YAML.splitlines()[found.line - 1] == "  - name: Dune"
    assert config.read_text(encoding="utf-8") == COMMENTED_YAML


def test_a_video_that_is_not_listed_is_none(tmp_path: Path) -> None:
    assert without_entry(config_with(COMMENTED_YAML, tmp_path), "other") is None


@pytest.mark.parametrize(
    "videos",
    [
        "  - &one\n    name: One\n    path: a\n    categories: &none {}\n"
        "  - {name: Two, path: a, categories: *none}\n",
        f"  -\n    name: One\n    path: a\n    categories: {{}}\n  - {TWO}\n",
    ],
    ids=["another entry refers to it", "dash in a line of its own"],
)
def test_an_entry_that_cannot_be_cut_out_is_left_to_the_user(videos: str, tmp_path: Path) -> None:
    config = config_with(f"{BASE_YAML}videos:\n{videos}", tmp_path)
    with pytest.raises(ConfigError) as caught:
        without_entry(config, "one")
    assert str(caught.value) == (
        f"{config} videos[0]: cannot be cut out as it is written; remove it by hand."
    )
