"""A table of thousands of rows for the terminal. What its columns say belongs to `views`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

# Wider than any line, so that measuring tells what a table asks for.
UNBOUNDED_WIDTH = 1_000_000
# Of a cut cell at least so many characters are shown: the first of its words.
SHORTEST_CUT = 12


class LongTable:
    """Rows that look as they do in rich's `Table`, but for the last column in a narrow terminal.

    Rich spends half a CPU millisecond on a row, and twice that on one that it has to wrap. Here all rows go
    into one row of many lines, which takes less than half. Where they do not fit a terminal, the last column
    is cut; where that is not enough, or in a file, which is to hold everything, rich wraps them one by one.
    """

    def __init__(self, empty: Callable[[], Table], columns: Sequence[Sequence[str] | Sequence[Text]]) -> None:
        """Takes the cells.

        Args:
            empty: Makes the table with its columns and no rows.
            columns: The cells of each column, a line each; plain ones take half the time of styled ones.
        """
        self._empty = empty
        self._columns = columns

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yields the table."""
        joined = [_joined(cells) for cells in self._columns]
        table = self._empty()
        if any(self._columns):
            table.add_row(*joined)
        unbounded = options.update_width(UNBOUNDED_WIDTH)
        excess = console.measure(table, options=unbounded).maximum - options.max_width
        room = console.measure(joined[-1], options=unbounded).maximum - excess
        if excess > 0 and console.is_terminal and room >= SHORTEST_CUT:
            last = table.columns[-1]
            last.width, last.overflow = room, "ellipsis"
        elif excess > 0:
            table = self._empty()
            for row in zip(*self._columns, strict=True):
                table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
        yield table


def _joined(cells: Sequence[str] | Sequence[Text]) -> Text:
    """The cells of a column below one another."""
    plain = [cell for cell in cells if isinstance(cell, str)]
    if len(plain) == len(cells):
        return Text("\n".join(plain), no_wrap=True)
    return Text("\n", no_wrap=True).join(cell for cell in cells if isinstance(cell, Text))
