"""The gallery's files: written completely or not at all, and deleted with what they show.

    gallery/index.html  gallery.css  gallery.js  exclusions.js
    gallery/videos/<key>.html
    gallery/covers/<key>.jpg
    gallery/duplicates.html
    gallery/patches.html  patches.js  patch_grid.js  patch_store.js
    gallery/patches/<key>.js
    gallery/validation.html  validation.js
    gallery/data_set.js
    gallery/scores.html
    gallery/curation.html

Name and path of the data set are in `data_set.js` alone, so that the other files stay the same when it moves.
A page is written at the end of a video's run, with the video's chunk for the page of all patches; the index,
the pages of all patches, of scores, of near-duplicates and of validation patches with the statistics, the
last also when somebody has decided about a patch; the page of a curation preview by `curate`. All may be
written again at any time: the same tables and pictures give the same bytes. Not here: the content of pages
(the modules `*_page`, `patch_chunks`, `rendering`).
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from dataset_assets import __version__
from dataset_assets.config import Settings, curation_of
from dataset_assets.curation import CategoryPreview, Census, take_census
from dataset_assets.dataset import DataSet, Overview
from dataset_assets.disk import TEMPORARY_SUFFIX, locked, own_writer, replacing
from dataset_assets.errors import BusyError, DatasetAssetsError
from dataset_assets.gallery.curation_page import CURATION_FILE, curation_page
from dataset_assets.gallery.duplicates_page import DUPLICATES_FILE, read_duplicates_page
from dataset_assets.gallery.index_page import read_index_page
from dataset_assets.gallery.patch_chunks import chunk_of, encode_chunk, read_head
from dataset_assets.gallery.patches_page import read_patches_page
from dataset_assets.gallery.rendering import (
    render_curation_page,
    render_duplicates_page,
    render_index_page,
    render_patches_page,
    render_scores_page,
    render_validation_page,
    render_video_page,
)
from dataset_assets.gallery.scores_page import SCORES_FILE, read_scores_page
from dataset_assets.gallery.validation_page import VALIDATION_FILE, read_validation_page
from dataset_assets.gallery.video_page import VideoPage, page_of, read_video_page

INDEX_FILE = "index.html"
COVERS_FOLDER, LOCK_FILE = "covers", ".lock"
STATIC_FILES = ("gallery.css", "gallery.js", "exclusions.js", "validation.js")
# Where the stamp stands in a page; what comes before it has a fixed length.
STAMP = re.compile(rb'<meta name="dataset-assets" content="([^"]*)">')
HEAD_BYTES = 1000
UNFINISHED_S = 3600.0
PATCHES_FILE, PLACE_FILE = "patches.html", "data_set.js"
PATCHES_SCRIPTS = ("patches.js", "patch_grid.js", "patch_store.js")


@dataclass(frozen=True, slots=True)
class GalleryReport:
    """What was written.

    Attributes:
        index: The index.
        written: Pages of videos that were written.
        problems: One message for each page that could not be made.
    """

    index: Path
    written: int
    problems: tuple[str, ...]


def index_path(settings: Settings) -> Path:
    """Return the file to open in a browser."""
    return DataSet.of(settings).gallery_folder / INDEX_FILE


def write_video_page(settings: Settings, key: str) -> None:
    """Write a video's page, or delete it if the video has no tables any more.

    Args:
        settings: The configuration.
        key: The video's key.

    Raises:
        DatasetAssetsError: A table is damaged, or from a newer release.
        OSError: The disk is full or cannot be written.
    """
    data_set = DataSet.of(settings)
    _write_page(settings, data_set, key, data_set.tables.categories())
    write_missing_index(settings)


def write_missing_index(settings: Settings) -> None:
    """Write the index if there is none, so that it lists every configured video before a run has ended.

    Args:
        settings: The configuration.

    Raises:
        OSError: The disk is full or cannot be written.
    """
    if not index_path(settings).exists():
        data_set = DataSet.of(settings)
        _write_index(settings, data_set, data_set.overview(settings), Census({}))


def write_validation_page(settings: Settings, *, with_index: bool = False) -> Path:
    """Write the page of validation patches, or delete it where nothing is proposed any more.

    Args:
        settings: The configuration.
        with_index: Whether the index is written too, which links to it.

    Returns:
        The page.

    Raises:
        DatasetAssetsError: A table is damaged, or from a newer release.
        OSError: The disk is full or cannot be written.
    """
    data_set = DataSet.of(settings)
    if with_index:
        _write_index(settings, data_set, data_set.overview(settings), take_census(settings, data_set))
    else:
        with _writing(data_set) as (folder, files):
            _write_validation(settings, data_set, folder, files)
    return data_set.gallery_folder / VALIDATION_FILE


def write_duplicates_page(settings: Settings) -> Path:
    """Write the page of near-duplicates, and return its file.

    Args:
        settings: The configuration.

    Raises:
        OSError: The disk is full or cannot be written.
    """
    data_set = DataSet.of(settings)
    with _writing(data_set) as (folder, files):
        _write_duplicates(settings, data_set, folder, files)
        return folder / DUPLICATES_FILE


def refresh_gallery(
    settings: Settings,
    overview: Overview | None = None,
    census: Census | None = None,
    *,
    all_pages: bool = False,
    most_s: float | None = None,
) -> GalleryReport:
    """Write the index and every page that is missing or older than its tables; remove what is left over.

    Args:
        settings: The configuration.
        overview: How the data set stands; read where None.
        census: What curation leaves out; taken where None.
        all_pages: Whether pages that are up to date are written too.
        most_s: Seconds after which no further pages of videos are written, but left to the next call.

    Raises:
        OSError: The disk is full or cannot be written.
    """
    began_s = time.monotonic()
    data_set = DataSet.of(settings)
    keys, categories = data_set.tables.keys(), data_set.tables.categories()
    written, problems = 0, []
    for key in keys:
        if most_s is not None and time.monotonic() - began_s > most_s:
            break
        try:
            if all_pages or not _is_fresh(settings, data_set, key, categories):
                _write_page(settings, data_set, key, categories)
                written += 1
        except DatasetAssetsError as error:
            problems.append(f"{key}: {error}")
    for page in data_set.gallery_folder.glob(page_of("[!.]*")):
        if page.stem not in keys:
            _write_page(settings, data_set, page.stem, categories)
    overview = overview or data_set.overview(settings)
    _write_index(settings, data_set, overview, census or take_census(settings, data_set))
    if data_set.is_made_by_many:
        _remove_unfinished(data_set.gallery_folder)
    return GalleryReport(index_path(settings), written, tuple(problems))


def write_curation_page(settings: Settings, previews: Sequence[CategoryPreview]) -> Path:
    """Write the page of a curation preview over the one before; return it.

    Args:
        settings: The configuration.
        previews: What is previewed, by category.

    Raises:
        OSError: The disk is full or cannot be written.
    """
    data_set = DataSet.of(settings)
    with _writing(data_set) as (folder, files):
        page = render_curation_page(curation_page(settings, previews))
        files.replace(folder / CURATION_FILE, _encoded(page))
    return folder / CURATION_FILE


@contextmanager
def _writing(data_set: DataSet) -> Iterator[tuple[Path, _Files]]:
    """Let one process at a time write to the gallery; give its folder, with the static files in it.

    Where locks do not reach other machines, these may write at the same time.
    """
    folder = data_set.gallery_folder
    (folder / COVERS_FOLDER).mkdir(parents=True, exist_ok=True)
    for name in (page_of(""), chunk_of("")):
        (folder / name).parent.mkdir(exist_ok=True)
    files = _Files(data_set)
    with locked(folder / LOCK_FILE, is_needed=not data_set.is_made_by_many):
        for name in STATIC_FILES + PATCHES_SCRIPTS:
            content = (resources.files("dataset_assets.gallery") / "static" / name).read_bytes()
            files.replace_if_changed(folder / name, content)
        files.replace_if_changed(folder / PLACE_FILE, _place(data_set))
        yield folder, files


def _write_index(settings: Settings, data_set: DataSet, overview: Overview, census: Census) -> None:
    with _writing(data_set) as (folder, files):
        covers = frozenset(path.stem for path in (folder / COVERS_FOLDER).glob("[!.]*.jpg"))
        page = render_index_page(read_index_page(settings, data_set, overview, census), covers)
        files.replace(folder / INDEX_FILE, _encoded(page))
        patches = render_patches_page(read_patches_page(settings, folder))
        files.replace(folder / PATCHES_FILE, _encoded(patches))
        scores = render_scores_page(read_scores_page(settings, census))
        files.replace(folder / SCORES_FILE, _encoded(scores))
        _write_duplicates(settings, data_set, folder, files)
        # A damaged table is reported by the commands that need it.
        with suppress(DatasetAssetsError):
            _write_validation(settings, data_set, folder, files)


def _write_validation(settings: Settings, data_set: DataSet, folder: Path, files: _Files) -> None:
    page, path = read_validation_page(settings, data_set), folder / VALIDATION_FILE
    if page.decisions:
        files.replace_if_changed(path, _encoded(render_validation_page(page)))
    elif path.exists():
        path.unlink()


def _write_duplicates(settings: Settings, data_set: DataSet, folder: Path, files: _Files) -> None:
    page = render_duplicates_page(read_duplicates_page(settings, data_set))
    files.replace_if_changed(folder / DUPLICATES_FILE, _encoded(page))


def _write_page(settings: Settings, data_set: DataSet, key: str, categories: Collection[str]) -> None:
    with _writing(data_set) as (folder, files):
        stamp = _stamp(settings, data_set, key, categories)  # before anything is read
        page = read_video_page(settings, data_set, key)
        cover, chunk = folder / COVERS_FOLDER / f"{key}.jpg", folder / chunk_of(key)
        if page.row is None and not page.candidates and not page.categories:
            # The page last: what is left of a video is found by its page.
            for path in (chunk, cover, folder / page_of(key)):
                path.unlink(missing_ok=True)
        else:
            if page.cover:
                files.replace(cover, (data_set.pictures(key).folder / page.cover).read_bytes())
            else:
                cover.unlink(missing_ok=True)
            files.replace_if_changed(chunk, encode_chunk(page))
            files.replace(folder / page_of(key), _encoded(render_video_page(page, stamp)))
        _remove_pictures(data_set, page)


def _remove_pictures(data_set: DataSet, page: VideoPage) -> None:
    """Remove pictures of candidates that are not in the table, unless a run may be adding theirs."""
    with suppress(BusyError), data_set.copy.hold_here(page.key):
        data_set.pictures(page.key).keep_only(page.pictures)


def _stamp(settings: Settings, data_set: DataSet, key: str, categories: Collection[str]) -> str:
    """Return what a video's page is made from: the release, the conditions of curation, and the tables.

    A page is fresh while it has the stamp of the present. Its own time says nothing: a run may replace tables
    while the page of the tables before is being written.
    """
    tables = {"video": data_set.tables.video_path(key), "windows": data_set.tables.windows_path(key)}
    tables |= {name: data_set.tables.patches_path(name, key) for name in categories}
    tables |= {f"scores/{name}": data_set.tables.scores_path(name, key) for name in categories}
    tables["excluded.json"] = data_set.excluded_windows.path(key)
    versions: dict[str, tuple[int, int]] = {}
    for name, path in tables.items():
        with suppress(FileNotFoundError):
            status = path.stat()
            versions[name] = status.st_mtime_ns, status.st_size
    conditions = [curation_of(settings.curation, name) for name in settings.categories]
    content = json.dumps([conditions, versions]).encode()
    return " ".join([__version__, hashlib.blake2b(content, digest_size=8).hexdigest(), *versions])


def _is_fresh(settings: Settings, data_set: DataSet, key: str, categories: Collection[str]) -> bool:
    """Return whether a page and its chunk show the present tables."""
    if read_head(data_set.gallery_folder / chunk_of(key)) is None:
        return False
    try:
        with (data_set.gallery_folder / page_of(key)).open("rb") as file:
            found = STAMP.search(file.read(HEAD_BYTES))
    except FileNotFoundError:
        return False
    return found is not None and found[1].decode() == _stamp(settings, data_set, key, categories)


def _encoded(page: str) -> bytes:
    # Half a surrogate pair, which a path on the disk may hold, is no text that a page could have.
    return page.encode("utf-8", "backslashreplace")


def _place(data_set: DataSet) -> bytes:
    """Return the script by which pages know the data set that they belong to."""
    place = {"name": data_set.folder.name, "path": str(data_set.folder)}
    return f"const DATA_SET = {json.dumps(place)};\n".encode()


def _remove_unfinished(folder: Path) -> None:
    """Remove files that other machines began to write long ago and never finished."""
    now_s = (folder / INDEX_FILE).stat().st_mtime
    for path in folder.glob(f"**/.*.[0-9]*{TEMPORARY_SUFFIX}"):
        with suppress(FileNotFoundError):
            if now_s - path.stat().st_mtime > UNFINISHED_S:
                path.unlink()


class _Files:
    """Writes files of the gallery, also where other machines write the same ones at that moment."""

    def __init__(self, data_set: DataSet) -> None:
        """Decide under which temporary names files are written."""
        # The lock of the folder may not reach other machines. One machine overwrites what it left behind.
        self._writer = own_writer() if data_set.is_made_by_many else 0

    def replace(self, path: Path, content: bytes) -> None:
        """Replace a file."""
        with replacing(path, writer=self._writer) as file:
            file.write(content)

    def replace_if_changed(self, path: Path, content: bytes) -> None:
        """Replace a file that has other contents, or does not exist."""
        if not path.exists() or path.read_bytes() != content:
            self.replace(path, content)
