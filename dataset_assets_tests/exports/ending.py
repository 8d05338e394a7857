"""The command, ended by a signal at a place of an export.

python -m dataset_assets_tests.exports.ending PLACE NUMBER SIGNAL ARGUMENT...
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
from collections.abc import Callable
from typing import Any, Final
from unittest.mock import patch

from dataset_assets.__main__ import main
from dataset_assets.exports import publishing, writing
from dataset_assets.exports.layouts import packed, packed_arrays, picture_files, stores, webdataset
from dataset_assets.exports.units import WrittenUnits

# Each is called once or more by every export of a layout that has it.
PLACES: Final[dict[str, list[tuple[object, str]]]] = {
    "in a unit": [(stores.Tree, "put"), (stores.Databases, "put"), (tarfile.TarFile, "addfile")],
    "in a compressed row": [(packed, "compressed")],
    "before a unit counts": [(WrittenUnits, "add")],
    "before the lists": [
        (picture_files.PictureWriter, "finish"),
        (webdataset._Writer, "finish"),
        (packed._Writer, "finish"),
    ],
    "between two arrays": [(packed_arrays, "flush")],
    "before the exchange": [(publishing.Workplace, "publish")],
    "after the exchange": [(publishing, "_delete_export")],
    "while the former goes": [(shutil, "rmtree")],
}


def end_at(place: str, number: int, signal_number: int) -> None:
    """Sends this process a signal when it comes to a place for the `number`-th time, counted from 1."""
    times = 0

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            nonlocal times
            times += 1
            if times == number:
                os.kill(os.getpid(), signal_number)
            return call(*args, **kwargs)

        return wrapper

    for owner, name in PLACES[place]:
        patch.object(owner, name, watched(getattr(owner, name))).start()
    patch.object(writing, "COMMIT_UNITS", 1).start()


if __name__ == "__main__":
    _, where, count, signal_text, *arguments = sys.argv
    end_at(where, int(count), int(signal_text))
    sys.argv = ["dataset-assets", *arguments]
    main()
