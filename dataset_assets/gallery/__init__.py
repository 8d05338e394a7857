"""The gallery: static pages to look at a data set, one for each video, an index, and others.

`video_page` and `index_page` read the tables into what a page shows, `rendering` makes HTML of it, `site`
writes and removes files, `sheets` chooses what one picture shows of a run. Everything is derived: after the
folder is deleted, `refresh_gallery` writes it again. Not here: Dagster, what is done or stale (`dataset`).
"""

from dataset_assets.gallery.duplicates_page import DUPLICATES_FILE
from dataset_assets.gallery.rendering import clock, with_notice
from dataset_assets.gallery.sheets import rejected_strip, sample_triplet, windows_sheet
from dataset_assets.gallery.site import (
    INDEX_FILE,
    GalleryReport,
    index_path,
    refresh_gallery,
    write_curation_page,
    write_duplicates_page,
    write_missing_index,
    write_validation_page,
    write_video_page,
)
from dataset_assets.gallery.video_page import page_of

__all__ = [
    "DUPLICATES_FILE",
    "INDEX_FILE",
    "GalleryReport",
    "clock",
    "index_path",
    "page_of",
    "refresh_gallery",
    "rejected_strip",
    "sample_triplet",
    "windows_sheet",
    "with_notice",
    "write_curation_page",
    "write_duplicates_page",
    "write_missing_index",
    "write_validation_page",
    "write_video_page",
]
