"""How runs are started on this machine, and how they end.

Here: the Dagster home, a worker process for each video and the supervisor over them, why a process died, and
the concurrency slots that killed runs hold. Not here: what a run does (`assets`, `generate`), what is seen of
it (`monitor`), what the terminal shows (`cli`).
"""

from dataset_assets.launch.concurrency_slots import free_concurrency_slots
from dataset_assets.launch.home import (
    HOME_VARIABLE,
    dagster_home,
    enter_home,
    entered_home,
    home_of,
    keeps_history,
    reporting_history_errors,
)
from dataset_assets.launch.outcomes import close_failed_run, update_stats
from dataset_assets.launch.sharing import SharedVideos
from dataset_assets.launch.sockets import shorten_socket_paths
from dataset_assets.launch.supervisor import Supervisor
from dataset_assets.launch.tasks import Task, pending_task
from dataset_assets.launch.worker import QUIET, Outcome

__all__ = [
    "HOME_VARIABLE",
    "QUIET",
    "Outcome",
    "SharedVideos",
    "Supervisor",
    "Task",
    "close_failed_run",
    "dagster_home",
    "enter_home",
    "entered_home",
    "free_concurrency_slots",
    "home_of",
    "keeps_history",
    "pending_task",
    "reporting_history_errors",
    "shorten_socket_paths",
    "update_stats",
]
