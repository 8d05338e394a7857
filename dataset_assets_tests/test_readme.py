"""README and docs say what the code does: the reference is the models' own text, the snippets run."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dataset_assets.cli.main import app
from dataset_assets.config import (
    AvcCodec,
    BaseSettings,
    BlurStep,
    Category,
    ChromaStep,
    CodecStep,
    EndedRuns,
    Format,
    Mpeg2Codec,
    Nightly,
    NoiseStep,
    ResizeStep,
    Settings,
    VideoEntry,
    WatchFolder,
    WebCodec,
)
from dataset_assets.curation import SCORES
from dataset_assets.training import TripletDataset, TripletSampler
from dataset_assets.windows.rules import RULES
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = "\n".join(
    [README, *(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))]
)
# What a newcomer reads.
MAX_README_LINES = 180
MODELS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", Settings),
    ("`base_settings`", BaseSettings),
    ("an entry of `videos`", VideoEntry),
    ("an entry of `watch`", WatchFolder),
    ("an entry of `formats`", Format),
    ("an entry of `categories`", Category),
    ("a step `blur`", BlurStep),
    ("a step `resize`", ResizeStep),
    ("a step `noise`", NoiseStep),
    ("a step `chroma`", ChromaStep),
    ("a step `codec`", CodecStep),
    ("`h264` and `hevc` of a step `codec`", AvcCodec),
    ("`vp9` and `av1` of a step `codec`", WebCodec),
    ("`mpeg2` of a step `codec`", Mpeg2Codec),
    ("`nightly`", Nightly),
    ("`runs`", EndedRuns),
)


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory in (dict, list):
        return f"`{field.default_factory()}`"
    if field.default_factory:
        return "the table above"
    if field.default is None or field.default == () or isinstance(field.default, BaseModel):
        return "see below" if isinstance(field.default, BaseModel) else "none"
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    others = [choice for choice in choices if choice != field.default]
    return " or ".join(f"`{json.dumps(choice)}`" for choice in (field.default, *others))


def reference() -> str:
    """The configuration reference, from the models' own descriptions."""
    lines = []
    for title, model in MODELS:
        lines += [f"| {title} | default | |", "| --- | --- | --- |"]
        for name, field in model.model_fields.items():
            key = str(field.validation_alias or name)
            lines.append(f"| `{key}` | {default(field)} | {field.description} |")
        lines.append("")
    return "\n".join(lines)


def between(start: str, end: str) -> str:
    return PAGES.split(start)[1].split(end)[0].strip()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", PAGES, re.DOTALL | re.MULTILINE)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= MAX_README_LINES


def test_the_configuration_reference_is_the_models_own() -> None:
    found = between("<!-- reference: begin -->", "<!-- reference: end -->")
    assert found == reference().strip(), f"docs/configuration.md should have:\n\n{reference()}"


def test_the_table_of_formats_and_mixes_is_the_defaults() -> None:
    settings = Settings.model_validate({"base_settings": {"output_base_dir": "x"}, "videos": []})
    lines = ["| format | size | folder | general | space | toon |", "| --- | --- | --- | --- | --- | --- |"]
    for name, each in settings.formats.items():
        mixes = [settings.categories[category].mix.get(name) for category in ("general", "space", "toon")]
        shares = " | ".join("" if share is None else f"{share:.0%}" for share in mixes)
        lines.append(f"| `{name}` | {each.width}x{each.height} | `{each.folder}` | {shares} |")
    assert "\n".join(line.replace("|  |", "| |").replace("|  |", "| |") for line in lines) in PAGES
    for category in settings.categories.values():
        assert f"`{category.folder}`" in PAGES


def test_every_reject_reason_is_explained_in_the_order_in_which_rules_are_asked() -> None:
    table = PAGES.split("| a window is rejected as | because |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \| \S", table, re.MULTILINE) == [rule.name for rule in RULES]


def test_every_score_is_explained_in_the_order_of_the_columns() -> None:
    table = PAGES.split("| column | of | finds |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \| \S", table, re.MULTILINE) == list(SCORES)


def commands() -> Iterator[list[str]]:
    for block in blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = line.split("#")[0].split()
            if words and words[0].endswith("dataset-assets"):
                yield words[1:]


def test_every_command_and_option_exists() -> None:
    root = typer.main.get_command(app)
    seen = set()
    for words in commands():
        command = root
        for word in words:
            if word in getattr(command, "commands", {}):
                command = command.commands[word]  # type: ignore[attr-defined]
        options = {name for parameter in command.params for name in parameter.opts}
        assert [word for word in words if word.startswith("--") and word not in options] == [], words
        seen.add(command.name)
    assert {"generate", "scan", "list", "stats", "gallery", "doctor", "ui"} <= seen


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {
        target
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("make ")
        for target in line.split("#")[0].split()[1:]
    }
    assert {"demo", "test", "lint", "types", "contracts"} <= targets
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_the_pictures_are_there_and_small() -> None:
    pictures = re.findall(r"!\[[^]]*\]\(([^)]*)\)", README)
    assert pictures
    assert [name for name in pictures if (ROOT / name).stat().st_size > 150_000] == []


def test_the_python_snippets_run(
    tmp_path: Path, sdr_film: Film, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = {"output_base_dir": "../dataset"}
    config = write_config(
        tmp_path / "configs", {"Feature Film": (sdr_film.path, {"general": 1.0})}, base_settings=base
    )
    config.rename(config.with_name("generator_config.json"))
    monkeypatch.chdir(tmp_path)
    snippets = [snippet for snippet in blocks("python") if "import torch" not in snippet]
    assert len(snippets) == 4
    # The one that makes the data set comes first.
    for snippet in sorted(snippets, key=lambda snippet: "dataset_assets" not in snippet):
        exec(compile(snippet, "snippet", "exec"), {})
    printed = capsys.readouterr().out
    assert "small_540" in printed
    assert "feature-film" in printed


def test_the_training_loop_compiles_and_uses_arguments_that_exist() -> None:
    (loop,) = [snippet for snippet in blocks("python") if "import torch" in snippet]
    tree = ast.parse(loop)
    calls = [
        (node.func.id, {keyword.arg for keyword in node.keywords})
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    for known in (TripletDataset, TripletSampler):
        used = [names for name, names in calls if name == known.__name__]
        assert used
        assert all(names <= set(inspect.signature(known).parameters) for names in used)


if __name__ == "__main__":
    print(reference())
