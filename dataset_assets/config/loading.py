"""Read a configuration file into `Settings`, and report all mistakes at once.

Belongs here: which file, its text, merging over the defaults. Not here: what the values mean (models.py), how
mistakes are worded (problems.py), changing the file (scan.py).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from dataset_assets.config.contradictions import contradictions
from dataset_assets.config.curation import curation_mistakes
from dataset_assets.config.keys import near_names
from dataset_assets.config.models import (
    DEFAULT_CATEGORIES,
    BaseSettings,
    Category,
    Format,
    Settings,
    VideoEntry,
    default_formats,
)
from dataset_assets.config.operation import EndedRuns, Nightly, WatchFolder
from dataset_assets.config.problems import Location, Problems, expected, messages_of, plain, schema_of, shown
from dataset_assets.config.register import read_register, with_watched
from dataset_assets.config.schema import SCHEMA_KEY
from dataset_assets.config.tree import Node, TreeError, read_tree
from dataset_assets.errors import ConfigError
from dataset_assets.frames import DEFAULT_SCALE, FRAMES_PER_WINDOW, SCALES

DEFAULT_CONFIG: Final = Path("configs/generator_config.json")
CONFIG_VARIABLE: Final = "DATASET_ASSETS_CONFIG"
MAX_FILE_BYTES: Final = 8_000_000  # 50 000 videos; anything larger is some other file

_SECTIONS = ("base_settings", "videos", "watch", "formats", "categories", "curation", "nightly", "runs")
_Model = TypeVar("_Model", bound=BaseModel)


def config_path(given: Path | None) -> Path:
    """Choose the configuration: the given file, else DATASET_ASSETS_CONFIG, else `DEFAULT_CONFIG`."""
    if given is not None:
        return given
    return Path(os.environ.get(CONFIG_VARIABLE) or DEFAULT_CONFIG).expanduser()


def load_settings(path: Path, *, may_lack_videos: bool = False) -> Settings:
    """Read and check a configuration file, `.json` as JSON and anything else as YAML.

    Args:
        path: The file. Relative paths in it are relative to its folder. Films need not exist.
        may_lack_videos: Accept an empty or absent list of videos.

    Returns:
        The settings, with absolute paths, lower-case category names, and the file's formats and categories
        merged over the defaults by name, field by field. Its videos are those that are listed, followed by
        those that `watch.look_for_films` has found in watched folders so far: here no folder is searched.

    Raises:
        ConfigError: The file cannot be read, or holds mistakes: all of them, ordered by line.
    """
    settings = settings_from_text(read_config(path), path, may_lack_videos=may_lack_videos)
    return with_watched(settings, read_register(settings)) if settings.watch else settings


def read_config(path: Path) -> str:
    """Return the text of a configuration file with its line ends as they are, without a byte order mark.

    Raises:
        ConfigError: The file is missing, unreadable, larger than 8 MB or not UTF-8.
    """
    try:
        if not path.exists():
            hint = f"write one, or name another by --config or {CONFIG_VARIABLE}"
            raise ConfigError([f"{path}: there is no such configuration file; {hint}."])
        if not path.is_file():
            raise ConfigError([f"{path}: is not a file; give the path of a .json or .yaml file."])
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read ({error.strerror}); check its permissions."]) from None
    if len(content) > MAX_FILE_BYTES:
        hint = "give the path of a configuration file"
        raise ConfigError([f"{path}: is larger than {MAX_FILE_BYTES // 10**6} MB; {hint}."])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path}:{line}: is not UTF-8 text; save it as UTF-8."]) from None


def tree_of(text: str, path: Path) -> Node:
    """Read a configuration's text into its tree.

    Raises:
        ConfigError: A syntax error, with its line.
    """
    try:
        return read_tree(text, is_json=_is_json(path))
    except TreeError as error:
        place = f"{path}:{error.line}" if error.line else str(path)
        raise ConfigError([f"{place}: {error.message}."]) from None


def settings_from_text(text: str, path: Path, *, may_lack_videos: bool = False) -> Settings:
    """Check a configuration's text.

    Args:
        text: The text, as from `read_config`.
        path: The file that it belongs to, for relative paths and for messages.
        may_lack_videos: Accept an empty or absent list of videos, as a scan does before it fills it.

    Raises:
        ConfigError: All the mistakes.
    """
    problems = Problems(path, partial(tree_of, text, path))
    raw = _values_of(text, path, problems)
    if not isinstance(raw, dict):
        raw = {}
        problems.add((), f"is not a mapping; use the keys {', '.join(_SECTIONS)}")
    for name in raw:
        if name not in (*_SECTIONS, SCHEMA_KEY):
            problems.add((name,), f"unknown key; {near_names(name, _SECTIONS)}")
    if not isinstance(raw.get(SCHEMA_KEY, ""), str):
        problems.add((SCHEMA_KEY,), f"{shown(raw[SCHEMA_KEY])} does not fit; use text in quotes")
    reader = _Reader(problems, {"folder": Path.cwd() / path.parent})
    settings = {
        "base_settings": reader.base(raw),
        "videos": reader.videos(raw.get("videos"), may_lack_videos or bool(raw.get("watch"))),
        "watch": reader.entries("watch", raw.get("watch"), WatchFolder, "folders to watch"),
        "formats": reader.merged("formats", raw.get("formats"), Format, default_formats(_scale(raw))),
        "categories": reader.merged("categories", raw.get("categories"), Category, DEFAULT_CATEGORIES),
        "curation": _lower_case(raw.get("curation")),
        "nightly": reader.section("nightly", raw.get("nightly"), Nightly()),
        "runs": reader.section("runs", raw.get("runs"), EndedRuns()),
    }
    for location, message in _contradictions(raw):
        problems.add(location, message)
    if messages := problems.messages():
        raise ConfigError(messages)
    return Settings.model_validate(settings)


def _values_of(text: str, path: Path, problems: Problems) -> Any:
    """Return the values of a text, without building its tree if it is valid JSON.

    Only messages need the tree, and it takes more than half of the time that 5000 videos take.
    """
    if _is_json(path):
        # The tree reports what is not JSON, or has a duplicate key.
        with suppress(ValueError, RecursionError):
            return json.loads(text, object_pairs_hook=_without_doubles)
    return plain(problems.root, problems)


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key is there twice")
    return values


def _is_json(path: Path) -> bool:
    return path.suffix.lower() == ".json"


def _contradictions(raw: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Find the contradictions in a file, also between entries that are wrong in other ways."""
    scale = _scale(raw)
    formats = _overlaid(default_formats(scale), raw.get("formats"))
    written = _lower_case(raw.get("categories"))
    categories = _overlaid(DEFAULT_CATEGORIES, written)
    base = raw.get("base_settings")
    is_in_store = isinstance(base, dict) and base.get("output_url") is not None
    stacks = base.get("lr_stacks") if isinstance(base, dict) else None
    for location, message in contradictions(
        _listed(raw, "videos"),
        formats,
        categories,
        _listed(raw, "watch"),
        scale,
        is_in_store=is_in_store,
        stacks=stacks if isinstance(stacks, list) else (FRAMES_PER_WINDOW,),
    ):
        match location:
            case ("categories", str(name), "mix", str(wanted)) if not _writes(written.get(name), "mix"):
                remedy = f"keep it, or give {name} a mix without it"
                yield ("formats", wanted), f"is removed, but the default category {name} uses it; {remedy}"
            case _:
                yield location, message
    for place, message in curation_mistakes(raw.get("curation"), categories):
        yield ("curation", *place), message


def _scale(raw: Mapping[str, Any]) -> int:
    """Return the scale of a file; the default where it is not written, or is none."""
    base = raw.get("base_settings")
    scale = base.get("scale") if isinstance(base, dict) else None
    return scale if isinstance(scale, int) and scale in SCALES else DEFAULT_SCALE


def _listed(raw: Mapping[str, Any], section: str) -> list[object]:
    entries = raw.get(section)
    return entries if isinstance(entries, list) else []


def _lower_case(section: object) -> dict[str, Any]:
    return {name.lower(): entry for name, entry in section.items()} if isinstance(section, dict) else {}


def _overlaid(defaults: Mapping[str, BaseModel], section: object) -> dict[str, object]:
    """Lay what is written over the defaults.

    Entries with the folder of a default come first: of two in conflict the later is reported.
    """
    written = section if isinstance(section, dict) else {}
    kept: dict[str, object] = {
        name: entry.model_dump() for name, entry in defaults.items() if name not in written
    }
    names = [name for name, entry in written.items() if entry is not None]
    names.sort(key=lambda name: _writes(written[name], "folder"))
    return kept | {name: _completed(written[name], defaults.get(name)) for name in names}


def _writes(entry: object, field: str) -> bool:
    return isinstance(entry, dict) and field in entry


def _completed(entry: object, default: BaseModel | None) -> object:
    """Return an entry with what it does not write taken from the default of its name."""
    return default.model_dump() | entry if isinstance(entry, dict) and default is not None else entry


class _Reader:
    """Checks the sections of one file one by one, so that a mistake in one hides none in another.

    Its results contain only the valid entries; they are complete if no problem was added.
    """

    def __init__(self, problems: Problems, context: dict[str, Path]) -> None:
        self._problems = problems
        self._context = context

    def base(self, raw: Mapping[str, Any]) -> BaseSettings | None:
        if "base_settings" not in raw:
            self._problems.add(("base_settings",), "is missing; add it with at least `output_base_dir`")
            return None
        return self._checked(BaseSettings, raw["base_settings"], ("base_settings",))

    def videos(self, raw: object, may_lack: bool) -> tuple[VideoEntry, ...]:
        if raw is None or raw == []:
            if not may_lack:
                remedy = "add a video, or let `dataset-assets videos scan FOLDER` find them"
                self._problems.add(("videos",), f"the list is empty; {remedy}")
            return ()
        return self.entries("videos", raw, VideoEntry, "videos")

    def entries(self, section: str, raw: object, model: type[_Model], what: str) -> tuple[_Model, ...]:
        if raw is None:
            return ()
        if not isinstance(raw, list):
            self._problems.add((section,), f"{shown(raw)} does not fit; use a list of {what}")
            return ()
        entries = (self._checked(model, item, (section, index)) for index, item in enumerate(raw))
        return tuple(entry for entry in entries if entry is not None)

    def section(self, name: str, raw: object, default: _Model) -> _Model | None:
        return default if raw is None else self._checked(type(default), raw, (name,))

    def merged(
        self, section: str, raw: object, model: type[_Model], defaults: Mapping[str, _Model]
    ) -> dict[str, _Model]:
        """Merge a section over its defaults by name, and each entry over the default of its name."""
        merged = dict(defaults)
        if raw is None:
            return merged
        if not isinstance(raw, dict):
            self._problems.add(
                (section,), f"{shown(raw)} does not fit; use a mapping of names to their settings"
            )
            return merged
        seen: set[str] = set()
        for written, entry in raw.items():
            name = written.lower() if section == "categories" else written
            if name in seen:
                self._problems.add(
                    (section, written), "is there in upper and in lower case; keep one of them"
                )
            seen.add(name)
            if entry is not None:
                completed = _completed(entry, defaults.get(name))
                checked = self._checked(model, completed, (section, written))
                merged |= {name: checked} if checked is not None else {}
            elif name in defaults:
                merged.pop(name, None)
            else:
                hint = near_names(name, defaults)
                self._problems.add(
                    (section, written), f"null removes a default, and none has this name; {hint}"
                )
        return merged

    def _checked(self, model: type[_Model], raw: object, location: Location) -> _Model | None:
        if not isinstance(raw, dict):
            self._problems.add(location, f"{shown(raw)} does not fit; use {expected(schema_of(model))}")
            return None
        try:
            return model.model_validate(raw, context=self._context)
        except ValidationError as error:
            for inner, message in messages_of(error, model):
                self._problems.add((*location, *inner), message)
            return None
