"""Lines about a run's progress in its log: the UI draws the pass over a film as a single bar.

The progress itself is counted in `generate`; `monitor` reads its files and not these lines.
"""

from __future__ import annotations

import logging

from dataset_assets.counting import counted
from dataset_assets.dataset import Progress, eta_s

# Events stay in the log for ever: ten for a film are few, and short films have none.
STEP_SHARE = 0.1
INTERVAL_S = 30.0


class ProgressLog:
    """Logs a line for each further tenth of the windows, at most one in 30 s."""

    def __init__(self, log: logging.Logger) -> None:
        """Store the arguments; nothing is logged.

        Args:
            log: Where the lines go.
        """
        self._log = log
        self._logged_windows: int | None = None
        self._logged_s = 0.0

    def __call__(self, progress: Progress) -> None:
        """Take the state after a window."""
        done = progress.windows_done
        if self._logged_windows is None:
            self._logged_windows, self._logged_s = done, progress.started_s
        is_further = done - self._logged_windows >= STEP_SHARE * progress.windows_target
        if is_further and progress.updated_s >= self._logged_s + INTERVAL_S and progress.windows_pending:
            self._logged_windows, self._logged_s = done, progress.updated_s
            self._log.info(progress_line(progress))


def progress_line(progress: Progress) -> str:
    """Describe a state: "film: 300 of 1000 windows (30%), 280 accepted, 560 patches; 14 min to go"."""
    share = progress.windows_done / max(1, progress.windows_target)
    left_s = eta_s(progress, progress.updated_s)
    return (
        f"{progress.key}: {progress.windows_done:,} of {counted(progress.windows_target, 'window')} "
        f"({share:.0%}), {progress.accepted} accepted, {counted(sum(progress.patches.values()), 'patch')}"
        + ("" if left_s is None else f"; {_duration(left_s)} to go")
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
