"""Snapshots as data, at a fixed moment."""

from __future__ import annotations

from dataclasses import replace

from dataset_assets.dataset import Failure
from dataset_assets.monitor.snapshot import (
    CategoryState,
    Disk,
    Host,
    LastRun,
    Machine,
    Overall,
    Snapshot,
    VideoRun,
)

NOW_S = 1_790_000_000.0  # 21 September 2026, 14:13:20 UTC

WORKING = VideoRun(
    key="uhd-hdr10-with-cuts",
    phase="working",
    launched_by="backfill abcdefgh",
    run_id="0296762e-eaad-4681-8440-09dfd3f7d3cf",
    host=None,
    pid=4711,
    started_s=NOW_S - 600,
    updated_s=NOW_S - 1,
    share=0.412,
    eta_s=857.0,
    windows_target=1000,
    windows_done=412,
    windows_per_minute=41.2,
    windows_uncommitted=7,
    committed_s=NOW_S - 12,
    candidates=687,
    accepted=408,
    acceptance_rate=408 / 687,
    patches=612,
    patches_target=1500,
    size_bytes=2_345_678_901,
    cpu_percent=98.4,
    memory_bytes=812_000_000,
)
PROBING = replace(
    WORKING,
    key="animation",
    phase="probing",
    launched_by="generate",
    pid=None,
    updated_s=None,
    share=0.0,
    eta_s=None,
    windows_target=0,
    windows_done=0,
    windows_per_minute=None,
    windows_uncommitted=0,
    committed_s=None,
    candidates=0,
    accepted=0,
    acceptance_rate=None,
    patches=0,
    patches_target=0,
    size_bytes=0,
    cpu_percent=None,
    memory_bytes=None,
)
BEGUN = replace(
    WORKING,
    key="letterboxed-and-dark",
    share=0.002,
    eta_s=None,
    windows_done=2,
    windows_per_minute=None,
    windows_uncommitted=2,
    committed_s=None,
    started_s=NOW_S - 9,
    candidates=9,
    accepted=2,
    acceptance_rate=2 / 9,
)
FAILURE = Failure(
    key="the-absent-one",
    film="/films/absent.mkv",
    what="the-absent-one (/films/absent.mkv): the file does not exist",
    remedy="correct its path in the configuration or bring the file back",
    ended_s=NOW_S - 3600,
    run_id="5fe47a10-7add-479d-949c-248372ed71f1",
)
RUNNING = Snapshot(
    schema_version=2,
    taken_s=NOW_S,
    output_base_dir="/data/vsr/dataset",
    state="running",
    overall=Overall(
        videos=500,
        videos_done=431,
        videos_too_small=0,
        videos_running=3,
        videos_failed=1,
        videos_interrupted=2,
        videos_waiting=63,
        runs_queued=4,
        backfills=1,
        share=641_234 / 750_000,
        eta_s=93_784.0,
        patches=641_234,
        patches_target=750_000,
        patches_short=0,
        patches_to_do=108_766,
        windows_per_minute=41.2,
    ),
    videos=(PROBING, BEGUN, WORKING),
    categories=(
        CategoryState(
            "general", 431_000, 0, 500_000, 0, 69_000, 0.862, 718_000, 440_000, 440 / 718, 1_234_567_890_123
        ),
        CategoryState(
            "space", 60_234, 1200, 100_000, 0, 39_766, 0.60234, 200_000, 61_000, 0.305, 345_000_000_000
        ),
        CategoryState(
            "toon", 150_000, 0, 150_000, 0, 0, 1.0, 150_100, 150_000, 150_000 / 150_100, 210_000_000_000
        ),
    ),
    disk=Disk(1_789_567_890_123, 2_103_000_000_000, 900_000_000_000, 586_567_890_123, 5_000_000_000),
    machine=Machine(16, 87.3, 2.4, 14.21, 64_000_000_000, 41_000_000_000, 1320.0, 9_200_000_000, 81e6, 4.2e6),
    hosts=(),
    failures=(FAILURE,),
    interrupted=("blade-runner", "dune-part-two"),
    last_run=None,
    problems=(),
)
LAST_RUN = LastRun("dune-part-two", "make_patches", "cancelled", NOW_S - 7300, "0296762e")
IDLE = replace(
    RUNNING,
    state="idle",
    overall=replace(
        RUNNING.overall,
        videos_running=0,
        videos_waiting=66,
        runs_queued=0,
        backfills=0,
        eta_s=None,
        windows_per_minute=None,
    ),
    videos=(),
    machine=replace(
        RUNNING.machine,
        runs_cpu_percent=None,
        runs_memory_bytes=None,
        runs_read_bytes_per_s=None,
        runs_written_bytes_per_s=None,
    ),
    last_run=LAST_RUN,
)
MANY = replace(
    RUNNING,
    overall=replace(RUNNING.overall, windows_per_minute=82.4),
    videos=(
        replace(PROBING, host="head"),
        replace(BEGUN, host="node-17.cluster.example.org", cpu_percent=None, memory_bytes=None),
        replace(WORKING, host="w1"),
    ),
    hosts=(
        Host("head", True, 1, 0, None, NOW_S - 2, "2.1.0"),
        Host("idle", False, 0, 0, None, None, "2.1.0"),
        Host("node-17.cluster.example.org", False, 1, 0, None, NOW_S - 4, "2.1.0"),
        Host("w1", False, 1, 0, 41.2, NOW_S - 1, "2.1.0"),
        Host("w2", False, 0, 2, None, NOW_S - 130, "2.1.0"),
    ),
)
