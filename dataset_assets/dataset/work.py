"""The means to write one video: its tables, its triplets, its journal.

All that a run adds to a data set or deletes from it passes through here, so that nothing is written by a run
that has lost its right to. Where the data set is in an object store, each step goes there once it is on the
disk. Not here: what is written, and in which order (`generate`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from dataset_assets.dataset.copying import files_of_rows
from dataset_assets.dataset.degraded import degraded_path, read_recorded
from dataset_assets.dataset.journal import Journal
from dataset_assets.dataset.leases import Lease
from dataset_assets.dataset.mirror import Mirror
from dataset_assets.dataset.publishing import TripletWriter
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.dataset.triplets import TripletPaths
from dataset_assets.tables import DEGRADATIONS, PatchRow, Provenance, Row


class VideoWork:
    """The right to write one video, and the means.

    Attributes:
        journal: The video's journal.
    """

    def __init__(
        self,
        folder: Path,
        key: str,
        tables: TableStore,
        journal: Journal,
        lease: Lease | None,
        mirror: Mirror | None = None,
    ) -> None:
        """Store the arguments.

        Args:
            folder: The data set's folder.
            key: The video's key.
            tables: Its tables.
            journal: The video's journal.
            lease: The video's lease; None where one machine makes the data set.
            mirror: The data set in an object store; None where it is in its folder.
        """
        self.journal = journal
        self._folder = folder
        self._key = key
        self._tables = tables
        self._lease = lease
        self._mirror = mirror

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
            StoreError: The object store cannot be written; the next run replaces the file by the store's.
        """
        self._prepare()
        self._tables.write(path, schema, rows, provenance, writer=self.writer)
        if self._mirror is not None:
            self.check()
            self._mirror.put_small(path)

    def remove_table(self, path: Path) -> None:
        """Remove a table, see `TableStore.remove`."""
        self._prepare()
        self._tables.remove(path)
        if self._mirror is not None:
            self.check()
            self._mirror.delete_small(path)

    def give_up(self, category: str, patches: Sequence[PatchRow]) -> None:
        """Have patches' files deleted when the journal is settled, unless they have rows then.

        Args:
            category: Name of the category.
            patches: Rows of the category's patches table that are about to be deleted.

        Raises:
            DatasetAssetsError: A table is of a newer release, or cannot be read.
            OSError: The disk is full or cannot be written.
        """
        self.journal.note([TripletPaths.of(row) for row in patches])
        self.withdraw_degraded(category, patches)

    def withdraw_degraded(self, category: str, patches: Iterable[PatchRow]) -> None:
        """Remove the rows of patches' degraded stacks; their files go when the journal is settled.

        Called before the patches lose their own rows, or their LR. Of a damaged table all stacks go.

        Args:
            category: Name of the category.
            patches: Rows of the category's patches table.

        Raises:
            DatasetAssetsError: A table is of a newer release, or cannot be read.
            OSError: The disk is full or cannot be written.
        """
        path = self._tables.degradations_path(category, self._key)
        lost = list(patches)
        if not lost or not path.exists():
            return
        recorded = read_recorded(self._tables, category, self._key)
        made = None if recorded is None else self._tables.read_provenance(path)
        if recorded is None or made is None:
            self._note_degraded([*lost, *self._tables.read_patches(category, self._key)])
            self.remove_table(path)
            return
        gone = {patch.patch_id for patch in lost}
        kept = [row for row in recorded if row.patch_id not in gone]
        self._note_degraded(lost)
        if len(kept) < len(recorded):
            self.write_table(path, DEGRADATIONS, kept, replace(made, complete=False))

    def _note_degraded(self, patches: Iterable[PatchRow]) -> None:
        self.journal.note([[path] for patch in patches if (path := degraded_path(patch)) is not None])

    def triplet_writer(self) -> TripletWriter:
        """Return a writer of the video's triplets."""
        return TripletWriter(self._folder, self._prepare, self.writer, self._publish)

    def fetch_files(self) -> None:
        """Download the files of the video that this machine's copy lacks, where they are in an object store.

        For a run that goes on with what another machine made, and whose checks read all of it.

        Raises:
            StoreError: The store cannot be read.
            OSError: The disk is full or cannot be written.
        """
        if self._mirror is not None:
            self._mirror.pull_files(self._key, files_of_rows(self._tables, self._key))

    def _prepare(self) -> None:
        """Make sure that this run may name or delete something, and that all see what it may leave behind."""
        self.check()
        self.journal.publish()

    def _publish(self, paths: Collection[Path]) -> None:
        if self._mirror is not None:
            self.check()
            self._mirror.put(paths)
