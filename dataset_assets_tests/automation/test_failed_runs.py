"""Failed runs leave their sentence in one place, and reach the webhook where there is one."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataset_assets.assets import mark_config_mistake
from dataset_assets.automation.failed_runs import failure_sensor
from dataset_assets.automation.webhook import post
from dataset_assets.config import ConfigReader
from dataset_assets.dataset import DataSet
from dataset_assets_tests.automation.samples import add_run
from dataset_assets_tests.configurations import write_config

STATUS = dg.DagsterRunStatus
KILLED = (
    "[DagsterApiServer] Run execution process for 1a-2b was terminated by signal 9 (SIGKILL). This usually "
    "indicates that the process was killed by the operating system due to running out of memory."
)
WHAT = "film: its process was terminated by signal 9 (SIGKILL)"
REMEDY = "run it again, it goes on from the last commit, with fewer runs at a time if memory ran out"
SENTENCE = f"{WHAT}; {REMEDY}"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted."""

    status = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.headers["Content-Type"], json.loads(body)))  # type: ignore[attr-defined]
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Refusing(Receiver):
    status = 500


@pytest.fixture(params=[Receiver])
def webhook(request: pytest.FixtureRequest) -> Iterator[Any]:
    server = http.server.HTTPServer(("127.0.0.1", 0), request.param)
    server.received = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def config_in(folder: Path, url: str | None = None) -> ConfigReader:
    runs = {"webhook_url": url} if url else {}
    return ConfigReader(write_config(folder, {"Film": (folder / "film.mkv", {"general": 1.0})}, runs=runs))


def data_set_of(config: ConfigReader) -> DataSet:
    settings = config.last_valid()
    assert settings is not None
    return DataSet.of(settings)


def killed(instance: dg.DagsterInstance, key: str | None, **tags: str) -> dg.DagsterRun:
    """A run whose process died."""
    run = add_run(instance, key, STATUS.STARTED, **tags)
    instance.report_engine_event(KILLED, run)
    instance.report_run_failed(run)
    return instance.get_run_by_id(run.run_id) or run


def tell(instance: dg.DagsterInstance, run: dg.DagsterRun, config: ConfigReader) -> dict[str, str]:
    """Lets the sensor take in a failed run; gives the sentences that are kept."""
    (record,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    event = record.dagster_event
    assert event is not None
    context = dg.build_run_status_sensor_context(
        "failure_sensor", event, instance, run, resources={"config_reader": config}
    )
    failure_sensor(context.for_run_failure())
    return {key: each.sentence for key, each in data_set_of(config).failures.read().items()}


def test_a_killed_run_leaves_a_sentence_and_its_link(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    config = config_in(tmp_path)
    run = killed(instance, "film")
    assert tell(instance, run, config) == {"film": SENTENCE}
    kept = data_set_of(config).failures.read_one("film")
    assert kept is not None
    assert (kept.run_id, kept.film) == (run.run_id, str(tmp_path / "film.mkv"))


def test_a_run_that_is_tried_again_or_overtaken_leaves_none(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    config = config_in(tmp_path)
    assert tell(instance, killed(instance, "film", **{"dagster/will_retry": "true"}), config) == {}
    failed = killed(instance, "film")
    add_run(instance, "film", STATUS.SUCCESS)
    assert tell(instance, failed, config) == {}
    add_run(instance, "film", STATUS.STARTED)
    refused_as_busy = killed(instance, "film")
    assert tell(instance, refused_as_busy, config) == {}


def test_a_run_of_another_project_leaves_none(
    instance: dg.DagsterInstance, tmp_path: Path, webhook: Any
) -> None:
    config = config_in(tmp_path, f"http://127.0.0.1:{webhook.server_port}/")
    assert tell(instance, killed(instance, "elsewhere"), config) == {}
    assert webhook.received == []


def test_a_failed_run_is_posted_as_json(instance: dg.DagsterInstance, tmp_path: Path, webhook: Any) -> None:
    config = config_in(tmp_path, f"http://127.0.0.1:{webhook.server_port}/hook?token=1")
    run = killed(instance, "film")
    tell(instance, run, config)
    ((kind, message),) = webhook.received
    assert kind == "application/json"
    assert message == {
        "text": SENTENCE,
        "video": "film",
        "film": str(tmp_path / "film.mkv"),
        "what": WHAT,
        "remedy": REMEDY,
        "job": "make_patches",
        "run_id": run.run_id,
        "run_page": f"/runs/{run.run_id}",
        "data_set": str(tmp_path / "dataset"),
    }


def test_a_run_on_no_video_is_posted_and_kept_nowhere(
    instance: dg.DagsterInstance, tmp_path: Path, webhook: Any
) -> None:
    config = config_in(tmp_path, f"http://127.0.0.1:{webhook.server_port}/")
    assert tell(instance, killed(instance, None), config) == {}
    message = webhook.received[0][1]
    assert (message["video"], message["film"]) == (None, "")


@pytest.mark.parametrize("webhook", [Refusing], indirect=True)
def test_a_webhook_that_refuses_breaks_nothing(
    instance: dg.DagsterInstance, tmp_path: Path, webhook: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    config = config_in(tmp_path, f"http://127.0.0.1:{webhook.server_port}/")
    assert tell(instance, killed(instance, "film"), config) == {"film": SENTENCE}
    lines = [line for line in capfd.readouterr().err.splitlines() if "webhook" in line]
    assert len(lines) == 1
    assert "HTTP Error 500" in lines[0]


def test_a_webhook_that_is_not_there_or_never_answers_is_reported_in_a_few_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert post(f"http://127.0.0.1:{port}/", {}, patience_s=0.1) == "no answer in 0.1 s"
    assert "refused" in post(f"http://127.0.0.1:{port}/", {})


def test_a_failure_is_kept_while_the_configuration_holds_a_mistake(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    config = config_in(tmp_path)
    config.read()
    config.path.write_text("{")
    assert tell(instance, killed(instance, "film"), config) == {"film": SENTENCE}


def test_a_run_that_failed_for_the_configuration_is_a_failure_of_no_film(
    instance: dg.DagsterInstance, tmp_path: Path, webhook: Any
) -> None:
    config = config_in(tmp_path, f"http://127.0.0.1:{webhook.server_port}/")
    run = killed(instance, "film")
    mark_config_mistake(instance, run.run_id)
    marked = instance.get_run_by_id(run.run_id)
    assert marked is not None
    assert tell(instance, marked, config) == {}
    assert webhook.received == []
