"""Collect the mistakes of one file, each with its file, its line, its place and its remedy.

Belongs here: turning what pydantic found into messages for the user. Not here: what is a mistake
(models.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from dataset_assets.config.fields import MISTAKE
from dataset_assets.config.keys import near_names
from dataset_assets.config.tree import Entries, Items, Node, Scalar

Location = tuple[str | int, ...]
_SHOWN_AT_MOST = 60


class Problems:
    """Collects messages for one file, in the order of its lines."""

    def __init__(self, file: Path, read: Callable[[], Node]) -> None:
        self._file = file
        self._read = read
        self._found: list[tuple[int, str]] = []

    @cached_property
    def root(self) -> Node:
        """The file's tree, read when it is first asked for."""
        return self._read()

    def add(self, location: Location, message: str) -> None:
        """Add a mistake at a place: a path of keys and indices, which may end beyond what is written."""
        line = line_of(self.root, location)
        stop = "" if message.endswith("?") else "."
        text = f"{self._file}:{line} {dotted(location)}: {message}{stop}"
        # JSON can spell lone surrogates, which no terminal and no log can write.
        self._found.append((line, text.encode("utf-8", "backslashreplace").decode()))

    def messages(self) -> list[str]:
        """Return all messages, ordered by line."""
        return [message for _, message in sorted(self._found, key=lambda found: found[0])]


def line_of(root: Node, location: Location) -> int:
    """Return the line (from 1) of a place, or of the innermost value that contains it."""
    node, line = root, root.line
    for step in location:
        if isinstance(node, Entries) and (entry := node.find(step)):
            line, node = entry[0].line, entry[1]
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            line = node.line
        else:
            break
    return line


def dotted(location: Location) -> str:
    """Write a place as `videos[3].categories.general`."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier():
            text += f".{step}" if text else step
        else:
            text += f"[{shown(step)}]"
    return text or "the whole file"


def shown(value: object) -> str:
    """Show a value as the file would write it, at most 60 characters of it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_AT_MOST else f"{text[: _SHOWN_AT_MOST - 3]}..."


def messages_of(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[Location, str]]:
    """Describe each mistake that pydantic found in a model.

    Args:
        error: What `model.model_validate` raised.
        model: The model; its JSON schema defines what is valid.

    Yields:
        The place inside the model, and what is wrong there with its remedy.
    """
    schema = schema_of(model)
    for found in error.errors(include_url=False):
        location = tuple(step for step in found["loc"] if step != "[key]")
        if found["type"] == MISTAKE:
            yield location, found["msg"]
        elif found["type"] == "extra_forbidden":
            known = _part(schema, location[:-1])["properties"]
            yield location, f"unknown key; {near_names(str(location[-1]), known)}"
        elif found["type"] == "missing":
            yield location, f"is missing; add {expected(_part(schema, location))}"
        else:
            yield location, f"{shown(found['input'])} does not fit; use {expected(_part(schema, location))}"


@cache
def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return a model's JSON schema."""
    return model.model_json_schema()


def _part(schema: dict[str, Any], location: Location) -> dict[str, Any]:
    definitions = schema.get("$defs", {})
    for step in location:
        inner = schema.get("properties", {}).get(step) or schema.get("additionalProperties")
        schema = _itself(inner or schema.get("items") or {}, definitions)
    return schema


def _itself(schema: dict[str, Any], definitions: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a part without the detour by its name; what may be null is what it is otherwise."""
    schema = next(iter(schema.get("anyOf", [])), schema)
    name = schema.get("$ref", "").rpartition("/")[2]
    return definitions.get(name, schema)


def expected(schema: dict[str, Any]) -> str:
    """Describe what a JSON schema allows, such as "a whole number between 1 and 100"."""
    kind = schema.get("type")
    if "enum" in schema:
        return "one of " + ", ".join(shown(choice) for choice in schema["enum"])
    if "properties" in schema:
        return "a mapping with the keys " + ", ".join(f"`{name}`" for name in schema["properties"])
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _bounds(schema)
    if schema.get("format") == "path":
        return "the path of a file or folder, as text in quotes"
    if kind == "array" and "enum" in schema.get("items", {}):
        return "a list of one or more of " + ", ".join(map(shown, schema["items"]["enum"]))
    if kind == "array" and schema.get("maxItems") == 2:
        low, high = (schema["items"].get(name, other) for name, other in (("minimum", 1), ("maximum", 5)))
        return f"the least and the largest, each {expected(schema['items'])}, such as [{low:g}, {high:g}]"
    if kind == "array" and "$ref" in schema.get("items", {}):
        return "a list of mappings, one for each step"
    if kind == "array":
        return f"a list of texts, such as {shown(*schema.get('examples', [['*sample*']]))}"
    if kind == "object" and schema.get("additionalProperties", {}).get("type") == "object":
        return 'a mapping of patterns to weights, such as {"star*": {space: 1.0}}'
    if kind == "object":
        return "a mapping of names to numbers, such as {general: 0.5}"
    return "text in quotes"


def _bounds(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        words = f" between {low:g} and {high:g}"
    else:
        words = "" if low is None else f" of at least {low:g}"
    if (above := schema.get("exclusiveMinimum")) is not None:
        words = f" greater than {above:g}" + ("" if high is None else f", at most {high:g}")
    return words


def plain(node: Node, problems: Problems, location: Location = ()) -> Any:
    """Return a node as plain Python values; a duplicate key is a problem, its last value counts."""
    if isinstance(node, Items):
        return [plain(item, problems, (*location, index)) for index, item in enumerate(node.items)]
    if not isinstance(node, Entries):
        return node.value if isinstance(node, Scalar) else None
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, value in node.entries:
        if not isinstance(key, Scalar):
            problems.add(location, f"line {key.line} has a list or mapping as a key; use text")
            continue
        place = (*location, key.text)
        if key.text in values:
            problems.add(
                place, f"is written twice, the first time in line {lines[key.text]}; keep one of them"
            )
        values[key.text] = plain(value, problems, place)
        lines[key.text] = key.line
    return values
