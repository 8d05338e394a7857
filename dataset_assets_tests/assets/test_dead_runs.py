from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from dataset_assets.assets import close_dead_runs
from dataset_assets.dataset import DataSet
from dataset_assets_tests.command import wait_until
from dataset_assets_tests.monitor import stuck_run

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")


def test_a_run_is_closed_once_its_process_is_gone_and_nobody_works_on_its_video(tmp_path: Path) -> None:
    home, data_set = tmp_path / "home", DataSet(tmp_path / "dataset")
    home.mkdir()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        command = [sys.executable, stuck_run.__file__, str(home), "film", "make_triplets"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)

        def state() -> str:
            close_dead_runs(instance, data_set)
            return " ".join(run.status.value for run in instance.get_runs())

        def has_begun() -> bool:
            runs = instance.get_runs()
            return any(instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START) for run in runs)

        try:
            wait_until(has_begun, "a step begins")
            assert state() == "STARTED"
        finally:
            process.kill()
            process.communicate()
        with data_set.hold("film"):
            assert state() == "STARTED"
        assert state() == "FAILURE"
        (run,) = instance.get_runs()
        assert run.tags["dagster/partition"] == "film"
