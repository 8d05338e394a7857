"""Which assets of a video are missing or stale, and why.

What missing and stale mean is decided in `dataset`; `nightly` and `launch` request the runs, and `refusals`
finds out which of these would be refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataset_assets.assets import SCENE_WINDOWS, SOURCE_VIDEO, patches_asset
from dataset_assets.dataset import SOURCE, WINDOWS, AssetStatus


@dataclass(frozen=True, slots=True)
class Pending:
    """The assets of a video that a run has to make.

    Attributes:
        assets: Their names, in the order in which they are made; empty where all is done.
        reason: Why, such as `never made` or `general_patches: its settings changed`.
        replaces: Whether the run may delete or make again what is there.
    """

    assets: tuple[str, ...]
    reason: str
    replaces: bool = False


def pending_assets(
    found: Mapping[str, AssetStatus], categories: Sequence[str], *, left_categories: bool = False
) -> Pending:
    """Find out what a run has to make.

    Args:
        found: The states of the video's tables, from `generate.statuses`.
        categories: The categories that are asked for.
        left_categories: Whether the video has tables of a category that left the configuration; a run of
            all assets removes them.
    """
    names = {SOURCE: SOURCE_VIDEO, WINDOWS: SCENE_WINDOWS} | {
        name: patches_asset(name) for name in categories
    }
    reasons = {asset: found[name].reason for name, asset in names.items() if not found[name].is_done}
    replaces = left_categories or any(found[name].state == "stale" for name in names)
    if left_categories:
        why = "a category left the configuration"
        return Pending(tuple(names.values()), "; ".join(dict.fromkeys([*reasons.values(), why])), replaces)
    if len(reasons) == len(names):
        return Pending(tuple(reasons), "; ".join(dict.fromkeys(reasons.values())), replaces)
    by_reason: dict[str, list[str]] = {}
    for asset, reason in reasons.items():
        by_reason.setdefault(reason, []).append(asset)
    reason_text = "; ".join(f"{', '.join(assets)}: {reason}" for reason, assets in by_reason.items())
    return Pending(tuple(reasons), reason_text, replaces)
