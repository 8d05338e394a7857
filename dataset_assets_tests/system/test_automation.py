"""What happens without a hand, in the running daemon."""

from __future__ import annotations

import json

from dataset_assets_tests.films import Film
from dataset_assets_tests.system.dagster_ui import DagsterUi


def test_a_film_that_the_configuration_gained_becomes_a_partition(
    ui: DagsterUi, launched: tuple[str, str], sdr_film: Film
) -> None:
    settings = json.loads(ui.config.read_text(encoding="utf-8"))
    settings["videos"].append(
        {"name": "Added later", "path": str(sdr_film.path), "categories": {"toon": 0.5}}
    )
    ui.config.write_text(json.dumps(settings), encoding="utf-8")
    ui.wait_until(lambda: "added-later" in ui.partitions()["unmaterialized"], "the sensor adds a partition")
