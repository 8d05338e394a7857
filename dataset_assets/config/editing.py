"""Add videos to the text of a configuration file; its comments and its layout are kept.

Belongs here: where in the text, and how an entry is written there. Not here: which videos (scan.py), and
whether the result is valid, which scan.py checks by reading it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from dataset_assets.config.tree import Entries, Items, Node, written_end

_STEP = "  "


@dataclass(frozen=True, slots=True)
class NewVideo:
    """An entry to be written: name, path as it shall stand in the file, weight by category."""

    name: str
    path: str
    weights: Mapping[str, float]


def with_videos(text: str, root: Entries, new: Sequence[NewVideo]) -> str:
    """Add entries at the end of the list of videos, in the style of its last entry.

    Args:
        text: The file's text.
        root: Its tree. `videos` may be absent, null or an empty list.
        new: What to add, at least one.

    Returns:
        The new text. Every character of the old one is still there, but for a null or `[]` that the list
        replaces.
    """
    pen = _Pen(text, quoted=not root.block)
    entry = root.find("videos")
    if entry is None:
        return _with_section(pen, root, new)
    key, videos = entry
    if not isinstance(videos, Items) or not videos.items:
        return _with_first_videos(pen, root, key, videos, new)
    if videos.block:
        return _with_block_items(pen, videos, new)
    return _with_flow_items(pen, videos, new)


class _Pen:
    """Writes entries into one text, with its line ends and its way of quoting keys."""

    def __init__(self, text: str, *, quoted: bool) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self._quoted = quoted

    def margin(self, offset: int) -> str | None:
        """Return the blanks before an offset, or None where more than blanks stands before it in its line."""
        before = self.text[self.text.rfind("\n", 0, offset) + 1 : offset]
        return None if before.strip() else before

    def line_end(self, offset: int) -> int:
        """Return the offset of the line break that ends the line of `offset`, or of the text's end."""
        end = self.text.find("\n", offset)
        if end < 0:
            return len(self.text)
        return end - 1 if self.text[end - 1 : end] == "\r" else end

    def string(self, text: str) -> str:
        if self._quoted:
            return json.dumps(text, ensure_ascii=False)
        return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=float("inf")).strip()

    def key(self, name: str) -> str:
        return f'"{name}"' if self._quoted else name

    def fields(self, video: NewVideo) -> list[str]:
        weights = ", ".join(
            f"{self.key(name)}: {json.dumps(weight)}" for name, weight in video.weights.items()
        )
        values = {
            "name": self.string(video.name),
            "path": self.string(video.path),
            "categories": f"{{{weights}}}",
        }
        return [f"{self.key(name)}: {value}" for name, value in values.items()]

    def flow(self, video: NewVideo) -> str:
        return f"{{{', '.join(self.fields(video))}}}"

    def flow_lines(self, video: NewVideo, margin: str, inner: str) -> str:
        lines = f",{self.newline}{inner}".join(self.fields(video))
        return f"{margin}{{{self.newline}{inner}{lines}{self.newline}{margin}}}"

    def block(self, new: Sequence[NewVideo], margin: str, *, flow: bool = False) -> str:
        """Write items of a YAML list, each beginning with a line break."""
        if flow:
            return "".join(f"{self.newline}{margin}- {self.flow(video)}" for video in new)
        joint = f"{self.newline}{margin}  "
        return "".join(f"{self.newline}{margin}- {joint.join(self.fields(video))}" for video in new)


def _with_block_items(pen: _Pen, videos: Items, new: Sequence[NewVideo]) -> str:
    last = videos.items[-1]
    flow = isinstance(last, Entries) and not last.block
    return _after_line(pen, written_end(videos), pen.block(new, pen.margin(videos.start) or "", flow=flow))


def _with_flow_items(pen: _Pen, videos: Items, new: Sequence[NewVideo]) -> str:
    last = videos.items[-1]
    text, margin = pen.text, pen.margin(last.start)
    if margin is None:
        return text[: last.end] + "".join(f", {pen.flow(video)}" for video in new) + text[last.end :]
    first_key = last.entries[0][0] if isinstance(last, Entries) and last.entries else last
    inner = pen.margin(first_key.start)
    if first_key.start == last.start or inner is None:
        written = [margin + pen.flow(video) for video in new]
    else:
        written = [pen.flow_lines(video, margin, inner) for video in new]
    lines = f",{pen.newline}".join(written)
    # A comment behind the last entry stays behind it: the comma goes before the comment, the entries below.
    line_end = pen.line_end(last.end)
    if line_end >= videos.end:
        return f"{text[: last.end]},{pen.newline}{lines}{text[last.end :]}"
    rest = text[last.end : line_end]
    has_comma = rest.lstrip().startswith(",")
    comma, final = ("", ",") if has_comma else (",", "")
    return f"{text[: last.end]}{comma}{rest}{pen.newline}{lines}{final}{text[line_end:]}"


def _with_first_videos(pen: _Pen, root: Entries, key: Node, videos: Node, new: Sequence[NewVideo]) -> str:
    text = pen.text
    margin = pen.margin(key.start) or ""
    before, value, behind = text[: videos.start], text[videos.start : videos.end], text[videos.end :]
    if root.block and "\n" not in value:
        line_end = pen.line_end(videos.end)
        items = pen.block(new, margin + _STEP)
        return f"{before.rstrip()}{text[videos.end : line_end]}{items}{text[line_end:]}"
    opening = value[:-1].rstrip() if isinstance(videos, Items) else "["
    return f"{before}{opening}{_flow_body(pen, new, margin)}{behind}"


def _with_section(pen: _Pen, root: Entries, new: Sequence[NewVideo]) -> str:
    margin = pen.margin(root.entries[0][0].start) or ""
    if root.block:
        return _after_line(
            pen, written_end(root), f"{pen.newline}{margin}videos:{pen.block(new, margin + _STEP)}"
        )
    end = root.entries[-1][1].end
    section = f",{pen.newline}{margin}{pen.key('videos')}: [{_flow_body(pen, new, margin)}"
    return pen.text[:end] + section + pen.text[end:]


def _flow_body(pen: _Pen, new: Sequence[NewVideo], margin: str) -> str:
    """Write items and the bracket that ends them, one line each."""
    lines = f",{pen.newline}".join(f"{margin}{margin or _STEP}{pen.flow(video)}" for video in new)
    return f"{pen.newline}{lines}{pen.newline}{margin}]"


def _after_line(pen: _Pen, offset: int, addition: str) -> str:
    """Insert text that begins with a line break behind the line of `offset`."""
    ends_a_line = pen.text[offset - 1 : offset] == "\n"  # a YAML block scalar includes its line break
    line_end = pen.line_end(offset - 1 if ends_a_line else offset)
    return pen.text[:line_end] + addition + pen.text[line_end:]
