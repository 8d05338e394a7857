"""A run that gets as far as a step and stays there until it is killed: `stuck_run.py HOME KEY STEP`."""

from __future__ import annotations

import sys

import dagster as dg


def stuck_job(step: str) -> dg.JobDefinition:
    """A job with the name and the steps of the real one."""

    def wait_at(name: str) -> None:
        if name == step:
            sys.stdin.read()

    @dg.op(out=dg.Out(dg.Nothing))
    def source_video() -> None:
        wait_at("source_video")

    @dg.op(ins={"start": dg.In(dg.Nothing)}, pool="decode")
    def make_triplets() -> None:
        wait_at("make_triplets")

    @dg.job(executor_def=dg.in_process_executor)
    def make_patches() -> None:
        make_triplets(start=source_video())

    return make_patches


if __name__ == "__main__":
    home, key, step = sys.argv[1:]
    with dg.DagsterInstance.from_config(home) as instance:
        stuck_job(step).execute_in_process(instance=instance, tags={"dagster/partition": key})
