"""Films that kill, hang or bloat the process that reads them: one video fails, and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dataset_assets.config import load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.generate.limits import LIMIT_EXIT_CODE
from dataset_assets.launch.exit_reasons import exit_failure
from dataset_assets_tests.command import ROOT, run
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film

# Python reads this first in every process. Whoever opens a film whose name says what it does has it done:
# a real access to address 0, a loop in native code (the GIL is given up, as decoders do), memory without end.
HOSTILE = """
import ctypes, sys, time

def act(name):
    if "segfault" in name:
        ctypes.string_at(0)
    if "endless" in name:
        spin()
    if "bloat" in name:
        while True:
            kept.append(bytearray(50_000_000))
            time.sleep(0.05)

kept = []

def spin():
    import zlib
    block = bytes(1 << 24)
    while True:
        zlib.crc32(block)

def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and arguments[0].endswith(".mkv"):
        act(arguments[0])

sys.addaudithook(watch)
from dataset_assets import generate
from dataset_assets.generate.limits import StepLimits
generate.step_limits = lambda film, lanes=1, places=1: StepLimits(4.0, 600.0, 1e9)
"""


def hostile(folder: Path) -> Mapping[str, str]:
    """The environment in which films do what their names say."""
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(HOSTILE, encoding="utf-8")
    return {"PYTHONPATH": f"{site}:{ROOT}"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs signals as Linux numbers them")
def test_films_that_kill_their_process_fail_alone(tmp_path: Path, sdr_film: Film, vfr_film: Film) -> None:
    films = {"sound": sdr_film.path}
    for name in ("segfault", "endless", "bloat"):
        films[name] = tmp_path / f"{name}.mkv"
        films[name].write_bytes(vfr_film.path.read_bytes())
    config = write_config(tmp_path, {name: (film, {"toon": 0.4}) for name, film in films.items()})
    changes = hostile(tmp_path)
    # Nothing that runs in the command's own process opens a film.
    listed = run("videos", "list", "--config", config, changes=changes)
    assert (listed.returncode, listed.stderr) == (0, "")
    done = run("generate", "--config", config, "--workers", "2", changes=changes)
    assert done.returncode == 1, done.stdout + done.stderr
    out = done.stdout
    assert "done sound: 2 patches" in out
    assert f"segfault ({films['segfault']}): the decoder crashed on it (SIGSEGV), and only this video" in out
    assert f"endless ({films['endless']}): a step of it took " in out
    assert f"bloat ({films['bloat']}): it took " in out
    assert out.count("replace it, or remove it from the configuration") == 3
    assert "Traceback" not in out + done.stderr
    assert "1 of 4 videos is up to date" in out
    data_set = DataSet.of(load_settings(config))
    assert set(data_set.failures.read()) == {"segfault", "endless", "bloat"}
    shown = json.loads(run("monitor", "--json", "--config", config).stdout)
    assert "the decoder crashed on it" in json.dumps(shown)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs signals as Linux numbers them")
def test_a_film_that_crashes_verify_is_reported_and_the_others_are_compared(
    tmp_path: Path, sdr_film: Film, vfr_film: Film
) -> None:
    films = {"sound": sdr_film.path, "segfault": tmp_path / "segfault.mkv"}
    films["segfault"].write_bytes(vfr_film.path.read_bytes())
    config = write_config(tmp_path, {name: (film, {"toon": 0.2}) for name, film in films.items()})
    made = run("generate", "--config", config)
    assert made.returncode == 0, made.stdout + made.stderr
    done = run("verify", "--deep", "--share", "1", "--json", "--config", config, changes=hostile(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    segfault, sound, _ = map(json.loads, done.stdout.splitlines())
    died = "the process that decoded it died (Segmentation fault)"
    assert segfault["notes"] == [f"nothing was compared with the film {films['segfault']}: {died}"]
    assert (segfault["windows_compared"], sound["windows_compared"]) == (0, 1)
    assert sound["notes"] == []


def test_a_process_that_was_killed_leaves_no_failure_of_its_film(tmp_path: Path, sdr_film: Film) -> None:
    config = write_config(tmp_path, {"film": (sdr_film.path, {"toon": 0.4})})

    def sentence(exit_code: int, key: str = "film") -> str:
        return exit_failure(config, key, exit_code, "run").sentence

    assert "was killed (SIGKILL), by the system if memory ran out" in sentence(-9)
    assert "its process died (exit code 3); run generate again" in sentence(3)
    assert "its process died (exit code 75)" in sentence(LIMIT_EXIT_CODE)
    assert "its process died (SIGSEGV)" in sentence(-11, "left-the-configuration")
    assert DataSet.of(load_settings(config)).failures.read() == {}
