"""What Dagster's daemon and code server do without the command line, one step in a process of its own.

    python -m benchmarks.growth_steps {sensor,nightly} CONFIG

`DAGSTER_HOME` has to be set. Prints a line of JSON: what came out, and the CPU and wall seconds of the step
alone, without imports and without loading the definitions, which a code server does once.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from dataset_assets.automation.new_videos import videos_sensor
from dataset_assets.definitions import build_defs
from dataset_assets.partitions import VIDEO_PARTITIONS


def main() -> None:
    """Run one step."""
    STEPS[sys.argv[1]](Path(sys.argv[2]))


def tick_sensor(config: Path) -> None:
    """Return a tick, evaluated as the code server does when the daemon asks for it."""
    repository = build_defs(config).get_repository_def()
    resources = repository.get_top_level_resources()
    with dg.DagsterInstance.get() as instance:
        started = _now_s()
        with dg.build_sensor_context(
            instance=instance, repository_def=repository, resources=resources
        ) as context:
            found = videos_sensor.evaluate_tick(context)
        if found.dynamic_partitions_requests:
            raise SystemExit("the sensor leaves partitions to the daemon, which is not measured here")
        _tell(started, {"partitions": len(instance.get_dynamic_partitions(VIDEO_PARTITIONS.name or ""))})


def tick_nightly(config: Path) -> None:
    """Return a tick of the nightly schedule, which asks for the state of every table of every video."""
    repository = build_defs(config).get_repository_def()
    resources = repository.get_top_level_resources()
    with dg.DagsterInstance.get() as instance:
        started = _now_s()
        with dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=datetime.now(UTC),
            repository_def=repository,
            resources=resources,
        ) as context:
            found = repository.get_schedule_def("nightly").evaluate_tick(context)
        _tell(started, {"requested": len(found.run_requests or ())})


STEPS: dict[str, Callable[[Path], None]] = {"sensor": tick_sensor, "nightly": tick_nightly}


def _now_s() -> tuple[float, float]:
    times = os.times()
    return times.user + times.system, time.perf_counter()


def _tell(started: tuple[float, float], found: dict[str, int]) -> None:
    cpu_s, wall_s = (now - then for now, then in zip(_now_s(), started, strict=True))
    print(json.dumps({"found": found, "cpu_s": round(cpu_s, 3), "wall_s": round(wall_s, 3)}))


if __name__ == "__main__":
    main()
