"""The schema against another implementation of JSON Schema, on files that are read by ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
import yaml

from dataset_assets.config import Settings, load_settings
from dataset_assets.errors import ConfigError
from dataset_assets_tests.command import ROOT, run
from dataset_assets_tests.config.test_scan import COMMENTED_YAML, LAYOUTS, TABBED_JSON

BASE = {"output_base_dir": "out"}
VIDEO = {"name": "A", "path": "a.mkv", "categories": {"general": 1}}
FILE = {"base_settings": BASE, "videos": [VIDEO]}
WATCH = {"folder": "films", "categories": {"toon": 0.5}, "rules": {"star*": {"space": 1}}, "exclude": ["x*"]}

VALID = {
    "least": {},
    "schema named": {"$schema": "schema.json"},
    "null sections": {"watch": None, "formats": None, "categories": None, "nightly": None, "runs": None},
    "watched alone": {"videos": [], "watch": [WATCH]},
    "watched, no list": {"videos": None, "watch": [WATCH]},
    "another mix": {"categories": {"general": {"mix": {"small_540": 1}}}},
    "another mix in upper case": {"categories": {"General": {"mix": {"small_540": 1}}}},
    "fourth category": {"categories": {"Night": {"folder": "Night", "mix": {"small_540": 1}}}},
    "files of patches": {"base_settings": BASE | {"lr_stacks": [7], "gt_frames": "all", "scale": 4}},
    "curation": {"curation": {"General": "detail_db < 50", "toon": None}},
    "no curation": {"curation": None},
    "degraded": {
        "base_settings": BASE
        | {
            "degradations": [
                {"blur": {"sigma": [0.5, 1]}},
                {"resize": {"kinds": ["area"]}},
                {"noise": {"p": 1, "grey": 0}},
                {"chroma": {"kinds": [411]}},
                {"codec": {"h264": {"weight": 2, "crf": [20, 30]}, "mpeg2": {"quantizer": [2, 2]}}},
            ]
        },
        "categories": {"space": {"degradations": []}, "toon": {"degradations": [{"noise": {}}]}},
    },
    "without one": {"categories": {"space": None}, "formats": {"large_720": {"width": 960}}},
    "all else": {
        "base_settings": BASE | {"base_frame_limit": 5, "sampling": "uniform", "min_free_gb": 0},
        "nightly": {"cron": "0 2 * * *"},
        "runs": {"webhook_url": None, "keep_days": 3},
    },
}
INVALID = {
    "no settings": {"base_settings": None},
    "no folder": {"base_settings": {}},
    "no videos": {"videos": []},
    "nothing watched": {"videos": None, "watch": []},
    "unknown section": {"video": []},
    "unknown key": {"base_settings": BASE | {"max_worker": 2}},
    "text for a number": {"base_settings": BASE | {"max_workers": "2"}},
    "too few": {"base_settings": BASE | {"max_workers": 0}},
    "no such choice": {"base_settings": BASE | {"sampling": "random"}},
    "weight above one": {"videos": [VIDEO | {"categories": {"general": 2}}]},
    "video without a path": {"videos": [{"name": "A", "categories": {}}]},
    "new category without a mix": {"categories": {"night": {"folder": "Night"}}},
    "new format without a size": {"formats": {"tiny": {"folder": "Tiny"}}},
    "side that no film has": {"formats": {"large_720": {"width": 1921}}},
    "no stack": {"base_settings": BASE | {"lr_stacks": []}},
    "stack twice": {"base_settings": BASE | {"lr_stacks": [7, 7]}},
    "stack of 6 frames": {"base_settings": BASE | {"lr_stacks": [6]}},
    "range of one end": {"base_settings": BASE | {"degradations": [{"blur": {"sigma": [1]}}]}},
    "blur of 9": {"base_settings": BASE | {"degradations": [{"blur": {"sigma": [1, 9]}}]}},
    "no kind": {"base_settings": BASE | {"degradations": [{"noise": {"kinds": []}}]}},
    "two steps in one": {"base_settings": BASE | {"degradations": [{"blur": {}, "noise": {}}]}},
    "a codec step without a codec": {"base_settings": BASE | {"degradations": [{"codec": {}}]}},
    "scale of 5": {"base_settings": BASE | {"scale": 5}},
    "curation that is no text": {"curation": {"general": 50}},
    "curation of no category": {"curation": "detail_db < 50"},
    "schema that is no text": {"$schema": 7},
}


@pytest.fixture(scope="module")
def check() -> Callable[[Any], Any]:
    """Raises for what does not fit the schema that the command prints."""
    done = run("config", "schema")
    assert (done.returncode, done.stderr) == (0, "")
    return fastjsonschema.compile(json.loads(done.stdout))


def read(content: object, folder: Path) -> Settings:
    config = folder / "config.json"
    config.write_text(json.dumps(content), encoding="utf-8")
    return load_settings(config)


@pytest.mark.parametrize("sections", VALID.values(), ids=VALID)
def test_what_is_read_fits(sections: dict[str, Any], check: Callable[[Any], Any], tmp_path: Path) -> None:
    content = FILE | sections
    read(content, tmp_path)
    check(content)


@pytest.mark.parametrize("sections", INVALID.values(), ids=INVALID)
def test_what_is_refused_does_not_fit(
    sections: dict[str, Any], check: Callable[[Any], Any], tmp_path: Path
) -> None:
    content = FILE | sections
    with pytest.raises(ConfigError):
        read(content, tmp_path)
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        check(content)


def test_files_of_every_layout_fit(check: Callable[[Any], Any]) -> None:
    names = ("generator_config.json", "categories.example.yaml")
    examples = [(ROOT / "configs" / name).read_text(encoding="utf-8") for name in names]
    texts = [COMMENTED_YAML, TABBED_JSON, *(after for _, after in LAYOUTS.values()), *examples]
    for text in texts:
        check(json.loads(text) if text.startswith("{") else yaml.safe_load(text))


def test_every_setting_has_a_description_to_show(check: Callable[[Any], Any]) -> None:
    schema = json.loads(run("config", "schema").stdout)
    bare = [
        name
        for model in [schema, *schema["$defs"].values()]
        for name, part in model["properties"].items()
        if not part.keys() & {"description", "$ref"}
    ]
    assert bare == []


def test_a_named_schema_changes_nothing(tmp_path: Path) -> None:
    assert read(FILE | {"$schema": "schema.json"}, tmp_path) == read(FILE, tmp_path)
