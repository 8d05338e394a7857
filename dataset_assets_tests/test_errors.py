"""Errors of the user: what is wrong and the remedy stay apart, also from one process to another."""

from __future__ import annotations

import pickle

import pytest

from dataset_assets.errors import (
    BusyError,
    ConfigError,
    DamagedTableError,
    DatasetAssetsError,
    MissingWindowsError,
    SourceChangedError,
    SourceLostError,
    SpaceError,
    VideoError,
)

ERRORS = (
    BusyError,
    DamagedTableError,
    DatasetAssetsError,
    MissingWindowsError,
    SourceChangedError,
    SourceLostError,
    SpaceError,
    VideoError,
)


@pytest.mark.parametrize("kind", ERRORS)
def test_what_and_remedy_arrive_apart_in_another_process(kind: type[DatasetAssetsError]) -> None:
    sent = pickle.loads(pickle.dumps(kind("film: it is interlaced", "deinterlace it")))
    assert type(sent) is kind
    assert (sent.what, sent.remedy) == ("film: it is interlaced", "deinterlace it")
    assert str(sent) == "film: it is interlaced; deinterlace it"


def test_an_error_without_a_remedy_is_what_is_wrong() -> None:
    assert str(VideoError("it is interlaced", "")) == "it is interlaced"


def test_mistakes_of_a_configuration_arrive_one_by_one_in_another_process() -> None:
    sent = pickle.loads(pickle.dumps(ConfigError(["a.json: the list is empty.", "a.json: no such folder."])))
    assert sent.problems == ["a.json: the list is empty.", "a.json: no such folder."]
    assert str(sent) == "a.json: the list is empty.\na.json: no such folder."
