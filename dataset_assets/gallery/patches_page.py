"""What the page of all patches shows before its scripts have loaded them: which there are, and of what kind.

Read from the heads of the chunks, so that the cost does not grow with the patches. Not here: HTML
(`rendering`), and the chunks (`patch_chunks`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dataset_assets.config import Settings
from dataset_assets.gallery.patch_chunks import FORM, ChunkHead, chunk_of, read_head
from dataset_assets.gallery.video_page import SCORE_NAMES, category_order, page_of

# Sorted and filtered by beside the scores; computed in the page, of the size of the GT file.
DETAIL = "gt_bits_per_pixel"
MEASURES: Mapping[str, str] = {**SCORE_NAMES, DETAIL: "GT bits per pixel"}


@dataclass(frozen=True, slots=True)
class PatchesPage:
    """Everything on the page of all patches.

    Attributes:
        videos: The chunks that hold patches, by key.
        categories: Patches by category, in the order of colours; those without patches too.
        formats: Patches by format.
    """

    videos: tuple[ChunkHead, ...]
    categories: Mapping[str, int]
    formats: Mapping[str, int]

    @property
    def patches(self) -> int:
        """Number of patches."""
        return sum(each.patches for each in self.videos)

    @property
    def measures(self) -> Mapping[str, str]:
        """What patches are sorted and filtered by: columns of the windows table, and `DETAIL`, with names."""
        return MEASURES

    @property
    def data(self) -> Mapping[str, object]:
        """What the page's scripts need."""
        return {
            "form": FORM,
            "categories": list(self.categories),
            "measures": list(self.measures.items()),
            "videos": [
                {
                    "key": each.key,
                    "name": each.name,
                    "patches": each.patches,
                    # The digest lets a browser keep what is unchanged, and load what is not.
                    "chunk": f"{chunk_of(each.key)}?{each.digest}",
                    "page": page_of(each.key),
                }
                for each in self.videos
            ],
        }


def read_patches_page(settings: Settings, folder: Path) -> PatchesPage:
    """Return what is to be shown of all patches.

    Args:
        settings: The configuration.
        folder: The gallery's folder.
    """
    found = [read_head(path) for path in sorted(folder.glob(chunk_of("[!.]*")))]
    heads = tuple(head for head in found if head is not None and head.patches)
    counts: Counter[tuple[str, str]] = Counter()
    for head in heads:
        counts.update(head.counts)
    categories: Counter[str] = Counter()
    formats: Counter[str] = Counter()
    for (category, format_), count in counts.items():
        categories[category] += count
        formats[format_] += count
    order = [*settings.formats, *sorted(formats.keys() - settings.formats.keys())]
    return PatchesPage(
        videos=heads,
        categories={name: categories[name] for name in category_order(settings, categories)},
        formats={name: formats[name] for name in order if formats[name]},
    )
