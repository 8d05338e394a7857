"""A loader that does what torch's `DataLoader` does, without torch.

Belongs here: worker processes that inherit the data set (fork) or get it pickled (spawn), batches of indices
sent to them in turn, arrays stacked, workers kept over epochs.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, Literal, Self

import numpy as np

from dataset_assets.training import Sample, TripletDataset

Batch = dict[str, Any]


class Loader:
    """Batches of a data set, in the order of a sampler; its workers persist until it is closed."""

    def __init__(
        self,
        dataset: TripletDataset,
        sampler: Iterable[int],
        *,
        batch_size: int,
        workers: int = 0,
        start: Literal["fork", "spawn"] = "fork",
    ) -> None:
        self._dataset, self._sampler, self._batch_size = dataset, sampler, batch_size
        fork, spawn = multiprocessing.get_context("fork"), multiprocessing.get_context("spawn")
        context = fork if start == "fork" else spawn
        self._pipes = []
        self._processes = []
        for _ in range(workers):
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(dataset, there), daemon=True)
            process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Not by closing the pipes: a forked worker holds the ends of those before it.
        for pipe in self._pipes:
            pipe.send(None)
        for process in self._processes:
            process.join()

    def __iter__(self) -> Iterator[Batch]:
        """One epoch."""
        batches = list(_batches(self._sampler, self._batch_size))
        if not self._pipes:
            for indices in batches:
                yield _batch(self._dataset, indices)
            return
        for number, indices in enumerate(batches):
            self._pipes[number % len(self._pipes)].send(indices)
        for number in range(len(batches)):
            yield self._pipes[number % len(self._pipes)].recv()


def _batches(indices: Iterable[int], size: int) -> Iterator[list[int]]:
    left = iter(indices)
    while batch := list(islice(left, size)):
        yield batch


def _work(dataset: TripletDataset, pipe: Connection) -> None:
    while (indices := pipe.recv()) is not None:
        pipe.send(_batch(dataset, indices))


def _batch(dataset: TripletDataset, indices: Sequence[int]) -> Batch:
    samples: list[Sample] = dataset.__getitems__(indices)
    return {
        "lr": np.stack([each["lr"] for each in samples]),
        "gt": np.stack([each["gt"] for each in samples]),
        "patch_id": [each["patch_id"] for each in samples],
    }
