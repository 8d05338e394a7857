"""A job that commits what it has when it is interrupted, as a run on a film does."""

import time
from pathlib import Path

import dagster as dg


@dg.op(config_schema={"folder": str})
def wait_for_interrupt(context: dg.OpExecutionContext) -> None:
    folder = Path(context.op_config["folder"])
    (folder / "begun").touch()
    try:
        while True:
            time.sleep(0.05)
    finally:
        (folder / "committed").touch()


@dg.job(executor_def=dg.in_process_executor)
def waiting() -> None:
    wait_for_interrupt()
