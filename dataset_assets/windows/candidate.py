"""A candidate for a window: its frames, and what is measured on them.

Here: which pictures of which frames each measure gets. Not here: the measures themselves (`measures`, `cuts`,
`video`), and the rules and limits that reject a candidate for them (`rules`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import av
import numpy as np
import numpy.typing as npt

from dataset_assets.detail_map import DetailMap
from dataset_assets.frames import FRAMES_PER_WINDOW, MIDDLE_FRAME
from dataset_assets.video import (
    PREVIEW_WIDTH,
    CombVotes,
    PreviewRenderer,
    VideoInfo,
    comb_votes,
    has_window_bars,
    luma_8bit,
    measure_detail,
    plane_samples,
    preview_luma,
    sample_lines,
    scaled_luma,
    show_blocks,
    total,
)
from dataset_assets.windows import measures
from dataset_assets.windows.cuts import cut_score
from dataset_assets.windows.duplicates import AcceptedSignatures

FIRST_FRAME, LAST_FRAME = 0, FRAMES_PER_WINDOW - 1
# Previews are made of these, and they are searched for bars.
SEEN_FRAMES = (FIRST_FRAME, MIDDLE_FRAME, LAST_FRAME)


class FilmPictures:
    """Makes the pictures that the windows of one film are measured on."""

    def __init__(self, info: VideoInfo) -> None:
        """Prepare the preview renderer.

        Raises:
            VideoError: The HDR table could not be baked.
        """
        self.info = info
        self.area = info.geometry.coded_rect(info.active)
        self._renderer = PreviewRenderer(info.colour, info.geometry, self.area)

    def preview(self, frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
        """Return the tone-mapped active area, some 480 pixels across: (h, w, 3) uint8, blue, green, red."""
        return self._renderer.picture(frame)

    def upright(self, previews: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
        """Return previews turned upright, side by side."""
        return np.hstack([self._renderer.upright(preview) for preview in previews])

    def signature(self, frames: Sequence[av.VideoFrame]) -> npt.NDArray[np.uint8]:
        """Return the thumbnail of a window's middle frame that duplicates are detected by, (18, 32) uint8."""
        return measures.signature(preview_luma(self.preview(frames[MIDDLE_FRAME])))

    def luma(self, frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
        """Return untouched samples of the active area, not averaged, some 480 to 960 across, 0..255."""
        return luma_8bit(frame, self.area, max(1, self.area.width // PREVIEW_WIDTH))

    def coded_luma(self, frame: av.VideoFrame) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
        """Return all samples of the active area at their own bit depth."""
        area = self.area
        return plane_samples(frame, frame.planes[0])[area.y : area.bottom, area.x : area.right]

    def working_luma(self, frame: av.VideoFrame) -> npt.NDArray[np.float32]:
        """Return untouched luma of the active area at working scale, 0..255."""
        scaled = self.info.geometry.before_turning(self.info.active)
        return scaled_luma(frame, self.area, (scaled.width, scaled.height))


class Candidate:
    """The frames that were read for a window; each measure is taken when it is first asked for, and once.

    Attributes:
        frames: What was read, in presentation order: 7, or fewer where the film or the decoder gave no more.
        is_corrupt: Whether the decoder found errors.
        has_film_parameters: Whether all frames have the parameters that the film was probed with.
        is_complete: Whether there are 7 frames and the last one lies before a gap. Only
            `has_blocks` can be measured without.
        size_bytes: Bytes of the packets that its frames were decoded from; None where that is not known.
        is_excluded: Whether the configuration or the user by hand excludes it.
    """

    def __init__(
        self,
        pictures: FilmPictures,
        frames: Sequence[av.VideoFrame],
        accepted: AcceptedSignatures,
        *,
        is_corrupt: bool = False,
        has_film_parameters: bool = True,
        is_complete: bool = True,
        size_bytes: int | None = None,
        is_excluded: bool = False,
    ) -> None:
        """Store the arguments; nothing is measured yet.

        Args:
            pictures: Makes the pictures of the film.
            frames: The frames.
            accepted: The film's windows accepted so far.
            is_corrupt: See the attribute; so for the others.
            has_film_parameters: See the attribute.
            is_complete: See the attribute.
            size_bytes: See the attribute.
            is_excluded: See the attribute.
        """
        self.frames = frames
        self.is_corrupt = is_corrupt
        self.has_film_parameters = has_film_parameters
        self.is_complete = is_complete
        self.size_bytes = size_bytes
        self.is_excluded = is_excluded
        self._pictures = pictures
        self._accepted = accepted

    @cached_property
    def has_blocks(self) -> bool:
        """Whether a part of it shows coding blocks that the rest does not."""
        return show_blocks(self.frames)

    @cached_property
    def mean_abs_diff(self) -> float:
        """v2.0's measure: mean difference of the previews of the first and last frame, 0..255."""
        lumas = self.preview_lumas
        return _as_recorded(measures.mean_abs_diff(lumas[FIRST_FRAME], lumas[LAST_FRAME]))

    @cached_property
    def cut_score(self) -> float:
        """Largest score of the block test, 0 (the same picture) to about 1 (unrelated or blended)."""
        return _as_recorded(cut_score([luma.astype(np.float32) for luma in self.lumas]))

    @cached_property
    def brightness(self) -> float:
        """99.5th percentile of the middle frame's preview, 0..255."""
        return _as_recorded(measures.brightness(self.preview_lumas[MIDDLE_FRAME]))

    @cached_property
    def contrast(self) -> float:
        """Standard deviation of the middle frame's preview."""
        return _as_recorded(measures.contrast(self.preview_lumas[MIDDLE_FRAME]))

    @cached_property
    def sharpness(self) -> float:
        """How sharp the middle frame's sharpest edges are, 0..1."""
        return _as_recorded(measures.sharpness(self.working_luma))

    @cached_property
    def detail(self) -> DetailMap:
        """Where the middle frame holds detail."""
        return measure_detail(self.working_luma, self._pictures.info.geometry.orientation)

    @cached_property
    def repeated_frames(self) -> int:
        """How many of the 6 pairs of neighbours show the same picture; not a reason to reject."""
        return measures.repeated_frames(self.lumas)

    @cached_property
    def has_bars(self) -> bool:
        """Whether its first, middle and last frame have black bars inside the film's active area."""
        colour = self._pictures.info.colour
        lumas = [self._pictures.coded_luma(self.frames[index]) for index in SEEN_FRAMES]
        return has_window_bars(lumas, full_range=colour.full_range, bit_depth=colour.bit_depth)

    @cached_property
    def has_combs(self) -> bool:
        """Whether one of its frames mixes lines of two moments."""
        return self.comb_votes.combed is not None

    @cached_property
    def combing(self) -> float:
        """Share of its moving blocks that show lines of two moments, 0..1; 0 where that is chance."""
        return _as_recorded(self.comb_votes.share)

    @cached_property
    def comb_votes(self) -> CombVotes:
        """What the moving blocks of its frames say of combs."""
        return total(comb_votes([sample_lines(frame, self._pictures.area) for frame in self.frames]))

    @cached_property
    def bits_per_pixel(self) -> float | None:
        """Bits of the stream for a pixel of its frames; None where a frame's packet is not known."""
        if self.size_bytes is None:
            return None
        return _as_recorded(8 * self.size_bytes / sum(frame.width * frame.height for frame in self.frames))

    @cached_property
    def signature(self) -> npt.NDArray[np.uint8]:
        """The middle frame's thumbnail that duplicates are detected by, shape (18, 32), uint8."""
        return measures.signature(self.preview_lumas[MIDDLE_FRAME])

    @cached_property
    def is_duplicate(self) -> bool:
        """Whether an accepted window of the film shows the same picture."""
        return self._accepted.contains_like(self.signature)

    def picture(self, frames: Sequence[int]) -> npt.NDArray[np.uint8]:
        """Return the previews of some frames for people: upright, side by side, (h, w, 3) uint8, BGR."""
        return self._pictures.upright([self.previews[index] for index in frames])

    @cached_property
    def previews(self) -> dict[int, npt.NDArray[np.uint8]]:
        """Previews of the first, middle and last frame by their number, (h, w, 3) uint8, BGR."""
        return {index: self._pictures.preview(self.frames[index]) for index in SEEN_FRAMES}

    @cached_property
    def preview_lumas(self) -> dict[int, npt.NDArray[np.uint8]]:
        """Luma of the same previews, (h, w) uint8."""
        return {index: preview_luma(preview) for index, preview in self.previews.items()}

    @cached_property
    def working_luma(self) -> npt.NDArray[np.float32]:
        """Untouched luma of the middle frame at working scale, as `FilmPictures.working_luma` has it."""
        return self._pictures.working_luma(self.frames[MIDDLE_FRAME])

    @cached_property
    def lumas(self) -> list[npt.NDArray[np.uint8]]:
        """Untouched luma of every frame, as `FilmPictures.luma` has it."""
        return [self._pictures.luma(frame) for frame in self.frames]


def _as_recorded(score: float) -> float:
    """Return a score as the table keeps it, so that later limits judge the same number."""
    return float(np.float32(score))
