"""Dagster's history in Postgres: connections that are kept, and patience with a server that is away.

`dagster-postgres` opens a connection for each query, and closes it: 570 for a run that makes nothing, most of
its time. It waits 6 s for a server that does not answer; then the step fails whose message was to be written,
however long its film took. Nothing here imports it: what does is the `dagster.yaml` that names it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, Final, TypeVar

import dagster as dg
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

# Of a server that is restarted, or whose machine is.
PATIENCE_S: Final = 300.0
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
# A run works by one thread, and beats by another; the UI answers a page's questions at once.
_KEPT, _MOST_MORE = 1, 20
_RECYCLE_S = 600
# What a run writes, and would be lost with its step.
_WRITES = ("store_event", "store_event_batch", "handle_run_event", "add_run_tags")

# The server's words, which psycopg2 gives no code with, and those of libpq.
_REFUSALS_OF_PASSWORDS = ("password authentication failed", "no password supplied")

_Result = TypeVar("_Result")


def is_shared(instance: dg.DagsterInstance) -> bool:
    """Return whether a history may have runs of other machines: it lies in a database server."""
    return not type(instance.event_log_storage).__module__.startswith("dagster.")


def has_postgres(instance: dg.DagsterInstance) -> bool:
    """Return whether a history lies in Postgres."""
    return _is_postgres(instance.event_log_storage)


def postgres_refusal(error: Exception) -> str:
    """Return why Postgres was not reached, in its driver's words; empty for other errors."""
    if type(error).__module__ != "dagster_postgres.utils":
        return ""
    reason = str(getattr(error.__cause__, "orig", error.__cause__) or error)
    return " ".join(reason.split())


def refuses_password(reason: str) -> bool:
    """Return whether Postgres was reached and refused the password, or got none, by its driver's words."""
    return any(words in reason for words in _REFUSALS_OF_PASSWORDS)


def keep_connections(instance: dg.DagsterInstance, *, patience_s: float = 0.0) -> None:
    """Let an instance keep its connections to Postgres, and wait where Postgres is away.

    An instance whose history lies elsewhere stays as it is.

    Args:
        instance: The instance; each of its storages gets a pool of its own.
        patience_s: Seconds to wait for a server that does not answer; 0 for what Dagster does.
    """
    for storage in (instance.event_log_storage, instance.run_storage, instance.schedule_storage):
        if _is_postgres(storage):
            _keep_connections(storage, patience_s)


@contextmanager
def one_postgres_transaction(instance: dg.DagsterInstance) -> Iterator[None]:
    """Let what is written to a history in Postgres meanwhile be one transaction of one connection."""
    own = vars(instance.event_log_storage)
    kept = own.get("_connect")
    engine: Engine = own["_engine"]
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="READ COMMITTED")
        with connection.begin():
            own["_connect"] = lambda: nullcontext(connection)
            try:
                yield
            finally:
                if kept is None:
                    del own["_connect"]
                else:
                    own["_connect"] = kept


def _is_postgres(storage: object) -> bool:
    return type(storage).__module__.startswith("dagster_postgres.")


def _keep_connections(storage: Any, patience_s: float) -> None:
    own = vars(storage)  # attributes of this one object over the methods of its class
    if "_keeps_connections" in own or storage._token_provider is not None:
        return  # the second: an engine of Dagster's own renews its password
    engine = create_engine(
        storage.postgres_url,
        isolation_level="AUTOCOMMIT",
        pool_size=_KEPT,
        max_overflow=_MOST_MORE,
        pool_recycle=_RECYCLE_S,
        pool_pre_ping=True,
    )
    own |= {"_keeps_connections": True, "_engine": engine}
    for name in ("connect", "_connect"):
        if patience_s and hasattr(storage, name):
            own[name] = partial(_connection, engine, patience_s)
    for name in _WRITES:
        if patience_s and hasattr(storage, name):
            own[name] = partial(_patiently, patience_s, getattr(storage, name))


@contextmanager
def _connection(engine: Engine, patience_s: float) -> Iterator[Connection]:
    connection = _patiently(patience_s, engine.connect)
    try:
        yield connection
    finally:
        connection.close()


def _patiently(patience_s: float, call: Callable[..., _Result], *arguments: Any, **named: Any) -> _Result:
    """Return what a call does, made again while its connection is lost.

    What was written just before that is written again then; a log may have a line twice.
    """
    end_s, pause_s = time.monotonic() + patience_s, _SHORTEST_PAUSE_S
    while True:
        try:
            return call(*arguments, **named)
        except DBAPIError as error:
            is_refused = type(error.orig).__name__ == "OperationalError"
            if not (error.connection_invalidated or is_refused) or time.monotonic() > end_s:
                raise
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
