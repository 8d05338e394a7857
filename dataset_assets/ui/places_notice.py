"""Print which machines take runs, where runs start on other machines, whenever that changes.

Not here: which they are (`engines`), starting no more runs than they take (`dagster_internals`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TextIO

from dataset_assets.counting import counted


class PlacesNotice:
    """Prints a line when the machines, or how many runs they take, change."""

    def __init__(self, output: TextIO | None = None) -> None:
        """Know of no machine.

        Args:
            output: Where lines are printed; standard error by default.
        """
        self._output = output or sys.stderr
        self._printed = ""

    def __call__(self, places: Mapping[str, int] | str) -> None:
        """Take the places of the machines by name, or a sentence that says why they are not known."""
        line = _line(places)
        if line != self._printed:
            self._printed = line
            print(f"workers: {line}", file=self._output, flush=True)


def _line(places: Mapping[str, int] | str) -> str:
    if isinstance(places, str):
        return places
    if not places:
        return "none is alive, no run starts until one is"
    each = ", ".join(f"{name} ({counted(number, 'place')})" for name, number in sorted(places.items()))
    return f"{counted(sum(places.values()), 'run')} at a time: {each}"
