"""What choosing crops and formats by detail changes: patches that hold nothing, and the mix of formats.

    python -m benchmarks.crop_choice [--windows N] [--candidates 1,3] FILM...

Each film is made into the default categories with each number of `crop_candidates`, one after the other.
Printed are, by format and by category, the patches, the share of them with nothing to learn (`detail_db`
above 50), the share of flat blocks on average and the share of patches that are flat in more than nine
tenths; the largest distance of a film's formats from the mix; and CPU seconds a patch.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from dataset_assets.config import Settings, load_settings
from dataset_assets.dataset import DataSet
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.generate import generate_video
from dataset_assets.tables import PatchRow, ScoreRow

NOTHING_TO_LEARN_DB, FLAT = 50.0, 0.9


def main() -> None:
    """Make and score all films with each number of candidates, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("films", nargs="+", type=Path)
    parser.add_argument("--windows", type=int, default=20)
    parser.add_argument("--candidates", default="1,3")
    options = parser.parse_args()
    for candidates in map(int, options.candidates.split(",")):
        with TemporaryDirectory() as folder:
            settings = _settings(Path(folder), options.films, options.windows, candidates)
            print(f"crop_candidates {candidates}")
            _print(settings)


def _settings(folder: Path, films: Sequence[Path], windows: int, candidates: int) -> Settings:
    config = folder / "config.json"
    videos = [
        {"name": film.stem, "path": str(film.resolve()), "categories": {"general": 1, "space": 1, "toon": 1}}
        for film in films
    ]
    base = {"output_base_dir": "out", "base_frame_limit": windows, "crop_candidates": candidates}
    config.write_text(json.dumps({"base_settings": base | {"min_free_gb": 0}, "videos": videos}))
    return load_settings(config)


def _print(settings: Settings) -> None:
    tables = DataSet.of(settings).tables
    found: dict[str, list[tuple[PatchRow, ScoreRow]]] = defaultdict(list)
    off, cpu_s, patches = 0.0, 0.0, 0
    for video in settings.videos:
        try:
            report = generate_video(settings, video.key)
        except DatasetAssetsError as error:
            print(f"{error}", file=sys.stderr)
            continue
        cpu_s += report.cpu_s
        for category, made in report.categories.items():
            rows = tables.read_patches(category, video.key)
            scores = {row.patch_id: row for row in tables.read_scores(category, video.key)}
            pairs = [(row, scores[row.patch_id]) for row in rows]
            patches += len(rows)
            for row, score in pairs:
                found[f"{category} {row.format}"].append((row, score))
                found[category].append((row, score))
            off = max(off, _distance(rows, made.mix))
    for name, pairs in sorted(found.items()):
        detail = np.array([score.detail_db for _, score in pairs])
        flat = np.array([score.flat_share for _, score in pairs])
        print(
            f"  {name}: {len(pairs)} patches, nothing to learn {np.mean(detail > NOTHING_TO_LEARN_DB):.1%}, "
            f"median {np.median(detail):.1f} dB, flat blocks {flat.mean():.1%}, "
            f"flat patches {np.mean(flat > FLAT):.1%}"
        )
    print(f"  a format's share of a film is off by {off:.1%} at most; {cpu_s / patches:.4f} CPU s a patch")


def _distance(rows: Sequence[PatchRow], mix: Mapping[str, float]) -> float:
    counts = Counter(row.format for row in rows)
    return max((abs(counts[name] / len(rows) - share) for name, share in mix.items() if rows), default=0.0)


if __name__ == "__main__":
    main()
