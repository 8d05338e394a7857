"""Files with sound and no pictures, which look like films by their names."""

from __future__ import annotations

import wave
from pathlib import Path


def write_sound(path: Path) -> Path:
    """Write two seconds of silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 8000, "NONE", "not compressed"))
        file.writeframes(bytes(32000))
    return path
