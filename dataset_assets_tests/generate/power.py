"""Power cuts: what a run does to its files, replayed onto a disk that keeps as little of it as it may.

`recorded` watches a run. `Disk` replays what was recorded, and tells what may be there after a power cut: of
what was not flushed any part, in any order, which is more than any real file system loses.
"""

from __future__ import annotations

import io
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias
from unittest.mock import patch

# What is only shown, only locks, or holds nothing: nobody minds what a power cut leaves of it.
UNWATCHED = frozenset({".locks", ".progress", "pictures", "Val"})

Kind = Literal["write", "flush", "rename", "unlink", "mkdir", "rmdir", "mark"]
# Contents of files, and folders (None), by their relative posix path: a quarter of the time of `Path`.
Tree: TypeAlias = dict[str, bytes | None]


@dataclass(frozen=True)
class Step:
    """One thing that was done below the watched folder.

    Attributes:
        kind: What; a mark is a note of whoever watches.
        path: To which file or folder.
        content: What is in the file after a write.
        target: The new name.
    """

    kind: Kind
    path: Path
    content: bytes = b""
    target: Path = Path()


class Recorder:
    """Takes down steps in the order in which they are done, by whatever thread."""

    def __init__(self, root: Path) -> None:
        self.steps: list[Step] = []
        self._root = root
        self._opened: dict[Path, Any] = {}
        self._known: dict[Path, bytes] = {}
        self._lock = threading.RLock()
        self._read = io.open

    def mark(self, path: Path) -> None:
        """Notes that a promise holds from here on: what is at the path stays."""
        self._take("mark", path)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watches this process's calls."""
        calls: list[tuple[Any, str, Callable[..., Any]]] = [
            (io, "open", self._open),
            (os, "open", self._create),
            (os, "fsync", self._fsync),
            (os, "replace", self._rename),
            (os, "rename", self._rename),
            (os, "unlink", self._simple("unlink")),
            (os, "remove", self._simple("unlink")),
            (os, "mkdir", self._simple("mkdir")),
            (os, "rmdir", self._simple("rmdir")),
            (os, "truncate", self._truncate),
        ]
        with ExitStack() as stack:
            for module, name, watched in calls:
                real = getattr(module, name)
                stack.enter_context(patch.object(module, name, _bound(watched, real)))
            yield
            self._look()

    def _below(self, path: Any) -> Path | None:
        """The path below the root; None where it is elsewhere or not watched."""
        try:
            below = Path(path).relative_to(self._root)
        except (TypeError, ValueError):
            return None
        return None if UNWATCHED.intersection(below.parts) else below

    def _take(self, kind: Kind, path: Path, content: bytes = b"", target: Path = Path()) -> None:
        self._look()
        self.steps.append(Step(kind, path, content, target))

    def _look(self) -> None:
        """Takes down what was written since to the files that are open, or were."""
        for path, file in list(self._opened.items()):
            self._written(path)
            if file.closed:
                del self._opened[path]

    def _written(self, path: Path) -> None:
        with self._read(self._root / path, "rb") as file:
            content = file.read()
        if self._known.get(path) != content:
            self._known[path] = content
            self.steps.append(Step("write", path, content))

    def _open(self, real: Callable[..., Any], file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        path = self._below(file)
        if path is None or not set(mode) & set("wax+"):
            return real(file, mode, *args, **kwargs)
        with self._lock:
            self._look()
            self._known.pop(path, None)
            self._opened[path] = real(file, mode, *args, **kwargs)
            self._written(path)
            return self._opened[path]

    def _create(self, real: Callable[..., int], file: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        path = self._below(file)
        with self._lock:
            descriptor = real(file, flags, *args, **kwargs)
            if path is not None and flags & os.O_CREAT:
                self._look()
                self._written(path)
            return descriptor

    def _fsync(self, real: Callable[..., Any], descriptor: int) -> None:
        path = self._below(Path(f"/proc/self/fd/{descriptor}").readlink())
        with self._lock:
            real(descriptor)
            if path is not None:
                self._take("flush", path)

    def _rename(self, real: Callable[..., Any], source: Any, target: Any) -> None:
        old, new = self._below(source), self._below(target)
        with self._lock:
            self._look()
            real(source, target)
            if old is not None and new is not None:
                self._take("rename", old, target=new)

    def _truncate(self, real: Callable[..., Any], file: Any, length: int) -> None:
        path = self._below(file)
        with self._lock:
            self._look()
            real(file, length)
            if path is not None:
                self._written(path)

    def _simple(self, kind: Kind) -> Callable[..., None]:
        def watched(real: Callable[..., Any], file: Any, *args: Any, **kwargs: Any) -> None:
            path = self._below(file)
            with self._lock:
                self._look()
                real(file, *args, **kwargs)
                if path is not None:
                    self._take(kind, path)

        return watched


def _bound(watched: Callable[..., Any], real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: watched(real, *args, **kwargs)


@cache
def _part(durable: bytes, current: bytes, how_much: float) -> bytes:
    """Contents of which so much of what was not flushed is on the disk: 0, 1, or a part."""
    if how_much == 1:
        return current
    if current.startswith(durable):
        return current[: len(durable) + int((len(current) - len(durable)) * how_much)]
    return durable if how_much == 0 else current[: int(len(current) * how_much)]


@dataclass
class _File:
    """A file: what is surely on the disk, and what a reader sees."""

    durable: bytes = b""
    current: bytes = b""


@dataclass
class _Folder:
    """A folder: the names that are surely on the disk, the changes after them, and what a reader sees."""

    durable: dict[str, _File | _Folder] = field(default_factory=dict)
    pending: list[dict[str, _File | _Folder | None]] = field(default_factory=list)
    current: dict[str, _File | _Folder] = field(default_factory=dict)

    def change(self, **names: _File | _Folder | None) -> None:
        self.pending.append(names)
        _apply(self.current, names)


def _apply(names: dict[str, _File | _Folder], change: dict[str, _File | _Folder | None]) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


class Disk:
    """A disk onto which steps are replayed."""

    def __init__(self, tree: Tree) -> None:
        """Starts with a tree that is wholly on the disk."""
        self._root = _Folder()
        for path, content in sorted((Path(name), content) for name, content in tree.items()):
            node = _Folder() if content is None else _File(content, content)
            parent = self._folder(path.parent)
            parent.current[path.name] = parent.durable[path.name] = node

    def apply(self, step: Step) -> None:
        """Does a step as a reader sees it, and notes what it makes durable."""
        parent, name = self._folder(step.path.parent), step.path.name
        if step.kind == "write":
            file = parent.current.get(name)
            if not isinstance(file, _File):
                file = _File()
                parent.change(**{name: file})
            file.current = step.content
        elif step.kind == "flush":
            node = parent.current[name] if name else self._root
            if isinstance(node, _File):
                node.durable = node.current
            else:
                node.durable, node.pending = dict(node.current), []
        elif step.kind == "rename":
            assert step.path.parent == step.target.parent
            parent.change(**{name: None, step.target.name: parent.current[name]})
        elif step.kind == "mkdir":
            parent.change(**{name: _Folder()})
        elif step.kind in ("unlink", "rmdir"):
            parent.change(**{name: None})

    def tree(self) -> Tree:
        """What a reader sees."""
        return self._seen(lambda _: True, lambda _: 1.0)

    def after_a_cut(self, seed: int) -> Iterator[Tree]:
        """What may be there after a power cut.

        Everything that was done, nothing that was not flushed, the names without the contents; each change of
        a name alone, and all but it; and some at random.
        """
        changes = [id(change) for folder in self._folders(self._root) for change in folder.pending]
        for how_much in (0.0, 0.5, 1.0):
            yield self._seen(lambda _: True, lambda _, part=how_much: part)  # type: ignore[misc]
        yield self._seen(lambda _: False, lambda _: 0.0)
        for one in changes:
            yield self._seen(lambda change, kept=one: change == kept, lambda _: 0.5)  # type: ignore[misc]
            yield self._seen(lambda change, lost=one: change != lost, lambda _: 1.0)  # type: ignore[misc]
        rng = random.Random(seed)
        for _ in range(4):
            kept = {change for change in changes if rng.random() < 0.5}
            parts: dict[int, float] = {}
            yield self._seen(
                kept.__contains__,
                lambda file, parts=parts: parts.setdefault(file, rng.choice((0.0, 0.5, 1.0))),  # type: ignore[misc]
            )

    def _folder(self, path: Path) -> _Folder:
        node: _File | _Folder = self._root
        for part in path.parts:
            assert isinstance(node, _Folder)
            node = node.current[part]
        assert isinstance(node, _Folder)
        return node

    def _folders(self, folder: _Folder) -> Iterator[_Folder]:
        """The folders that may be there: by their names now, on the disk, or on the way."""
        yield folder
        changed = [node for change in folder.pending for node in change.values()]
        nodes = {id(node): node for node in [*folder.durable.values(), *changed]}
        for node in nodes.values():
            if isinstance(node, _Folder):
                yield from self._folders(node)

    def _seen(self, is_kept: Callable[[int], bool], part: Callable[[int], float]) -> Tree:
        tree: Tree = {}

        def look(folder: _Folder, prefix: str) -> None:
            names = dict(folder.durable)
            for change in folder.pending:
                if is_kept(id(change)):
                    _apply(names, change)
            for name, node in names.items():
                if isinstance(node, _Folder):
                    tree[prefix + name] = None
                    look(node, f"{prefix}{name}/")
                else:
                    tree[prefix + name] = _part(node.durable, node.current, part(id(node)))

        look(self._root, "")
        return tree


def read_tree(root: Path) -> Tree:
    """The watched files and folders below a folder."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
        if not UNWATCHED.intersection(path.relative_to(root).parts)
    }


def write_tree(root: Path, tree: Tree) -> None:
    """Puts files and folders below a folder."""
    for name, content in sorted(tree.items()):
        if content is None:
            (root / name).mkdir(parents=True, exist_ok=True)
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
