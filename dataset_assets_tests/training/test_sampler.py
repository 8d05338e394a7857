"""The order of an epoch, and the same batches from any workers."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from dataset_assets.errors import DatasetAssetsError
from dataset_assets.training import TripletDataset, TripletSampler
from dataset_assets_tests.training.loading import Batch, Loader

EPOCHS = 3


def epochs(
    dataset: TripletDataset, workers: int, start: Literal["fork", "spawn"] = "fork"
) -> list[list[Batch]]:
    """All batches of some epochs; the workers are kept from one to the next."""
    sampler = TripletSampler(dataset, weights="video")
    with Loader(dataset, sampler, batch_size=4, workers=workers, start=start) as loader:
        return [list(loader) for _ in range(EPOCHS)]


@pytest.mark.parametrize("reads", ["files", "arrays"])
@pytest.mark.parametrize(("workers", "start"), [(2, "fork"), (3, "fork"), (2, "spawn")])
def test_batches_are_the_same_for_any_workers(
    data_set: Path, packed: Path, reads: str, workers: int, start: Literal["fork", "spawn"]
) -> None:
    dataset = TripletDataset(data_set, "general", crop=96, packed=packed if reads == "arrays" else False)
    dataset[0]  # A handle that is open here must not be used there.
    alone, together = epochs(dataset, 0), epochs(dataset, workers, start)
    for one, other in zip(chain(*alone), chain(*together), strict=True):
        assert one["patch_id"] == other["patch_id"]
        assert np.array_equal(one["lr"], other["lr"])
        assert np.array_equal(one["gt"], other["gt"])
    seen = [sorted(each.tobytes() for batch in epoch for each in batch["gt"]) for epoch in alone]
    assert seen[0] != seen[1] != seen[2], "each epoch has other crops"


def test_an_epoch_visits_every_patch_once_in_another_order(data_set: Path) -> None:
    dataset = TripletDataset(data_set, crop=96)
    sampler = TripletSampler(dataset)
    found = [list(sampler) for _ in range(EPOCHS)]
    assert len(sampler) == len(dataset)
    for epoch, indices in enumerate(found):
        assert sorted(indices) == list(range(epoch * len(dataset), (epoch + 1) * len(dataset)))
    orders = [[index % len(dataset) for index in indices] for indices in found]
    assert orders[0] != orders[1] != orders[2]
    assert orders[0] != list(range(len(dataset)))


@pytest.mark.parametrize("weights", ["patch", "video"])
def test_a_training_goes_on_at_any_epoch(data_set: Path, weights: Literal["patch", "video"]) -> None:
    dataset = TripletDataset(data_set, crop=96)
    first, later = (TripletSampler(dataset, weights=weights) for _ in range(2))
    orders = [list(first) for _ in range(EPOCHS)]
    later.epoch = 2
    assert list(later) == orders[2]
    assert (first.epoch, later.epoch) == (3, 3)
    other_seed = TripletSampler(TripletDataset(data_set, crop=96, seed=1), weights=weights)
    assert list(other_seed) != orders[0]


def test_an_epoch_that_is_broken_off_is_over(data_set: Path) -> None:
    dataset = TripletDataset(data_set, crop=96)
    sampler, whole = TripletSampler(dataset), TripletSampler(dataset)
    next(iter(sampler))
    list(whole)
    assert list(sampler) == list(whole)


def test_films_have_the_same_share(data_set: Path) -> None:
    # Film one keeps one or two patches, the others all theirs.
    dataset = TripletDataset(
        data_set, crop=96, where="video <> 'one' or (\"window\" < 2 and category = 'toon')"
    )
    patches = Counter(dataset.videos.tolist())
    assert min(patches.values()) * 3 < max(patches.values())
    sampler = TripletSampler(dataset, weights="video")
    used: set[int] = set()
    for _ in range(EPOCHS):
        indices = list(sampler)
        visits = Counter(str(dataset.videos[index % len(dataset)]) for index in indices)
        assert len(indices) == len(dataset)
        assert max(visits.values()) - min(visits.values()) <= 1
        assert len(set(indices)) == len(indices), "a patch that comes again has another crop"
        assert not used & set(indices)
        used |= set(indices)
    assert {index % len(dataset) for index in used} == set(range(len(dataset)))


def test_other_weights_are_refused(data_set: Path) -> None:
    dataset = TripletDataset(data_set, crop=96)
    with pytest.raises(DatasetAssetsError, match=r"^weights is 'film'; choose 'patch' or 'video'.$"):
        TripletSampler(dataset, weights="film")  # type: ignore[arg-type]
