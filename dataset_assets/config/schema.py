"""The JSON Schema of a configuration file, by which editors complete and check it.

It is that of the models, with what only a file has: sections that may be null, entries of which the defaults
give the rest, names in upper case. Every file that is valid fits it; contradictions between entries are found
by reading the file alone. Not here: the models (models.py), and messages about mistakes (problems.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from dataset_assets.config.models import DEFAULT_CATEGORIES, DEFAULT_FORMATS, Settings

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_KEY: Final = "$schema"
"""The key under which a file may name its schema, for the editor alone."""

_NULL: Final = {"type": "null"}
_OPTIONAL: Final = ("videos", "watch", "nightly", "runs")


def file_schema() -> dict[str, Any]:
    """Return the JSON Schema of a configuration file."""
    schema = Settings.model_json_schema()
    definitions, sections = schema["$defs"], schema["properties"]
    for name in _OPTIONAL:
        # pydantic leaves out a description that is the model's own.
        description = Settings.model_fields[name].description
        sections[name] = {"description": description, "anyOf": [_bare(sections[name]), _NULL]}
    for name, model, defaults in (
        ("formats", "Format", DEFAULT_FORMATS),
        ("categories", "Category", DEFAULT_CATEGORIES),
    ):
        changed = f"Changed{model}"
        definitions[changed] = {
            key: value for key, value in definitions[model].items() if key not in ("required", "title")
        }
        sections[name] = _merged(sections[name], model, changed, defaults)
    # Categories may be written in upper case.
    sections["categories"]["patternProperties"] = {
        _in_any_case(name): part for name, part in sections["categories"]["properties"].items()
    }
    sections["curation"]["type"] = ["object", "null"]
    sections[SCHEMA_KEY] = {
        "type": "string",
        "description": "Address or path of this schema, for the editor; it changes nothing.",
    }
    watches = {"properties": {"watch": {"type": "array", "minItems": 1}}, "required": ["watch"]}
    lists = {"properties": {"videos": {"type": "array", "minItems": 1}}, "required": ["videos"]}
    return {
        SCHEMA_KEY: DIALECT,
        **schema,
        "title": "Configuration of dataset_assets",
        "required": ["base_settings"],
        "if": watches,
        "then": {},
        "else": lists,
    }


def _bare(section: dict[str, Any]) -> dict[str, Any]:
    """Return what a section must be, without what describes it."""
    return {key: value for key, value in section.items() if key not in ("description", "default", "title")}


def _merged(section: dict[str, Any], model: str, changed: str, defaults: Iterable[str]) -> dict[str, Any]:
    """Return a section over the defaults, of whose names an entry may lack keys, or be null."""
    of_default = {"anyOf": [{"$ref": f"#/$defs/{changed}"}, _NULL]}
    return {
        "description": section["description"],
        "type": ["object", "null"],
        "properties": dict.fromkeys(defaults, of_default),
        "additionalProperties": {"$ref": f"#/$defs/{model}"},
    }


def _in_any_case(name: str) -> str:
    """Return the pattern of a name in upper or lower case."""
    letters = (f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in name)
    return f"^{''.join(letters)}$"
