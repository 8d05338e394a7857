from __future__ import annotations

import logging

import pytest

from dataset_assets.assets.progress_log import ProgressLog
from dataset_assets.assets.reporting import bar, counts_markdown, markdown_table
from dataset_assets.dataset import Progress


def test_a_long_table_stays_short_enough_and_counts_what_is_left() -> None:
    rows = [(f"video-{index:04}", "it has no video stream; remove it", "run") for index in range(100)]
    text = markdown_table(("video", "why", ""), rows)
    lines = text.splitlines()
    assert 800 < len(text) < 1000
    shown = len(lines) - 3
    assert lines[2:-1] == [f"| {' | '.join(row)} |" for row in rows[:shown]]
    assert lines[-1].startswith(f"| and {100 - shown} more |")
    assert {line.replace("\\|", "").count("|") for line in lines} == {4}


def test_a_cell_does_not_break_its_table() -> None:
    assert markdown_table(("a", "b"), [("x|y", "one\ntwo")]).splitlines()[-1] == "| x\\|y | one two |"


def test_only_columns_of_numbers_are_aligned_to_the_right() -> None:
    rows = [("a", "12", "95%", "why", bar(1)), ("b", "", "5%", "because", "")]
    assert markdown_table(("a", "b", "c", "d", ""), rows).splitlines()[1] == (
        "| --- | ---: | ---: | --- | --- |"
    )


def test_no_rows_say_none() -> None:
    assert markdown_table(("a",), []) == counts_markdown("reason", {}) == "none"


def test_bars_are_as_long_as_their_shares() -> None:
    assert [len(bar(share)) for share in (0.0, 0.001, 0.5, 1.0, 1.3)] == [0, 1, 10, 20, 20]


def lines_of(updates: list[tuple[int, float]], caplog: pytest.LogCaptureFixture) -> list[str]:
    """What is logged of a pass over 100 windows: windows done, and seconds since it began."""
    log = ProgressLog(logging.getLogger("progress"))
    with caplog.at_level(logging.INFO, "progress"):
        for done, second in updates:
            log(
                Progress(
                    key="film",
                    windows_target=100,
                    windows_done=done,
                    windows_worked=done,
                    windows_pending=100 - done,
                    accepted=done - 1,
                    patches={"general": done - 1, "space": 0},
                    started_s=1000.0,
                    updated_s=1000.0 + second,
                )
            )
    return [record.getMessage() for record in caplog.records]


def test_a_long_pass_logs_each_tenth_with_what_is_left(caplog: pytest.LogCaptureFixture) -> None:
    lines = lines_of([(done, 60.0 * done) for done in range(1, 101)], caplog)
    assert len(lines) == 9
    assert lines[0] == "film: 11 of 100 windows (11%), 10 accepted, 10 patches; 1 h 29 min to go"
    assert lines[-1].endswith("(91%), 90 accepted, 90 patches; 9 min to go")


def test_a_quick_pass_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert lines_of([(done, 0.25 * done) for done in range(1, 101)], caplog) == []


def test_what_was_done_before_is_no_progress_of_this_run(caplog: pytest.LogCaptureFixture) -> None:
    assert lines_of([(60, 40.0), (61, 80.0), (69, 90.0), (71, 100.0)], caplog) == [
        "film: 71 of 100 windows (71%), 70 accepted, 70 patches; 41 s to go"
    ]
