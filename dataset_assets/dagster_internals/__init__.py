"""What the product needs of Dagster beyond its public interface, each with the reason.

Here, and nowhere else: Dagster's private modules, methods and constants, the tags of stale partitions, and
the files of a Dagster home. All of it holds for the releases that `pyproject.toml` allows; what a new one
changes fails a test in `test_dagster_internals.py` or `test_dagster_services.py`. Private modules are
imported in the function that needs them, so that one that moved breaks nothing else. Not here: what Dagster
documents.
"""

from dataset_assets.dagster_internals.history import (
    WILL_RETRY_TAG,
    check_verdicts,
    delete_events_without_run,
    delete_run,
    forget_partition,
    last_materialized_s,
    process_death,
    report_without_run,
    runs_of_location,
    version_tags,
    with_targets,
)
from dataset_assets.dagster_internals.home import (
    HISTORY_FOLDER,
    INSTANCE_FILE,
    SCHEDULES_FOLDER,
    can_hold_history,
    has_events,
    instance_settings,
    is_initialised,
    missing_variable,
    place_of_setting,
    postgres_password_remedy,
    sqlite_folder,
)
from dataset_assets.dagster_internals.postgres import (
    PATIENCE_S,
    is_shared,
    keep_connections,
    postgres_refusal,
    refuses_password,
)
from dataset_assets.dagster_internals.services import (
    has_places,
    print_of_events,
    run_daemon,
    webserver_app,
)

__all__ = [
    "HISTORY_FOLDER",
    "INSTANCE_FILE",
    "PATIENCE_S",
    "SCHEDULES_FOLDER",
    "WILL_RETRY_TAG",
    "can_hold_history",
    "check_verdicts",
    "delete_events_without_run",
    "delete_run",
    "forget_partition",
    "has_events",
    "has_places",
    "instance_settings",
    "is_initialised",
    "is_shared",
    "keep_connections",
    "last_materialized_s",
    "missing_variable",
    "place_of_setting",
    "postgres_password_remedy",
    "postgres_refusal",
    "print_of_events",
    "process_death",
    "refuses_password",
    "report_without_run",
    "run_daemon",
    "runs_of_location",
    "sqlite_folder",
    "version_tags",
    "webserver_app",
    "with_targets",
]
