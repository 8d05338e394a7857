from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from dataset_assets.assets.make_patches import LANES_TAG
from dataset_assets_tests.command import run
from dataset_assets_tests.configurations import pictures, tables, write_config
from dataset_assets_tests.encode import BT709, write_video
from dataset_assets_tests.films import Film, Shot, sdr_frames
from dataset_assets_tests.generated import Generated, two_films_config

ROOT = Path(__file__).parents[2]


def moments(root: Path) -> dict[Path, int]:
    """When each picture and table was written."""
    files = [*root.rglob("*.png"), *root.rglob("[!.]*.parquet")]
    return {file: file.stat().st_mtime_ns for file in files}


def copied(generated: Generated, folder: Path, sdr_film: Film, vfr_film: Film) -> tuple[Path, Path]:
    """The data set of `generated` somewhere else, to be changed: its configuration and its folder."""
    shutil.copytree(generated.root, folder / "dataset")
    return two_films_config(folder, sdr_film, vfr_film), folder / "dataset"


def test_generate_makes_everything_and_says_so(generated: Generated) -> None:
    assert generated.done.returncode == 0, generated.done.stderr
    assert generated.done.stderr == ""
    made = {key: len(list(generated.root.rglob(f"GT/{key}_*.png"))) for key in ("alpha", "beta")}
    estimate, *lines = generated.done.stdout.splitlines()
    assert re.fullmatch(
        r"2 videos to work on: keeps 0 patches, adds 15, remakes 0, deletes 0; "
        r"about [0-9.]+ MB to write, [0-9.]+ [MGT]B free; this counts all windows of 2 films not probed yet",
        estimate,
    )
    done = [line for line in lines if line.startswith("done")]
    lacking = {"alpha": 2, "beta": 2}
    assert sorted(done) == [
        f"done {key}: {count} patches, {lacking[key]} short" for key, count in made.items()
    ]
    short = [line for line in lines[:-1] if line not in done]
    assert [line.split(":")[0] for line in sorted(short)] == ["warning alpha", "warning beta"]
    for line in short:
        assert re.fullmatch(
            r"warning \w+: only \d of 6 windows found: the film has no place left for another one; "
            r"rejected of \d+ candidates: (\w+ \d+%(, )?)+",
            line,
        ), line
    figures = f"{sum(made.values())} of 15 patches, 4 short"
    assert lines[-1:] == [f"2 of 2 videos are up to date: {figures} in {generated.root}"]
    assert min(made.values()) > 0


def test_nothing_piped_holds_colour_codes(generated: Generated) -> None:
    outputs = [run(*command, "--config", generated.config) for command in (["stats"], ["videos", "list"])]
    for done in [generated.done, *outputs]:
        assert done.stdout
        assert "\x1b" not in done.stdout + done.stderr


def test_the_runs_are_in_the_history_that_the_ui_shows(generated: Generated) -> None:
    with dg.DagsterInstance.from_config(str(generated.root / ".dagster")) as instance:
        runs = instance.get_runs()
        partitions = sorted(instance.get_dynamic_partitions("videos"))
        made = instance.get_materialized_partitions(dg.AssetKey("toon_patches"))
    assert sorted((each.job_name, each.tags.get("dagster/partition", "")) for each in runs) == [
        ("make_patches", "alpha"),
        ("make_patches", "beta"),
        ("update_stats", ""),
    ]
    assert {each.status for each in runs} == {dg.DagsterRunStatus.SUCCESS}
    assert partitions == ["alpha", "beta"]
    assert made == {"alpha", "beta"}


@pytest.mark.slow
def test_a_pipe_gets_a_line_about_the_progress_from_time_to_time(tmp_path: Path, sdr_film: Film) -> None:
    films = {name: (sdr_film.path, {"toon": 1.0}) for name in ("A", "B")}
    base = {"base_frame_limit": 2, "output_base_dir": "dataset"}
    config = write_config(tmp_path, films, base_settings=base)
    script = (
        "from dataset_assets.cli import generate, main\n"
        "generate.LINE_INTERVAL_S = 0.0\n"
        f"main.app(['generate', '--workers', '1', '--config', {str(config)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    line = r"\d\d:\d\d (.*) done[^;]*; .*, (\d) of 4 patches, \d to do, ETA (.*)"
    lines = re.findall(line, done.stdout)
    assert {counts for counts, _, _ in lines} >= {"1 running, 0 of 2", "1 running, 1 of 2"}
    assert lines[0][1:] == ("0", "unknown")
    assert any(re.fullmatch(r"\d+:\d\d", eta) for _, _, eta in lines)


def test_a_second_call_finds_everything_up_to_date(generated: Generated) -> None:
    before = moments(generated.root)
    done = run("generate", "--config", generated.config)
    assert (done.returncode, done.stdout) == (0, generated.done.stdout.splitlines()[-1] + "\n")
    assert moments(generated.root) == before


@pytest.mark.slow
def test_neither_workers_nor_order_nor_categories_at_a_time_change_a_byte(
    generated: Generated, tmp_path: Path, sdr_film: Film, vfr_film: Film
) -> None:
    config = two_films_config(tmp_path, sdr_film, vfr_film)
    root = tmp_path / "dataset"
    first = run("generate", "--config", config, "--videos", "beta", "--categories", "toon", "--workers", "3")
    assert first.returncode == 0, first.stderr
    with dg.DagsterInstance.from_config(str(root / ".dagster")) as instance:
        lanes = [made.tags[LANES_TAG] for made in instance.get_runs() if LANES_TAG in made.tags]
    assert lanes == ["3"]
    assert {Path(name).parts[0] for name in pictures(root)} == {"Toon"}
    assert not (root / "metadata/videos/video=alpha").exists()
    rest = run("generate", "--config", config, "--workers", "1")
    assert rest.returncode == 0, rest.stderr
    assert pictures(root) == pictures(generated.root) != {}
    assert tables(root) == tables(generated.root)


def test_a_film_that_is_missing_fails_alone(tmp_path: Path, sdr_film: Film) -> None:
    weights = {"general": 0.5}
    absent = tmp_path / "absent.mkv"
    config = write_config(tmp_path, {"Absent": (absent, weights), "There": (sdr_film.path, weights)})
    done = run("generate", "--config", config)
    assert done.returncode == 1
    assert f"failed absent ({absent}): " in done.stdout
    assert "1 of 2 videos is up to date: 3 of 6 patches, 3 to do in " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert len(pictures(tmp_path / "dataset")) == 9  # three triplets
    with dg.DagsterInstance.from_config(str(tmp_path / "dataset" / ".dagster")) as instance:
        (failed,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    assert failed.tags["dagster/partition"] == "absent"


def test_a_run_that_does_not_fit_is_refused_with_its_estimate(tmp_path: Path, vfr_film: Film) -> None:
    base = {"min_free_gb": 1e9, "base_frame_limit": 100}
    config = write_config(tmp_path, {"Film": (vfr_film.path, {"toon": 1.0})}, base_settings=base)
    done = run("generate", "--config", config)
    assert (done.returncode, done.stdout) == (1, "")
    # 65 patches of 540x540 and 35 of 720x405, 2.7 bytes a pixel.
    for part in (str(tmp_path / "dataset"), "1 video to work on, about 78.9 MB to write", "min_free_gb"):
        assert part in done.stderr
    assert pictures(tmp_path / "dataset") == {}


def test_every_mistake_of_the_configuration_is_reported_at_once(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps(
            {
                "base_settings": {"output_base_dir": "dataset", "max_worker": 2, "seed": -1},
                "videos": [
                    {"name": "A", "path": "a.mkv", "categories": {"general": 1.5}},
                    {"name": "a", "path": "b.mkv", "categories": {"genral": 0.5}},
                ],
                "formats": {"odd": {"width": 100, "height": 99, "folder": "Odd"}},
            }
        ),
        encoding="utf-8",
    )
    done = run("generate", "--config", config)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    for mistake in ("max_worker", "seed", "categories.general", "has the key a", "genral", "odd.width"):
        assert len([line for line in lines if mistake in line]) == 1, (mistake, lines)
    assert len(lines) == 6
    assert [line for line in lines if not line.startswith(f"error {config}")] == []
    assert list(tmp_path.iterdir()) == [config]


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("dataset_assets.cli.main", "stopped"),
        ("dataset_assets.cli.generate", "stopped; what was committed stays, the next generate resumes there"),
    ],
)
def test_a_stop_in_the_first_seconds_is_confirmed(module: str, said: str) -> None:
    script = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, *others):\n"
        f"        if name == {module!r}:\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from dataset_assets.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "generate"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"{said}\n")


def test_every_unknown_video_and_category_is_reported_at_once(generated: Generated) -> None:
    wrong = ("--videos", "alpha,gamma,delta", "--categories", "toon,tone")
    done = run("generate", "--config", generated.config, *wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert [line.split()[1] for line in done.stderr.splitlines()] == [
        "--videos:",
        "--videos:",
        "--categories:",
    ]
    assert all(name in done.stderr for name in ("'gamma'", "'delta'", "tone"))


def test_a_larger_number_adds_and_leaves_what_is_there(
    generated: Generated, tmp_path: Path, sdr_film: Film, vfr_film: Film
) -> None:
    _, root = copied(generated, tmp_path, sdr_film, vfr_film)
    before = {file: moment for file, moment in moments(root).items() if file.suffix == ".png"}
    videos = {"Beta": (vfr_film.path, {"general": 0.5, "toon": 1.0})}
    config = write_config(tmp_path, videos, base_settings={"base_frame_limit": 8, "allow_replacing": False})
    done = run("generate", "--config", config)
    assert done.returncode == 0, done.stderr

    def patches_of_beta(files: Iterable[Path]) -> int:
        return len([file for file in files if file.parent.name == "GT" and file.name.startswith("beta_")])

    there = patches_of_beta(before)
    said = re.search(r"keeps (\d+) patches, adds (\d+), remakes (\d+), deletes (\d+);", done.stdout)
    assert said is not None
    after = moments(root)
    assert [int(number) for number in said.groups()] == [there, patches_of_beta(after) - there, 0, 0]
    assert {file: after[file] for file in before} == before
    assert len(after) > len(before)


@pytest.mark.slow
def test_what_replaces_many_patches_stops_until_it_is_allowed(
    generated: Generated, tmp_path: Path, sdr_film: Film, vfr_film: Film
) -> None:
    _, root = copied(generated, tmp_path, sdr_film, vfr_film)
    videos = {
        "Alpha": (sdr_film.path, {"general": 1.0}),
        "Beta": (vfr_film.path, {"general": 0.5, "toon": 1.0}),
    }
    config = write_config(tmp_path, videos, base_settings={"base_frame_limit": 3, "allow_replacing": False})
    before = moments(root)
    stopped = run("generate", "--config", config)
    assert (stopped.returncode, stopped.stdout) == (1, "")
    assert moments(root) == before
    (sentence,) = stopped.stderr.splitlines()
    for part in (str(root), "2 videos", "finished patches", "would be deleted", "--yes", "allow_replacing"):
        assert part in sentence
    done = run("generate", "--config", config, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " remakes 0, deletes " in done.stdout
    assert len(list(root.rglob("GT/*.png"))) == 3 + 2 + 3


@pytest.mark.slow
def test_a_tenth_of_all_patches_may_go_though_it_is_more_of_one_video(
    generated: Generated, tmp_path: Path, sdr_film: Film, vfr_film: Film
) -> None:
    _, root = copied(generated, tmp_path, sdr_film, vfr_film)
    kept = len(list(root.rglob("Toon/**/GT/beta_*.png"))) - 1
    of_beta, of_all = (len(list(root.rglob(f"GT/{key}_*.png"))) for key in ("beta", "*"))
    assert of_beta < 10 <= of_all
    videos = {
        "Alpha": (sdr_film.path, {"general": 1.0}),
        "Beta": (vfr_film.path, {"general": 0.5, "toon": kept / 6}),
    }
    config = write_config(tmp_path, videos, base_settings={"allow_replacing": False})
    done = run("generate", "--config", config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("1 video to work on: keeps ")
    assert " remakes 0, deletes 1; " in done.stdout
    assert len(list(root.rglob("GT/*.png"))) == of_all - 1


@pytest.mark.slow
def test_force_rebuilds_chosen_categories_and_leaves_the_rest(
    generated: Generated, tmp_path: Path, sdr_film: Film, vfr_film: Film
) -> None:
    config, root = copied(generated, tmp_path, sdr_film, vfr_film)
    before, bytes_before = moments(root), pictures(root)
    done = run("generate", "--config", config, "--force", "--videos", "beta", "--categories", "toon")
    assert done.returncode == 0, done.stdout
    changed = {file for file, moment in moments(root).items() if moment != before[file]}
    assert changed == {
        file
        for file in before
        if (file.name.startswith("beta_") and "Toon" in file.parts)
        or {"category=toon", "video=beta"}.issubset(file.parts)
    }
    assert pictures(root) == bytes_before


@pytest.mark.slow
def test_a_removed_category_leaves_nothing_behind(
    generated: Generated, tmp_path: Path, sdr_film: Film, vfr_film: Film
) -> None:
    _, root = copied(generated, tmp_path, sdr_film, vfr_film)
    assert list((root / "Toon").rglob("*.png"))
    videos = {"Alpha": (sdr_film.path, {"general": 1.0}), "Beta": (vfr_film.path, {"general": 0.5})}
    config = write_config(tmp_path, videos, categories={"toon": None})
    done = run("generate", "--config", config)
    assert done.returncode == 0, done.stdout
    assert list((root / "Toon").rglob("*.png")) == []
    assert not (root / "metadata/patches/category=toon").exists()
    assert list((root / "Universal").rglob("*.png"))


@pytest.mark.slow
def test_what_was_guessed_of_a_film_is_shown(tmp_path: Path) -> None:
    film = tmp_path / "untagged.mp4"
    frames = sdr_frames([Shot(1, 40, 2, 0)], 320, 180)
    write_video(film, frames, colour=replace(BT709, written=False), options={"preset": "ultrafast"})
    base = {"base_frame_limit": 2, "output_base_dir": "dataset"}
    config = write_config(tmp_path, {"Untagged": (film, {"general": 1.0})}, base_settings=base)
    done = run("generate", "--config", config)
    assert done.returncode == 0, done.stderr
    guesses = "matrix smpte170m, primaries smpte170m, transfer bt709, limited range"
    lines = done.stdout.splitlines()
    assert f"warning untagged: untagged, taken as: {guesses}" in lines
    needed = "at least 720x405 (medium_169) or 540x540 (small_540) is needed"
    why = f"no format fits: the largest crop would be 320x180, {needed}"
    assert f"too small untagged: {why}" in lines
    again = run("generate", "--config", config).stdout
    last = f"0 of 1 video is up to date, 1 too small: 0 of 0 patches in {tmp_path}/dataset"
    assert lines[-1] == last
    # It is named again, though it is no news.
    assert again.splitlines() == [f"too small untagged: {why}", last]
