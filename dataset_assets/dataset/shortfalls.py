"""Why a film gave fewer windows than were asked for, in one sentence for every screen that shows it."""

from __future__ import annotations

from dataset_assets.counting import counted
from dataset_assets.tables import Counts, Provenance


def shortfall(made: Provenance, counts: Counts) -> str:
    """Say why a finished windows table has fewer windows than were asked for.

    Args:
        made: What the table was made from.
        counts: What it holds.

    Returns:
        A sentence with the reasons by their share; empty where no window is missing, or a run goes on.
    """
    if counts.accepted >= made.target or not made.complete:
        return ""
    cause = ""
    if made.sampled is not None and made.sampled.is_full:
        cause = ": the film has no place left for another one"
    elif made.max_attempts is not None and counts.candidates >= made.target * made.max_attempts:
        each = f"{made.max_attempts} (max_attempts) for each window"
        cause = f": {counted(counts.candidates, 'candidate')} tried, {each}"
    return f"only {counts.accepted:,} of {counted(made.target, 'window')} found{cause}{_reasons(counts)}"


def _reasons(counts: Counts) -> str:
    if not counts.rejected:
        return ""
    ordered = sorted(counts.rejected.items(), key=lambda item: (-item[1], item[0]))
    shares = ", ".join(f"{reason} {count / counts.candidates:.0%}" for reason, count in ordered)
    return f"; rejected of {counted(counts.candidates, 'candidate')}: {shares}"
