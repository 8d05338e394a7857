"""The commands `validation ...`: what they print and do, and mistakes, each one sentence with its remedy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dataset_assets.cli import validation_commands
from dataset_assets.config import Settings, load_settings
from dataset_assets.curation import NEIGHBOURS_S, PROPOSED_COUNT
from dataset_assets.dataset import DataSet
from dataset_assets_tests.command import run
from dataset_assets_tests.curation.scored import drop_scores
from dataset_assets_tests.exports.samples import export
from dataset_assets_tests.generated import Generated
from dataset_assets_tests.validation.samples import states, val_files


@pytest.fixture(scope="module")
def scored(generated: Generated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a copy of the data set with scores, which is only looked at."""
    folder = tmp_path_factory.mktemp("scored") / "copy"
    shutil.copytree(generated.config.parent, folder)
    config = folder / generated.config.name
    assert run("score", "--config", config).returncode == 0
    return config


@pytest.fixture
def config(scored: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    shutil.copytree(scored.parent, tmp_path / "copy")
    return tmp_path / "copy" / scored.name


@pytest.fixture
def settings(config: Path) -> Settings:
    return load_settings(config)


def validation(config: Path, *arguments: str) -> str:
    """What a command prints that does its work."""
    done = run("validation", *arguments, "--config", config)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def of_state(settings: Settings, state: str) -> list[str]:
    return sorted(name for name, each in states(settings).items() if each == state)


def test_patches_are_proposed_accepted_and_declined(config: Path, settings: Settings) -> None:
    printed = validation(config, "propose", "--count", "2", "--span", "1")
    proposed = of_state(settings, "proposed")
    assert len(proposed) == 4
    assert all(name.split("/")[1] in printed for name in proposed)
    assert "what is proposed is not in Val/GT yet: `dataset-assets validation accept --all`" in printed
    assert val_files(settings) == {}

    first, *others = proposed
    printed = validation(config, "accept", "--patches", first)
    assert printed.startswith(f"1 patch accepted; 1 file in {config.parent}/dataset/")
    assert "exports in other folders train on them until they are made again" in printed
    assert of_state(settings, "accepted") == [first]
    (file,) = val_files(settings)
    assert Path(file).stem == first.split("/")[1]
    assert validation(config, "accept", "--patches", first) == "0 patches accepted\n"

    assert validation(config, "decline", "--all") == "3 patches declined\n"
    assert of_state(settings, "declined") == others
    rows = [line.split() for line in validation(config, "list").splitlines()]
    assert sum("accepted" in row for row in rows) == 1
    assert sum("declined" in row for row in rows) == 3

    assert validation(config, "decline", "--patches", first) == (
        "1 patch declined; 1 file deleted from Val/GT\n"
    )
    assert val_files(settings) == {}


def test_accepting_exports_again_what_trains_on_the_patches(config: Path, settings: Settings) -> None:
    export(settings, "redux", categories=("general",))
    validation(config, "propose", "--categories", "general", "--count", "1", "--span", "1")
    (name,) = of_state(settings, "proposed")
    clip = f"{name.split('/')[1].replace('_', '-')}_Frame4.png"
    folder = config.parent / "dataset/exports/redux"
    assert (folder / "hr" / clip).exists()
    printed = validation(config, "accept", "--all")
    assert "1 of them for validation" in printed
    assert not (folder / "hr" / clip).exists()
    assert (folder / "val/hr" / clip).exists()
    assert validation(config, "refresh").startswith("no export in ")


def test_an_export_that_still_trains_on_them_is_named(config: Path, settings: Settings) -> None:
    validation(config, "propose", "--categories", "general", "--count", "1", "--span", "1")
    validation(config, "accept", "--all")
    (name,) = states(settings)
    validation(config, "decline", "--patches", name)
    export(settings, "redux")
    table = next((config.parent / "dataset/metadata/validation").rglob("*.parquet"))
    declined = table.read_bytes()
    # As accepting in the gallery does, which exports nothing.
    data_set = DataSet.of(settings)
    data_set.validation.accept(settings, data_set.validation.read())
    assert table.read_bytes() != declined
    assert "exports/redux trains on patches that are set apart" in validation(config, "list")
    assert "for validation" in validation(config, "refresh")
    assert "trains on patches that are set apart" not in validation(config, "list")


def test_films_that_are_named_are_set_apart_whole(config: Path, settings: Settings) -> None:
    validation(config, "propose", "--videos", "beta", "--count", "1")
    assert all(name.split("/")[1].startswith("beta_") for name in states(settings))
    assert "the film" in validation(config, "list")


def test_the_options_defaults_are_those_of_proposing() -> None:
    """The command's module does without importing `curation`."""
    assert (validation_commands.PROPOSED_COUNT, validation_commands.NEIGHBOURS_S) == (
        PROPOSED_COUNT,
        NEIGHBOURS_S,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            ("propose", "--categories", "tone"),
            2,
            "--categories: no patch is of the category tone; did you mean `toon`?",
        ),
        (("propose", "--videos", "gamma"), 2, "--videos: 'gamma' has no patches; use one of `alpha`, `beta`"),
        (("accept",), 1, "No patch is named; use --patches ID,ID, or --all for all that are proposed."),
        (("decline",), 1, "No patch is named; use --patches ID,ID, or --all for all that are proposed."),
        (
            ("accept", "--all", "--patches", "a"),
            1,
            "--patches and --all exclude each other; use --patches ID,ID, or --all for all that are "
            "proposed.",
        ),
        (("list",), 1, "Nothing was proposed of {root}; run `dataset-assets validation propose`."),
        (("accept", "--all"), 1, "Nothing was proposed of {root}; run `dataset-assets validation propose`."),
    ],
)
def test_a_mistake_is_one_sentence(
    scored: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    done = run("validation", *arguments, "--config", scored)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr == f"error {sentence.format(root=scored.parent / 'dataset')}\n"


@pytest.mark.parametrize(("option", "value"), [("--count", "0"), ("--span", "0"), ("--count", "many")])
def test_a_number_out_of_range_is_refused(scored: Path, option: str, value: str) -> None:
    done = run("validation", "propose", option, value, "--config", scored)
    assert done.returncode == 2
    assert option in done.stderr


def test_an_unknown_patch_is_named_with_those_like_it(config: Path, settings: Settings) -> None:
    validation(config, "propose", "--count", "2")
    before = states(settings)
    name = next(iter(before)).split("/")[1]
    done = run("validation", "accept", "--patches", f"{name},{name}9", "--config", config)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error No patch {name}9 was proposed; did you mean `{name}`")
    assert states(settings) == before


def test_patches_without_scores_are_refused_with_the_remedy(config: Path, settings: Settings) -> None:
    drop_scores(settings)
    done = run("validation", "propose", "--config", config)
    assert done.returncode == 1
    assert done.stderr == (
        "error 11 of 11 patches of general, space, toon have no scores; run `dataset-assets score` first.\n"
    )
