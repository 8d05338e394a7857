"""Stale partitions in the UI: the check `up_to_date` warns where a table is stale, without a run.

A partition is green after its last run, whatever has changed since. Here: results for those partitions whose
state is another one than that on record. Not here: what is stale (`dataset`); runs record their own results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import dagster as dg

from dataset_assets.assets.asset_checks import UP_TO_DATE, check_result
from dataset_assets.assets.make_patches import SCENE_WINDOWS, patches_asset
from dataset_assets.assets.runs import videos_in_work
from dataset_assets.checks import up_to_date
from dataset_assets.dagster_internals import check_verdicts, report_without_run, with_targets
from dataset_assets.dataset import SOURCE, WINDOWS, AssetStatus
from dataset_assets.partitions import VIDEO_PARTITIONS

# Events in one transaction, for which runs that write their history wait: 0.3 CPU s.
BATCH = 200


def report_stale(
    instance: dg.DagsterInstance, statuses: Mapping[str, Mapping[str, AssetStatus]]
) -> Iterator[int]:
    """Record which partitions have become stale, and which are up to date again, a batch at a time.

    Args:
        instance: Where results are recorded.
        statuses: The states of the configured videos' tables, by key and table.

    Yields:
        How many are left, after each batch.
    """
    changed = _changed(instance, statuses)
    left = sum(map(len, changed))
    for results in changed:
        for start in range(0, len(results), BATCH):
            batch = results[start : start + BATCH]
            report_without_run(instance, with_targets(instance, batch))
            left -= len(batch)
            yield left


def _changed(
    instance: dg.DagsterInstance, statuses: Mapping[str, Mapping[str, AssetStatus]]
) -> list[list[dg.AssetCheckEvaluation]]:
    """Return, for each asset, results for partitions whose state is another one than the UI shows."""
    tables = dict.fromkeys(name for found in statuses.values() for name in found if name != SOURCE)
    partitions = set(instance.get_dynamic_partitions(str(VIDEO_PARTITIONS.name)))
    # A run that goes on gives a result of its own.
    looked_at = sorted((statuses.keys() & partitions) - videos_in_work(instance))
    changed = []
    for name in tables:
        asset = SCENE_WINDOWS if name == WINDOWS else patches_asset(name)
        shown = check_verdicts(instance, dg.AssetCheckKey(dg.AssetKey(asset), UP_TO_DATE))
        results = []
        for key in looked_at:
            status = statuses[key][name]
            is_stale = status.state == "stale"
            if (is_stale or status.is_done) and shown.get(key, True) is not (not is_stale):
                results.append(_evaluation(asset, key, status))
        changed.append(results)
    return changed


def _evaluation(asset: str, key: str, status: AssetStatus) -> dg.AssetCheckEvaluation:
    result = check_result(asset, UP_TO_DATE, up_to_date(status))
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(asset),
        check_name=UP_TO_DATE,
        passed=result.passed,
        metadata=dict(result.metadata),
        severity=result.severity,
        description=result.description,
        partition=key,
    )
