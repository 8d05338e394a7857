"""The files of `configs/deploy/celery` fit one another."""

from __future__ import annotations

import re
from typing import Any

import yaml

from dataset_assets_tests.command import ROOT

DEPLOY = ROOT / "configs/deploy/celery"


def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def settings(name: str) -> Any:
    return yaml.safe_load(text(name))


def test_every_variable_that_is_read_is_set_by_the_units_and_by_compose() -> None:
    read = {
        name for file in ("dagster.yaml", "worker.yaml") for name in re.findall(r"env: (\w+)", text(file))
    }
    assert read == {"DATASET_ASSETS_POSTGRES", "DATASET_ASSETS_BROKER", "DATASET_ASSETS_LOGS"}
    assert read < set(re.findall(r"(?m)^(\w+)=", text("environment.example")))
    assert read < set(settings("compose.yaml")["services"]["head"]["environment"])


def test_head_and_workers_treat_the_broker_alike() -> None:
    head = settings("dagster.yaml")["run_launcher"]["config"]["config_source"]
    worker = settings("worker.yaml")["execution"]["config"]["config_source"]
    assert {name: worker[name] for name in head} == head


def test_the_readme_names_every_file() -> None:
    readme = text("README.md")
    assert [path.name for path in sorted(DEPLOY.iterdir()) if path.name not in readme] == ["README.md"]


def test_the_home_with_the_password_of_redis_is_its_users_alone() -> None:
    home = "/var/lib/dataset-assets"
    made = re.findall(rf"install -d (.*){home}\n", text("README.md"))
    assert made == ["-m 700 -o films "]
    for unit in ("dataset-assets-head.service", "dataset-assets-worker.service"):
        assert "StateDirectory=dataset-assets\n" in text(unit)
        assert "StateDirectoryMode=0700\n" in text(unit)
