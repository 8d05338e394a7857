"""Degraded LR: frames of a window blurred, scaled, made noisy and coded, by values drawn for that window.

`draw_steps` draws the values, `degrade` applies them: frames in, frames out. Not here: which windows, files
and tables (`curation`), what a step may be (`config`).

Example:
    from dataset_assets.degradation import degrade, draw_steps

    drawn = draw_steps(steps, seed=0, key="alpha", window=3, category="general")
    degraded = degrade(frames, drawn)  # (7, height, width, 3), uint8
    print(degraded.db, degraded.coding)
"""

from dataset_assets.degradation.coding import ENCODERS, Coding, code, missing_encoders
from dataset_assets.degradation.drawing import (
    Blurring,
    ChromaLoss,
    Drawn,
    Encoding,
    Noising,
    Scaling,
    draw_steps,
)
from dataset_assets.degradation.window import DEGRADATION_VERSION, LEAST_DB, MOST_DB, Degraded, degrade, psnr

__all__ = [
    "DEGRADATION_VERSION",
    "ENCODERS",
    "LEAST_DB",
    "MOST_DB",
    "Blurring",
    "ChromaLoss",
    "Coding",
    "Degraded",
    "Drawn",
    "Encoding",
    "Noising",
    "Scaling",
    "code",
    "degrade",
    "draw_steps",
    "missing_encoders",
    "psnr",
]
