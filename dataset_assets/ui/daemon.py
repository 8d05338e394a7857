"""Dagster's daemon with a shorter wait between its looks at the backfills.

Dagster's own 30 s cannot be configured: a launched backfill shows nothing for that long, and a cancelled one
goes on. Run as a module, with the arguments of `dagster-daemon`; `services` does so.
"""

from __future__ import annotations

from dagster._daemon import controller
from dagster._daemon.cli import main

BACKFILL_INTERVAL_S = 5

if __name__ == "__main__":
    # The loop over backfills reads it when it starts.
    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = BACKFILL_INTERVAL_S
    main()
