"""The layouts, one module each behind one protocol. Not here: what all of them share (`exports`)."""

from __future__ import annotations

from typing import Final

from dataset_assets.exports.layouts.packed import Packed
from dataset_assets.exports.layouts.pairs import Pairs, PairsLmdb
from dataset_assets.exports.layouts.protocol import Layout
from dataset_assets.exports.layouts.redux import Redux
from dataset_assets.exports.layouts.vimeo90k import Vimeo90k, Vimeo90kLmdb
from dataset_assets.exports.layouts.webdataset import WebDataset
from dataset_assets.exports.options import LayoutName

_ALL: Final[tuple[Layout, ...]] = (
    Vimeo90k(),
    Vimeo90kLmdb(),
    Redux(),
    Pairs(),
    PairsLmdb(),
    WebDataset(),
    Packed(),
)
LAYOUTS: Final[dict[LayoutName, Layout]] = {layout.name: layout for layout in _ALL}
