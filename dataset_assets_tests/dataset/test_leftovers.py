"""What runs leave that were killed when nothing was left to make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataset_assets.dataset import DataSet, Journal
from dataset_assets.disk import temporary
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import (
    CATEGORIES,
    KEY,
    files_named_by_rows,
    pictures,
    small_settings,
)


def test_files_without_rows_go_though_every_table_is_finished(
    tiny_film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {name: CATEGORIES["space"].model_copy(update={"folder": name}) for name in CATEGORIES}
    generate_video(small_settings(tmp_path, tiny_film.path, categories=other), KEY)
    settings = small_settings(tmp_path, tiny_film.path, base_frame_limit=4)
    probe_video(settings, KEY)
    data_set, settle = DataSet(tmp_path), Journal.settle

    def stop_when_all_is_made(journal: Journal, *named: Any) -> None:
        if all(status.is_done for status in data_set.statuses(settings, settings.videos[0]).values()):
            raise KeyboardInterrupt
        settle(journal, *named)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "settle", stop_when_all_is_made)
        with pytest.raises(KeyboardInterrupt):
            generate_video(settings, KEY)
    progress = tmp_path / f"metadata/.progress/{KEY}.json"
    progress.write_text("of the killed run")
    assert set(pictures(tmp_path)) > files_named_by_rows(tmp_path)
    assert DataSet.of(settings).clear_up() == [KEY]
    assert set(pictures(tmp_path)) == files_named_by_rows(tmp_path)
    assert not progress.exists()
    assert DataSet.of(settings).clear_up() == []


def test_a_table_that_a_killed_run_was_writing_goes(tiny_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, tiny_film.path)
    generate_video(settings, KEY)
    with DataSet(tmp_path).hold(KEY) as work:
        work.journal.begin()
    begun = [temporary(path) for path in tmp_path.glob("metadata/*/**/part-0.parquet")]
    for path in begun:
        path.write_bytes(b"begun")
    assert len(begun) == 7
    assert DataSet.of(settings).clear_up() == [KEY]
    assert not any(path.exists() for path in begun)
