"""`doctor`: checks of the requirements of a long run, each with a remedy.

It decodes no film and reads no table: whether the data set is sound is the business of `verify`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av
from rich.console import Console

from dataset_assets.addresses import Address, FilmPath
from dataset_assets.cli.doctor_machines import machine_checks
from dataset_assets.cli.film_check import Size, check_films
from dataset_assets.cli.store_check import check_store
from dataset_assets.cli.unprobed import too_small_for_all
from dataset_assets.config import Settings, VideoEntry, fitting_remedy
from dataset_assets.counting import counted, some_are
from dataset_assets.errors import CORRECT_PATH, DatasetAssetsError
from dataset_assets.launch import dagster_home
from dataset_assets.video import bake_lut, look_at, seen, why_unseen

# Refused films that are listed; beyond that, their number.
SHOWN_FILMS = 20
# Decoders by the codec.
DECODERS = {name: name for name in ("h264", "hevc", "vp9", "mpeg2video", "prores")} | {"av1": "libdav1d"}


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


def examine(settings: Settings, console: Console | None = None) -> list[Diagnosis]:
    """Check everything that a run needs; a failed check is a result and raises nothing.

    Args:
        settings: The configuration.
        console: Where the progress of checking the films is shown.
    """
    url = settings.base.output_url
    checks: list[tuple[str, Callable[[], str]]] = [
        ("decoders", _decoders),
        ("tone mapping in the bundled ffmpeg", _tone_mapping),
        ("data set folder", lambda: _writable(settings.base.output_base_dir)),
        *([("object store", partial(check_store, url))] if url else []),
        ("Dagster home", lambda: _writable(dagster_home(settings))),
        ("free space", lambda: _free_space(settings)),
        ("films", lambda: _films(settings, console)),
    ]
    if settings.base.machines == "many":
        of_machines = dict(machine_checks(settings))
        if url is not None:
            # Nobody shares the copy, and the clock that counts is the store's.
            del of_machines["shared folder"], of_machines["clock"]
        checks = [(what, of_machines.pop(what, check)) for what, check in checks]
        checks[-1:-1] = of_machines.items()
    return diagnose(checks)


def diagnose(checks: Sequence[tuple[str, Callable[[], str]]]) -> list[Diagnosis]:
    """Make checks, by what they check; one that raises an error of the user or of the disk has failed."""
    diagnoses = []
    for what, check in checks:
        try:
            diagnoses.append(Diagnosis(what, True, check()))
        except (DatasetAssetsError, OSError) as error:
            diagnoses.append(Diagnosis(what, False, str(error)))
    return diagnoses


def _decoders() -> str:
    missing = [codec for codec, decoder in DECODERS.items() if decoder not in av.codecs_available]
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


def _films(settings: Settings, console: Console | None) -> str:
    total = len(settings.videos)
    there: list[VideoEntry] = []
    absent: list[VideoEntry] = []
    look_at((video.path for video in settings.videos), max_age_s=0)
    for video in settings.videos:
        (absent if seen(video.path) is None else there).append(video)
    checked = check_films([video.path for video in there], console)
    faults = []
    for is_object in (False, True):
        faults += _about_absent(
            settings, [each for each in absent if isinstance(each.path, Address) == is_object]
        )
    refused = [video for video in there if video.path in checked.refused]
    if refused:
        faults.append(f"{len(refused)} of {counted(total, 'film')} cannot be used:")
    for video in refused[:SHOWN_FILMS]:
        error = checked.refused[video.path]
        remedy = fitting_remedy(error.remedy, settings, video)
        faults.append(f"{video.key} ({video.path}): {error.what}; {remedy}")
    if len(refused) > SHOWN_FILMS:
        faults.append(f"and {len(refused) - SHOWN_FILMS} more")
    if faults:
        raise DatasetAssetsError("\n".join(faults), "")
    small = _too_small(settings, there, checked.sizes)
    slow = f"; {len(checked.slow)} gave no answer in time" if checked.slow else ""
    unopened = f"; {len(checked.unopened)} at addresses were not opened" if checked.unopened else ""
    return f"all {total} are there and have a video{slow}{unopened}{small}"


def _about_absent(settings: Settings, absent: Sequence[VideoEntry]) -> list[str]:
    """Return a line about absent films, either files or films at addresses, with the first one."""
    if not absent:
        return []
    first, count = absent[0], some_are(len(absent), len(settings.videos), "film")
    what, remedy = str(first.path), f"{CORRECT_PATH}, or mount its disk"
    if isinstance(first.path, Address) and (error := why_unseen(first.path)) is not None:
        what, remedy = f"{what}: {error.what}", error.remedy
    return [f"{count} absent, first {what}; {fitting_remedy(remedy, settings, first)}"]


def _too_small(settings: Settings, films: Sequence[VideoEntry], sizes: Mapping[FilmPath, Size]) -> str:
    """Return how many films no format fits, with the first; empty where there is none."""
    found: dict[str, str] = {}
    for video in films:
        if video.path in sizes and (why := too_small_for_all(settings, video, sizes[video.path])):
            found[video.key] = why
    if not found:
        return ""
    key, why = next(iter(found.items()))
    return f"; {len(found)} too small, first {key}: {why}"
