"""The terminal of `ui` says which machines take runs, once for each change."""

from __future__ import annotations

import io

from dataset_assets.ui.places_notice import PlacesNotice


def test_a_line_is_printed_for_each_change_of_the_machines() -> None:
    output = io.StringIO()
    notice = PlacesNotice(output)
    for places in (
        {},
        {},
        {"w2@b": 4, "w1@a": 1},
        {"w1@a": 1, "w2@b": 4},
        {"w1@a": 1},
        "the broker is away",
        "the broker is away",
        {"w1@a": 1},
    ):
        notice(places)
    assert output.getvalue().splitlines() == [
        "workers: none is alive, no run starts until one is",
        "workers: 5 runs at a time: w1@a (1 place), w2@b (4 places)",
        "workers: 1 run at a time: w1@a (1 place)",
        "workers: the broker is away",
        "workers: 1 run at a time: w1@a (1 place)",
    ]
