from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.cells import cell_len
from rich.console import Console

from dataset_assets.cli.views import stats_tables, too_small_lines
from dataset_assets.curation import Census
from dataset_assets.dataset import AssetStatus, DatasetStats, Overview, Totals

REASONS = {"cut": 12, "near_black": 3, "黑": 2, "duplicate": 100}
WHOLE = "cut 12, near_black 3, 黑 2, duplicate 100"
NAMES = ["a-film", "a-film-of-a-longer-name", "[b]"]
# What the other columns of the videos' table take, borders among them, and the least for the reasons.
OTHERS, SHORTEST = 86, 12
FULL = OTHERS + cell_len(WHOLE)


def overview() -> Overview:
    """Three videos, of which the second lost windows for many reasons."""
    videos = pd.DataFrame(
        {
            "video": NAMES,
            "accepted": [500, 7, 0],
            "windows_target": 500,
            "acceptance_rate": [0.5, 0.25, np.nan],
            "patches_done": [1500, 7, 0],
            "patches_target": 1500,
            "size_bytes": [3e9, 4e6, 0],
            "reject_reasons": [{}, REASONS, {"cut": 1}],
        }
    )
    totals = Totals(3, 0, 0, 0, 0, float("nan"), {}, 0, 0, 0, 0, 0, 0, 0)
    none = pd.DataFrame()
    stats = DatasetStats(totals, none, none, videos, none, [])
    statuses = {"a-film": {"windows": AssetStatus("done")}, "[b]": {"windows": AssetStatus("stale", "other")}}
    return Overview(stats, statuses, {}, {}, {})


def shown(width: int, *, is_cut: bool) -> list[list[str]]:
    """The cells of each line of the videos' table, below its heads."""
    console = Console(width=width, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(stats_tables(overview(), Census({}), is_cut=is_cut))
    lines = capture.get().split("Videos")[1].splitlines()
    assert all(cell_len(line) <= width for line in lines)
    return [[cell.strip() for cell in line[1:-1].split("│")] for line in lines if line.startswith("│")]


@pytest.mark.parametrize("is_cut", [True, False])
@pytest.mark.parametrize("width", [200, FULL])
def test_where_the_rows_fit_they_are_shown_whole(width: int, is_cut: bool) -> None:
    assert shown(width, is_cut=is_cut) == [
        ["a-film", "done", "500/500", "50.0%", "1500/1500", "3.00 GB", ""],
        ["a-film-of-a-longer-name", "unlisted", "7/500", "25.0%", "7/1500", "4.0 MB", WHOLE],
        ["[b]", "stale", "0/500", "-", "0/1500", "0.0 MB", "cut 1"],
    ]


@pytest.mark.parametrize("width", range(OTHERS + SHORTEST, FULL))
def test_a_terminal_that_is_too_narrow_cuts_the_reasons_alone(width: int) -> None:
    whole, cut = shown(200, is_cut=True), shown(width, is_cut=True)
    assert [row[:-1] for row in cut] == [row[:-1] for row in whole]
    assert cut[1][-1].endswith("…")
    assert WHOLE.startswith(cut[1][-1].removesuffix("…").rstrip())
    assert (cut[0][-1], cut[2][-1]) == ("", "cut 1")


@pytest.mark.parametrize(("width", "is_cut"), [(OTHERS + SHORTEST - 1, True), (70, True), (FULL - 1, False)])
def test_a_name_is_folded_and_never_cut_and_a_file_keeps_all_reasons(width: int, is_cut: bool) -> None:
    rows = shown(width, is_cut=is_cut)
    assert "".join(row[0] for row in rows) == "".join(NAMES)
    if not is_cut:
        assert " ".join(row[-1] for row in rows).split() == [*WHOLE.split(), "cut", "1"]


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (("missing", "missing", "missing"), "missing"),
        (("done", "missing", "missing"), "partial"),
        (("done", "partial", "missing"), "partial"),
        (("done", "partial", "partial"), "partial"),
        (("done", "stale", "missing"), "partial"),
        (("done", "done", "stale"), "stale"),
        (("done", "done", "done"), "done"),
        (("missing", "missing", "too_small"), "missing"),
    ],
)
def test_a_video_is_partial_where_it_has_a_table(states: tuple[str, ...], state: str) -> None:
    tables = zip(("source", "windows", "general"), states, strict=True)
    found = {name: AssetStatus(each, "why") for name, each in tables}  # type: ignore[arg-type]
    assert replace(overview(), statuses={"film": found}).state("film")[0] == state


def test_a_film_that_is_too_small_is_listed_with_its_reason() -> None:
    small = {"source": AssetStatus("done"), "windows": AssetStatus("too_small", "no format [fits]")}
    found = replace(overview(), statuses={"[b]": small, "a-film": {"windows": AssetStatus("done")}})
    assert [line.plain for line in too_small_lines(found)] == ["too small [b]: no format [fits]"]
    console = Console(width=200)
    with console.capture() as capture:
        console.print(stats_tables(found, Census({}), is_cut=False))
    assert capture.get().splitlines()[-1].strip() == "too small [b]: no format [fits]"


def test_videos_that_are_not_configured_are_counted_apart() -> None:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(stats_tables(overview(), Census({}), is_cut=False))
    assert capture.get().startswith("2 videos and 1 unlisted, 0 of 0 patches, ")
