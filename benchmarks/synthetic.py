"""A finished data set of any size without its pictures: configuration, films, and every table.

The tables are written by the product's own data_set, with the rows, footers and hashes that `generate` gives
them, so that the product finds everything done. The films are a few bytes long, and signatures are all the
same: nothing that is measured on this data set reads them.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from dataset_assets.config import DEFAULT_CATEGORIES, DEFAULT_FORMATS, Settings, VideoEntry, load_settings
from dataset_assets.dataset import (
    PATCHES_VERSION,
    SOURCE_VERSION,
    WINDOWS_VERSION,
    DataSet,
    content_hash,
    irrelevant_settings,
    patch_hashes,
    patch_id,
    patches_hashes,
    sequence_hashes,
    source_hashes,
    triplet_paths,
    windows_hashes,
)
from dataset_assets.frames import DEFAULT_KINDS, DEFAULT_SCALE, FileKind
from dataset_assets.tables import (
    PATCHES,
    SCHEMA_VERSION,
    VIDEOS,
    WINDOWS,
    PatchRow,
    Provenance,
    Sampled,
    VideoRow,
    WindowRow,
)
from dataset_assets.video.fingerprint import Fingerprint

WINDOWS_EACH = 500
# One of six candidates is rejected: 1.2 candidates for each window.
REJECTED_EACH = 100
CATEGORIES = tuple(DEFAULT_CATEGORIES)
REASONS = ("cut", "near_black", "flat", "blurred", "duplicate")
MOMENT = datetime(2025, 3, 1, tzinfo=UTC)
VIDEOS_PER_TASK = 20
# No key has capital letters.
KEY = "KEY"
# All films are HDR and progressive.
IRRELEVANT = irrelevant_settings(converted=True, interlaced=False, enlarged=False)


def make_data_set(folder: Path, videos: int) -> Path:
    """Make a finished data set, or take one over that was made by the same code.

    Args:
        folder: Where it goes; what else is there is removed.
        videos: How many videos, each with `WINDOWS_EACH` windows and as many patches of every category.

    Returns:
        The configuration.
    """
    config, seal = folder / "config.json", folder / "made.json"
    if seal.exists() and seal.read_text() == _seal(load_settings(config)):
        return config
    shutil.rmtree(folder, ignore_errors=True)
    films = folder / "films"
    films.mkdir(parents=True)
    names = [f"Feature Film {number:04d}" for number in range(videos)]
    entries = [
        {"name": name, "path": f"films/{name}.mkv", "categories": dict.fromkeys(CATEGORIES, 1.0)}
        for name in names
    ]
    for name in names:
        (films / f"{name}.mkv").write_text(name)
    base = {"base_frame_limit": WINDOWS_EACH, "min_free_gb": 0, "output_base_dir": "dataset"}
    config.write_text(json.dumps({"base_settings": base, "videos": entries}, indent=2))
    settings = load_settings(config)
    tasks = [settings.videos[start : start + VIDEOS_PER_TASK] for start in range(0, videos, VIDEOS_PER_TASK)]
    with ProcessPoolExecutor(initializer=_leave_flushing_to_the_system) as pool:
        list(pool.map(_write_tables, [settings.model_copy(update={"videos": task}) for task in tasks]))
    seal.write_text(_seal(settings))
    return config


def _seal(settings: Settings) -> str:
    """Return what decides whether the tables are still those that this code would write."""
    first = settings.videos[0]
    hashes = [source_hashes(settings, first, IRRELEVANT), windows_hashes(settings, first, IRRELEVANT)]
    hashes += [patches_hashes(settings, first, category, IRRELEVANT) for category in CATEGORIES]
    written = [each.written for each in hashes]
    return json.dumps({"schema": SCHEMA_VERSION, "videos": len(settings.videos), "hashes": written})


def _leave_flushing_to_the_system() -> None:
    """Make this process flush nothing: 7 flushes a table made 25000 tables take half an hour."""
    os.fsync = lambda fd: None


def _write_tables(settings: Settings) -> None:
    data_set = DataSet.of(settings)
    for entry in settings.videos:
        tables, source = data_set.tables, Fingerprint.of(entry.path)
        hash_ = source_hashes(settings, entry, IRRELEVANT).written
        made = Provenance(hash_, source, SOURCE_VERSION, complete=True, target=1)
        tables.write(tables.video_path(entry.key), VIDEOS, [_video_row(entry, source)], made)
        hash_ = windows_hashes(settings, entry, IRRELEVANT).written
        base = settings.base
        sampled = Sampled(
            sequence_hashes(settings, entry, IRRELEVANT).written,
            spans=((0, 7_200_500),),
            frame_ticks=42,
            cut_rule=base.cut_rule,
            max_mean_abs_diff=base.max_mean_abs_diff,
            max_cut_score=base.max_cut_score,
        )
        made = Provenance(
            hash_,
            source,
            WINDOWS_VERSION,
            complete=True,
            target=WINDOWS_EACH,
            max_attempts=base.max_attempts,
            sampled=sampled,
        )
        tables.write(tables.windows_path(entry.key), WINDOWS, _window_rows(), made)
        for category in CATEGORIES:
            hash_ = patches_hashes(settings, entry, category, IRRELEVANT).written
            made = Provenance(
                hash_,
                source,
                PATCHES_VERSION,
                complete=True,
                target=WINDOWS_EACH,
                max_attempts=base.max_attempts,
            )
            rows = _patch_rows(
                entry.key, category, patch_hashes(settings, entry, category, IRRELEVANT).written
            )
            tables.write(tables.patches_path(category, entry.key), PATCHES, rows, made)


def _video_row(entry: VideoEntry, source: Fingerprint) -> VideoRow:
    return VideoRow(
        name=entry.name,
        path=str(entry.path),
        fingerprint=str(source),
        size_bytes=60_000_000_000,
        container="matroska",
        codec="hevc",
        profile="Main 10",
        pix_fmt="yuv420p10le",
        bit_depth=10,
        width=3840,
        height=2160,
        rotation=0,
        sar="1:1",
        frame_rate=24000 / 1001,
        duration_s=7200.5,
        vfr=False,
        interlaced=False,
        color_primaries="bt2020",
        color_transfer="smpte2084",
        color_space="bt2020nc",
        color_range="tv",
        hdr_format="pq",
        max_cll=1000.0,
        mastering_max_nits=4000.0,
        peak=10.0,
        active_x=0,
        active_y=138,
        active_width=1920,
        active_height=804,
        working_width=1920,
        working_height=1080,
        warnings=(),
        probed_at=MOMENT,
    )


@cache
def _window_rows() -> Sequence[WindowRow]:
    """Return the candidates of a video; every video has the same."""
    rows = []
    share = WINDOWS_EACH // REJECTED_EACH + 1
    for number in range(WINDOWS_EACH + REJECTED_EACH):
        start = number * 12_000
        accepted = WindowRow(
            window=number,
            keyframe_pts=start,
            start_pts=start,
            time_s=number * 12.0,
            pts=tuple(range(start, start + 294, 42)),
            keyframe=True,
            mean_abs_diff=number * 37 % 449 / 10,
            cut_score=number * 13 % 64 / 100,
            brightness=number * 7 % 256 / 1,
            contrast=number * 11 % 100 / 1,
            sharpness=0.5 + number * 3 % 50 / 100,
            repeated_frames=number % 7,
            window_combing=number % 5 / 100,
            bits_per_pixel=0.05 + number % 9 / 100,
            detail_map=bytes(number * cell % 150 for cell in range(576)),
            signature=bytes(576),
            accepted=True,
            reason=None,
        )
        if number % share == 0:
            reason = REASONS[number // share % len(REASONS)]
            rows.append(replace(accepted, accepted=False, reason=reason))
        else:
            rows.append(accepted)
    return rows


@cache
def _patches_without_key(category: str) -> Sequence[PatchRow]:
    """Return the patches of any video, `KEY` in place of its key; their bytes depend on the format alone."""
    chosen = DEFAULT_CATEGORIES[category]
    names = [name for name, share in chosen.mix.items() for _ in range(round(share * WINDOWS_EACH))]
    windows = [row.window for row in _window_rows() if row.accepted]
    rows = []
    for window, name in zip(windows, names, strict=True):
        crop = DEFAULT_FORMATS[name]
        paths = triplet_paths(chosen.folder, crop.folder, patch_id(KEY, window), DEFAULT_KINDS)
        pixels = crop.width * crop.height
        rows.append(
            PatchRow(
                patch_id=paths.gt.stem,
                window=window,
                crop=0,
                format=name,
                x=window * 31 % (1920 - crop.width + 1),
                y=window * 17 % (1080 - crop.height + 1),
                width=crop.width,
                height=crop.height,
                gt_path=paths.gt.as_posix(),
                lr5_path=paths.by_kind[FileKind.LR5].as_posix(),
                lr7_path=paths.by_kind[FileKind.LR7].as_posix(),
                gt7_path=None,
                gt_bytes=pixels * 3 // 2,
                lr5_bytes=pixels * 5 // 6,
                lr7_bytes=pixels * 7 // 6,
                gt7_bytes=None,
                # As many as there are in a real table, and as different.
                gt_hash=content_hash(f"{name}-{window}-gt".encode()),
                lr5_hash=content_hash(f"{name}-{window}-lr5".encode()),
                lr7_hash=content_hash(f"{name}-{window}-lr7".encode()),
                gt7_hash=None,
                kernel="bicubic",
                scale=DEFAULT_SCALE,
                settings_hash="",
                created_at=MOMENT,
            )
        )
    return rows


def _patch_rows(key: str, category: str, settings_hash: str) -> list[PatchRow]:
    """Return a patch of every window."""
    return [
        replace(
            row,
            patch_id=row.patch_id.replace(KEY, key),
            gt_path=row.gt_path.replace(KEY, key),
            lr5_path=(row.lr5_path or "").replace(KEY, key),
            lr7_path=(row.lr7_path or "").replace(KEY, key),
            settings_hash=settings_hash,
        )
        for row in _patches_without_key(category)
    ]


if __name__ == "__main__":
    make_data_set(Path(sys.argv[1]), int(sys.argv[2]))
