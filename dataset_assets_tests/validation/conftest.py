"""A data set of three small films in two categories, made once, and copies of it to be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets.config import BaseSettings, Category, Settings, VideoEntry
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.films import X264_OPTIONS, Shot, make_film, sdr_frames
from dataset_assets_tests.generate.samples import FORMATS, copied

SIZE = (320, 192)
# No two films share a picture.
FILMS = {
    name: tuple(Shot(seed + shot, 30, 4 - 2 * shot, 2 * shot - 4) for shot in range(4))
    for name, seed in {"one": 61, "two": 71, "three": 81}.items()
}
CATEGORIES = {
    "general": Category(folder="Universal/Learn", mix={"square": 0.6, "wide": 0.4}),
    "toon": Category(folder="Toon/Learn", mix={"square": 1.0}),
}


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, films_folder: Path) -> Settings:
    """A data set without scores that is only looked at."""
    entries = []
    for name, shots in FILMS.items():
        path = films_folder / f"validation-{name}.mkv"
        make_film(path, sdr_frames(shots, *SIZE), shots, size=SIZE, options=X264_OPTIONS)
        entries.append(VideoEntry(name=name, path=path, categories={"general": 1.0, "toon": 0.5}))
    base = BaseSettings(
        output_base_dir=tmp_path_factory.mktemp("validation") / "out",
        base_frame_limit=8,
        min_free_gb=0.0,
        allow_replacing=True,
    )
    formats = {name: FORMATS[name] for name in ("square", "wide")}
    settings = Settings(base=base, videos=tuple(entries), formats=formats, categories=CATEGORIES)
    for entry in settings.videos:
        probe_video(settings, entry.key)
        generate_video(settings, entry.key)
    return settings


@pytest.fixture
def settings(whole: Settings, tmp_path: Path) -> Settings:
    """A copy to be changed, of the same films."""
    return copied(whole, tmp_path / "out")
