"""The priority of a run among other programs of the machine.

Not here: how many run at a time, which Dagster controls (`dagster.yaml`).
"""

from __future__ import annotations

import os


def give_way(nice: int) -> None:
    """Lower the priority of the process that runs a step, and of every thread that it starts later.

    It is never raised, which needs privileges: a process that was started with a lower one keeps it.

    Args:
        nice: 0 (no change) to 19, see nice(1).
    """
    if nice > os.getpriority(os.PRIO_PROCESS, 0):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
