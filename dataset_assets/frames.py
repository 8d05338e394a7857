"""The frames of a window, and which of them a triplet shows.

Here: these numbers, named once. Not here: anything that is done with them.
"""

from __future__ import annotations

from typing import Final

FRAMES_PER_WINDOW: Final = 7
# The frame that the ground truth is cropped from, and the one that windows are judged by.
MIDDLE_FRAME: Final = 3
# The frames of LR_5frames; LR_7frames has all.
LR5_FRAMES: Final = slice(1, 6)
LR5_FRAME_COUNT: Final = LR5_FRAMES.stop - LR5_FRAMES.start
