"""What happens without a hand, in the running daemon."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dataset_assets_tests.films import Film
from dataset_assets_tests.system.conftest import DONE, WATCHED, Ended
from dataset_assets_tests.system.dagster_ui import PER_VIDEO, DagsterUi


@contextmanager
def edited(ui: DagsterUi, **sections: Any) -> Iterator[None]:
    """Sections of the configuration are others for a while."""
    kept = ui.config.read_text(encoding="utf-8")
    ui.config.write_text(json.dumps(json.loads(kept) | sections), encoding="utf-8")
    try:
        yield
    finally:
        ui.config.write_text(kept, encoding="utf-8")


@pytest.mark.slow
def test_new_films_of_the_configuration_and_of_a_watched_folder_become_partitions(
    ui: DagsterUi, launched: tuple[str, str], sdr_film: Film
) -> None:
    shutil.copyfile(sdr_film.path, ui.config.parent / WATCHED / "Dropped in.mp4")
    settings = json.loads(ui.config.read_text(encoding="utf-8"))
    added = {"name": "Added later", "path": str(sdr_film.path), "categories": {"toon": 0.5}}
    ui.config.write_text(json.dumps(settings | {"videos": [*settings["videos"], added]}), encoding="utf-8")
    wanted = {"added-later", "dropped-in"}
    ui.wait_until(lambda: wanted <= {*ui.partitions()["unmaterialized"]}, "the sensor adds partitions")


@pytest.mark.slow
def test_a_night_requests_what_is_missing_or_stale_and_nothing_else(
    ui: DagsterUi, done: Ended, failed: Ended
) -> None:
    requested = ui.dry_run("nightly")
    assert sorted(requested) == ui.partitions("toon_patches")["unmaterialized"]
    assert {tuple(assets) for _, assets in requested.values()} == {PER_VIDEO}
    toon = {"folder": "Toon/ToonModel/Learn", "mix": {"small_540": 0.5, "medium_169": 0.5}}
    with edited(ui, categories={"toon": toon}):
        with_stale = ui.dry_run("nightly")
    assert sorted(with_stale) == sorted({*requested, *DONE})
    for video in DONE:
        reason, assets = with_stale[video]
        assert assets == ["toon_patches"]
        assert "settings" in reason
