"""The promises about a video's tables and files, put to the test.

The assets report the verdicts as checks; how they are shown does not belong here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from dataset_assets.config import Settings
from dataset_assets.generate.reports import CategoryReport, WindowsReport
from dataset_assets.patches.downscale import SCALE
from dataset_assets.tables import PatchRow
from dataset_assets.video.probe import FRAMES_PER_WINDOW

ENOUGH_SHARE = 0.9
# The plan keeps each format within about one patch of its share; windows given up take theirs along.
MIX_TOLERANCE = 0.1
MIX_TOLERANCE_PATCHES = 2
LR5_FRAME_COUNT = 5
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a promise is kept.

    Attributes:
        passed: Whether it is.
        description: What was found, in words.
        number: The one figure that says how well.
    """

    passed: bool
    description: str
    number: float


def enough_windows(report: WindowsReport) -> Verdict:
    """At least nine tenths of the windows asked for were found."""
    share = report.accepted / report.target if report.target else 1.0
    return Verdict(
        share >= ENOUGH_SHARE, f"{report.accepted} of {report.target} windows found", round(share, 4)
    )


def enough_patches(report: CategoryReport) -> Verdict:
    """At least nine tenths of the patches asked for were made."""
    share = len(report.rows) / report.target if report.target else 1.0
    reason = f"; no room for {', '.join(report.left_out)}" if report.left_out else ""
    return Verdict(
        share >= ENOUGH_SHARE, f"{len(report.rows)} of {report.target} patches made{reason}", round(share, 4)
    )


def format_mix_kept(report: CategoryReport) -> Verdict:
    """Every format has its share of the patches, as far as it fits the film."""
    total = len(report.rows)
    made = report.formats
    off = {name: abs(made.get(name, 0) - share * total) for name, share in report.mix.items()}
    allowed = max(MIX_TOLERANCE_PATCHES, MIX_TOLERANCE * total)
    worst = max(off, key=lambda name: off[name], default="")
    description = (
        f"{worst} is {off[worst]:.1f} of {total} patches off its share" if worst else "no format fits"
    )
    return Verdict(
        all(value <= allowed for value in off.values()), description, round(max(off.values(), default=0.0), 2)
    )


def triplets_whole(settings: Settings, report: CategoryReport) -> Verdict:
    """Every row has its three files, as long as the row says and of the size that its format has."""
    root = settings.base.output_base_dir
    broken = [row.patch_id for row in report.rows if not _is_whole(root, row)]
    named = f", first {broken[0]}" if broken else ""
    return Verdict(
        not broken, f"{len(broken)} of {len(report.rows)} triplets are not whole{named}", len(broken)
    )


def _is_whole(root: Path, row: PatchRow) -> bool:
    small_width, small_height = row.width // SCALE, row.height // SCALE
    wanted = (
        (row.gt, row.gt_bytes, (row.width, row.height)),
        (row.lr5, row.lr5_bytes, (small_width, LR5_FRAME_COUNT * small_height)),
        (row.lr7, row.lr7_bytes, (small_width, FRAMES_PER_WINDOW * small_height)),
    )
    return all(_png_size(root / name, size_bytes) == size for name, size_bytes, size in wanted)


def _png_size(path: Path, size_bytes: int) -> tuple[int, int] | None:
    """Width and height that a PNG's header tells; None where the file is no PNG of this many bytes."""
    try:
        if path.stat().st_size != size_bytes:
            return None
        with path.open("rb") as file:
            header = file.read(24)
    except OSError:
        return None
    if not header.startswith(PNG_SIGNATURE) or len(header) < 24:
        return None
    width, height = struct.unpack(">II", header[16:24])
    return width, height
