"""The gallery: static pages to look at a data set, one for each video and an index.

`video_page` and `index_page` read the tables into what a page shows, `rendering` makes HTML of it, `site`
writes and removes files. Everything is derived: removing the folder loses nothing that `refresh_gallery` does
not make again. Nothing here knows Dagster, and nothing decides what is done or stale (`generate` does).
"""

from dataset_assets.gallery.site import (
    GALLERY_FOLDER,
    INDEX_FILE,
    GalleryReport,
    index_path,
    refresh_gallery,
    write_video_page,
)
from dataset_assets.gallery.video_page import page_of

__all__ = [
    "GALLERY_FOLDER",
    "INDEX_FILE",
    "GalleryReport",
    "index_path",
    "page_of",
    "refresh_gallery",
    "write_video_page",
]
