"""Patches: their formats and places, the crops, the LR stacks, and the encoded pictures of a triplet.

Not here: decoding (`video`), accepting windows (`windows`), file names and tables (`dataset`), Dagster.
"""

from dataset_assets.patches.kernels import Kernel, downscale
from dataset_assets.patches.planning import PatchPlan, Plan, PlannedPatch, fitting_mix, misfit, plan_patches
from dataset_assets.patches.png import encode_png, whole_png_size
from dataset_assets.patches.triplets import EncodedTriplet, Pictures, encode_triplet, stack_triplet

__all__ = [
    "EncodedTriplet",
    "Kernel",
    "PatchPlan",
    "Pictures",
    "Plan",
    "PlannedPatch",
    "downscale",
    "encode_png",
    "encode_triplet",
    "fitting_mix",
    "misfit",
    "plan_patches",
    "stack_triplet",
    "whole_png_size",
]
