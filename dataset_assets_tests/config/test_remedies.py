from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from dataset_assets.config import Settings, fitting_remedy, load_settings, look_for_films
from dataset_assets.dataset import DataSet
from dataset_assets.errors import CORRECT_PATH, LEAVE_OUT, VideoError
from dataset_assets.generate import probe_video
from dataset_assets_tests.sounds import write_sound

# Films in a watched folder whose names hold what shell patterns give a meaning.
NAMES = ("sound.mkv", "Extras/[sound] 1*.mkv")


def watching(folder: Path, exclude: list[str]) -> Settings:
    config = folder / "config.yaml"
    listed = {"name": "Listed", "path": "listed.mkv", "categories": {"general": 1}}
    watched = {"folder": "films", "categories": {"general": 1}, "settled_after_s": 0, "exclude": exclude}
    sections = {"base_settings": {"output_base_dir": "out"}, "videos": [listed], "watch": [watched]}
    config.write_text(yaml.safe_dump(sections), encoding="utf-8")
    return look_for_films(load_settings(config)).settings


def failure_of(settings: Settings, key: str) -> str:
    with pytest.raises(VideoError):
        probe_video(settings, key)
    kept = DataSet.of(settings).failures.read_one(key)
    assert kept is not None
    return kept.remedy


@pytest.mark.parametrize("name", NAMES)
def test_the_remedy_for_a_film_of_a_watched_folder_leaves_it_out(name: str, tmp_path: Path) -> None:
    write_sound(tmp_path / "films" / name)
    write_sound(tmp_path / "films/sound 11.mkv")
    settings = watching(tmp_path, [])
    (key,) = (entry.key for entry in settings.videos if entry.path == tmp_path / "films" / name)
    remedy = failure_of(settings, key)
    found = re.fullmatch(
        rf'add "(.*)" to `exclude` of the watched folder {tmp_path}/films, then call `(.*)`', remedy
    )
    assert found is not None, remedy
    assert found[2] == f"dataset-assets videos remove {key}"
    left = {entry.path.name for entry in watching(tmp_path, [found[1]]).videos}
    assert left == {"listed.mkv", "sound 11.mkv"}


def test_the_remedy_for_a_listed_film_is_about_its_entry(tmp_path: Path) -> None:
    settings = watching(tmp_path, [])
    assert failure_of(settings, "listed") == ("correct its path in the configuration or bring the file back")
    write_sound(tmp_path / "listed.mkv")
    assert failure_of(settings, "listed") == (
        "remove it from the configuration by `dataset-assets videos remove listed`"
    )


def test_a_deleted_film_of_a_watched_folder_has_no_path_to_correct(tmp_path: Path) -> None:
    write_sound(tmp_path / "films/sound.mkv")
    settings = watching(tmp_path, [])
    (tmp_path / "films/sound.mkv").unlink()
    assert failure_of(settings, "sound") == (
        "remove it by `dataset-assets videos remove sound` or bring the file back"
    )


def test_no_remedy_in_the_code_names_a_place_that_only_a_listed_film_has() -> None:
    package = Path(__file__).parents[2] / "dataset_assets"
    words = re.compile(r"(remove it from|correct its path in|film itself in) the configuration")
    files = [path for path in package.rglob("*.py") if words.search(path.read_text(encoding="utf-8"))]
    assert [path.name for path in files] == ["remedies.py"]


def test_other_remedies_stay_as_they_are(tmp_path: Path) -> None:
    settings = watching(tmp_path, [])
    assert fitting_remedy("replace the file", settings, settings.videos[0]) == "replace the file"
    assert LEAVE_OUT not in CORRECT_PATH
