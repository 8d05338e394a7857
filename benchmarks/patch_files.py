"""What changes of a patch's files cost: `lr_stacks`, `gt_frames` and `scale`, on a copy of a data set.

    python -m benchmarks.patch_files CONFIG

Prints a line for each change, from the settings of the line before: CPU seconds a patch, of one process and
without its start, and megabytes of each kind of file a patch. The first line is a run with nothing to do but
to probe, which the others need not.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dataset_assets.config import Settings, default_formats, load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.frames import FileKind
from dataset_assets.generate import generate_video

CHANGES: Final[tuple[Mapping[str, Any], ...]] = (
    {},
    {"gt_frames": "all"},
    {"gt_frames": "middle"},
    {"lr_stacks": [7]},
    {"lr_stacks": [5, 7]},
    {"lr_stacks": [5]},
    {"lr_stacks": [5, 7]},
    {"scale": 2},
    {"scale": 4},
)


def main() -> None:
    """Measure the changes one after the other."""
    settings = load_settings(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "dataset"
        shutil.copytree(settings.base.output_base_dir, copy)
        settings = _changed(settings, {"output_base_dir": copy, "allow_replacing": True})
        names = " | ".join(f"{kind} MB" for kind in FileKind)
        print(f"| change | CPU s a patch | {names} |\n| --- |{' ---: |' * (1 + len(FileKind))}")
        for change in CHANGES:
            settings = _changed(settings, change)
            _measure(settings, ", ".join(f"`{name}: {value}`" for name, value in change.items()))


def _changed(settings: Settings, change: Mapping[str, Any]) -> Settings:
    base = settings.base.model_copy(update=dict(change))
    formats = settings.formats | default_formats(base.scale)
    return settings.model_copy(
        update={"base": base, "formats": {name: formats[name] for name in settings.formats}}
    )


def _measure(settings: Settings, change: str) -> None:
    cpu_s = sum(generate_video(settings, video.key).cpu_s for video in settings.videos)
    rows = [triplet.row for triplet in DataSet.of(settings).triplets()]
    sizes = dict.fromkeys(FileKind, 0)
    for row in rows:
        for file in row.files:
            sizes[file.kind] += file.size_bytes or 0
    figures = " | ".join(f"{size / len(rows) / 1e6:.2f}" for size in sizes.values())
    print(f"| {change or 'none'} | {cpu_s / len(rows):.3f} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
