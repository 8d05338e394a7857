"""Patches: which format and which place, the crops, the LR stacks, and the encoded pictures of a triplet.

Nothing here knows of Parquet or of Dagster, nor why a window was accepted.
"""

from dataset_assets.patches.kernels import SCALE, Kernel, downscale
from dataset_assets.patches.planning import PatchPlan, PlannedPatch, fitting_mix, plan_patches
from dataset_assets.patches.png import whole_png_size
from dataset_assets.patches.triplets import EncodedTriplet, encode_triplet, stack_triplet

__all__ = [
    "SCALE",
    "EncodedTriplet",
    "Kernel",
    "PatchPlan",
    "PlannedPatch",
    "downscale",
    "encode_triplet",
    "fitting_mix",
    "plan_patches",
    "stack_triplet",
    "whole_png_size",
]
