from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_assets.dataset import TableStore
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import (
    PATCHES,
    SCHEMA_VERSION,
    SCORES,
    VIDEOS,
    WINDOWS,
    WRITER_VERSION,
    PatchRow,
    VideoRow,
    WindowRow,
)
from dataset_assets_tests.tables import samples
from dataset_assets_tests.tables.samples import ACCEPTED, PATCH, PROVENANCE, REJECTED, SCORE, VIDEO

resource = pytest.importorskip("resource", reason="file size limits are POSIX only")


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    return TableStore(tmp_path)


@contextmanager
def full_disk_after(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size_bytes`, as a disk does that fills up."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def write_windows(store: TableStore, key: str = "a-film") -> Path:
    path = store.windows_path(key)
    store.write(path, WINDOWS, [REJECTED, ACCEPTED], PROVENANCE)
    return path


def with_metadata(path: Path, old: bytes, new: bytes) -> None:
    """Rewrite a table as another release would have: the same columns, other words in the footer."""
    table = pq.ParquetFile(path).read()
    metadata = {key: value.replace(old, new) for key, value in pq.read_metadata(path).metadata.items()}
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(metadata)


def test_tables_lie_where_other_tools_look_for_them(store: TableStore, tmp_path: Path) -> None:
    metadata = tmp_path / "metadata"
    assert store.video_path("a-film") == metadata / "videos/video=a-film/part-0.parquet"
    assert store.windows_path("a-film") == metadata / "windows/video=a-film/part-0.parquet"
    assert store.patches_path("space", "a-film") == (
        metadata / "patches/category=space/video=a-film/part-0.parquet"
    )
    assert store.scores_path("space", "a-film") == (
        metadata / "scores/category=space/video=a-film/part-0.parquet"
    )


@settings(max_examples=40)
@given(
    video=samples.videos,
    windows=st.lists(samples.windows, max_size=8),
    patches=st.lists(samples.patches, max_size=8),
)
def test_rows_come_back_as_they_were_written(
    video: VideoRow, windows: list[WindowRow], patches: list[PatchRow]
) -> None:
    with TemporaryDirectory() as folder:
        store = TableStore(Path(folder))
        store.write(store.video_path("k"), VIDEOS, [video], PROVENANCE)
        store.write(store.windows_path("k"), WINDOWS, windows, PROVENANCE)
        store.write(store.patches_path("toon", "k"), PATCHES, patches, PROVENANCE)
        assert store.read_video("k") == video
        assert store.read_windows("k") == windows
        assert store.read_patches("toon", "k") == patches


def test_what_was_never_written_is_absent_and_no_error(store: TableStore) -> None:
    assert store.read_video("a-film") is None
    assert store.read_windows("a-film") == []
    assert store.read_patches("toon", "a-film") == []
    assert store.read_provenance(store.windows_path("a-film")) is None
    assert store.keys() == []
    assert store.categories() == []


@pytest.fixture
def filled(store: TableStore) -> TableStore:
    """Two videos, two categories, and beside each table what a killed run leaves."""
    for key in ("a-film", "b-film"):
        store.write(store.video_path(key), VIDEOS, [VIDEO], PROVENANCE)
        store.write(store.windows_path(key), WINDOWS, [REJECTED, ACCEPTED], PROVENANCE)
        for category in ("space", "toon"):
            path = store.patches_path(category, key)
            store.write(path, PATCHES, [PATCH, replace(PATCH, window=1)], PROVENANCE)
    for path in list(store.root.rglob("*.parquet")):
        path.with_name(".part-0.parquet.tmp").write_bytes(path.read_bytes()[:100])
    return store


def test_pandas_reads_a_table_in_one_line(filled: TableStore) -> None:
    patches = pd.read_parquet(filled.root / "patches")
    assert list(patches.columns) == [*PATCHES.names, "category", "video"]
    assert sorted(set(zip(patches["category"], patches["video"], strict=True))) == [
        ("space", "a-film"),
        ("space", "b-film"),
        ("toon", "a-film"),
        ("toon", "b-film"),
    ]
    assert patches["gt_bytes"].sum() == 8 * PATCH.gt_bytes
    assert list(pd.read_parquet(filled.root / "windows")["reason"].isna()) == [False, True] * 2
    assert list(pd.read_parquet(filled.root / "videos")["video"]) == ["a-film", "b-film"]


def test_pyarrow_reads_a_table_in_one_line(filled: TableStore) -> None:
    windows = ds.dataset(filled.root / "windows", partitioning="hive").to_table()
    assert windows.column("video").to_pylist() == ["a-film", "a-film", "b-film", "b-film"]
    assert windows.column("pts").to_pylist() == [list(REJECTED.pts), list(ACCEPTED.pts)] * 2
    assert pq.read_table(filled.root / "patches").num_rows == 8


def test_duckdb_reads_a_table_in_one_line(filled: TableStore) -> None:
    patches = duckdb.execute(
        f"SELECT category, video, sum(gt_bytes) FROM "
        f"read_parquet('{filled.root}/patches/*/*/*.parquet', hive_partitioning=true) "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert patches == [(c, v, 2 * PATCH.gt_bytes) for c in ("space", "toon") for v in ("a-film", "b-film")]
    assert duckdb.execute(
        f"SELECT video, pts, reason FROM "
        f"read_parquet('{filled.root}/windows/*/*.parquet', hive_partitioning=true) w "
        "ORDER BY video, w.window"
    ).fetchall() == [
        (video, list(row.pts), row.reason) for video in ("a-film", "b-film") for row in (REJECTED, ACCEPTED)
    ]
    (name, probed_at), _ = duckdb.execute(
        f"SELECT name, epoch_us(probed_at) FROM read_parquet('{filled.root}/videos/*/*.parquet')"
    ).fetchall()
    assert name == VIDEO.name
    assert probed_at == 1_740_832_215_123_456


def test_tables_are_listed_by_video_and_category_without_leftovers(filled: TableStore) -> None:
    filled.patches_path("general", "c-film").parent.mkdir(parents=True)
    leftover = filled.windows_path("d-film")
    leftover.parent.mkdir()
    leftover.with_name(".part-0.parquet.tmp").touch()
    filled.write(filled.patches_path("toon", "e-film"), PATCHES, [], PROVENANCE)
    assert filled.keys() == ["a-film", "b-film", "e-film"]
    assert filled.categories() == ["space", "toon"]
    assert list(filled.windows_files().items()) == [
        (key, filled.windows_path(key)) for key in ("a-film", "b-film")
    ]
    assert list(filled.patches_files("toon")) == ["a-film", "b-film", "e-film"]


def test_scores_are_listed_beside_the_patches_and_make_no_category_of_their_own(filled: TableStore) -> None:
    filled.write(filled.scores_path("general", "a-film"), SCORES, [SCORE], PROVENANCE)
    leftover = filled.scores_path("general", "b-film")
    leftover.parent.mkdir()
    leftover.with_name(".part-0.parquet.tmp").touch()
    assert filled.categories() == ["space", "toon"]
    assert filled.categories_of("a-film") == ["general", "space", "toon"]
    assert filled.categories_of("b-film") == ["space", "toon"]
    assert list(filled.scores_files("general")) == ["a-film"]
    assert filled.read_scores("general", "a-film") == [SCORE]
    assert leftover.with_name(".part-0.parquet.tmp") in filled.temporaries("b-film")


def test_a_key_of_digits_alone_stays_text(store: TableStore) -> None:
    write_windows(store, "007")
    assert store.keys() == ["007"]
    assert len(store.read_windows("007")) == 2


def test_equal_rows_make_equal_bytes(tmp_path: Path) -> None:
    windows = [replace(REJECTED, window=i, reason=reason) for i, reason in enumerate(["flat", "cut"])]
    written = []
    for folder in ("one", "two"):
        store = TableStore(tmp_path / folder)
        store.write(store.windows_path("a"), WINDOWS, windows, PROVENANCE)
        store.write(store.patches_path("toon", "a"), PATCHES, [PATCH] * 50, PROVENANCE)
        written.append([path.read_bytes() for path in sorted(store.root.rglob("*.parquet"))])
    assert written[0] == written[1]
    assert len(written[0]) == 2


def test_provenance_comes_back_with_the_versions_of_this_release(store: TableStore) -> None:
    path = store.windows_path("a-film")
    given = replace(PROVENANCE, complete=False, target=12, schema_version=0, writer_version="0.0.0")
    store.write(path, WINDOWS, [], given)
    assert store.read_provenance(path) == replace(
        given, schema_version=SCHEMA_VERSION, writer_version=WRITER_VERSION
    )


def test_duckdb_sees_the_provenance(store: TableStore) -> None:
    path = write_windows(store)
    (text,) = duckdb.execute(
        f"SELECT decode(value) FROM parquet_kv_metadata('{path}') "
        "WHERE decode(key) = 'dataset_assets.provenance'"
    ).fetchall()[0]
    ((settings_hash, complete, target),) = duckdb.execute(
        f"SELECT '{text}'::JSON->>'settings_hash', '{text}'::JSON->'complete', '{text}'::JSON->'target'"
    ).fetchall()
    assert (settings_hash, complete, target) == (PROVENANCE.settings_hash, "true", "2")


def test_provenance_is_read_from_the_footer_alone(store: TableStore) -> None:
    path = write_windows(store)
    column = pq.read_metadata(path).row_group(0).column(0)
    with path.open("r+b") as file:
        file.seek(column.data_page_offset)
        file.write(bytes(column.total_compressed_size))
    assert store.read_provenance(path) == PROVENANCE
    with pytest.raises(DatasetAssetsError, match="damaged"):
        store.read_windows("a-film")


def test_a_changed_table_is_noticed_whatever_its_size_and_time(store: TableStore) -> None:
    path = write_windows(store)
    os.utime(path, ns=(1, 1))
    one, before = path.stat(), store.read_footer(path)
    # Written over in place: name, inode, size and time stay as they were.
    path.write_bytes(path.read_bytes().replace(b'"accepted": 1', b'"accepted": 7'))
    os.utime(path, ns=(1, 1))
    other, after = path.stat(), store.read_footer(path)
    assert (one.st_ino, one.st_size, one.st_mtime_ns) == (other.st_ino, other.st_size, other.st_mtime_ns)
    assert before is not None
    assert after is not None
    assert (before[1].accepted, after[1].accepted) == (1, 7)


def test_a_reader_of_the_old_table_is_not_disturbed_by_the_new_one(store: TableStore) -> None:
    path = write_windows(store)
    old = path.read_bytes()
    with path.open("rb") as reader:
        store.write(path, WINDOWS, [ACCEPTED] * 100, PROVENANCE)
        assert reader.read() == old
    assert len(store.read_windows("a-film")) == 100


def test_a_write_that_fails_in_the_middle_leaves_the_old_table_and_nothing_else(store: TableStore) -> None:
    path = write_windows(store)
    old = path.read_bytes()
    many = [replace(ACCEPTED, window=i, time_s=i / 7) for i in range(5000)]
    with full_disk_after(4096), pytest.raises(OSError, match="File too large"):
        store.write(path, WINDOWS, many, PROVENANCE)
    with pytest.raises(pa.ArrowInvalid, match="non-nullable"):
        store.write(path, WINDOWS, [replace(ACCEPTED, keyframe=None)], PROVENANCE)  # type: ignore[arg-type]
    assert path.read_bytes() == old
    assert list(path.parent.iterdir()) == [path]


def test_a_killed_writer_leaves_a_whole_table_and_the_next_write_tidies_up(store: TableStore) -> None:
    code = (
        "import sys; from pathlib import Path; from itertools import count\n"
        "from dataset_assets.dataset import TableStore\n"
        "from dataset_assets.tables import WINDOWS\n"
        "from dataset_assets_tests.tables.samples import *\n"
        "store = TableStore(Path(sys.argv[1]))\n"
        "for n in count(1):\n"
        "    rows = [replace(ACCEPTED, window=i) for i in range(n)]\n"
        "    store.write(store.windows_path('k'), WINDOWS, rows, PROVENANCE); print(n, flush=True)\n"
    )
    command = [sys.executable, "-c", code, str(store.root.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for n in range(1, 20):
            assert writer.stdout.readline() == f"{n}\n"
            assert len(store.read_windows("k")) >= n
        writer.kill()
    windows = store.read_windows("k")
    assert [row.window for row in windows] == list(range(len(windows)))
    path = store.windows_path("k")
    path.with_name(".part-0.parquet.tmp").write_bytes(b"PAR1")
    write_windows(store, "k")
    assert list(path.parent.iterdir()) == [path]


def test_a_table_cut_short_at_any_place_ends_in_one_clear_sentence(store: TableStore) -> None:
    path = write_windows(store)
    whole = path.read_bytes()
    for size in [*range(0, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:size])
        for read in (lambda: store.read_windows("a-film"), lambda: store.read_provenance(path)):
            with pytest.raises(DatasetAssetsError) as caught:
                read()
            place = f"The windows table of a-film ({path})"
            assert str(caught.value) == f"{place} is damaged; delete it and run generate again."


def test_one_wrong_byte_in_any_column_is_noticed(store: TableStore) -> None:
    path = write_windows(store)
    whole = path.read_bytes()
    columns = pq.read_metadata(path).row_group(0)
    for i in range(columns.num_columns):
        column = columns.column(i)
        last = (column.dictionary_page_offset or column.data_page_offset) + column.total_compressed_size - 1
        path.write_bytes(whole[:last] + bytes([whole[last] ^ 1]) + whole[last + 1 :])
        with pytest.raises(DatasetAssetsError, match="is damaged; delete it"):
            store.read_windows("a-film")


def test_a_table_of_a_newer_release_says_so(store: TableStore) -> None:
    path = write_windows(store)
    with_metadata(path, f'"schema_version": {SCHEMA_VERSION}'.encode(), b'"schema_version": 99, "new": 1')
    for read in (lambda: store.read_windows("a-film"), lambda: store.read_provenance(path)):
        with pytest.raises(
            DatasetAssetsError, match=r"of version 99, newer .*; update dataset_assets, or delete"
        ):
            read()


@pytest.mark.parametrize(
    ("old", "new"), [(b'"target": 2', b'"goal": 2'), (b'"settings_hash":', b""), (b"{", b"[")]
)
def test_a_footer_of_other_words_is_refused(store: TableStore, old: bytes, new: bytes) -> None:
    path = write_windows(store)
    with_metadata(path, old, new)
    with pytest.raises(DatasetAssetsError, match="footer is damaged; delete it"):
        store.read_provenance(path)


def test_a_table_of_another_program_is_refused(store: TableStore) -> None:
    path = store.windows_path("a-film")
    path.parent.mkdir(parents=True)
    pd.DataFrame({"window": [1]}).to_parquet(path)
    for read in (lambda: store.read_windows("a-film"), lambda: store.read_provenance(path)):
        with pytest.raises(DatasetAssetsError, match="was not written by dataset_assets"):
            read()


def test_a_table_in_the_place_of_another_is_refused(store: TableStore) -> None:
    store.write(store.windows_path("a-film"), PATCHES, [PATCH], PROVENANCE)
    with pytest.raises(DatasetAssetsError, match="other columns than this release writes; delete it"):
        store.read_windows("a-film")


def test_a_table_that_the_system_refuses_to_open_is_not_called_damaged(store: TableStore) -> None:
    path = store.windows_path("a-film")
    path.parent.mkdir(parents=True)
    path.symlink_to(path)
    with pytest.raises(
        DatasetAssetsError, match=r"cannot be read \(Too many levels .*\); correct its permissions"
    ):
        store.read_windows("a-film")


def test_removing_a_table_takes_its_empty_folders_along_but_no_others(filled: TableStore) -> None:
    filled.remove(filled.patches_path("toon", "a-film"))
    assert list(filled.patches_files("toon")) == ["b-film"]
    assert not filled.patches_path("toon", "a-film").parent.exists()
    filled.remove(filled.patches_path("toon", "b-film"))
    assert [folder.name for folder in (filled.root / "patches").iterdir()] == ["category=space"]
    filled.remove(filled.patches_path("toon", "b-film"))
    assert filled.keys() == ["a-film", "b-film"]


def test_removing_the_last_table_leaves_the_folder_of_all_tables(store: TableStore) -> None:
    store.remove(write_windows(store))
    assert store.root.is_dir()
    assert list(store.root.iterdir()) == []


def test_removing_a_table_spares_files_that_a_person_put_beside_it(store: TableStore) -> None:
    path = write_windows(store)
    notes = path.with_name("notes.txt")
    notes.touch()
    store.remove(path)
    assert list(path.parent.iterdir()) == [notes]


def test_videos_of_one_category_come_and_go_at_once_without_disturbing_each_other(store: TableStore) -> None:
    def come_and_go(key: str) -> None:
        path = store.patches_path("toon", key)
        for _ in range(150):
            store.write(path, PATCHES, [PATCH], PROVENANCE)
            assert store.read_patches("toon", key) == [PATCH]
            store.remove(path)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come_and_go, "abcd"))
    assert list(store.root.iterdir()) == []
