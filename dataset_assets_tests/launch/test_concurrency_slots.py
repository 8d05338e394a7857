from __future__ import annotations

from pathlib import Path

import dagster as dg

from dataset_assets.dataset import DataSet
from dataset_assets.launch.concurrency_slots import free_concurrency_slots

POOL = "decode"


def hold_a_place(instance: dg.DagsterInstance, key: str, status: dg.DagsterRunStatus) -> str:
    """A run on a video that holds a place in the pool; gives its id."""
    run = dg.DagsterRun(job_name="make_patches", status=status, tags={"dagster/partition": key})
    instance.add_run(run)
    claim = instance.event_log_storage.claim_concurrency_slot(POOL, run.run_id, "make_triplets")
    assert claim.is_claimed
    return run.run_id


def test_killed_and_ended_runs_lose_their_places_and_a_run_that_works_keeps_its_own(tmp_path: Path) -> None:
    data_set = DataSet(tmp_path)
    with dg.instance_for_test() as instance:
        instance.event_log_storage.set_concurrency_slots(POOL, 3)
        hold_a_place(instance, "killed", dg.DagsterRunStatus.STARTED)
        hold_a_place(instance, "ended", dg.DagsterRunStatus.FAILURE)
        works = hold_a_place(instance, "works", dg.DagsterRunStatus.STARTED)
        with data_set.hold("works"):
            free_concurrency_slots(instance, data_set)
        claimed = instance.event_log_storage.get_concurrency_info(POOL).claimed_slots
    assert [slot.run_id for slot in claimed] == [works]
