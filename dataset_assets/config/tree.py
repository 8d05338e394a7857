"""The text of a configuration file as a tree of values that know their place in it.

Belongs here: reading YAML and JSON text into nodes with offsets and lines. Not here: what the values mean.

PyYAML does not read every JSON text (a tab before a key, a surrogate pair, a key over 1024 characters), so
`.json` goes through the standard library's decoder. Plain YAML scalars follow the core schema of YAML 1.2,
not PyYAML's 1.1 rules: `1e-3` is a number, and `no`, `2001-01-01`, `12:30` are text, as in names of films.
"""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml: the same events, twenty times slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_DEPTH = 32
MAX_VALUES = 500_000  # 30 000 videos; an alias counts as all that it stands for

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_NAMED = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_JSON_DECODER = json.JSONDecoder()
_JSON_GAP = re.compile(r"[ \t\r\n,:]*")


class TreeError(Exception):
    """The text cannot be read as a tree: a syntax error, or nesting and aliases beyond any need.

    Attributes:
        line: The line of the mistake, from 1, or None where it is not known.
        message: What is wrong and the remedy, without the place.
    """

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(slots=True)
class Node:
    """A value of the file.

    Attributes:
        start: Offset of its first character in the text.
        end: Offset behind its last character; only exact where `block` is False.
        line: Line of its first character, from 1.
    """

    start: int
    end: int
    line: int


@dataclass(slots=True)
class Scalar(Node):
    """A single value: `value` as read, `text` as a mapping's key (keys are always text)."""

    value: object
    text: str


@dataclass(slots=True)
class Items(Node):
    """A list; `block` where YAML writes it without brackets."""

    items: list[Node]
    block: bool = False


@dataclass(slots=True)
class Entries(Node):
    """A mapping, in the file's order, double keys included; `block` where YAML writes it without brackets."""

    entries: list[tuple[Node, Node]]
    block: bool = False

    def find(self, name: object) -> tuple[Node, Node] | None:
        """Return the last entry with this key, else the last whose key differs only in case, else None."""
        keyed = [(entry[0].text, entry) for entry in self.entries if isinstance(entry[0], Scalar)]
        exact = [entry for text, entry in keyed if text == name]
        alike = [entry for text, entry in keyed if text.lower() == str(name).lower()]
        matching = exact or alike
        return matching[-1] if matching else None


def read_tree(text: str, *, is_json: bool) -> Node:
    """Read a configuration's text.

    Args:
        text: The text, without a byte order mark.
        is_json: Read strict JSON; else YAML.

    Returns:
        The root value; a null scalar for an empty YAML text.

    Raises:
        TreeError: The text is not JSON or YAML, is nested beyond 32 levels, holds more than 500 000 values
            once its aliases are written out, or uses a YAML tag.
    """
    return _json_tree(text) if is_json else _yaml_tree(text)


def written_end(node: Node) -> int:
    """Return the offset after the last character; YAML ends a block list only at the next token."""
    while isinstance(node, Items | Entries) and node.block:
        node = node.items[-1] if isinstance(node, Items) else node.entries[-1][1]
    return node.end


def _json_tree(text: str) -> Node:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        message = f"not valid JSON ({error.msg}, column {error.colno}); look for a comma or a quote near it"
        raise TreeError(error.lineno, message) from None
    except RecursionError:
        raise _too_deep(None) from None
    except ValueError:
        raise _too_long(None) from None
    line_starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    return _json_node(text, 0, line_starts, 0)


def _json_node(text: str, start: int, line_starts: list[int], depth: int) -> Node:
    """Return the node that begins at or behind `start` in a text that is known to be valid JSON."""
    start = _behind_gap(text, start)
    line = bisect(line_starts, start)
    if depth > MAX_DEPTH:
        raise _too_deep(line)
    if text[start] not in "[{":
        value, end = _JSON_DECODER.raw_decode(text, start)
        return Scalar(start, end, line, value, str(value))
    children: list[Node] = []
    end = _behind_gap(text, start + 1)
    while text[end] not in "]}":
        child = _json_node(text, end, line_starts, depth + 1)
        children.append(child)
        end = _behind_gap(text, child.end)
    if text[start] == "[":
        return Items(start, end + 1, line, children)
    return Entries(start, end + 1, line, list(zip(children[::2], children[1::2], strict=True)))


def _behind_gap(text: str, start: int) -> int:
    gap = _JSON_GAP.match(text, start)
    return gap.end() if gap else start


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end was not reached yet."""

    event: yaml.CollectionStartEvent
    children: list[Node]
    size: int = 1


def _yaml_tree(text: str) -> Node:
    try:
        return _from_events(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.problem, error.context) if part)
        column = f", column {mark.column + 1}" if mark else ""
        message = f"not valid YAML ({what}{column}); look at the indentation and the quotes near it"
        raise TreeError(mark.line + 1 if mark else None, message) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, max(text.find(chr(error.character)), 0)) + 1
        message = f"the character U+{error.character:04X} is not allowed in YAML; remove it"
        raise TreeError(line, message) from None


def _from_events(events: Iterator[yaml.Event]) -> Node:
    """Build the tree with a stack of its own: neither depth nor aliases can exhaust the interpreter."""
    stack = [_Open(yaml.SequenceStartEvent(None, None, True), [])]
    anchors: dict[str, tuple[Node, int]] = {}
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise TreeError(_line(event), "a second document begins; keep one document in the file")
        elif isinstance(event, yaml.CollectionStartEvent):
            _refuse_tag(event)
            stack.append(_Open(event, []))
            if len(stack) > MAX_DEPTH + 1:
                raise _too_deep(_line(event))
        elif isinstance(event, yaml.CollectionEndEvent):
            done = stack.pop()
            _add(stack[-1], _collection(done, event), done.size, done.event.anchor, anchors)
        elif isinstance(event, yaml.ScalarEvent):
            _refuse_tag(event)
            value = _plain_value(event.value, _line(event)) if event.implicit[0] else event.value
            node = Scalar(
                _offset(event.start_mark), _offset(event.end_mark), _line(event), value, event.value
            )
            _add(stack[-1], node, 1, event.anchor, anchors)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                message = f"the alias *{event.anchor} stands for nothing; define &{event.anchor} before it"
                raise TreeError(_line(event), message)
            anchored, size = anchors[event.anchor]
            _add(stack[-1], _written_as(anchored, event), size, None, anchors)
    return stack[0].children[0] if stack[0].children else Scalar(0, 0, 1, None, "")


def _collection(done: _Open, end: yaml.Event) -> Items | Entries:
    start, line = _offset(done.event.start_mark), _line(done.event)
    block = not done.event.flow_style
    if isinstance(done.event, yaml.SequenceStartEvent):
        return Items(start, _offset(end.end_mark), line, done.children, block)
    pairs = list(zip(done.children[::2], done.children[1::2], strict=True))
    return Entries(start, _offset(end.end_mark), line, pairs, block)


def _written_as(node: Node, alias: yaml.AliasEvent) -> Node:
    """Return a node the place of an alias that stands for it; what is inside it stays where it is written."""
    place = {"start": _offset(alias.start_mark), "end": _offset(alias.end_mark), "line": _line(alias)}
    return replace(node, **place, **({} if isinstance(node, Scalar) else {"block": False}))


def _add(
    parent: _Open, node: Node, size: int, anchor: str | None, anchors: dict[str, tuple[Node, int]]
) -> None:
    """Return a parent a finished node of `size` values, aliases in it written out."""
    parent.children.append(node)
    parent.size += size
    if parent.size > MAX_VALUES:
        raise TreeError(node.line, f"more than {MAX_VALUES} values, aliases written out; use fewer aliases")
    if anchor:
        anchors[anchor] = (node, size)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _offset(mark: Any) -> int:
    """Return a mark's offset; yaml's two kinds of marks share no type."""
    return int(mark.index) if mark else 0


def _refuse_tag(event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
    if event.tag not in (None, "!"):
        raise TreeError(_line(event), f"the YAML tag {event.tag} has no meaning here; remove it")


def _plain_value(text: str, line: int) -> object:
    """Read an unquoted scalar by the core schema of YAML 1.2 (10.3.2), without octal and hexadecimal."""
    if text in _NAMED:
        return _NAMED[text]
    if _INT.fullmatch(text):
        try:
            return int(text)
        except ValueError:
            raise _too_long(line) from None
    return float(text) if _FLOAT.fullmatch(text) else text


def _too_deep(line: int | None) -> TreeError:
    return TreeError(line, f"nested more than {MAX_DEPTH} levels deep; a configuration needs 4")


def _too_long(line: int | None) -> TreeError:
    """Python reads whole numbers of at most 4300 digits."""
    return TreeError(line, "a number is too long to be read; write fewer digits")
