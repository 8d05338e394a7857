"""Why a video's last run failed: one sentence in a file of its own, for whoever shows it.

Kept from the failure until a run gets through. A run that was stopped leaves none; for one that was killed,
whoever launched or watched it keeps the sentence. A last line names the Dagster run, where one is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dataset_assets.errors import BusyError, DatasetAssetsError
from dataset_assets.tables import TableStore

FAILURES_FOLDER = ".failures"
_RUN = "run: "


@contextmanager
def failure_kept(store: TableStore, key: str) -> Iterator[None]:
    """Keep the sentence that ends a run on a video; that another run works on it is none."""
    try:
        yield
    except BusyError:
        raise
    except DatasetAssetsError as error:
        keep_failure(store, key, str(error))
        raise


def keep_failure(store: TableStore, key: str, sentence: str, run_id: str = "") -> None:
    """Keep the sentence of a video's failed run; where even this cannot be written, nothing happens.

    Args:
        store: The data set's tables.
        key: The video's key.
        sentence: Why it failed.
        run_id: The Dagster run.
    """
    with suppress(OSError):
        path = _path(store, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = f"{sentence}\n{_RUN}{run_id}" if run_id else sentence
        path.write_text(text, encoding="utf-8", errors="backslashreplace")


def forget_failure(store: TableStore, key: str) -> None:
    """Forgets a video's failure: a run got through."""
    with suppress(OSError):
        _path(store, key).unlink(missing_ok=True)


def read_failures(store: TableStore) -> dict[str, str]:
    """Return the sentence of each video whose last run failed, by key."""
    return {key: text.partition(f"\n{_RUN}")[0].strip() for key, text in _texts(store)}


def failed_runs(store: TableStore) -> dict[str, str]:
    """Return the Dagster run of each such video by key, where known; its page in the UI is `/runs/<id>`."""
    return {key: run.strip() for key, text in _texts(store) if (run := text.partition(f"\n{_RUN}")[2])}


def _texts(store: TableStore) -> Iterator[tuple[str, str]]:
    for path in sorted((store.root / FAILURES_FOLDER).glob("*.txt")):
        with suppress(OSError):  # removed meanwhile
            yield path.stem, path.read_text(encoding="utf-8", errors="replace")


def _path(store: TableStore, key: str) -> Path:
    return store.root / FAILURES_FOLDER / f"{key}.txt"
