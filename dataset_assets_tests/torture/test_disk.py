"""Disks that are full, and disks that fail: one sentence, nothing committed is lost, and it goes on after."""

from __future__ import annotations

import errno
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dataset_assets.config import Settings
from dataset_assets.errors import DatasetAssetsError, SpaceError
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests import configurations
from dataset_assets_tests.command import PATIENCE_S, run, start, wait_until
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.samples import KEY, files_named_by_rows, pictures, small_settings, tables
from dataset_assets_tests.torture.kills import film_config
from dataset_assets_tests.torture.places import failing_from


@pytest.fixture(scope="module")
def whole(tiny_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("whole")
    make(small_settings(output, tiny_film.path))
    return output


def make(settings: Settings) -> None:
    probe_video(settings, KEY)
    generate_video(settings, KEY)


def assert_same(output: Path, whole: Path) -> None:
    assert pictures(output) == pictures(whole)
    assert tables(output) == tables(whole)
    assert [path for path in output.rglob("*.tmp") if ".dagster" not in path.parts] == []
    assert list((output / "metadata/.journals").iterdir()) == []


@pytest.fixture
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB, a part of what the data set needs, or of the size that is asked for."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={getattr(request, 'param', '400k')}", "tmpfs", str(mounted)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk is not allowed here")
    yield mounted
    subprocess.run(["umount", str(mounted)], check=True)


def test_a_full_disk_is_one_sentence_and_once_there_is_space_it_goes_on(
    tiny_film: Film, small_disk: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another program fills the disk after the run was found to fit.
    monkeypatch.setattr("dataset_assets.generate.plan.MOST_PNG_BYTES_PER_PIXEL", 0.0)
    settings = small_settings(small_disk / "dataset", tiny_film.path, checkpoint_every=1)
    with pytest.raises(
        SpaceError, match=rf"{KEY}: the disk is full \(.*\); free some space and run generate"
    ):
        make(settings)
    output = small_disk / "dataset"
    committed = {name: (output / name).stat().st_mtime_ns for name in files_named_by_rows(output)}
    assert 0 < len(committed) < len(pictures(whole))
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    make(small_settings(output, tiny_film.path))
    assert_same(output, whole)
    assert all((output / name).stat().st_mtime_ns == moment for name, moment in committed.items())


def fill(ballast: Path) -> None:
    """Writes until the disk is full."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1000))


@pytest.mark.slow
@pytest.mark.parametrize("small_disk", ["12m"], indirect=True)
def test_a_disk_that_fills_up_under_generate_and_its_history_is_reported_in_sentences(
    tiny_film: Film, small_disk: Path, tmp_path: Path
) -> None:
    output = small_disk / "dataset"
    base = {"output_base_dir": str(output), "base_frame_limit": 9, "checkpoint_every": 1}
    config = film_config(tmp_path, tiny_film.path, **base)
    process = start("generate", "--config", config)
    first = output / "metadata/patches/category=general/video=film/part-0.parquet"
    wait_until(first.exists, "the first patches")
    fill(small_disk / "ballast")
    printed, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "Traceback" not in printed, printed
    written = (
        rf"(Dagster's history in )?{re.escape(str(output))}\S* cannot be written \(.*\); free some space"
    )
    assert re.search(rf"^failed film: the disk is full|{written}", printed, re.M)
    assert files_named_by_rows(output)
    (small_disk / "ballast").unlink()
    done = run("generate", "--config", config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert files_named_by_rows(output) == set(configurations.pictures(output))
    assert [path for path in output.rglob("*.tmp") if ".dagster" not in path.parts] == []


@pytest.mark.parametrize("number", [1, 9, 40, 75, 110, 150])
def test_a_disk_that_fails_from_any_call_on_is_one_sentence_and_costs_nothing_committed(
    tiny_film: Film, tmp_path: Path, whole: Path, number: int
) -> None:
    settings = small_settings(tmp_path, tiny_film.path)
    with (
        failing_from(number, errno.EIO, tmp_path),
        pytest.raises(
            DatasetAssetsError, match=rf"{KEY}: the disk failed \(.*Input/output error\); look after"
        ),
    ):
        make(settings)
    assert files_named_by_rows(tmp_path) <= set(pictures(tmp_path))
    make(settings)
    assert_same(tmp_path, whole)


def test_a_limit_on_the_size_of_files_is_reported_as_a_full_disk(tiny_film: Film, tmp_path: Path) -> None:
    settings = small_settings(tmp_path, tiny_film.path)
    with (
        failing_from(30, errno.EFBIG, tmp_path),
        pytest.raises(SpaceError, match=r"the disk is full .*too large"),
    ):
        make(settings)
