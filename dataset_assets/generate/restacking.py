"""Files of finished patches that are not wanted any more deleted, and others made of those that are there.

Here: what needs no film, after a change of `lr_stacks` or `gt_frames`. What needs it is made by the pass
(`video_pass`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from dataset_assets.config import Settings, VideoEntry
from dataset_assets.dataset import DataSet, TripletPaths, VideoWork, read_frames, triplet_paths
from dataset_assets.frames import FileKind
from dataset_assets.generate.checkpoints import Checkpoints
from dataset_assets.generate.ledgers import patch_ledger, recorded_film, window_ledger
from dataset_assets.generate.patch_ledger import PatchLedger, key_of
from dataset_assets.generate.rows import with_kinds, written_files
from dataset_assets.generate.score_ledger import ScoreLedger
from dataset_assets.patches import Kernel, downscale, encode_png
from dataset_assets.tables import PatchRow

# A commit reads every table of the video, 50 ms for 1,000 patches; a stack takes 10 ms.
COMMIT_EVERY: Final = 200


def has_other_files(settings: Settings, data_set: DataSet, key: str, categories: Collection[str]) -> bool:
    """Return whether a patches table of a video was made with files of other kinds than are wanted."""
    tables = data_set.tables
    made = [tables.read_provenance(tables.patches_path(name, key)) for name in categories]
    return any(each is not None and each.kinds != settings.base.file_kinds for each in made)


def restack(
    settings: Settings, data_set: DataSet, entry: VideoEntry, work: VideoWork, categories: Sequence[str]
) -> None:
    """Give the patches of a video the files that are wanted, as far as that needs no film.

    Files that stay are not touched. A patch that lacks a file which only the film can give keeps those that
    it has.

    Args:
        settings: The configuration.
        data_set: The data set.
        entry: The video.
        work: The right to write it.
        categories: The categories that are asked for.

    Raises:
        DatasetAssetsError: A table is damaged, or from a newer release.
        OSError: The disk is full or cannot be written.
    """
    recorded = recorded_film(settings, data_set, entry)
    if recorded is None:
        return
    film, plans = recorded
    windows = window_ledger(settings, data_set, entry, film, rebuilds=False)
    for name in categories:
        ledger = patch_ledger(settings, data_set, entry, film, plans[name], windows, rebuilds=False)
        _restack(data_set, work, ledger)


def _restack(data_set: DataSet, work: VideoWork, ledger: PatchLedger) -> None:
    scores = ScoreLedger(data_set, ledger.plan.category, ledger.plan.key, ledger.table_rows())
    checkpoints = Checkpoints(work, None, [ledger], {ledger: scores})
    ledger.keep_chosen()
    changed = 0
    try:
        for row in ledger.rows():
            missing = ledger.lacking(key_of(row))
            files = _derived(data_set, row, missing)
            if ledger.has(key_of(row)) or files.keys() != set(missing):
                continue
            checkpoints.write([(_paths(row, ledger.kinds), files)])
            made = written_files(_paths(row, ledger.kinds), files)
            checkpoints.add(ledger, with_kinds(row, made, ledger.kinds))
            changed += 1
            if changed % COMMIT_EVERY == 0:
                checkpoints.commit(complete=False)
        checkpoints.commit(complete=False)
        if ledger.lacks_files_alone and ledger.made == len(ledger.rows()):
            checkpoints.commit(complete=True)
    finally:
        checkpoints.discard()


def _paths(row: PatchRow, kinds: Collection[FileKind]) -> TripletPaths:
    """Return the names of a patch's files of these kinds, beside its GT."""
    folder = TripletPaths.of(row).gt.parent.parent
    return triplet_paths(folder.parent.as_posix(), folder.name, row.patch_id, kinds)


def _derived(data_set: DataSet, row: PatchRow, missing: Collection[FileKind]) -> dict[FileKind, bytes]:
    """Make files of those that a patch has; what needs the film, or a damaged file, is left out."""
    found: dict[FileKind, bytes] = {}
    for kind in missing:
        source = kind.source(row.kinds)
        stack = None if source is None else read_frames(data_set.folder, row, source)
        if source is not None and stack is not None:
            found[kind] = encode_png(_frames(row, stack, source, kind))
    return found


def _frames(
    row: PatchRow, stack: npt.NDArray[np.uint8], source: FileKind, kind: FileKind
) -> npt.NDArray[np.uint8]:
    """Return the picture of one kind of LR file, made of the frames of a file that shows them too."""
    first = kind.frames.start - source.frames.start
    frames = stack[first : first + len(kind.frames)]
    small = frames if source.is_lr else downscale(frames, cast("Kernel", row.kernel), row.scale)
    return small.reshape(-1, *small.shape[2:])
