"""A film with every kind of candidate, and a look at what lanes begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets.generate.lane import Job, Lane, Made
from dataset_assets_tests.films import X264_OPTIONS, Film, Shot, make_film, sdr_frames

# Pans, a still picture that comes back, and a dark stretch: some candidates hold a cut, are duplicates or
# near black.
SHOTS = (
    *(Shot(41, 61), Shot(42, 40, 0, 0), Shot(43, 50, -4, 2), Shot(44, 70, exposure=0.0005)),
    *(Shot(42, 40, 0, 0), Shot(45, 52, 2, 2), Shot(42, 40, 0, 0), Shot(46, 75, 4, 0), Shot(47, 52)),
)


@pytest.fixture(scope="session")
def film(films_folder: Path) -> Film:
    """320x192 H.264, 480 frames, 24/s, nine shots of which three show the same picture."""
    return make_film(
        films_folder / "varied.mkv",
        sdr_frames(SHOTS, 320, 192),
        SHOTS,
        size=(320, 192),
        keyint=24,
        options=X264_OPTIONS,
    )


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs that lanes began with."""
    make, jobs = Lane._make, list[Job]()

    def watched(lane: Lane, job: Job) -> Made:
        jobs.append(job)
        return make(lane, job)

    monkeypatch.setattr(Lane, "_make", watched)
    return jobs
