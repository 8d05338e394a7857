"""A running `dataset-assets ui`: started, asked by GraphQL, and stopped with everything that it started.

Belongs here: what people do in the UI, as calls, and what the UI shows, as values. The questions that it puts
are in `queries`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from dataset_assets.dataset import Progress
from dataset_assets_tests.command import ROOT, processes_of, start, wait_until
from dataset_assets_tests.progress import read_progress
from dataset_assets_tests.system import queries

# Of a busy machine; an idle one starts in 8 s, and a backfill of small films takes 20.
START_S = 300.0
BACKFILL_S = 600.0
STOP_S = 300.0
ANSWER_S = 120.0
ASK_EVERY_S = 0.25
# What an error shows.
SHOWN_RUNS = 4
SHOWN_MESSAGES = 5
LOCATION = {"repositoryName": "__repository__", "repositoryLocationName": "dataset_assets"}
PER_VIDEO = ("source_video", "scene_windows", "general_patches", "space_patches", "toon_patches")
# Seconds that the tests do not wait for: the product's own are for a machine that has other work.
QUICK = {"poll_interval_seconds": 2}


@dataclass(frozen=True)
class Run:
    """A run as the UI lists it."""

    run_id: str
    status: str
    tags: dict[str, str]

    @property
    def video(self) -> str:
        """Key of its video; empty where it has none."""
        return self.tags.get("dagster/partition", "")

    @classmethod
    def read(cls, found: dict[str, Any]) -> Run:
        """A run from a query's answer."""
        return cls(found["runId"], found["status"], {tag["key"]: tag["value"] for tag in found["tags"]})


@dataclass(frozen=True)
class DagsterUi:
    """A running `dataset-assets ui`.

    Attributes:
        config: Its configuration.
        port: Its port on 127.0.0.1.
        process: The process that watches the services.
    """

    config: Path
    port: int
    process: subprocess.Popen[str]

    @property
    def root(self) -> Path:
        """The data set."""
        return self.config.parent / "dataset"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_until_up(self) -> None:
        """Waits until the UI answers."""
        self.wait_until(self._is_up, "the UI answers", START_S)

    def _is_up(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()[0]
        try:
            return bool(self.get("/server_info"))
        except OSError:
            return False

    def wait_until(self, holds: Callable[[], bool], what: str, limit_s: float = BACKFILL_S) -> None:
        """Waits until something holds that takes a question to the UI; an error shows the newest runs."""
        try:
            wait_until(holds, what, limit_s, ASK_EVERY_S)
        except AssertionError as error:
            for run in self.runs()[:SHOWN_RUNS]:
                error.add_note(f"{run}: {' | '.join(self.messages(run.run_id)[-SHOWN_MESSAGES:])}")
            raise

    def stop(self) -> str:
        """Stops it as Ctrl+C does; nothing that it started may live on.

        Returns:
            What it printed.
        """
        self.process.send_signal(signal.SIGINT)
        try:
            output, _ = self.process.communicate(timeout=STOP_S)
            wait_until(lambda: processes_of(self.config) == [], "every service ends", STOP_S)
            return output
        finally:
            self.process.kill()
            for pid in processes_of(self.config):
                os.kill(pid, signal.SIGKILL)

    def get(self, address: str) -> tuple[str, bytes]:
        """The address that a request ends at, and what is there."""
        with urllib.request.urlopen(urljoin(self.address, address), timeout=ANSWER_S) as response:
            return response.url, response.read()

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The answer of the GraphQL interface."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.address}/graphql", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode(errors="replace")) from error
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def backfill(self, *videos: str) -> str:
        """Launches a backfill of all per-video assets; gives its id."""
        params = {"assetSelection": [{"path": [name]} for name in PER_VIDEO], "partitionNames": videos}
        launched = self.ask(queries.LAUNCH_BACKFILL, params=params)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return str(launched["backfillId"])

    def cancel(self, backfill: str) -> None:
        """Cancels a backfill."""
        answer = self.ask(queries.CANCEL_BACKFILL, id=backfill)["cancelPartitionBackfill"]
        assert answer["__typename"] == "CancelBackfillSuccess", answer

    def wait_for_backfill(self, backfill: str) -> tuple[str, list[Run]]:
        """Waits until a backfill has ended; gives how, and its runs."""
        found: dict[str, Any] = {}

        def has_ended() -> bool:
            found.update(self.ask(queries.BACKFILL, id=backfill)["partitionBackfillOrError"])
            return found["status"] not in ("REQUESTED", "CANCELING", "FAILING", "COMPLETING")

        self.wait_until(has_ended, f"the backfill {backfill}")
        return str(found["status"]), [Run.read(run) for run in found["runs"]]

    def backfills(self) -> dict[str, list[str]]:
        """Keys of the videos of each backfill, by its id, the newest first."""
        found = self.ask(queries.BACKFILLS)["partitionBackfillsOrError"]["results"]
        return {each["id"]: sorted(each["partitionNames"]) for each in found}

    def launch(self, job: str, video: str = "") -> str:
        """Launches one run of a job; gives its id."""
        tags = [{"key": "dagster/partition", "value": video}] if video else []
        params = {
            "selector": LOCATION | {"jobName": job},
            "mode": "default",
            "runConfigData": {},
            "executionMetadata": {"tags": tags},
        }
        launched = self.ask(queries.LAUNCH_RUN, params=params)["launchPipelineExecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def terminate(self, run_id: str) -> None:
        """Terminates a run, as the button does."""
        answer = self.ask(queries.TERMINATE, id=run_id)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def preview(self, schedule: str) -> list[dict[str, Any]]:
        """The run requests of a schedule's preview, as the UI takes them."""
        selector = LOCATION | {"scheduleName": schedule}
        answer = self.ask(queries.DRY_RUN, selector=selector, timestamp=time.time())["scheduleDryRun"]
        assert answer["__typename"] == "DryRunInstigationTick", answer
        result = answer["evaluationResult"]
        assert not result["error"], result["error"]
        return list(result["runRequests"] or ())

    def launch_all(self, requests: Sequence[dict[str, Any]], job: str = "make_patches") -> list[str]:
        """Launches what a preview shows, as its button does; gives the runs' ids."""
        found = self._launch(requests, job)
        assert {each["__typename"] for each in found} == {"LaunchRunSuccess"}, found
        return [each["run"]["runId"] for each in found]

    def _launch(self, requests: Sequence[dict[str, Any]], job: str = "make_patches") -> list[dict[str, Any]]:
        params = [
            {
                "selector": LOCATION
                | {
                    "jobName": job,
                    "assetSelection": request["assetSelection"] or [],
                    "assetCheckSelection": request["assetChecks"] or [],
                },
                "mode": "default",
                "runConfigData": request["runConfigYaml"],
                "executionMetadata": {
                    "tags": [*request["tags"], {"key": "dagster/from_ui", "value": "true"}]
                },
            }
            for request in requests
        ]
        answer = self.ask(queries.LAUNCH_RUNS, params=params)["launchMultipleRuns"]
        return list(answer["launchMultipleRunsResult"])

    def execute_checks(self, asset: str) -> str:
        """Launches an asset's checks, as *Execute all* on its page does; gives the message that it shows."""
        node = self.ask(queries.EXECUTABLE_CHECKS, path=[asset])["assetNodeOrError"]
        checks = [
            {"assetKey": {"path": [asset]}, "name": check["name"]}
            for check in node["assetChecksOrError"]["checks"]
            if check["canExecuteIndividually"] == "CAN_EXECUTE"
        ]
        assert checks
        request = {"assetSelection": [], "assetChecks": checks, "runConfigYaml": "{}", "tags": []}
        (answer,) = self._launch([request])
        return str(answer["message"])

    def check_partitions(self, asset: str, check: str) -> dict[str, list[str]]:
        """Keys of the videos by what the list of checks, and a check's tab Partitions, count them as."""
        node = self.ask(queries.CHECK_PARTITIONS, path=[asset], name=check)["assetNodeOrError"]
        states = node["assetCheckOrError"]["partitionStatuses"]
        return {name.removesuffix("Partitions"): sorted(keys) for name, keys in states.items() if keys}

    def warnings(self, run_id: str) -> list[str]:
        """Warnings in the log of a run."""
        return self.messages(run_id, "WARNING")

    def messages(self, run_id: str, *levels: str) -> list[str]:
        """What the log of a run says, at any level or at some."""
        events = self.ask(queries.MESSAGES, id=run_id)["runOrError"]["eventConnection"]["events"]
        return [event["message"] for event in events if event and (not levels or event["level"] in levels)]

    def timeline(self) -> dict[str, dict[str, Any]]:
        """The runs that the front page shows, by id: those that belong to a repository."""
        found = self.ask(queries.TIMELINE)["runsOrError"]["results"]
        return {run["runId"]: run for run in found if run["repositoryOrigin"] and run["startTime"]}

    def dry_run(self, schedule: str) -> dict[str, tuple[str, list[str]]]:
        """What a schedule would request now: reason and assets by the video's key, in its order."""
        found = {}
        for request in self.preview(schedule):
            tags = {tag["key"]: tag["value"] for tag in request["tags"]}
            assets = [asset["path"][0] for asset in request["assetSelection"]]
            found[tags["dagster/partition"]] = (tags["dataset_assets/reason"], assets)
        return found

    def runs(self, *videos: str) -> list[Run]:
        """The runs of some videos, or all runs, the newest first."""
        found = [Run.read(run) for run in self.ask(queries.RUNS)["runsOrError"]["results"]]
        return [run for run in found if not videos or run.video in videos]

    def wait_for_run(self, run_id: str) -> str:
        """Waits until a run has ended; gives how."""
        states = {"SUCCESS", "FAILURE", "CANCELED"}

        def state() -> str:
            return next(run.status for run in self.runs() if run.run_id == run_id)

        self.wait_until(lambda: state() in states, f"the run {run_id}")
        return state()

    def progress(self, video: str) -> Progress | None:
        """How far the run that works on a video has come; None where none does."""
        found = read_progress(self.root / "metadata/.progress")
        return next((each for each in found if each.key == video and each.is_alive), None)

    def wait_for_first_patches(self, *videos: str) -> Progress:
        """Waits until patches of one of the videos are committed and its run goes on; gives its progress."""
        found: list[Progress] = []

        def has_some() -> bool:
            for video in videos:
                table = self.root / f"metadata/patches/category=general/video={video}/part-0.parquet"
                progress = self.progress(video)
                if progress is not None and table.exists():
                    found.append(progress)
            return bool(found)

        wait_until(has_some, f"the first patches of {' or '.join(videos)}", BACKFILL_S)
        return found[0]

    def set_limit(self, limit: int) -> None:
        """Sets the limit of the pool `decode`."""
        answer = self.ask(queries.SET_LIMIT, limit=limit)
        assert answer == {"setConcurrencyLimit": True}

    def limit(self) -> int:
        """The limit of the pool `decode`."""
        pools = self.ask(queries.POOLS)["instance"]["concurrencyLimits"]
        return {pool["concurrencyKey"]: int(pool["slotCount"]) for pool in pools}["decode"]

    def partitions(self, asset: str = "scene_windows") -> dict[str, list[str]]:
        """Keys of the videos by what there is of them: `materialized`, `failed`, `unmaterialized`."""
        node = self.ask(queries.PARTITIONS, path=[asset])["assetNodeOrError"]
        states = node["assetPartitionStatuses"]
        return {name.removesuffix("Partitions"): sorted(keys) for name, keys in states.items()}

    def metadata(self, asset: str, video: str = "") -> dict[str, Any]:
        """What the latest materialization of a video, or of an asset without videos, tells; by label."""
        partitions = [video] if video else None
        node = self.ask(queries.METADATA, path=[asset], partitions=partitions)["assetNodeOrError"]
        (latest,) = node["assetMaterializations"]
        return {entry.pop("label"): next(iter(entry.values())) for entry in latest["metadataEntries"]}

    def checks(self, asset: str) -> list[str]:
        """Names of an asset's checks."""
        found = self.ask(queries.CHECKS, path=[asset])["assetNodeOrError"]["assetChecksOrError"]["checks"]
        return sorted(check["name"] for check in found)

    def check_results(self, asset: str, check: str) -> dict[str, dict[str, Any]]:
        """The latest result of a check by the video's key, empty for a check without videos."""
        found = self.ask(queries.CHECK_RESULTS, path=[asset], name=check)["assetCheckExecutions"]
        return {each["partition"] or "": each["evaluation"] for each in reversed(found)}

    def failure(self, run_id: str) -> list[str]:
        """What the failed steps of a run say, as the run's page shows it."""
        events = self.ask(queries.FAILURES, id=run_id)["runOrError"]["eventConnection"]["events"]
        return [
            (event["failureMetadata"] or {}).get("description") or event["error"]["message"]
            for event in events
            if event["__typename"] == "ExecutionStepFailureEvent"
        ]


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_ui(config: Path) -> Iterator[DagsterUi]:
    """The UI of a configuration, up; stopped at the end with everything that it started."""
    home = config.parent / "dataset/.dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "dataset_assets/launch/dagster.yaml", home / "dagster.yaml")
    settings = (home / "dagster.yaml").read_text(encoding="utf-8")
    for name, value in QUICK.items():
        settings, count = re.subn(rf"(?m)^(  {name}): \d+$", rf"\1: {value}", settings)
        assert count == 1, name
    (home / "dagster.yaml").write_text(settings, encoding="utf-8")
    port = free_port()
    ui = DagsterUi(config, port, start("ui", "--config", config, "--port", str(port)))
    try:
        ui.wait_until_up()
        yield ui
    finally:
        ui.stop()


def files_of(root: Path, videos: Collection[str]) -> Sequence[Path]:
    """The pictures of some videos in a data set."""
    return sorted(path for path in root.rglob("*.png") if path.stem.rpartition("_")[0] in videos)
