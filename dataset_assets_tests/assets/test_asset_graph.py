from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg

from dataset_assets.definitions import build_defs
from dataset_assets_tests.configurations import write_config

ROOT = Path(__file__).parents[2]
WEIGHTS = {"general": 1.0}

GRAPH = """\
source_video <-
  group training_set, partitions videos, kinds ffmpeg parquet
  step source_video, pool decode, subset False
  check colours_tagged by videos
  check source_unchanged by videos
  check true_resolution by videos
scene_windows <- source_video
  group training_set, partitions videos, kinds ffmpeg opencv parquet
  step make_triplets, pool decode, subset True
  check enough_accepted by videos
  check enough_windows by videos
  check source_unchanged by videos
  check up_to_date by videos
general_patches <- scene_windows
  group training_set, partitions videos, kinds opencv parquet
  step make_triplets, pool decode, subset True
  check enough_patches by videos
  check files_match_table by videos
  check format_mix_kept by videos
  check free_of_black_bars by videos
  check free_of_combs by videos
  check triplets_whole by videos
  check up_to_date by videos
  check windows_uncut by videos
space_patches <- scene_windows
  group training_set, partitions videos, kinds opencv parquet
  step make_triplets, pool decode, subset True
  check enough_patches by videos
  check files_match_table by videos
  check format_mix_kept by videos
  check free_of_black_bars by videos
  check free_of_combs by videos
  check triplets_whole by videos
  check up_to_date by videos
  check windows_uncut by videos
toon_patches <- scene_windows
  group training_set, partitions videos, kinds opencv parquet
  step make_triplets, pool decode, subset True
  check enough_patches by videos
  check files_match_table by videos
  check format_mix_kept by videos
  check free_of_black_bars by videos
  check free_of_combs by videos
  check triplets_whole by videos
  check up_to_date by videos
  check windows_uncut by videos
dataset_stats <- general_patches space_patches toon_patches
  group training_set, partitions -, kinds pandas parquet
  step dataset_stats, pool -, subset False
  check every_video_done by -
  check sources_unchanged by -
  check videos_ok by -
exports <- general_patches space_patches toon_patches
  group training_set, partitions -, kinds file parquet
  step exports, pool -, subset False
  check counts_match by -
  check every_file_opens by -
  check lr_aligned by -
near_duplicates <- general_patches space_patches toon_patches
  group training_set, partitions -, kinds numpy parquet
  step near_duplicates, pool -, subset False
  check no_near_duplicates by -
patch_scores <- general_patches space_patches toon_patches
  group training_set, partitions videos, kinds opencv parquet
  step patch_scores, pool decode, subset False
job delete_old_runs: -
  partitions -, in_process
job export: exports
  partitions -, in_process
job find_duplicates: near_duplicates
  partitions -, in_process
job make_patches: general_patches scene_windows source_video space_patches toon_patches
  partitions videos, in_process
job score_patches: patch_scores
  partitions videos, in_process
job update_stats: dataset_stats
  partitions -, in_process
schedule delete_old_runs: 0 6 * * 0 UTC, STOPPED, job delete_old_runs
schedule nightly: 0 1 * * * UTC, STOPPED, job make_patches
schedule refresh_exports: 0 7 * * * UTC, STOPPED, job export
sensor failure_sensor: every 30 s, RUNNING
sensor register_tables: every 30 s, RUNNING
sensor stats_sensor: every 30 s, RUNNING
sensor videos_sensor: every 30 s, RUNNING
"""


def partitions(definition: dg.PartitionsDefinition[str] | None) -> str:
    if definition is None:
        return "-"
    assert isinstance(definition, dg.DynamicPartitionsDefinition)
    return definition.name or ""


def names(keys: object) -> str:
    return " ".join(sorted(key.to_user_string() for key in keys))  # type: ignore[attr-defined]


def graph_text(definitions: dg.Definitions) -> str:
    """The definitions as text: assets in the order of their dependencies, jobs, schedules, sensors."""
    repository = definitions.get_repository_def()
    graph = repository.asset_graph
    lines = []
    for key in sorted(graph.toposorted_asset_keys, key=lambda key: (depth(graph, key), key)):
        node, asset = graph.get(key), repository.assets_defs_by_key[key]
        lines.append(f"{key.to_user_string()} <- {names(node.parent_keys)}".rstrip())
        lines.append(
            f"  group {node.group_name}, partitions {partitions(node.partitions_def)}, "
            f"kinds {' '.join(sorted(asset.specs_by_key[key].kinds))}"
        )
        lines.append(f"  step {asset.op.name}, pool {asset.op.pool or '-'}, subset {asset.can_subset}")
        for check in sorted(node.check_keys, key=lambda check: check.name):
            spec = asset.get_spec_for_check_key(check)
            lines.append(f"  check {check.name} by {partitions(spec.partitions_def)}")
    for job in sorted(repository.get_all_jobs(), key=lambda job: job.name):
        if not job.name.startswith("__"):
            selected = names(job.asset_layer.selected_asset_keys) or "-"
            lines.append(f"job {job.name}: {selected}")
            lines.append(f"  partitions {partitions(job.partitions_def)}, {job.executor_def.name}")
    for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name):
        when = f"{schedule.cron_schedule} {schedule.execution_timezone or 'UTC'}"
        lines.append(
            f"schedule {schedule.name}: {when}, {schedule.default_status.value}, job {schedule.job_name}"
        )
    for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name):
        target = f", job {sensor.job_name}" if sensor.targets else ""
        every_s = sensor.minimum_interval_seconds
        lines.append(f"sensor {sensor.name}: every {every_s} s, {sensor.default_status.value}{target}")
    return "\n".join(lines) + "\n"


def depth(graph: dg.AssetGraph, key: dg.AssetKey) -> int:
    return max((1 + depth(graph, parent) for parent in graph.get(key).parent_keys), default=0)


def test_the_asset_graph_is_what_it_was(tmp_path: Path) -> None:
    definitions = build_defs(write_config(tmp_path, {"Film": (tmp_path / "film.mkv", WEIGHTS)}))
    assert graph_text(definitions) == GRAPH


def test_a_fourth_category_of_a_yaml_file_is_a_fourth_patch_asset(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "base_settings: {output_base_dir: dataset}\n"
        "categories: {night: {folder: Night/Learn, mix: {small_540: 1.0}}}\n"
        "videos: [{name: Film, path: film.mkv, categories: {night: 0.5}}]\n",
        encoding="utf-8",
    )
    text = graph_text(build_defs(config))
    assert "night_patches <- scene_windows\n" in text
    assert "dataset_stats <- general_patches night_patches space_patches toon_patches\n" in text
    assert "job make_patches: general_patches night_patches scene_windows" in text


def test_no_step_has_a_retry_policy(tmp_path: Path) -> None:
    definitions = build_defs(write_config(tmp_path, {"Film": (tmp_path / "film.mkv", WEIGHTS)}))
    policies = [
        asset.op.retry_policy for asset in definitions.get_repository_def().assets_defs_by_key.values()
    ]
    assert policies == [None] * 9


def test_a_descriptions_first_line_is_short_plain_text(tmp_path: Path) -> None:
    definitions = build_defs(write_config(tmp_path, {"Film": (tmp_path / "film.mkv", WEIGHTS)}))
    firsts = [(spec.description or "").split("\n")[0] for spec in definitions.resolve_all_asset_specs()]
    assert len(firsts) == 9
    assert [line for line in firsts if not 20 <= len(line) <= 70 or set(line) & set("`*|#_")] == []


def test_every_asset_says_what_it_is_where_it_is_and_how_to_make_it_again(tmp_path: Path) -> None:
    definitions = build_defs(write_config(tmp_path, {"Film": (tmp_path / "film.mkv", WEIGHTS)}))
    for spec in definitions.resolve_all_asset_specs():
        text = spec.description or ""
        assert text.split("\n")[1] == ""
        assert "- **Files**: " in text
        assert "- **Again**: " in text
        assert text.count("```") == 2
        assert len(spec.kinds) <= 3
        tags = {name: value for name, value in spec.tags.items() if not name.startswith("dagster/")}
        assert tags["stage"] in ("sources", "windows", "patches", "scores", "tables", "exports")
        assert len(tags) <= 3
        assert list(spec.owners) == ["team:dataset"]


def descriptions_of(definitions: dg.Definitions) -> dict[str, str | None]:
    repository = definitions.get_repository_def()
    found = {spec.key.to_user_string(): spec.description for spec in definitions.resolve_all_asset_specs()}
    found |= {each.name: each.description for each in repository.schedule_defs}
    return found | {each.name: each.description for each in repository.sensor_defs}


def test_descriptions_hold_nothing_that_a_change_of_the_configuration_would_make_wrong(
    tmp_path: Path,
) -> None:
    films = {"Film": (tmp_path / "film.mkv", WEIGHTS)}
    before = descriptions_of(build_defs(write_config(tmp_path, films)))
    category = {"folder": "Elsewhere/Learn", "mix": {"small_540": 0.1, "large_720": 0.9}}
    formats = {"small_540": {"width": 480, "height": 480, "folder": "Other"}}
    changed = write_config(
        tmp_path,
        films,
        base_settings={"base_frame_limit": 77, "max_workers": 5},
        categories={"general": category},
        formats=formats,
        nightly={"max_videos_per_night": 3},
        runs={"keep_days": 9},
    )
    assert descriptions_of(build_defs(changed)) == before


def test_every_job_schedule_and_sensor_has_a_description(tmp_path: Path) -> None:
    config = write_config(tmp_path, {"Film": (tmp_path / "film.mkv", WEIGHTS)})
    repository = build_defs(config).get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    descriptions = {f"job {job.name}": job.description for job in jobs}
    descriptions |= {f"schedule {each.name}": each.description for each in repository.schedule_defs}
    descriptions |= {f"sensor {each.name}": each.description for each in repository.sensor_defs}
    assert len(descriptions) == 13
    assert [name for name, text in descriptions.items() if len(text or "") < 20] == []


def test_the_example_configurations_load() -> None:
    for config in (ROOT / "configs" / "generator_config.json", ROOT / "configs" / "categories.example.yaml"):
        dg.Definitions.validate_loadable(build_defs(config))


def test_the_environment_names_the_configuration_that_dagster_loads(tmp_path: Path) -> None:
    config = write_config(
        tmp_path,
        {"Film": (tmp_path / "film.mkv", {"night": 1.0})},
        categories={"night": {"folder": "Night", "mix": {"small_540": 1.0}}},
    )
    dagster = str(Path(sys.executable).with_name("dagster"))
    command = [dagster, "definitions", "validate", "-w", "workspace.yaml"]
    environment = os.environ | {"DATASET_ASSETS_CONFIG": str(config), "DAGSTER_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Validation successful for code location dataset_assets" in done.stdout
    environment["DATASET_ASSETS_CONFIG"] = str(tmp_path / "absent.json")
    failed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert failed.returncode != 0
    assert "absent.json: there is no such configuration file" in failed.stdout
