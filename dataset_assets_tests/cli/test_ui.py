"""The one slow test of the UI: half a minute of waiting is the backfill daemon's fixed interval."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from dataset_assets_tests.cli.command import processes_of, start, wait_until
from dataset_assets_tests.cli.conftest import Generated
from dataset_assets_tests.films import Film
from dataset_assets_tests.gallery.pages import Page

BACKFILL_S = 150.0
STOP_S = 60.0
PER_VIDEO = ("source_video", "scene_windows", "general_patches", "space_patches", "toon_patches")

LAUNCH = """mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
BACKFILL = """query Backfill($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status runs(limit: 10) { status tags { key value } } }
} }"""
RUNS = "{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"
ASSET = """query Asset($path: [String!]!, $partitions: [String!]!) {
  assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
    latestMaterializationByPartition(partitions: $partitions) {
      partition metadataEntries { label ... on IntMetadataEntry { intValue } }
    }
  } }
}"""
CHECKS = """query Checks($path: [String!]!, $name: String!) {
  assetCheckExecutions(assetKey: {path: $path}, checkName: $name, limit: 10) {
    partition evaluation { success description }
  }
}"""


@dataclass(frozen=True)
class Ui:
    """A running `dataset-assets ui`."""

    config: Path
    port: int
    process: subprocess.Popen[str]

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()[0]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/server_info", timeout=5):
                return True
        except OSError:
            return False

    def get(self, address: str) -> tuple[str, bytes]:
        """The address that a request ends at, and what is there."""
        whole = urljoin(f"http://127.0.0.1:{self.port}", address)
        with urllib.request.urlopen(whole, timeout=60) as response:
            return response.url, response.read()

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The answer of the GraphQL interface."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def wait_for_backfill(self, backfill: str) -> dict[str, Any]:
        """Waits until a backfill has ended."""
        found: dict[str, Any] = {}

        def has_ended() -> bool:
            found.update(self.ask(BACKFILL, id=backfill)["partitionBackfillOrError"])
            return found["status"] not in ("REQUESTED", "CANCELING", "FAILING", "COMPLETING")

        wait_until(has_ended, "the backfill", BACKFILL_S)
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def ui(tmp_path: Path, generated: Generated, sdr_film: Film) -> Iterator[Ui]:
    """The UI over a copy of a generated data set whose configuration gained a third video."""
    folder = tmp_path / "copy"
    shutil.copytree(generated.config.parent, folder)
    config = folder / generated.config.name
    settings = json.loads(config.read_text(encoding="utf-8"))
    gamma = {"name": "Gamma", "path": str(sdr_film.path), "categories": {"toon": 0.5}}
    settings["videos"].append(gamma)
    config.write_text(json.dumps(settings), encoding="utf-8")
    port = free_port()
    process = start("ui", "--config", config, "--port", str(port))
    try:
        yield Ui(config, port, process)
    finally:
        process.terminate()  # not killed: its services would live on
        process.communicate(timeout=STOP_S)


def partition_of(run: dict[str, Any]) -> str:
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    return str(tags.get("dagster/partition", ""))


def test_a_backfill_from_the_ui_needs_no_configuration_and_history_is_kept(ui: Ui) -> None:
    wait_until(ui.is_up, "the UI answers")
    earlier = ui.ask(RUNS)["runsOrError"]["results"]
    assert sorted(partition_of(run) for run in earlier) == ["", "alpha", "beta"]
    assert {run["status"] for run in earlier} == {"SUCCESS"}

    selection = [{"path": [name]} for name in PER_VIDEO]
    params = {"assetSelection": selection, "partitionNames": ["beta", "gamma"]}
    launched = ui.ask(LAUNCH, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    backfill = ui.wait_for_backfill(launched["backfillId"])
    assert backfill["status"] == "COMPLETED_SUCCESS"
    assert sorted(partition_of(run) for run in backfill["runs"]) == ["beta", "gamma"]

    page = ui.config.parent / "dataset/gallery/videos/gamma.html"
    address, served = ui.get("/gallery/videos/gamma.html")
    assert served == page.read_bytes()
    assert served.count(b'data-category="toon"') > 3
    for file in Page(page).files():
        assert ui.get(urljoin(address, os.path.relpath(file, page.parent)))[1] == file.read_bytes()

    (toon,) = ui.ask(ASSET, path=["toon_patches"], partitions=["gamma"])["assetNodeOrError"][
        "latestMaterializationByPartition"
    ]
    numbers = {entry["label"]: entry.get("intValue") for entry in toon["metadataEntries"]}
    assert numbers["patches"] == numbers["patches_made_now"] == 3
    assert len(list(ui.config.parent.rglob("Toon/**/GT/gamma_*.png"))) == 3
    checked = ui.ask(CHECKS, path=["toon_patches"], name="triplets_whole")["assetCheckExecutions"]
    whole = {each["partition"]: each["evaluation"]["description"] for each in reversed(checked)}
    assert whole["gamma"] == "0 of 3 triplets are not whole"
    assert all(each["evaluation"]["success"] for each in checked)

    ui.process.send_signal(signal.SIGINT)
    output, _ = ui.process.communicate(timeout=STOP_S)
    assert f"UI at http://127.0.0.1:{ui.port}" in output
    assert f"gallery at http://127.0.0.1:{ui.port}/gallery" in output
    assert "\x1b" not in output
    wait_until(lambda: processes_of(ui.config) == [], "every service ends", STOP_S)
