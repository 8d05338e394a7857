"""Exports that are stopped, killed, repeated and changed, and folders that are not theirs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dataset_assets.config import Settings
from dataset_assets.errors import BusyError, DatasetAssetsError, SpaceError
from dataset_assets.exports import LAYOUT_NAMES, LayoutName, publishing
from dataset_assets.exports.publishing import workplace
from dataset_assets_tests.command import PATIENCE_S, ROOT, environment, obey_ctrl_c
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.exports.samples import (
    beside,
    contents,
    drop_patch,
    export,
    inodes,
    replace_patch,
    triplets,
    values,
)

LISTS = {"README.md", "export.json", "split.parquet", ".units"}
SOME = {"categories": ("general",), "val_videos": ("beta",)}


def config_of(settings: Settings, folder: Path) -> Path:
    """A configuration of the same films and data set, as a file."""
    films = {video.name: (video.path, dict(video.categories)) for video in settings.videos}
    return write_config(folder, films, base_settings={"output_base_dir": str(settings.base.output_base_dir)})


def run_ended(
    config: Path, place: str, number: int, signal_number: int, layout: str, folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Runs the command, ended at a place."""
    module = "dataset_assets_tests.exports.ending"
    return subprocess.run(
        [
            *(sys.executable, "-m", module, place, str(number), str(int(signal_number))),
            *("export", layout, str(folder), "--config", str(config), "--workers", "1", *arguments),
        ],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        preexec_fn=obey_ctrl_c,
    )


@pytest.mark.parametrize("layout", LAYOUT_NAMES)
def test_a_second_export_of_the_same_changes_no_file(
    whole: Settings, tmp_path: Path, layout: LayoutName
) -> None:
    export(whole, layout, tmp_path / "x", **SOME)
    before = inodes(tmp_path / "x")
    report = export(whole, layout, tmp_path / "x", **SOME)
    assert report.is_unchanged
    assert inodes(tmp_path / "x") == before
    assert beside(tmp_path / "x") == []


@pytest.mark.parametrize("layout", LAYOUT_NAMES)
def test_an_export_of_a_changed_data_set_equals_a_fresh_one(
    settings: Settings, tmp_path: Path, layout: LayoutName
) -> None:
    export(settings, layout, tmp_path / "x", **SOME)
    changed, dropped, *_ = triplets(settings, "general")
    replace_patch(settings, changed)
    drop_patch(settings, dropped)
    report = export(settings, layout, tmp_path / "x", **SOME)
    if layout != "webdataset":  # whose shard is written again
        assert (report.written, report.removed) == (1, 1)
        assert report.reused == len(triplets(settings, "general")) - 1
    export(settings, layout, tmp_path / "fresh", **SOME)
    assert values(tmp_path / "x") == values(tmp_path / "fresh")
    assert beside(tmp_path / "x") == []


@pytest.mark.parametrize("layout", ["vimeo90k", "redux", "pairs"])
def test_only_the_files_of_changed_patches_are_written(
    settings: Settings, tmp_path: Path, layout: LayoutName
) -> None:
    export(settings, layout, tmp_path / "x", **SOME)
    before = inodes(tmp_path / "x")
    changed, *_ = triplets(settings, "general")
    replace_patch(settings, changed)
    export(settings, layout, tmp_path / "x", **SOME)
    after = inodes(tmp_path / "x")
    assert after.keys() == before.keys()
    other = {name for name in after if after[name] != before[name]} - LISTS
    pictures = {name for name in other if name.endswith(".png")}
    assert len(pictures) == (2 if layout == "pairs" else 8)
    window = f"{changed.row.window:06d}"
    assert all(changed.video in name and window in name for name in pictures)
    assert {Path(name).name for name in other - pictures} <= {"meta_info_GT.txt", "ann_mmagic.txt"}


def test_arrays_and_databases_and_shards_of_other_films_stay(settings: Settings, tmp_path: Path) -> None:
    layouts: tuple[tuple[LayoutName, str], ...] = (("packed", ".b2nd"), ("webdataset", ".tar"))
    for layout, _ in layouts:
        export(settings, layout, tmp_path / layout, val_videos=("beta",))
    before = {layout: inodes(tmp_path / layout) for layout, _ in layouts}
    changed, *_ = triplets(settings, "toon")
    replace_patch(settings, changed)
    for layout, suffix in layouts:
        export(settings, layout, tmp_path / layout, val_videos=("beta",))
        after = inodes(tmp_path / layout)
        other = {name for name in after if after[name] != before[layout][name] and name.endswith(suffix)}
        assert other
        assert all("toon-" in name for name in other)
        assert any("general-" in name for name in after.keys() - other)


def test_generate_changes_no_file_of_an_export_and_an_export_none_of_the_data_set(
    settings: Settings, tmp_path: Path
) -> None:
    export(settings, "redux", tmp_path / "x", **SOME)
    before = contents(tmp_path / "x")
    changed, *_ = triplets(settings, "general")
    replace_patch(settings, changed)
    assert contents(tmp_path / "x") == before
    data_set = contents(settings.base.output_base_dir)
    # The name is that of a link to the old ground truth.
    export(settings, "redux", tmp_path / "x", **SOME, copies_gt=True)
    export(settings, "redux", tmp_path / "x", **SOME)
    assert contents(settings.base.output_base_dir) == data_set


KILLS: list[tuple[LayoutName, str, int]] = [
    *(("redux", place, number) for place, number in (("in a unit", 9), ("while the former goes", 1))),
    *(("packed", place, number) for place, number in (("in a compressed row", 5), ("between two arrays", 2))),
    *(("vimeo90k-lmdb", "in a unit", number) for number in (9, 20)),
    ("webdataset", "in a unit", 4),
    *((layout, "before a unit counts", 2 if layout == "webdataset" else 3) for layout in LAYOUT_NAMES),
    *((layout, "before the lists", 1) for layout in LAYOUT_NAMES),
    *((layout, "before the exchange", 1) for layout in LAYOUT_NAMES),
    *((layout, "after the exchange", 1) for layout in LAYOUT_NAMES),
]


@pytest.mark.parametrize(("layout", "place", "number"), KILLS)
def test_a_killed_export_leaves_the_former_one_or_the_new_one_and_the_next_resumes(
    whole: Settings, tmp_path: Path, layout: LayoutName, place: str, number: int
) -> None:
    folder = tmp_path / "x"
    former = export(whole, layout, folder, categories=("general",), formats=("small_540",))
    assert former.written
    before = values(folder)
    config = config_of(whole, tmp_path / "config")
    arguments = ("--category", "general,toon", "--val-videos", "beta")
    done = run_ended(config, place, number, signal.SIGKILL, layout, folder, *arguments)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    options = {"categories": ("general", "toon"), "val_videos": ("beta",)}
    export(whole, layout, tmp_path / "fresh", **options)
    fresh = values(tmp_path / "fresh")
    assert values(folder) == (fresh if place in ("after the exchange", "while the former goes") else before)
    report = export(whole, layout, folder, **options)
    assert values(folder) == fresh
    assert beside(folder) == []
    if place in ("before the lists", "before the exchange"):
        assert (report.written, report.resumed) == (0, len(triplets(whole)))
    if place == "before a unit counts":
        assert report.resumed > 0


@pytest.mark.parametrize("layout", ["redux", "vimeo90k-lmdb", "packed"])
def test_ctrl_c_leaves_no_half_export_and_the_same_command_resumes(
    whole: Settings, tmp_path: Path, layout: LayoutName
) -> None:
    config, folder = config_of(whole, tmp_path / "config"), tmp_path / "x"
    done = run_ended(config, "before a unit counts", 3, signal.SIGINT, layout, folder, "--category", "toon")
    assert done.returncode == 130, done.stdout + done.stderr
    assert "the same command resumes" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not folder.exists()
    report = export(whole, layout, folder, categories=("toon",))
    assert report.resumed >= 2
    export(whole, layout, tmp_path / "fresh", categories=("toon",))
    assert values(folder) == values(tmp_path / "fresh")
    assert beside(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUT_NAMES)
def test_what_a_stopped_run_wrote_for_another_export_is_not_kept(
    whole: Settings, tmp_path: Path, layout: LayoutName
) -> None:
    config, folder = config_of(whole, tmp_path / "config"), tmp_path / "x"
    done = run_ended(config, "before the exchange", 1, signal.SIGKILL, layout, folder, "--frames", "5")
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    other: LayoutName = "pairs" if layout != "pairs" else "redux"
    for each in (layout, other):
        shutil.copytree(tmp_path / "x.partial", tmp_path / f"{each}.partial")
        export(whole, each, tmp_path / each, categories=("general",))
        export(whole, each, tmp_path / f"fresh-{each}", categories=("general",))
        assert values(tmp_path / each) == values(tmp_path / f"fresh-{each}")


@pytest.mark.parametrize(
    ("layout", "name"),
    [("redux", "lr"), ("redux", "README.md"), ("vimeo90k-lmdb", "lq.lmdb"), ("packed", "general.parquet")],
)
def test_what_was_deleted_from_an_export_is_written_again(
    whole: Settings, tmp_path: Path, layout: LayoutName, name: str
) -> None:
    export(whole, layout, tmp_path / "fresh", categories=("general",))
    export(whole, layout, tmp_path / "x", categories=("general",))
    victim = tmp_path / "x" / name
    if victim.is_dir():
        shutil.rmtree(victim)
    else:
        victim.unlink()
    assert not export(whole, layout, tmp_path / "x", categories=("general",)).is_unchanged
    assert values(tmp_path / "x") == values(tmp_path / "fresh")
    assert (tmp_path / "x" / name).exists()


def test_without_an_exchange_of_folders_the_former_export_is_moved_away_first(
    whole: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "_exchange", lambda one, other: False)
    folder = tmp_path / "x"
    export(whole, "redux", folder, categories=("general",))
    export(whole, "redux", folder, categories=("toon",))
    export(whole, "redux", tmp_path / "fresh", categories=("toon",))
    assert values(folder) == values(tmp_path / "fresh")
    assert beside(folder) == []
    # Killed between the two renames, and after both.
    folder.rename(tmp_path / "x.former")
    assert export(whole, "redux", folder, categories=("toon",)).is_unchanged
    shutil.copytree(folder, tmp_path / "x.former")
    assert export(whole, "redux", folder, categories=("toon",)).is_unchanged
    assert beside(folder) == []


def test_where_there_are_no_links_files_are_copied(
    whole: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: object, target: object) -> None:
        raise PermissionError(1, "Operation not permitted", str(target))

    export(whole, "redux", tmp_path / "linked", categories=("general",))
    monkeypatch.setattr(os, "link", refuse)
    export(whole, "redux", tmp_path / "x", categories=("toon",))
    export(whole, "redux", tmp_path / "x", categories=("general",))
    assert values(tmp_path / "x") == values(tmp_path / "linked")


@pytest.mark.parametrize("name", ["mine.txt", "hr/mine.png", ".hidden"])
def test_a_folder_with_anything_but_an_export_is_refused_and_left(
    whole: Settings, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "x"
    export(whole, "redux", folder, categories=("general",))
    (folder / name).write_text("mine", encoding="utf-8")
    before = contents(folder)
    with pytest.raises(DatasetAssetsError, match=r"x holds .*; move (it|them) elsewhere"):
        export(whole, "redux", folder, categories=("toon",))
    assert contents(folder) == before
    assert beside(folder) == []


def test_a_folder_that_holds_something_else_is_refused_and_left(whole: Settings, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/film.mkv").write_bytes(b"film")
    with pytest.raises(DatasetAssetsError, match=r"x holds film\.mkv, which is no export; name an empty"):
        export(whole, "redux", tmp_path / "x")
    (tmp_path / "x.partial").mkdir()
    (tmp_path / "x.partial/film.mkv").write_bytes(b"film")
    (tmp_path / "x/film.mkv").unlink()
    with pytest.raises(DatasetAssetsError, match=r"x\.partial holds film\.mkv, which is no unfinished"):
        export(whole, "redux", tmp_path / "x")
    assert contents(tmp_path) == {"x.partial/film.mkv": b"film"}
    with pytest.raises(DatasetAssetsError, match="is no folder"):
        export(whole, "redux", tmp_path / "x.partial/film.mkv")


def test_a_folder_of_the_data_set_is_refused(whole: Settings) -> None:
    root = whole.base.output_base_dir
    for name in ("metadata/patches/x", "gallery/x", "Universal/Mastermodell/Learn/x"):
        with pytest.raises(DatasetAssetsError, match="is in a folder of the data set"):
            export(whole, "redux", root / name)
    with pytest.raises(DatasetAssetsError, match="which is no export"):
        export(whole, "redux", root)


def test_without_a_folder_it_is_exports_in_the_data_set(settings: Settings) -> None:
    report = export(settings, "pairs", categories=("toon",))
    assert report.folder == settings.base.output_base_dir / "exports/pairs"
    assert report.folder.is_dir()


def test_two_exports_to_one_folder_at_once_are_refused(whole: Settings, tmp_path: Path) -> None:
    with workplace(tmp_path / "x"), pytest.raises(BusyError, match=r"Another process exports to .*x; wait"):
        export(whole, "redux", tmp_path / "x")


def test_an_export_of_another_layout_is_not_replaced(settings: Settings, tmp_path: Path) -> None:
    export(settings, "pairs", tmp_path / "x")
    before = inodes(tmp_path / "x")
    with pytest.raises(DatasetAssetsError, match="an export of the layout pairs, which redux would"):
        export(settings, "redux", tmp_path / "x")
    assert inodes(tmp_path / "x") == before
    readme = (tmp_path / "x/README.md").read_text(encoding="utf-8")
    assert "- LR: the middle frame of each window" in readme


def test_a_patch_that_is_not_its_row_is_reported_before_anything_is_written(
    settings: Settings, tmp_path: Path
) -> None:
    first, second, *_ = triplets(settings, "general")
    path = settings.base.output_base_dir / str(first.row.lr7_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DatasetAssetsError, match=r"000.*\.png is missing, or is not what its row describes"):
        export(settings, "redux", tmp_path / "x", categories=("general",))
    assert not (tmp_path / "x.partial").exists()
    content = bytearray(path.read_bytes() + b"?")
    path.write_bytes(content)
    (settings.base.output_base_dir / second.row.gt_path).unlink()
    with pytest.raises(DatasetAssetsError, match="verify --repair"):
        export(settings, "redux", tmp_path / "x", categories=("general",))


def test_bytes_that_changed_under_the_same_size_are_found_while_they_are_read(
    settings: Settings, tmp_path: Path
) -> None:
    first, *_ = triplets(settings, "general")
    path = settings.base.output_base_dir / str(first.row.lr7_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatasetAssetsError, match="is not what its row describes"):
        export(settings, "redux", tmp_path / "x", categories=("general",))
    assert not (tmp_path / "x").exists()


def test_too_little_space_is_one_sentence_before_anything_is_written(whole: Settings, tmp_path: Path) -> None:
    base = whole.base.model_copy(update={"min_free_gb": 1e9})
    with pytest.raises(SpaceError, match=r"takes about .* MB, and .* stay free .*; free some space"):
        export(whole.model_copy(update={"base": base}), "redux", tmp_path / "x")
    assert beside(tmp_path / "x") == []


@pytest.mark.parametrize("layout", ["redux", "vimeo90k-lmdb", "packed", "webdataset"])
def test_a_disk_that_fills_up_is_one_sentence_and_once_there_is_space_it_goes_on(
    whole: Settings, tmp_path: Path, layout: LayoutName, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        # Another program fills the disk after the export was found to fit.
        with monkeypatch.context() as patched:
            patched.setattr("dataset_assets.exports.writing._check_space", lambda *_: None)
            with pytest.raises(SpaceError, match=r"The disk of the export is full \(.*\); free some space"):
                export(whole, layout, disk / "x", categories=("general",))
        assert not (disk / "x").exists()
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        export(whole, layout, disk / "x", categories=("general",))
        export(whole, layout, tmp_path / "fresh", categories=("general",))
        assert values(disk / "x") == values(tmp_path / "fresh")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_that_cannot_be_made_or_read_is_one_sentence(
    whole: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetAssetsError, match=r"file.* cannot be read or written \(.*\); .*another"):
        export(whole, "redux", tmp_path / "file/x")

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(DatasetAssetsError, match=r"x\.partial cannot be read or written \(Permission denied"):
        export(whole, "redux", tmp_path / "x")


def test_a_link_to_a_folder_is_followed_and_stays(whole: Settings, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "x").symlink_to(tmp_path / "disk/x")
    for categories in (("general",), ("toon",)):
        export(whole, "pairs", tmp_path / "x", categories=categories)
    assert (tmp_path / "x").is_symlink()
    export(whole, "pairs", tmp_path / "fresh", categories=("toon",))
    assert values(tmp_path / "disk/x") == values(tmp_path / "fresh")
    assert beside(tmp_path / "disk/x") == []
