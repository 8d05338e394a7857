"""Stale partitions in the UI: the check `up_to_date` warns where a table is stale, without a run.

A partition is green after its last run, whatever has changed since. Here: results for those partitions whose
state is another one than that on record. Not here: what is stale (`dataset`); runs record their own results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import dagster as dg

from dataset_assets.assets.asset_checks import UP_TO_DATE, check_result
from dataset_assets.assets.make_patches import SCENE_WINDOWS, patches_asset
from dataset_assets.checks import up_to_date
from dataset_assets.dagster_internals import failed_check_partitions, report_without_run
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
    for start in range(0, len(changed), BATCH):
        report_without_run(instance, changed[start : start + BATCH])
        yield max(0, len(changed) - start - BATCH)


def _changed(
    instance: dg.DagsterInstance, statuses: Mapping[str, Mapping[str, AssetStatus]]
) -> list[dg.AssetCheckEvaluation]:
    """Return the results for partitions whose state is another one than that on record."""
    tables = dict.fromkeys(name for found in statuses.values() for name in found if name != SOURCE)
    partitions = set(instance.get_dynamic_partitions(str(VIDEO_PARTITIONS.name)))
    changed = []
    for name in tables:
        asset = SCENE_WINDOWS if name == WINDOWS else patches_asset(name)
        warned = failed_check_partitions(instance, dg.AssetCheckKey(dg.AssetKey(asset), UP_TO_DATE))
        for key in sorted(statuses.keys() & partitions):
            status = statuses[key][name]
            is_stale = status.state == "stale"
            if is_stale != (key in warned) and (is_stale or status.is_done):
                changed.append(_evaluation(asset, key, status))
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
