"""The means to write one video: its tables, its triplets, its journal.

All that a run adds to a data set or deletes from it passes through here, so that nothing is written by a run
that has lost its right to. Not here: what is written, and in which order (`generate`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from dataset_assets.dataset.journal import Journal
from dataset_assets.dataset.leases import Lease
from dataset_assets.dataset.publishing import TripletWriter
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.tables import Provenance, Row


class VideoWork:
    """The right to write one video, and the means.

    Attributes:
        journal: The video's journal.
    """

    def __init__(self, folder: Path, tables: TableStore, journal: Journal, lease: Lease | None) -> None:
        """Store the arguments.

        Args:
            folder: The data set's folder.
            tables: Its tables.
            journal: The video's journal.
            lease: The video's lease; None where one machine makes the data set.
        """
        self.journal = journal
        self._folder = folder
        self._tables = tables
        self._lease = lease

    def check(self) -> None:
        """End the process if the right is lost."""
        if self._lease is not None:
            self._lease.check()

    @property
    def writer(self) -> int:
        """Number of the lease, see `disk.temporary`; 0 without one."""
        return 0 if self._lease is None else self._lease.number

    def write_table(self, path: Path, schema: pa.Schema, rows: Sequence[Row], provenance: Provenance) -> None:
        """Replace a table, see `TableStore.write`.

        Raises:
            OSError: The disk is full or cannot be written; the old file stays, and no temporary one.
        """
        self.check()
        self._tables.write(path, schema, rows, provenance, writer=self.writer)

    def remove_table(self, path: Path) -> None:
        """Remove a table, see `TableStore.remove`."""
        self.check()
        self._tables.remove(path)

    def triplet_writer(self) -> TripletWriter:
        """Return a writer of the video's triplets."""
        return TripletWriter(self._folder, self.check, self.writer)
