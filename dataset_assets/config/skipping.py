"""What a search for films skips: recycle bins, linked folders, files of other kinds, unfinished files.

Belongs here: which folders and files these are, and the messages about them. Not here: walking through
folders (films.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePath
from typing import Final

# fmt: off
FILM_SUFFIXES: Final = frozenset((
    ".264", ".265", ".3g2", ".3gp", ".asf", ".avc", ".avi", ".divx", ".dv", ".dvr-ms", ".evo", ".f4v", ".flv",
    ".gxf", ".h264", ".h265", ".hevc", ".ivf", ".m1v", ".m2p", ".m2t", ".m2ts", ".m2v", ".m4v", ".mk3d",
    ".mkv", ".mov", ".mp2v", ".mp4", ".mpe", ".mpeg", ".mpg", ".mpv", ".mts", ".mxf", ".nut", ".obu", ".ogm",
    ".ogv", ".ogx", ".qt", ".rm", ".rmvb", ".tod", ".tp", ".trp", ".ts", ".vc1", ".vob", ".vro", ".webm",
    ".wm", ".wmv", ".wtv", ".xvid", ".y4m",
))
# Films or pictures of films that no container of `video.packets.CONTAINERS` holds, that are a second copy of
# another file (.lrv, .ssif), or whose suffix is as often something else (.mod, .rec).
OTHER_SUFFIXES: Final = frozenset((
    ".amv", ".ari", ".avs", ".bik", ".bik2", ".bk2", ".braw", ".crm", ".dav", ".fli", ".img", ".insv", ".iso",
    ".ism", ".ismv", ".lrv", ".m3u8", ".mj2", ".mjpeg", ".mjpg", ".mod", ".mpd", ".mpls", ".mve", ".nev",
    ".nrg", ".nsv", ".nuv", ".pva", ".pvr", ".r3d", ".rec", ".smk", ".ssif", ".strm", ".swf", ".udf", ".vdr",
    ".viv", ".vpy", ".xesc", ".yuv",
))
# What downloaders and copies add to the name of an incomplete file.
_UNFINISHED_SUFFIXES: Final = frozenset((
    ".!qb", ".!ut", ".aria2", ".bc!", ".crdownload", ".download", ".filepart", ".opdownload", ".part",
    ".partial", ".tmp",
))
# Folders in which systems, NAS boxes and file servers keep deleted files, or earlier states of all files.
_BINS: Final = frozenset((
    "#recycle", "#snapshot", "#trash", "$recycle.bin", "@gmt_snapshots", "@recently-snapshot", "@recycle",
    "@snapshot", "lost+found", "network trash folder", "recycle bin", "recycle.bin", "recycled", "recycler",
    "trashbox", "~snapshot",
))
_SYSTEM_FOLDERS: Final = frozenset((
    "@eadir", "@sharebin", "@tmp", "__macosx", "system volume information", "temporary items",
))
# fmt: on
# FOUND.000 is chkdsk's. Hidden ones (.Trash-1000, .recycle, .snapshots) are skipped by their dot.
_BIN_PATTERN: Final = re.compile(r"\$recycle.*|found\.\d{3}")
_NAMED_AT_MOST = 3


class Kind(Enum):
    """Why something is skipped, as the end of a message about it."""

    BIN = "recycle bins and snapshots; list the folder itself to include its films"
    LINK = "linked folders are not followed; list the folder itself"
    OTHER = "kinds that cannot be read or are rarely films; rip disc images first, list others by hand"
    UNFINISHED = "incomplete by their names; they are included once they have their final names"
    DANGLING = "links to missing files; mount the drive that they point to, or correct them"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A folder or a file that is skipped.

    Attributes:
        path: Its path.
        kind: Why it is skipped.
        target: The target of a linked folder, with all links resolved.
    """

    path: Path
    kind: Kind
    target: str = ""


Report = Callable[[Skipped], None]


def kind_of_folder(name: str) -> Kind | None:
    """Return why a folder of this name is skipped; None if it is not, or if nobody needs a report."""
    folded = name.casefold()
    return Kind.BIN if folded in _BINS or _BIN_PATTERN.fullmatch(folded) else None


def is_skipped(name: str) -> bool:
    """Return whether a folder of this name is skipped: hidden, a system's own, or a recycle bin."""
    return name.startswith(".") or name.casefold() in _SYSTEM_FOLDERS or kind_of_folder(name) is not None


def kind_of_file(name: str) -> Kind | None:
    """Return why a user might miss a file that is not a film by its suffix; None if nobody would."""
    path = PurePath(name)
    suffix = path.suffix.lower()
    if suffix in OTHER_SUFFIXES:
        return Kind.OTHER
    if suffix in _UNFINISHED_SUFFIXES and PurePath(path.stem).suffix.lower() in FILM_SUFFIXES:
        return Kind.UNFINISHED
    return None


def unsearched(skipped: Iterable[Skipped], folders: Collection[Path], real: Iterable[str]) -> list[Skipped]:
    """Drop from a list what is searched nevertheless: as a separate folder, or as the target of a link.

    Args:
        skipped: What was skipped.
        folders: The folders that were searched.
        real: The same with links resolved.
    """
    prefixes = tuple(f"{folder.rstrip('/')}/" for folder in real)
    return [
        each
        for each in skipped
        if each.path not in folders and not (each.target and f"{each.target}/".startswith(prefixes))
    ]


def messages_about(skipped: Iterable[Skipped], folders: Sequence[Path]) -> list[str]:
    """Return a message for each kind of what was skipped, with a count and the first few paths.

    Args:
        skipped: What was skipped.
        folders: The folders that were searched; paths are shown relative to their parents.
    """
    by_kind: dict[Kind, list[str]] = {}
    for each in sorted(set(skipped), key=lambda each: each.path):
        by_kind.setdefault(each.kind, []).append(_shown(each.path, folders))
    messages = []
    for kind in Kind:
        if paths := by_kind.get(kind):
            more = f" and {len(paths) - _NAMED_AT_MOST} more" if len(paths) > _NAMED_AT_MOST else ""
            messages.append(f"{len(paths)} skipped, {', '.join(paths[:_NAMED_AT_MOST])}{more}: {kind.value}.")
    return messages


def _shown(path: Path, folders: Sequence[Path]) -> str:
    holding = [folder for folder in folders if path.is_relative_to(folder)]
    return str(
        path.relative_to(max(holding, key=lambda folder: len(folder.parts)).parent) if holding else path
    )
