"""Why a video's last run failed: one sentence in a file of its own, for whoever shows it.

Kept from the failure until a run gets through. A run that was stopped or killed leaves none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dataset_assets.errors import BusyError, DatasetAssetsError
from dataset_assets.tables import TableStore

FAILURES_FOLDER = ".failures"


@contextmanager
def failure_kept(store: TableStore, key: str) -> Iterator[None]:
    """Keeps the sentence that ends a run on a video; that another run works on it is none."""
    try:
        yield
    except BusyError:
        raise
    except DatasetAssetsError as error:
        keep_failure(store, key, str(error))
        raise


def keep_failure(store: TableStore, key: str, sentence: str) -> None:
    """Keeps the sentence of a run that failed; where even this cannot be written, it fails all the same."""
    with suppress(OSError):
        path = _path(store, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sentence, encoding="utf-8", errors="backslashreplace")


def forget_failure(store: TableStore, key: str) -> None:
    """Forgets a video's failure: a run got through."""
    with suppress(OSError):
        _path(store, key).unlink(missing_ok=True)


def read_failures(store: TableStore) -> dict[str, str]:
    """The sentence of each video whose last run failed, by key."""
    found = {}
    for path in sorted((store.root / FAILURES_FOLDER).glob("*.txt")):
        with suppress(OSError):  # removed meanwhile
            found[path.stem] = path.read_text(encoding="utf-8", errors="replace").strip()
    return found


def _path(store: TableStore, key: str) -> Path:
    return store.root / FAILURES_FOLDER / f"{key}.txt"
