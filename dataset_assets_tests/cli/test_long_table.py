from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dataset_assets.cli.long_table import LongTable

VIDEOS = ["a-film", "a-film-of-a-longer-name", "[b]"]
WINDOWS = ["7/500", "500/500", "0/0"]
REJECTED = [Text("done", "green"), Text("cut 12, near_black 3, 黑"), Text("stale", "magenta")]


def empty() -> Table:
    table = Table(title="Videos", title_justify="left")
    table.add_column("video", overflow="fold")
    table.add_column("windows", justify="right")
    table.add_column("rejected")
    return table


def shown(what: LongTable | Table, width: int, *, is_terminal: bool = True) -> list[str]:
    """What is seen of it without colours, line by line."""
    console = Console(width=width, force_terminal=is_terminal, color_system=None)
    with console.capture() as capture:
        console.print(what)
    return capture.get().splitlines()


def of_first(count: int) -> LongTable:
    return LongTable(empty, [VIDEOS[:count], WINDOWS[:count], REJECTED[:count]])


def of_rich(count: int) -> Table:
    table = empty()
    for video, windows, rejected in list(zip(VIDEOS, WINDOWS, REJECTED, strict=True))[:count]:
        table.add_row(Text(video), windows, rejected)
    return table


@pytest.mark.parametrize("width", [200, 65, 64])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_where_the_rows_fit_it_looks_as_a_table_of_rich(width: int, count: int) -> None:
    assert shown(of_first(count), width) == shown(of_rich(count), width)


@pytest.mark.parametrize("width", range(52, 64))
def test_a_terminal_that_is_too_narrow_cuts_the_last_column_alone(width: int) -> None:
    wide, narrow = (shown(of_first(3), each)[1:] for each in (200, width))
    assert {cell_len(line) for line in narrow} == {width}
    assert len(narrow) == len(wide)
    for whole, cut in zip(wide[3:-1], narrow[3:-1], strict=True):
        *names, reasons = whole[1:-1].split("│")
        *cut_names, cut_reasons = cut[1:-1].split("│")
        assert cut_names == names
        if "…" in cut_reasons:
            assert reasons.startswith(cut_reasons.rstrip().removesuffix("…"))
        else:
            assert cut_reasons.strip() == reasons.strip()
    assert any("…" in line for line in narrow)


@pytest.mark.parametrize(("width", "is_terminal"), [(51, True), (40, True), (63, False), (52, False)])
def test_where_a_cut_would_not_do_or_lose_something_rich_wraps_the_rows(
    width: int, is_terminal: bool
) -> None:
    seen = shown(of_first(3), width, is_terminal=is_terminal)
    assert seen == shown(of_rich(3), width, is_terminal=is_terminal)
    assert len(seen) > 3 + 5


def test_a_cell_keeps_its_colour() -> None:
    console = Console(width=200, force_terminal=True, color_system="standard")
    with console.capture() as capture:
        console.print(of_first(3))
    assert "\x1b[32mdone\x1b[0m" in capture.get()
    assert "\x1b[35mstale\x1b[0m" in capture.get()
