from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataset_assets.errors import DatasetAssetsError
from dataset_assets.ui import refuse_second
from dataset_assets_tests.command import processes_of, wait_until
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film
from dataset_assets_tests.system.dagster_ui import STOP_S, running_ui

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="needs /proc to see processes"
)


def test_a_killed_ui_takes_its_services_along(tmp_path: Path, sdr_film: Film) -> None:
    config = write_config(tmp_path, {"Alpha": (sdr_film.path, {"general": 1.0})})
    home = config.parent / "dataset/.dagster"
    with running_ui(config) as ui:
        with pytest.raises(DatasetAssetsError, match=ui.address):
            refuse_second(home)
        assert len(processes_of(config)) >= 4
        # Beside Dagster's own pages, whose last route takes every address.
        assert json.loads(ui.get("/exclusions/alpha")[1]).keys() == {"frames", "token"}
        ui.process.kill()
        output, _ = ui.process.communicate(timeout=STOP_S)
        wait_until(lambda: processes_of(config) == [], "every service ends", STOP_S)
        refuse_second(home)
    assert f"UI at {ui.address}" in output
    assert f"gallery at {ui.address}/gallery" in output
    waited_for = [line for line in output.splitlines() if line.startswith("starting Dagster's")]
    assert [line.split("'s ")[1] for line in waited_for] == ["code server", "daemon", "webserver"]
    assert f"{ui.address} answers after" in output
    assert "\x1b" not in output
