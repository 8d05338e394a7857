from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from dataset_assets.monitor.live_view import render
from dataset_assets.monitor.plain_text import status_line
from dataset_assets.monitor.snapshot import Snapshot
from dataset_assets_tests.monitor.snapshots import FAILURE, IDLE, MANY, NOW_S, RUNNING, WORKING
from dataset_assets_tests.terminal import screen_of

SCREENS = Path(__file__).with_name("screens")
HINT = "q ends this view; runs go on"
SIZES = ((80, 24), (120, 40), (40, 20))
SHOWN = {"running": RUNNING, "idle": IDLE, "many": MANY}


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day are those of the machine; a screen to compare needs one time zone."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def screen(snapshot: Snapshot, columns: int, lines: int) -> list[str]:
    return screen_of(render(snapshot, columns, lines, HINT), columns, lines)


def line_with(lines: list[str], text: str) -> str:
    (found,) = [line for line in lines if text in line]
    return found


@pytest.mark.parametrize(("columns", "lines"), SIZES)
@pytest.mark.parametrize("name", SHOWN)
def test_the_screen_is_as_it_was_looked_at(name: str, columns: int, lines: int) -> None:
    wanted = (SCREENS / f"{name}-{columns}x{lines}.txt").read_text(encoding="utf-8")
    assert "\n".join(screen(SHOWN[name], columns, lines)).rstrip() == wanted.rstrip()


@given(st.integers(10, 220), st.integers(3, 70), st.integers(0, 30), st.integers(0, 9))
def test_no_size_is_too_small_and_no_line_is_cut_by_the_terminal(
    columns: int, lines: int, videos: int, failures: int
) -> None:
    snapshot = replace(
        RUNNING,
        videos=tuple(replace(WORKING, key=f"video-{number}") for number in range(videos)),
        failures=(FAILURE,) * failures,
    )
    console = Console(file=io.StringIO(), width=columns, height=lines, force_terminal=True)
    shown = console.render_lines(render(snapshot, columns, lines, HINT), pad=False)
    if columns >= 40 and lines >= 8:
        assert len(shown) <= lines
    assert max(sum(segment.cell_length for segment in line) for line in shown) <= columns


def test_what_matters_most_stays_on_the_smallest_screen() -> None:
    lines = screen(RUNNING, 40, 9)
    assert lines[1] == "3 running  431 of 500 done  4 queued"
    assert "ETA 1 d 2 h" in lines[3]
    assert [line.split()[0] for line in lines[4:]] == ["video", "animation", "and", "21", "q"]


def test_videos_that_do_not_fit_are_counted() -> None:
    many = tuple(replace(WORKING, key=f"video-{number:02d}") for number in range(20))
    lines = screen(replace(RUNNING, videos=many, failures=()), 80, 24)
    shown = [line for line in lines if line.startswith("video-")]
    assert line_with(lines, "more").split() == ["and", str(20 - len(shown)), "more"]
    assert 0 < len(shown) < 20


def test_what_is_not_known_is_not_made_up() -> None:
    lines = screen(RUNNING, 120, 40)
    begun = line_with(lines, "letterboxed-and-dark").split()
    assert begun[-2:] == ["unknown", "backfill"]
    assert line_with(lines, "animation").split()[2:] == ["probing", *"------", "generate"]


def test_a_pass_that_has_not_been_heard_of_is_marked() -> None:
    quiet = replace(WORKING, updated_s=NOW_S - 130)
    lines = screen(replace(RUNNING, videos=(quiet,)), 80, 24)
    assert line_with(lines, "uhd-hdr10").endswith("?2:10")


def test_a_queue_and_a_backfill_that_wait_are_reported() -> None:
    whole = replace(IDLE.overall, runs_queued=4)
    assert screen(replace(IDLE, state="queued", overall=whole), 80, 24)[1].startswith(
        "nothing runs yet  431 of 500 done  4 queued"
    )
    whole = replace(IDLE.overall, backfills=1)
    assert screen(replace(IDLE, state="queued", overall=whole), 80, 24)[1].startswith("a backfill waits")
    assert "no run has ended yet" in screen(replace(IDLE, last_run=None), 80, 24)[2]


def styles_of(snapshot: Snapshot, text: str) -> str:
    """Escape codes before a text."""
    file = io.StringIO()
    Console(file=file, force_terminal=True, color_system="standard", width=120).print(
        render(snapshot, 120, None)
    )
    return file.getvalue().split(text)[0].rsplit("\x1b[", 1)[1]


def test_where_one_machine_makes_the_data_set_no_host_is_shown() -> None:
    for columns, lines in SIZES:
        assert not any("host" in line or "here" in line for line in screen(RUNNING, columns, lines))


def test_a_machine_that_works_on_nothing_is_left_out_and_one_that_was_lost_is_marked() -> None:
    lines = screen(MANY, 200, 40)
    assert not any(line.startswith("idle") for line in lines)
    assert line_with(lines, "w2 ").split() == ["w2", "0", "2", "-", "2", "min", "ago"]
    assert styles_of(MANY, "2 min ago") == "31m"
    assert line_with(lines, "cores here").startswith("CPU     87% of 16 cores here, runs 13.2")
    assert status_line(MANY).partition(" ")[2].startswith("3 running on 3 machines, 431 of 500 done")


def test_colours_distinguish_states() -> None:
    short = replace(RUNNING, disk=replace(RUNNING.disk, free_after_bytes=-1_000_000_000))
    assert styles_of(RUNNING, "free 900.0 GB") != styles_of(short, "free 900.0 GB") == "1;31m"
    assert "then -1.0 GB, kept 5.0 GB" in "\n".join(screen(short, 120, 40))
    assert styles_of(RUNNING, "1 failed") == styles_of(RUNNING, FAILURE.key + " (") == "31m"
    assert styles_of(RUNNING, "431 of 500 done") == "32m"
    assert styles_of(RUNNING, "30%").strip() == "33m"  # fewer than half of the candidates are accepted


def test_without_a_height_everything_is_shown_and_nothing_is_coloured() -> None:
    file = io.StringIO()
    many = tuple(replace(WORKING, key=f"video-{number:02d}") for number in range(60))
    Console(file=file, width=200).print(render(replace(RUNNING, videos=many), 200, None))
    assert "\x1b" not in file.getvalue()
    assert file.getvalue().count("video-") == 60
    assert FAILURE.sentence in file.getvalue()


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    SCREENS.mkdir(exist_ok=True)
    for each, content in SHOWN.items():
        for size in SIZES:
            path = SCREENS / f"{each}-{size[0]}x{size[1]}.txt"
            path.write_text("\n".join(screen(content, *size)).rstrip() + "\n", encoding="utf-8")


def test_a_snapshot_is_one_line_where_there_is_no_terminal() -> None:
    assert status_line(RUNNING).partition(" ")[2] == (
        "3 running, 431 of 500 done, 1 failed, 2 interrupted, 63 to do; 85%, 641,234 of 750,000 patches, "
        "108,766 to do, ETA 1 d 2 h"
    )
    starting = replace(RUNNING, overall=replace(RUNNING.overall, eta_s=None))
    assert status_line(starting).endswith("ETA unknown")
    single = replace(RUNNING, overall=replace(RUNNING.overall, patches=0, patches_target=1))
    assert "0 of 1 patch, 108,766 to do, ETA" in status_line(single)


@pytest.mark.parametrize(("columns", "shown"), [(80, "260/340 patches, 80 short, 0 to do"), (40, "260/260")])
def test_all_is_done_where_the_numbers_beside_it_say_so(columns: int, shown: str) -> None:
    figures = {"patches": 260, "patches_target": 340, "patches_short": 80, "patches_to_do": 0}
    done = replace(IDLE, overall=replace(IDLE.overall, share=1.0, **figures))
    assert line_with(screen(done, columns, 24), "━━━").split("100%")[1].strip() == shown
