"""`doctor`: checks of the requirements of a long run, each with a remedy.

It reads no film and no table: whether the data set is sound is the business of `verify`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av

from dataset_assets.config import Settings
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.launch import dagster_home
from dataset_assets.video import bake_lut

DECODERS = ("h264", "hevc", "libdav1d", "vp9", "mpeg2video", "prores")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Result of one check.

    Attributes:
        what: What was checked.
        passed: Whether the requirement is met.
        detail: What was found, and the remedy where it is not met.
    """

    what: str
    passed: bool
    detail: str


def examine(settings: Settings) -> list[Diagnosis]:
    """Check everything that a run needs; a failed check is a result and raises nothing."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("decoders", _decoders),
        ("tone mapping in the bundled ffmpeg", _tone_mapping),
        ("data set folder", lambda: _writable(settings.base.output_base_dir)),
        ("Dagster home", lambda: _writable(dagster_home(settings))),
        ("free space", lambda: _free_space(settings)),
        ("films", lambda: _films(settings)),
    ]
    diagnoses = []
    for what, check in checks:
        try:
            diagnoses.append(Diagnosis(what, True, check()))
        except (DatasetAssetsError, OSError) as error:
            diagnoses.append(Diagnosis(what, False, str(error)))
    return diagnoses


def _decoders() -> str:
    missing = [name for name in DECODERS if name not in av.codecs_available]
    if missing:
        raise DatasetAssetsError(
            f"PyAV has no decoder for {', '.join(missing)}",
            "install its wheel from PyPI: pip install --force-reinstall av",
        )
    return ", ".join(DECODERS)


def _tone_mapping() -> str:
    for transfer in ("smpte2084", "arib-std-b67"):
        bake_lut(transfer, "bt2020", 10.0, 1.0)
    return "zscale and tonemap work for PQ and HLG"


def _writable(folder: Path) -> str:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise DatasetAssetsError(
            f"{existing} cannot be written ({error.strerror})",
            "choose another folder or correct its permissions",
        ) from error
    return f"{folder} can be written"


def _free_space(settings: Settings) -> str:
    folder = settings.base.output_base_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free_gb, kept_gb = shutil.disk_usage(existing).free / 1e9, settings.base.min_free_gb
    if free_gb < kept_gb:
        raise DatasetAssetsError(
            f"{free_gb:.1f} GB free, and min_free_gb keeps {kept_gb:.1f} GB",
            "free some space or lower it",
        )
    return f"{free_gb:.1f} GB, of which {kept_gb:.1f} GB are kept free"


def _films(settings: Settings) -> str:
    absent = [video.path for video in settings.videos if not video.path.is_file()]
    if absent:
        raise DatasetAssetsError(
            f"{len(absent)} of {len(settings.videos)} films are absent, first {absent[0]}",
            "correct their paths in the configuration, or mount their disk",
        )
    return f"all {len(settings.videos)} are there"
