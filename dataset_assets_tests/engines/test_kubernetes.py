"""The files for Kubernetes, without a cluster: what Dagster's launcher and the API's models make of them."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import dagster as dg
import pytest
import yaml

from dataset_assets_tests.command import ROOT

pytest.importorskip("dagster_k8s", reason="needs dataset-assets[kubernetes]")

from dagster._config import process_config, resolve_to_config_type
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.launcher import LaunchRunContext
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster_k8s import K8sRunLauncher
from kubernetes.client import ApiClient, V1Job

FOLDER = ROOT / "configs/deploy/kubernetes"
# The names of the chart's values in the settings that it makes of them.
SECTIONS = {
    "containerConfig": "container_config",
    "podSpecConfig": "pod_spec_config",
    "jobSpecConfig": "job_spec_config",
}


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


def launcher_of(values: Mapping[str, Any]) -> K8sRunLauncher:
    """The launcher that the chart's values give, with an API that takes every job."""
    given = values["runLauncher"]["config"]["k8sRunLauncher"]
    config = {
        "service_account_name": "dagster",
        "instance_config_map": "dagster-instance",
        "postgres_password_secret": "dagster-postgresql-secret",
        "image_pull_policy": given["imagePullPolicy"],
        "fail_pod_on_run_failure": given["failPodOnRunFailure"],
        "run_k8s_config": {SECTIONS[name]: section for name, section in given["runK8sConfig"].items()},
    }
    config_type = resolve_to_config_type(K8sRunLauncher.config_type())  # type: ignore[no-untyped-call]
    processed = process_config(config_type, config)
    assert processed.success, processed.errors
    apis = {"k8s_client_batch_api": MagicMock(), "k8s_client_core_api": MagicMock()}
    return K8sRunLauncher(**apis, **(processed.value or {}))


def code_of(values: Mapping[str, Any]) -> RepositoryPythonOrigin:
    """What the chart lets the code location say of itself: its image, and what its runs take over."""
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    assert deployment["includeConfigInLaunchedRuns"]["enabled"]
    container = {
        "env_vars": [f"{name}={value}" for name, value in deployment["env"].items()],
        "volumes": deployment["volumes"],
        "volume_mounts": deployment["volumeMounts"],
        "run_k8s_config": {"pod_spec_config": {"security_context": deployment["podSecurityContext"]}},
    }
    image = f"{deployment['image']['repository']}:{deployment['image']['tag']}"
    module = deployment["dagsterApiGrpcArgs"][1]
    pointer = ModuleCodePointer(module, "defs")
    return RepositoryPythonOrigin(sys.executable, pointer, image, ["dagster"], {"k8s": container})


@pytest.fixture
def run_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The Kubernetes Job of a run, as the API gets it."""
    monkeypatch.setattr("dagster_k8s.launcher.load_kubernetes_config", lambda **_: None)
    values = read("values.yaml")
    launcher = launcher_of(values)
    origin = JobPythonOrigin("make_patches", code_of(values))
    run = dg.DagsterRun(job_name="make_patches", run_id="run", job_code_origin=origin)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.add_run(run)
        launcher.register_instance(instance)
        launcher.launch_run(LaunchRunContext(run, None))
    (call,) = launcher._api_client.batch_api.create_namespaced_job.call_args_list
    job: dict[str, Any] = ApiClient().sanitize_for_serialization(call.kwargs["body"])
    return job


def test_a_run_gets_the_volumes_memory_and_time_to_commit_of_the_values(run_job: dict[str, Any]) -> None:
    spec = run_job["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "registry.example.com/dataset-assets:2.0"
    assert container["resources"]["limits"] == {"memory": "6Gi"}
    assert {"name": "DATASET_ASSETS_CONFIG", "value": "/data/set/config.json"} in container["env"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert (mounts["set"], mounts["films"]) == ("/data/set", "/data/films")
    claims = {volume["name"]: volume.get("persistentVolumeClaim") for volume in pod["volumes"]}
    assert claims["set"] == {"claimName": "dataset"}
    assert pod["terminationGracePeriodSeconds"] == 120
    assert pod["securityContext"]["runAsUser"] == 1000
    # Dagster starts a run again, and ignores a second pod of the same run.
    assert (spec["backoffLimit"], pod["restartPolicy"]) == (0, "Never")


def test_the_job_without_services_is_one_of_the_api() -> None:
    job = read("job.yaml")
    client = ApiClient()
    # What no model knows would be left out on the way back.
    known = client.sanitize_for_serialization(client._ApiClient__deserialize(job, V1Job))
    assert known == job
    assert job["spec"]["completionMode"] == "Indexed"
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert container["command"][:2] == ["dataset-assets", "generate"]


def test_claims_pods_and_values_name_the_same_volumes_and_image() -> None:
    claims = {
        claim["metadata"]["name"]: claim["spec"]["accessModes"]
        for claim in yaml.safe_load_all((FOLDER / "claims.yaml").read_text(encoding="utf-8"))
    }
    assert claims == {"dataset": ["ReadWriteMany"], "films": ["ReadOnlyMany"]}
    job = read("job.yaml")["spec"]["template"]["spec"]
    (deployment,) = read("values.yaml")["dagster-user-deployments"]["deployments"]
    for volumes in (job["volumes"], deployment["volumes"]):
        found = [volume.get("persistentVolumeClaim", {}).get("claimName") for volume in volumes]
        assert set(filter(None, found)) == set(claims)
    image = f"{deployment['image']['repository']}:{deployment['image']['tag']}"
    assert image == job["containers"][0]["image"]
    assert job["securityContext"] == deployment["podSecurityContext"]


def test_the_image_is_of_pip_alone_pinned_and_of_no_root() -> None:
    lines = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    assert "FROM python:${PYTHON}-slim" in lines
    assert "apt-get" not in lines
    installs = re.findall(r"pip install (.*)", lines)
    assert installs == ['-c constraints.txt ".${EXTRAS:+[$EXTRAS]}"']
    uid = re.search(r"--uid (\d+)", lines)
    assert uid is not None
    assert int(uid[1]) == read("job.yaml")["spec"]["template"]["spec"]["securityContext"]["runAsUser"]
    assert re.findall(r"^USER (.*)$", lines, re.M) == ["films"]
    copied = set(" ".join(re.findall(r"^COPY (.*) \S+$", lines, re.M)).split())
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)
