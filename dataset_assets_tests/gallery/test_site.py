"""The gallery's files: whole at any moment, fresh, and gone with what they show."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from dataset_assets import __version__, disk
from dataset_assets.config import Settings, VideoEntry
from dataset_assets.counting import counted
from dataset_assets.curation import SCORES, Census, take_census
from dataset_assets.dataset import DataSet
from dataset_assets.errors import VideoError
from dataset_assets.gallery import page_of, refresh_gallery, site, write_video_page
from dataset_assets.gallery.video_page import read_video_page
from dataset_assets.generate import generate_video, probe_video
from dataset_assets_tests.curation.scored import drop_scores, score_all
from dataset_assets_tests.films import Film
from dataset_assets_tests.gallery.pages import Page
from dataset_assets_tests.generate.interrupting import When, at_disk_call, interrupt
from dataset_assets_tests.generate.samples import CATEGORIES, KEY, small_settings
from dataset_assets_tests.machines import holder_of, lease


def root_of(settings: Settings) -> Path:
    return settings.base.output_base_dir


def pages(settings: Settings) -> dict[str, bytes]:
    folder = root_of(settings) / "gallery"
    return {path.name: path.read_bytes() for path in folder.rglob("*.html")}


def taken(settings: Settings) -> Census:
    return take_census(settings, DataSet.of(settings))


def card(settings: Settings) -> dict[str, str]:
    (found,) = Page(root_of(settings) / "gallery/index.html").all("li", class_="video")
    return found


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("moment", range(1, 8))
def test_a_page_that_is_replaced_is_whole_at_any_moment(copied: Settings, when: When, moment: int) -> None:
    before = pages(copied)
    for path in sorted((root_of(copied) / "metadata/pictures").rglob("*.jpg"))[1:]:
        path.unlink()
    with suppress(KeyboardInterrupt), at_disk_call(moment, interrupt, when):
        refresh_gallery(copied, all_pages=True)
        assert moment > 6
    now = pages(copied)
    refresh_gallery(copied, all_pages=True)
    after = pages(copied)
    assert after != before
    assert all(now[name] in (before[name], after[name]) for name in before)
    assert list((root_of(copied) / "gallery").rglob("*.tmp")) == []


def test_a_full_disk_is_reported_and_leaves_the_old_page(copied: Settings) -> None:
    before = pages(copied)

    def is_full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"), at_disk_call(1, is_full):
        refresh_gallery(copied, all_pages=True)
    assert pages(copied) == before


def test_only_pages_of_other_tables_are_written_again(copied: Settings) -> None:
    assert refresh_gallery(copied).written == 0
    assert refresh_gallery(copied, all_pages=True).written == 1
    probe_video(copied, KEY)
    assert refresh_gallery(copied).written == 1
    assert refresh_gallery(copied).written == 0
    page = root_of(copied) / "gallery" / page_of(KEY)
    page.write_bytes(page.read_bytes().replace(f'content="{__version__} '.encode(), b'content="0.0.1 '))
    assert refresh_gallery(copied).written == 1


def test_a_page_of_tables_that_are_replaced_while_it_is_written_is_not_fresh(
    copied: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_before_a_run_commits(settings: Settings, data_set: DataSet, key: str) -> object:
        page = read_video_page(settings, data_set, key)
        probe_video(settings, key)
        return page

    with monkeypatch.context() as patched:
        patched.setattr(site, "read_video_page", read_before_a_run_commits)
        write_video_page(copied, KEY)
    assert refresh_gallery(copied).written == 1
    assert refresh_gallery(copied).written == 0


def test_a_page_is_written_again_when_scores_or_another_curation_arrive(copied: Settings) -> None:
    drop_scores(copied)
    refresh_gallery(copied)
    page = root_of(copied) / "gallery" / page_of(KEY)
    assert "not scored" in Page(page).text
    score_all(copied, lambda *_: {"detail_db": 70.0})
    assert refresh_gallery(copied).written == 1
    found = Page(page)
    assert "not scored" not in found.text
    for name, each in taken(copied).categories.items():
        assert f"{name} {counted(each.patches, 'patch')}, {each.patches} left out by curation" in found.text
    assert len(found.all("svg")) == len(SCORES) * len(taken(copied).categories)
    index = Page(root_of(copied) / "gallery/index.html").text
    assert f"left out by curation {taken(copied).total.left_out} " in index
    all_taken = copied.model_copy(update={"curation": dict.fromkeys(copied.categories)})
    assert refresh_gallery(all_taken).written == 1
    assert ", 0 left out by curation" in Page(page).text
    assert "Curation takes all patches." in Page(root_of(copied) / "gallery/scores.html").text


def test_pages_for_which_there_is_no_time_are_left_to_the_next_call(copied: Settings) -> None:
    probe_video(copied, KEY)
    assert refresh_gallery(copied, most_s=-1.0).written == 0
    assert refresh_gallery(copied).written == 1


def test_a_page_forgets_a_category_that_was_removed(copied: Settings, shown_film: Film) -> None:
    left = {name: category for name, category in CATEGORIES.items() if name != "toon"}
    settings = small_settings(root_of(copied), shown_film.path, categories=left, weights={"general": 1.0})
    DataSet.of(settings).remove_left_categories(settings)
    refresh_gallery(settings)
    page = Page(root_of(copied) / "gallery" / page_of(KEY))
    assert {crop["data-category"] for crop in page.all("a", class_="crop")} == {"general", "space"}
    assert all(path.is_file() for path in page.files())


def test_a_page_goes_with_the_tables_of_its_video(copied: Settings) -> None:
    for table in ("videos", "windows", "patches"):
        shutil.rmtree(root_of(copied) / "metadata" / table)
    refresh_gallery(copied)
    assert not (root_of(copied) / "gallery" / page_of(KEY)).exists()
    assert not (root_of(copied) / f"gallery/covers/{KEY}.jpg").exists()
    assert not (root_of(copied) / f"metadata/pictures/video={KEY}").exists()
    assert card(copied)["data-state"] == "missing"
    assert all(path.is_file() for path in Page(root_of(copied) / "gallery/index.html").files())


def test_pictures_of_candidates_that_are_no_longer_in_the_table_go(
    copied: Settings, shown_film: Film
) -> None:
    folder = root_of(copied) / f"metadata/pictures/video={KEY}"
    before = {path.name for path in folder.iterdir()}
    settings = small_settings(root_of(copied), shown_film.path, base_frame_limit=2)
    generate_video(settings, KEY)
    assert {path.name for path in folder.iterdir()} == before
    write_video_page(settings, KEY)
    shown = {path.name for path in Page(root_of(copied) / "gallery" / page_of(KEY)).files()}
    assert {path.name for path in folder.iterdir()} <= shown & before < before


def test_pictures_of_a_video_that_a_run_works_on_stay(copied: Settings) -> None:
    new = root_of(copied) / f"metadata/pictures/video={KEY}/00000000-1.jpg"
    new.write_bytes(b"a picture of a window that is not committed yet")
    with DataSet(root_of(copied)).hold(KEY):
        write_video_page(copied, KEY)
        assert new.exists()
    write_video_page(copied, KEY)
    assert not new.exists()


def by_many(settings: Settings) -> Settings:
    return settings.model_copy(update={"base": settings.base.model_copy(update={"machines": "many"})})


def test_the_index_names_the_machine_that_works_on_a_video(copied: Settings) -> None:
    settings = by_many(copied)
    lease(root_of(settings), KEY, holder_of("w1"))
    refresh_gallery(settings)
    index = root_of(settings) / "gallery/index.html"
    assert "w1 works on it." in index.read_text()
    lease(root_of(settings), KEY, holder_of("w1"), silent_s=settings.base.lease_s + 1)
    refresh_gallery(settings)
    assert "works on it" not in index.read_text()


def test_pages_do_not_wait_for_a_machine_that_may_be_dead(
    copied: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease(root_of(copied), KEY, holder_of("w1"), silent_s=1e6)

    def sleep(_: float) -> None:
        raise AssertionError("it waits")

    monkeypatch.setattr("time.sleep", sleep)
    assert refresh_gallery(by_many(copied), all_pages=True).written == 1


def test_many_machines_need_no_locks(copied: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("dataset_assets.disk.fcntl.flock", flock)
    with pytest.raises(OSError, match="not implemented"):
        refresh_gallery(copied, all_pages=True)
    settings = by_many(copied)
    assert refresh_gallery(settings, all_pages=True).written == 1
    excluded = DataSet.of(settings).excluded_windows
    assert excluded.add(KEY, 7) == {7}
    with DataSet.of(settings).work_on(KEY):
        pass


def test_two_machines_may_write_the_same_page_at_once(
    copied: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = by_many(copied)
    refresh_gallery(settings, all_pages=True)
    wanted = pages(settings)
    monkeypatch.setattr("dataset_assets.disk.fcntl.flock", lambda *_: None)  # does not reach the other
    real_rename = disk.rename
    others: list[Path] = []

    def rename(source: Path, target: Path, size_bytes: int) -> None:
        if not others and target.suffix == ".html":
            others.append(target)
            refresh_gallery(settings, all_pages=True)
        real_rename(source, target, size_bytes)

    monkeypatch.setattr("dataset_assets.disk.rename", rename)
    refresh_gallery(settings, all_pages=True)
    assert others
    assert pages(settings) == wanted
    folder = root_of(settings) / "gallery"
    assert not list(folder.rglob("*.tmp"))
    left, begun = folder / "videos/.a.html.77.tmp", folder / "videos/.b.html.78.tmp"
    for path in (left, begun):
        path.touch()
    os.utime(left, (1e9, 1e9))
    refresh_gallery(settings)
    assert (left.exists(), begun.exists()) == (False, True)


def test_the_first_page_comes_with_an_index(tmp_path: Path, sdr_film: Film) -> None:
    settings = small_settings(tmp_path, sdr_film.path)
    probe_video(settings, KEY)
    write_video_page(settings, KEY)
    assert card(settings)["data-state"] == "partial"
    assert all(path.is_file() for path in Page(tmp_path / "gallery/index.html").files())


def test_the_index_shows_the_progress_of_every_video(copied: Settings) -> None:
    page = Page(root_of(copied) / "gallery/index.html")
    assert card(copied)["data-state"] == "short"
    assert card(copied)["data-category"].split() == ["general", "space", "toon"]
    assert (root_of(copied) / "gallery" / page_of(KEY)) in page.files()
    assert [image["src"] for image in page.all("img")] == [f"covers/{KEY}.jpg"]


def test_a_failure_stands_on_index_and_page_until_a_run_gets_through(
    copied: Settings, shown_film: Film, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    settings = small_settings(root_of(copied), film, seed=1)
    with pytest.raises(VideoError) as failed:
        generate_video(settings, KEY)
    write_video_page(settings, KEY)
    refresh_gallery(settings)
    assert card(settings)["data-state"] == "failed"
    for name in ("index.html", page_of(KEY)):
        page = Page(root_of(copied) / "gallery" / name)
        assert {failed.value.what, failed.value.remedy} <= set(page.texts)
        assert len(page.all("span", class_="remedy")) == 1
    shutil.copyfile(shown_film.path, film)
    probe_video(settings, KEY)
    generate_video(settings, KEY)
    refresh_gallery(settings)
    assert card(settings)["data-state"] == "done"
    for name in ("index.html", page_of(KEY)):
        page = Page(root_of(copied) / "gallery" / name)
        assert failed.value.what not in page.texts
        assert page.all("span", class_="remedy") == []


def test_a_video_that_left_the_configuration_keeps_its_page(copied: Settings) -> None:
    other = VideoEntry(name="Another", path=Path("/films/another.mkv"), categories={})
    settings = copied.model_copy(update={"videos": (other,)})
    refresh_gallery(settings)
    page = Page(root_of(copied) / "gallery/index.html")
    states = {each["data-text"]: each["data-state"] for each in page.all("li", class_="video")}
    assert states == {"Another another": "missing", f"A Film {KEY}": "unlisted"}
    assert (root_of(copied) / "gallery" / page_of(KEY)).is_file()


def test_a_damaged_table_is_reported_and_stops_no_other_page(copied: Settings) -> None:
    (root_of(copied) / f"metadata/windows/video={KEY}/part-0.parquet").write_bytes(b"PAR1 or not")
    report = refresh_gallery(copied, all_pages=True)
    assert report.written == 0
    assert "damaged" in report.problems[0]
    assert "damaged" in Page(report.index).text
