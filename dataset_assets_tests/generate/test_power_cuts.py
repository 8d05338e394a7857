"""Power cuts at every point of a run: tables keep their promises, and the next run ends in the same bytes.

What real runs do to their files is recorded and cut off after each step, with the worst that a disk may make
of what was not flushed by then (`power`).
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest

from dataset_assets.config import Settings
from dataset_assets.dataset import TableStore
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.films import Film
from dataset_assets_tests.generate.power import Disk, Recorder, Step, Tree, read_tree, write_tree
from dataset_assets_tests.generate.samples import CATEGORIES, KEY, pictures, small_settings, tables

JOURNAL = f"metadata/.journals/{KEY}"
GOES_ON_FROM = 3  # trees from which a real run goes on, for each recording
LESS = {name: category for name, category in CATEGORIES.items() if name != "toon"}
# Other bytes under the same names, other formats of the same windows, and a category that goes.
OTHER = {
    name: CATEGORIES["space"].model_copy(update={"folder": category.folder})
    for name, category in CATEGORIES.items()
}

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="needs /proc to see what is flushed"
)


@dataclass
class Recording:
    """A run: the tree before, what it did, and what may stand in each whole file."""

    before: Tree
    steps: list[Step]
    whole: dict[str, set[bytes]]

    def cuts(self) -> Iterator[tuple[int, Tree]]:
        """Every tree that a power cut after any step may leave, each once, with the number of the step."""
        disk, seen = Disk(self.before), set()
        for number, step in enumerate(self.steps):
            disk.apply(step)
            for tree in disk.after_a_cut(number):
                key = frozenset(tree.items())
                if key not in seen:
                    seen.add(key)
                    yield number, tree


def settings_for(film: Film, output: Path, **changes: Any) -> Settings:
    defaults: dict[str, Any] = {
        "categories": LESS,
        "weights": {"general": 1.0, "space": 0.5},
        "base_frame_limit": 5,
    }
    return small_settings(output, film.path, **(defaults | changes))


def record(settings: Settings, output: Path) -> Recording:
    """Records a run on one film; each table is marked when it counts as written."""
    before = read_tree(output)
    recorder = Recorder(output)
    write = TableStore.write

    def write_and_mark(store: TableStore, path: Path, *rest: Any, **options: Any) -> None:
        write(store, path, *rest, **options)
        recorder.mark(path.relative_to(output))

    with patch.object(TableStore, "write", write_and_mark), recorder.watching():
        generate_video(settings, KEY)
    after = read_tree(output)
    whole: dict[str, set[bytes]] = {}
    for name, content in [*before.items(), *after.items()]:
        if content is not None:
            whole.setdefault(name, set()).add(content)
    disk = Disk(before)
    for step in recorder.steps:
        disk.apply(step)
    assert disk.tree() == after, "the recorder missed a step"
    return Recording(before, recorder.steps, whole)


# What is there before: nothing, what other settings made of three categories, and fewer or more windows.
EARLIER: dict[str, dict[str, Any] | None] = {
    "afresh": None,
    "over an older data set": {
        "categories": OTHER,
        "weights": {"general": 1.0, "space": 0.5, "toon": 1.0},
        "lr_kernel": "area",
    },
    "growing": {"base_frame_limit": 3},
    "shrinking": {"base_frame_limit": 9},
    "files made of others": {"lr_stacks": [7], "gt_frames": "all"},
    "files made of the film": {"lr_stacks": [5]},
}


@pytest.fixture(scope="module", params=EARLIER)
def recording(
    request: pytest.FixtureRequest, tiny_film: Film, tmp_path_factory: pytest.TempPathFactory
) -> Recording:
    output = tmp_path_factory.mktemp("recorded")
    earlier = EARLIER[request.param]
    if earlier is not None:
        probe_video(settings_for(tiny_film, output, **earlier), KEY)
        generate_video(settings_for(tiny_film, output, **earlier), KEY)
    return record(settings_for(tiny_film, output), output)


@pytest.fixture(scope="module")
def whole(tiny_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set that one run without an interruption makes."""
    output = tmp_path_factory.mktemp("whole")
    generate_video(settings_for(tiny_film, output), KEY)
    return output


class Promises:
    """What tables promise, held against trees."""

    def __init__(self, recording: Recording) -> None:
        self._whole = recording.whole
        self._written: dict[str, bytes] = {}
        # Of each table every version that was written whole, in order, and which of them was committed last.
        self._versions = {
            name: [content]
            for name, content in recording.before.items()
            if name.endswith(".parquet") and content is not None
        }
        self._committed: dict[str, int] = {}

    def follow(self, step: Step) -> None:
        """Takes in what the run did next."""
        name, target = step.path.as_posix(), step.target.as_posix()
        if step.kind == "write":
            self._written[name] = step.content
        elif step.kind == "rename" and target.endswith(".parquet"):
            self._versions.setdefault(target, []).append(self._written[name])
        elif step.kind == "mark":
            self._committed[name] = len(self._versions[name]) - 1
        elif step.kind == "unlink":
            self._versions.pop(name, None)
            self._committed.pop(name, None)

    def check(self, tree: Tree) -> None:
        """Holds a tree against the promises."""
        named: set[str] = set()
        for name, versions in self._versions.items():
            table = tree.get(name)
            if table is None:
                assert name not in self._committed, f"{name} was committed and is gone"
                continue
            since = versions[self._committed.get(name, 0) :]
            assert table in since, f"{name} is a part of one, or older than the committed one"
            named.update(self._files_of(name, table, tree))
        pngs = {name for name in tree if name.endswith((".png", ".png.tmp"))} - named
        left = {name.replace("/.", "/").removesuffix(".tmp") for name in pngs}
        removed_table = {name for name in left if name.startswith("Toon/")}
        assert left - removed_table <= noted(tree.get(JOURNAL) or b""), "a file without row and note"

    def _files_of(self, name: str, table: bytes, tree: Tree) -> Iterator[str]:
        for row in rows_of(table) if name.startswith("metadata/patches/") else ():
            for kind in ("gt", "lr5", "lr7", "gt7"):
                path = row[f"{kind}_path"]
                if path is None:
                    continue
                content = tree.get(path)
                assert content in self._whole[path], f"{path}, which {name} names, is not whole"
                assert content is not None
                assert len(content) == row[f"{kind}_bytes"], f"{path} is not the one of {name}"
                yield path


@cache
def rows_of(table: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.ParquetFile(io.BytesIO(table)).read().to_pylist()
    return rows


@cache
def noted(journal: bytes) -> set[str]:
    """The files that a journal names, as far as it can be read."""
    names: set[str] = set()
    for line in journal.splitlines():
        try:
            names.update(json.loads(line))
        except ValueError:
            continue
    return names


def without_film(found: dict[str, Any]) -> dict[str, Any]:
    """Tables but for that of the film, which runs here do not write."""
    return {name: table for name, table in found.items() if not name.startswith("metadata/videos/")}


def test_every_table_and_every_file_it_names_is_whole_after_any_power_cut(recording: Recording) -> None:
    promises, checked = Promises(recording), 0
    cuts = recording.cuts()
    cut = next(cuts, None)
    for number, step in enumerate(recording.steps):
        promises.follow(step)
        while cut is not None and cut[0] == number:
            promises.check(cut[1])
            checked += 1
            cut = next(cuts, None)
    assert checked > 100


def test_the_next_run_ends_in_the_same_bytes_whatever_a_power_cut_left(
    recording: Recording, whole: Path, tiny_film: Film, tmp_path: Path
) -> None:
    trees = [tree for _, tree in recording.cuts()]
    for number, tree in enumerate(random.Random(5).sample(trees, GOES_ON_FROM)):
        output = tmp_path / str(number)
        write_tree(output, tree)
        generate_video(settings_for(tiny_film, output), KEY)
        assert pictures(output) == pictures(whole)
        assert without_film(tables(output)) == tables(whole)
        assert list(output.rglob("*.tmp")) == []
        assert list((output / "metadata/.journals").iterdir()) == []
