"""Remove a video's entry from a configuration file; its other entries, comments and layout are kept.

Belongs here: where the entry is in the text, and what of the text goes. Not here: adding entries (scan.py,
editing.py), and what was made of the video (`dataset`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dataset_assets.config.loading import read_config, settings_from_text, tree_of
from dataset_assets.config.models import Settings
from dataset_assets.config.tree import Entries, Items, Node, written_end
from dataset_assets.errors import ConfigError


@dataclass(frozen=True, slots=True)
class WithoutEntry:
    """A configuration file without the entry of a video.

    Attributes:
        line: Line of the entry in the file as it is, from 1.
        text: The file's text without the entry.
    """

    line: int
    text: str


def without_entry(config: Path, key: str) -> WithoutEntry | None:
    """Cut the entry of a video out of a configuration's text; the file is not changed.

    Args:
        config: The configuration file, YAML or JSON.
        key: The video's key.

    Returns:
        The text without the entry; None where the file lists no such video.

    Raises:
        ConfigError: The file is missing or invalid, or the list is written in a way that cannot be cut.
    """
    text = read_config(config)
    settings = settings_from_text(text, config, may_lack_videos=True)
    index = next((index for index, entry in enumerate(settings.videos) if entry.key == key), None)
    root = tree_of(text, config)
    place = root.find("videos") if isinstance(root, Entries) else None
    if index is None or place is None:
        return None
    name, videos = place
    if not isinstance(videos, Items):
        return None
    cut = _cut_block(text, name, videos, index) if videos.block else _cut_flow(text, videos, index)
    _check(cut, config, settings, index)
    return WithoutEntry(videos.items[index].line, cut)


def _check(text: str, config: Path, before: Settings, index: int) -> None:
    """Raise if the new text says anything else than the old one without the entry."""
    left = (*before.videos[:index], *before.videos[index + 1 :])
    try:
        is_right = settings_from_text(text, config, may_lack_videos=True) == before.model_copy(
            update={"videos": left}
        )
    except ConfigError:
        is_right = False
    if not is_right:
        where = f"{config} videos[{index}]"
        raise ConfigError([f"{where}: cannot be cut out as it is written; remove it by hand."])


def _cut_flow(text: str, videos: Items, index: int) -> str:
    """Cut an item out of a list in brackets."""
    items = videos.items
    item = items[index]
    if len(items) == 1:
        start, end = videos.start + 1, videos.end - 1
    elif index + 1 == len(items):
        start, end = items[index - 1].end, item.end
    else:
        start, end = item.start, items[index + 1].start
    if "#" not in text[start : item.start] + text[item.end : end]:
        return text[:start] + text[end:]
    # A comment belongs to another entry: only the lines of this one go. YAML allows a last comma.
    return text[: _line_start(text, item.start)] + text[_line_end(text, item.end) :]


def _cut_block(text: str, name: Node, videos: Items, index: int) -> str:
    """Cut the lines of an item out of a YAML list without brackets."""
    item = videos.items[index]
    end = written_end(item)
    # A YAML block scalar includes its line break.
    end = end if text[end - 1 : end] == "\n" else _line_end(text, end)
    cut = text[: _line_start(text, item.start)] + text[end:]
    if len(videos.items) > 1:
        return cut
    colon = text.index(":", name.end) + 1
    return f"{cut[:colon]} []{cut[colon:]}"


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def _line_end(text: str, offset: int) -> int:
    """Return the offset behind the line break that ends the line of `offset`, or of the text's end."""
    return text.find("\n", offset) + 1 or len(text)
