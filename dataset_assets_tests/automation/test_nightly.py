"""What a night requests: which videos, in which order, which assets of them, and why."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataset_assets.addresses import Address
from dataset_assets.automation import refusals
from dataset_assets.config import ConfigReader, Settings, VideoEntry, load_settings
from dataset_assets.dataset import DataSet, Failure
from dataset_assets.definitions import build_defs
from dataset_assets.generate import refuse_run
from dataset_assets.partitions import VIDEO_PARTITIONS
from dataset_assets_tests.automation.samples import ALL, add_run, films, finish
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.film_server import FilmServer
from dataset_assets_tests.generate.samples import raise_version
from dataset_assets_tests.machines import holder_of, lease

# The films have no weight in the other categories.
WANTED = ALL[:3]
SIZES = {"Small": 10, "Large": 30, "Middle": 20}


class Night:
    """Three films of different sizes, and a Dagster that forgets."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self.instance = instance
        self.films = films(folder, SIZES)
        self.far: dict[str, Address] = {}
        self.configure()

    def configure(self, **sections: Any) -> None:
        far = {name: (film, {"general": 1.0}) for name, film in self.far.items()}
        self.config = write_config(self.folder, {**self.films, **far}, **sections)

    def tick(self) -> list[dg.RunRequest]:
        return list(self.evaluate().run_requests or [])

    def evaluate(self, repository: dg.RepositoryDefinition | None = None) -> Any:
        repository = repository or build_defs(self.config).get_repository_def()
        context = dg.build_schedule_context(
            instance=self.instance,
            repository_def=repository,
            resources=repository.get_top_level_resources(),
            scheduled_execution_time=datetime(2025, 3, 1, 1, tzinfo=UTC),
        )
        with context:
            return repository.get_schedule_def("nightly").evaluate_tick(context)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("home"))) as instance:
        yield instance


@pytest.fixture
def night(tmp_path: Path, instance: dg.DagsterInstance) -> Iterator[Night]:
    yield Night(tmp_path, instance)
    for run in instance.get_runs():
        instance.delete_run(run.run_id)
    for key in instance.get_dynamic_partitions(VIDEO_PARTITIONS.name or ""):
        instance.delete_dynamic_partition(VIDEO_PARTITIONS.name or "", key)


def keys(requests: list[dg.RunRequest]) -> list[str | None]:
    return [request.partition_key for request in requests]


def assets(request: dg.RunRequest) -> tuple[str, ...]:
    return tuple(key.to_user_string() for key in request.asset_selection or ())


def asked(requests: list[dg.RunRequest]) -> set[tuple[tuple[str, ...], str]]:
    """The assets asked for, and the reasons, of all requests."""
    return {(assets(request), request.tags["dataset_assets/reason"]) for request in requests}


def test_a_request_names_the_checks_of_its_assets_and_no_others(night: Night) -> None:
    # The preview's button launches assets without any check that is not named.
    finish(night.config)
    mix = {"small_540": 0.5, "medium_169": 0.5}
    night.configure(categories={"general": {"folder": "Universal/Mastermodell/Learn", "mix": mix}})
    graph = build_defs(night.config).resolve_asset_graph()
    for request in night.tick():
        assert {*(request.asset_check_keys or ())} == graph.get(dg.AssetKey("general_patches")).check_keys


def test_what_was_never_made_is_requested_largest_first_and_so_many_a_night(night: Night) -> None:
    everything = night.tick()
    assert keys(everything) == ["large", "middle", "small"]
    assert asked(everything) == {(ALL, "never made")}
    assert {request.job_name for request in everything} <= {None, "make_patches"}
    assert sorted(night.instance.get_dynamic_partitions(VIDEO_PARTITIONS.name or "")) == [
        "large",
        "middle",
        "small",
    ]
    night.configure(nightly={"max_videos_per_night": 2})
    assert keys(night.tick()) == ["large", "middle"]


def test_what_is_queued_running_absent_or_failed_does_not_take_a_place(night: Night) -> None:
    night.configure(nightly={"max_videos_per_night": 1})
    add_run(night.instance, "large", dg.DagsterRunStatus.NOT_STARTED)
    add_run(night.instance, "small", dg.DagsterRunStatus.FAILURE)
    assert keys(night.tick()) == ["middle"]
    night.films["Middle"][0].unlink()
    assert keys(night.tick()) == ["small"]
    add_run(night.instance, "small", dg.DagsterRunStatus.STARTED)
    said = night.evaluate()
    assert not said.run_requests
    assert said.skip_message == "3 videos, nothing to request: 2 queued or running, 1 film absent"


def test_what_another_machine_works_on_without_a_run_is_not_requested(night: Night) -> None:
    night.configure(base_settings={"machines": "many"}, nightly={"max_videos_per_night": 1})
    root = load_settings(night.config).base.output_base_dir
    lease(root, "large", holder_of("w1"))
    assert keys(night.tick()) == ["middle"]
    lease(root, "large", holder_of("w1"), silent_s=61)
    assert keys(night.tick()) == ["large"]


def test_films_at_addresses_are_asked_for_once_and_requested_by_size(
    night: Night, http_films: FilmServer
) -> None:
    http_films.files |= {"tiny": b"x", "huge": b"x" * 100}
    night.far = {name: http_films.address(name.lower()) for name in ("Tiny", "Huge", "Gone")}
    night.configure()
    assert [each.partition_key for each in night.tick()] == ["huge", "large", "middle", "small", "tiny"]
    assert sorted(path for path, _ in http_films.requests) == ["gone", "huge", "tiny"]


def test_a_film_that_failed_last_time_comes_last(night: Night) -> None:
    data_set = DataSet.of(load_settings(night.config))
    data_set.failures.keep(Failure("large", "", "it is interlaced"))
    assert keys(night.tick()) == ["middle", "small", "large"]


def test_nothing_is_requested_where_all_is_done(night: Night) -> None:
    finish(night.config)
    assert night.evaluate().skip_message == "3 videos, nothing to request: everything is done"


def test_another_mix_of_a_category_makes_it_stale_and_no_other(night: Night) -> None:
    finish(night.config)
    mix = {"small_540": 0.5, "medium_169": 0.5}
    night.configure(categories={"general": {"folder": "Universal/Mastermodell/Learn", "mix": mix}})
    assert asked(night.tick()) == {(("general_patches",), "general_patches: its settings changed")}


def test_another_tone_mapping_makes_the_patches_stale_of_categories_that_take_some(night: Night) -> None:
    finish(night.config)
    night.configure(base_settings={"colour_order": "fast"})
    assert asked(night.tick()) == {(("general_patches",), "general_patches: its settings changed")}


def test_only_a_replaced_film_is_rebuilt(night: Night) -> None:
    finish(night.config)
    night.films["Middle"][0].write_bytes(b"another film, longer")
    os.utime(night.films["Middle"][0], (0, 0))
    requests = night.tick()
    assert (keys(requests), asked(requests)) == (
        ["middle"],
        {(WANTED, f"{', '.join(WANTED)}: the source file changed")},
    )


@pytest.mark.parametrize(
    ("version", "assets"),
    [("SOURCE_VERSION", WANTED[:1]), ("WINDOWS_VERSION", WANTED[1:]), ("PATCHES_VERSION", WANTED[2:])],
)
def test_other_code_makes_again_what_it_makes(
    night: Night, monkeypatch: pytest.MonkeyPatch, version: str, assets: tuple[str, ...]
) -> None:
    finish(night.config)
    raise_version(monkeypatch, version)
    requests = night.tick()
    assert len(requests) == 3
    assert asked(requests) == {(assets, f"{', '.join(assets)}: the code that makes it changed")}


def test_a_video_whose_run_would_be_refused_is_left_out_with_the_way_to_allow_it(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded = {"base_settings": {"allow_replacing": False}}
    night.configure(**guarded)
    finish(night.config, patches_each=6)
    night.films["New"] = (night.films["Small"][0].with_name("New.mkv"), {"general": 1.0})
    night.films["New"][0].write_bytes(b"." * 5)
    night.configure(**guarded)
    raise_version(monkeypatch, "PATCHES_VERSION")
    assert keys(night.tick()) == ["new"]
    night.films.pop("New")
    night.configure(**guarded)
    said = night.evaluate()
    assert not said.run_requests
    # No window is in the tables, so that a run would delete all patches and find others.
    assert (said.skip_message or "").startswith(
        "3 videos, nothing to request: 3 videos left out, of which more than a tenth of the finished patches "
        "would be replaced (first large: of 6 finished patches 6 would be deleted (the code that makes it "
        "changed)): if that is wanted, "
    )
    for way in ("dataset_assets/replace", "base_settings.allow_replacing", "`dataset-assets generate --yes`"):
        assert way in (said.skip_message or "")
    night.configure(base_settings={"allow_replacing": True})
    assert keys(night.tick()) == ["large", "middle", "small"]


def test_a_refusal_is_looked_for_once_and_takes_no_place_of_others(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.configure(base_settings={"allow_replacing": False}, nightly={"max_videos_per_night": 1})
    finish(night.config, patches_each=6)
    raise_version(monkeypatch, "PATCHES_VERSION")
    # Of what is missing nothing is replaced.
    DataSet.of(load_settings(night.config)).tables.patches_path("general", "middle").unlink()
    looked_at = Counter[str]()

    def counting(settings: Settings, data_set: DataSet, entry: VideoEntry, wanted: list[str]) -> None:
        looked_at[entry.key] += 1
        refuse_run(settings, data_set, entry, wanted)

    monkeypatch.setattr(refusals, "refuse_run", counting)
    repository = build_defs(night.config).get_repository_def()
    for _ in range(2):
        assert keys(night.evaluate(repository).run_requests) == ["middle"]
    assert looked_at == {"large": 1}


def test_a_tick_without_time_to_look_leaves_stale_videos_for_the_next_night(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.configure(base_settings={"allow_replacing": False})
    finish(night.config, patches_each=6)
    raise_version(monkeypatch, "PATCHES_VERSION")
    monkeypatch.setattr(refusals, "LOOK_S", 0.0)
    assert night.evaluate().skip_message == "3 videos, nothing to request: 3 left for the next night"


def test_a_new_category_is_made_and_one_that_left_is_removed_by_a_run_of_all(night: Night) -> None:
    finish(night.config)
    night.configure(categories={"night": {"folder": "Night", "mix": {"small_540": 1.0}}})
    assert asked(night.tick()) == {(("night_patches",), "night_patches: never made")}
    night.configure(categories={"toon": None})
    assert asked(night.tick()) == {(ALL[:-1], "a category left the configuration")}


def test_a_film_of_a_watched_folder_is_requested_the_same_night(night: Night) -> None:
    watched = night.folder / "watched"
    watched.mkdir()
    (watched / "New.mkv").write_bytes(b"." * 40)
    watch = [{"folder": "watched", "categories": {"general": 1.0}, "settled_after_s": 0}]
    night.configure(watch=watch)
    assert keys(night.tick()) == ["new", "large", "middle", "small"]


def test_the_schedule_is_the_configurations_and_off_until_switched_on(night: Night) -> None:
    night.configure(nightly={"cron": "30 22 * * mon-fri", "time_zone": "Europe/Berlin"})
    schedule = build_defs(night.config).resolve_schedule_def("nightly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 22 * * mon-fri", "Europe/Berlin")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED


@pytest.mark.parametrize(
    "cron", ["*/15 * * * *", "0 1-5/2,22 1,15 jan-mar,12 *", "59 23 31 * 7", "0 0 29 2 SUN"]
)
def test_every_cron_expression_that_the_configuration_takes_is_one_for_dagster(
    night: Night, cron: str
) -> None:
    night.configure(nightly={"cron": cron})
    assert build_defs(night.config).resolve_schedule_def("nightly").cron_schedule == cron


def test_no_run_is_requested_while_the_configuration_holds_a_mistake(night: Night) -> None:
    repository = build_defs(night.config).get_repository_def()
    night.config.write_text("{")
    context = dg.build_schedule_context(
        instance=night.instance,
        repository_def=repository,
        resources={"config_reader": ConfigReader(night.config)},
        scheduled_execution_time=datetime(2025, 3, 1, 1, tzinfo=UTC),
    )
    with context:
        said = repository.get_schedule_def("nightly").evaluate_tick(context)
    assert not said.run_requests
    assert (said.skip_message or "").startswith(f"{night.config}:1")
