"""Read films: probing, decoding by PTS, geometry, colour, and rendering crops as SDR pictures.

Not here: why a window is wanted (`windows`), formats (`patches`), Parquet, Dagster.
"""

from dataset_assets.video.active_area import has_crop_bar, has_window_bars
from dataset_assets.video.colour import bake_lut, is_converted, scales_last
from dataset_assets.video.combs import CombVotes, comb_votes, combed_share, looks_combed, sample_lines, total
from dataset_assets.video.containers import CONTAINERS
from dataset_assets.video.damage import show_blocks
from dataset_assets.video.decode import CorruptFrameError, FrameReader
from dataset_assets.video.detail import measure_detail
from dataset_assets.video.film_files import FileState, is_there, look_at, seen, why_unseen
from dataset_assets.video.fingerprint import Fingerprint
from dataset_assets.video.geometry import MAX_LONGER_SIDE, FrameGeometry, Orientation, Rect
from dataset_assets.video.opening import open_briefly
from dataset_assets.video.parameters import has_parameters
from dataset_assets.video.planes import luma_8bit, plane_samples, scaled_luma
from dataset_assets.video.probing import VideoInfo, probe
from dataset_assets.video.render import PREVIEW_WIDTH, CropRenderer, PreviewRenderer, preview_luma
from dataset_assets.video.source import RETRY_DELAYS_S, Source
from dataset_assets.video.timeline import Extent, Span, Timeline
from dataset_assets.video.true_resolution import TrueResolution

__all__ = [
    "CONTAINERS",
    "MAX_LONGER_SIDE",
    "PREVIEW_WIDTH",
    "RETRY_DELAYS_S",
    "CombVotes",
    "CorruptFrameError",
    "CropRenderer",
    "Extent",
    "FileState",
    "Fingerprint",
    "FrameGeometry",
    "FrameReader",
    "Orientation",
    "PreviewRenderer",
    "Rect",
    "Source",
    "Span",
    "Timeline",
    "TrueResolution",
    "VideoInfo",
    "bake_lut",
    "comb_votes",
    "combed_share",
    "has_crop_bar",
    "has_parameters",
    "has_window_bars",
    "is_converted",
    "is_there",
    "look_at",
    "looks_combed",
    "luma_8bit",
    "measure_detail",
    "open_briefly",
    "plane_samples",
    "preview_luma",
    "probe",
    "sample_lines",
    "scaled_luma",
    "scales_last",
    "seen",
    "show_blocks",
    "total",
    "why_unseen",
]
