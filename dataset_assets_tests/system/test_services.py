from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path

import pytest

from dataset_assets.errors import DatasetAssetsError
from dataset_assets.ui import refuse_second
from dataset_assets_tests.command import processes_of, wait_until
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.system.dagster_ui import START_S, STOP_S, running_ui

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="needs /proc to see processes"
)


@pytest.mark.slow
def test_a_killed_ui_takes_its_services_along(tmp_path: Path, sdr_film: Film) -> None:
    config = write_config(tmp_path, {"Alpha": (sdr_film.path, {"general": 1.0})})
    home = config.parent / "dataset/.dagster"
    with running_ui(config) as ui:
        with pytest.raises(DatasetAssetsError, match=ui.address):
            refuse_second(home)
        assert len(processes_of(config)) >= 4
        # Beside Dagster's own pages, whose last route takes every address.
        assert json.loads(ui.get("/exclusions/alpha")[1]).keys() == {"frames", "token"}
        # The webserver answers a moment before the line that says so.
        starting = _printed_until(ui.process, f"{ui.address} answers after")
        ui.process.kill()
        output = starting + ui.process.communicate(timeout=STOP_S)[0]
        wait_until(lambda: processes_of(config) == [], "every service ends", STOP_S)
        refuse_second(home)
    assert f"UI at {ui.address}" in output
    assert f"gallery at {ui.address}/gallery" in output
    waited_for = [line for line in output.splitlines() if line.startswith("starting Dagster's")]
    assert [line.split("'s ")[1] for line in waited_for] == ["code server", "daemon", "webserver"]
    assert "\x1b" not in output


def _printed_until(process: subprocess.Popen[str], part: str) -> str:
    """What a process prints up to the line that holds a part; a process that never prints it is killed."""
    assert process.stdout
    printed = ""
    limit = threading.Timer(START_S, process.kill)
    limit.start()
    try:
        while line := process.stdout.readline():
            printed += line
            if part in line:
                return printed
    finally:
        limit.cancel()
    raise AssertionError(f"{part!r} is not in what it printed:\n{printed}")
