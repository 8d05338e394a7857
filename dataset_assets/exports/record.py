"""What an export says of itself: `export.json`, `split.parquet` and `README.md`.

Not here: the trainers' option blocks (`layouts`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from dataset_assets import __version__
from dataset_assets.counting import counted
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.exports.layouts.protocol import Layout, Paste
from dataset_assets.exports.options import ONE_LR_FRAME, ExportOptions
from dataset_assets.exports.publishing import RECORD_FILE, count_files
from dataset_assets.exports.selected import FILES_VERSION, Selected
from dataset_assets.exports.units import Unit
from dataset_assets.tables import SCHEMA_VERSION

README_FILE: Final = "README.md"
SPLIT_FILE: Final = "split.parquet"
SPLIT_SCHEMA: Final = pa.schema(
    [
        pa.field("category", pa.string(), nullable=False),
        pa.field("patch_id", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("video", pa.string(), nullable=False),
        pa.field("window", pa.int32(), nullable=False),
        pa.field("crop", pa.int32(), nullable=False),
        pa.field("format", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
    ]
)


def paste_of(data_set: DataSet, selected: Selected, folder: Path) -> Paste:
    """Return what the option blocks of an export are made of."""
    return Paste(
        folder=folder,
        data_set=data_set.folder.absolute(),
        scale=selected.scale,
        frames=selected.options.frames,
        gt=selected.options.gt,
        gt_size=selected.max_gt_size,
        has_validation=bool(selected.of("val")),
        selected=selected,
    )


def identity(selected: Selected, units: Sequence[Unit], folder: Path) -> str:
    """Return a hash that two exports share if all their files are the same."""
    parts = [__version__, str(FILES_VERSION), str(folder), json.dumps(options_record(selected))]
    parts.append(json.dumps(curation_record(selected)))
    parts += [f"{unit.name} {unit.digest}" for unit in units]
    # Where both splits lie in the same arrays, no unit says which a triplet is of.
    parts += [f"val {item.name}" for item in selected.of("val")]
    return hashlib.blake2b("\n".join(parts).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


def options_record(selected: Selected) -> dict[str, Any]:
    """Return what was asked for, as JSON."""
    return {name: _as_json(value) for name, value in asdict(selected.options).items() if name != "layout"}


def curation_record(selected: Selected) -> dict[str, Any]:
    """Return what curation left out, as JSON: the condition and the count of each category."""
    selection = selected.selection
    return {
        "conditions": dict(selection.curation),
        "left_out": dict(selection.left_out),
        "unscored": selection.unscored,
    }


def recorded_options(record: Mapping[str, Any]) -> ExportOptions | None:
    """Return the options that an export was made with; None where this release knows others."""
    selection: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in record.get("selection", {}).items()
    }
    try:
        options = ExportOptions(layout=record["layout"], **selection)
        options.check()
    except (TypeError, DatasetAssetsError):
        return None
    return options


def write_record(
    folder: Path, layout: Layout, data_set: DataSet, selected: Selected, export_identity: str
) -> dict[str, Any]:
    """Write `export.json`, the last file of an export.

    Returns:
        What is in it.
    """
    record = {
        "layout": layout.name,
        "identity": export_identity,
        "made_by": {"dataset_assets": __version__, "files_version": FILES_VERSION},
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data_set": {
            "folder": str(data_set.folder),
            "schema_version": SCHEMA_VERSION,
            "settings_hashes": _settings_hashes(selected),
        },
        "selection": options_record(selected),
        "curation": curation_record(selected),
        "counts": _counts(selected),
        "scale": selected.scale,
        "max_gt_size": selected.max_gt_size,
        "contents": sorted([*(path.name for path in folder.iterdir()), RECORD_FILE]),
        "files": count_files(folder) + 1,
    }
    # Half a surrogate pair, which a path on the disk may hold, is written as an escape.
    (folder / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return record


def write_split(path: Path, selected: Selected) -> None:
    """Write which triplet is for training and which for validation, and its name in the export."""
    rows = [
        {
            "category": item.triplet.category,
            "patch_id": item.row.patch_id,
            "split": item.split,
            "video": item.triplet.video,
            "window": item.row.window,
            "crop": item.row.crop,
            "format": item.row.format,
            "name": item.name,
        }
        for item in selected.items
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=SPLIT_SCHEMA), path)


def write_readme(path: Path, layout: Layout, selected: Selected, paste: Paste) -> None:
    """Write the page that a person reads first: what this is, and what to paste."""
    path.write_text(readme(layout, selected, paste), encoding="utf-8", errors="backslashreplace")


_LINKS: Final = "GT files may be hard links to those of the data set: do not edit pictures in place."


def readme(layout: Layout, selected: Selected, paste: Paste) -> str:
    """Return the text of an export's `README.md`."""
    formats = ", ".join(f"{name} {count:,}" for name, count in selected.formats.items())
    lr = "the middle frame" if layout.name in ONE_LR_FRAME else counted(paste.frames, "frame")
    lines = [
        f"# {paste.folder.name}: `{layout.name}`",
        "",
        f"{counted(len(selected.items), 'triplet')} of {', '.join(selected.categories)} for "
        f"{layout.trainers}, exported by dataset_assets {__version__}.",
        "",
        f"- LR: {lr} of each window, {paste.scale} times smaller than GT{_degraded(selected)}.",
        f"- GT: {'all frames' if paste.gt == 'all' else 'the middle frame'}.",
        f"- Formats: {formats}.",
        f"- Crops: at most {paste.gt_size} x {paste.gt_size} GT pixels, which the smallest patch allows, "
        f"divisible by {paste.scale}.",
        f"- Training: {_films(selected, 'train')}.",
        *_curation_lines(selected),
    ]
    if paste.has_validation:
        by = "by film" if selected.options.has_val_films else "the accepted patches"
        lines.append(f"- Validation, {by} and {layout.val_place}: {_films(selected, 'val')}.")
    if selected.set_apart:
        lines.append(
            f"- Left out: {counted(selected.set_apart, 'triplet')} set apart for validation, or near what is."
        )
    lines += [
        f"- `{SPLIT_FILE}` lists every triplet, `{RECORD_FILE}` the selection and versions.",
        "",
        *([_LINKS] if layout.links_gt else []),
        "`dataset-assets export` replaces this folder, so keep nothing of your own in it.",
        "",
        "## Options to paste",
        "",
        layout.block(paste),
    ]
    return "\n".join(lines)


def _curation_lines(selected: Selected) -> list[str]:
    if not selected.options.curated:
        return ["- Curation: none, all patches are taken."]
    selection = selected.selection
    shown = (f"{name} `{text}`" for name, text in selection.curation.items() if text is not None)
    lines = [f"- Curation: {', '.join(shown) or 'none'}."]
    for sentence in filter(None, (selection.left_out_sentence, selection.unscored_sentence)):
        lines.append(f"  {sentence[0].upper()}{sentence[1:]}.")
    return lines


def _degraded(selected: Selected) -> str:
    return ", degraded (`degrade`, docs/degradation.md)" if selected.options.lr == "degraded" else ""


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _films(selected: Selected, split: Any) -> str:
    count, keys = len(selected.of(split)), selected.videos(split)
    shown = ", ".join(keys[:10]) + (", ..." if len(keys) > 10 else "")
    return f"{counted(count, 'triplet')} of {counted(len(keys), 'film')} ({shown})"


def _counts(selected: Selected) -> Mapping[str, Any]:
    return {
        "triplets": len(selected.items),
        "categories": selected.categories,
        "train": len(selected.of("train")),
        "val": len(selected.of("val")),
        "set_apart": selected.set_apart,
        "formats": selected.formats,
        "train_videos": selected.videos("train"),
        "val_videos": selected.videos("val"),
    }


def _settings_hashes(selected: Selected) -> dict[str, list[str]]:
    """Return the settings that the patches were made with, by category."""
    found: dict[str, set[str]] = {}
    for item in selected.items:
        found.setdefault(item.triplet.category, set()).add(item.row.settings_hash)
    return {category: sorted(hashes) for category, hashes in sorted(found.items())}
