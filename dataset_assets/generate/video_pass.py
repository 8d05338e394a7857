"""One decode pass over a film: windows found or replayed in order, every category's patch made of each."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import av

from dataset_assets.config import Settings
from dataset_assets.errors import MissingWindowsError, SpaceError, VideoError
from dataset_assets.generate.identity import CODE_VERSION, patches_hash, windows_hash
from dataset_assets.generate.ledger import PatchLedger, WindowLedger
from dataset_assets.generate.plan import VideoPlan
from dataset_assets.generate.progress import Progress, ProgressFile
from dataset_assets.generate.reports import WindowsReport
from dataset_assets.generate.rows import window_row
from dataset_assets.patches.downscale import SCALE
from dataset_assets.patches.triplets import (
    TripletWriter,
    patch_id,
    remove_temporaries,
    stack_triplet,
    triplet_paths,
)
from dataset_assets.tables import PatchRow, Provenance, TableStore, WindowRow
from dataset_assets.video.decode import FrameReader
from dataset_assets.video.probe import FRAMES_PER_WINDOW
from dataset_assets.video.render import CropRenderer
from dataset_assets.windows.finding import WindowFinder

PROGRESS_FOLDER = ".progress"
VALIDATION_FOLDER = Path("Val") / "GT"


@dataclass(slots=True)
class _Uncommitted:
    """What has been done since the last checkpoint."""

    windows: int = 0
    rows: list[tuple[PatchLedger, PatchRow]] = field(default_factory=list)


class VideoPass:
    """One pass over a film: windows found or replayed in order, every category's patch made of each."""

    def __init__(
        self,
        settings: Settings,
        plan: VideoPlan,
        store: TableStore,
        *,
        windows: bool,
        categories: Sequence[str],
        force: bool,
    ) -> None:
        """Takes over what earlier runs committed.

        Args:
            settings: The configuration.
            plan: What is to be made.
            store: The data set's tables.
            windows: Whether windows are looked for; without, finished ones are replayed.
            categories: Categories to make patches of.
            force: Whether everything asked for is made anew.
        """
        entry, info = plan.entry, plan.info
        self._settings = settings
        self._plan = plan
        self._store = store
        self._finds_windows = windows
        self.windows = WindowLedger(
            store,
            entry.key,
            Provenance(
                windows_hash(settings, entry),
                info.fingerprint,
                CODE_VERSION,
                False,
                settings.window_target(entry),
            ),
            afresh=force and windows,
        )
        self.patches = [
            PatchLedger(
                store,
                plan.patches[name],
                Provenance(
                    patches_hash(settings, entry, name),
                    info.fingerprint,
                    CODE_VERSION,
                    False,
                    settings.target(entry, name),
                ),
                afresh=force,
            )
            for name in categories
        ]
        self._writer = TripletWriter(settings.base.output_base_dir)
        self._uncommitted = _Uncommitted()
        self._made: Counter[str] = Counter()
        self._progress = Progress(
            key=entry.key,
            windows_target=len(plan.strata),
            patches_target={ledger.plan.category: ledger.plan.target for ledger in self.patches},
            patches={ledger.plan.category: len(ledger.rows()) for ledger in self.patches},
        )
        self._progress_file = ProgressFile(store.root / PROGRESS_FOLDER, self._progress)

    def run(self) -> Counter[str]:
        """Makes what is missing.

        Returns:
            The patches made, by category.

        Raises:
            VideoError: A recorded window can no longer be read.
            MissingWindowsError: Windows are not looked for, and there are none to replay.
            SpaceError: The disk has too little room.
        """
        if not self._finds_windows and not self.windows.is_complete:
            raise MissingWindowsError(
                f"its windows are missing, unfinished or stale, so {' and '.join(ledger.plan.category for ledger in self.patches)} "
                "patches cannot be made of them; materialise scene_windows too, or run `dataset-assets generate`"
            )
        pending = [ledger for ledger in self.patches if not ledger.is_complete]
        if not pending and (self.windows.is_complete or not self._finds_windows):
            return self._made
        self._check_space(pending)
        for ledger in pending:
            self._prepare_folders(ledger)
        try:
            with FrameReader(self._plan.info.path, deinterlace=self._plan.info.interlaced) as reader:
                self._go_through(reader, pending)
            self._checkpoint(complete=True, ledgers=pending)
        except BaseException:
            # A run that is told to stop keeps what is whole; one that is killed has its last checkpoint.
            self._checkpoint(complete=False, ledgers=pending)
            raise
        finally:
            self._writer.discard()
            self._progress_file.remove()
        return self._made

    def windows_report(self) -> WindowsReport:
        """Counts the windows table."""
        rows = self.windows.rows()
        return WindowsReport(
            target=self._settings.window_target(self._plan.entry),
            accepted=sum(row.accepted for row in rows),
            attempts=len(rows),
            rejected=dict(Counter(row.reason for row in rows if row.reason is not None).most_common()),
        )

    def _go_through(self, reader: FrameReader, pending: Sequence[PatchLedger]) -> None:
        info = self._plan.info
        finder = WindowFinder(reader, info, self._plan.entry.key, self._settings.base)
        renderer = CropRenderer(info.colour, info.geometry, self._settings.base.colour_order)
        for stratum in self._plan.strata:
            window = stratum.window
            frames: list[av.VideoFrame] = []
            if self.windows.attempts(window) is None:
                attempts, frames = finder.find(stratum)
                self.windows.add(window, [window_row(attempt) for attempt in attempts])
                self._uncommitted.windows += 1
            accepted = self.windows.accepted(window)
            if accepted is not None and accepted.signature is not None and not frames:
                finder.remember(accepted.signature)
            wanting = [
                each for each in pending if not each.has(window) and each.plan.patch(window) is not None
            ]
            if accepted is not None and wanting:
                frames = frames or self._read_again(finder, accepted)
                for ledger in wanting:
                    self._make_patch(ledger, window, frames, renderer)
            self._report(window)
            if len(self._uncommitted.rows) >= self._checkpoint_patches or (
                self._uncommitted.windows >= self._settings.base.checkpoint_every
            ):
                self._checkpoint(complete=False, ledgers=pending)

    @property
    def _checkpoint_patches(self) -> int:
        return self._settings.base.checkpoint_every * max(1, len(self.patches))

    def _read_again(self, finder: WindowFinder, accepted: WindowRow) -> list[av.VideoFrame]:
        frames = finder.read_again(accepted.pts)
        if len(frames) < FRAMES_PER_WINDOW:
            raise VideoError(
                f"the frames of window {accepted.window} at {accepted.time_s:.1f} s cannot be read any more; the file "
                "is damaged or changed: replace it, or run generate with --force"
            )
        return frames

    def _make_patch(
        self, ledger: PatchLedger, window: int, frames: Sequence[av.VideoFrame], renderer: CropRenderer
    ) -> None:
        planned = ledger.plan.patch(window)
        assert planned is not None
        settings, name = self._settings, ledger.plan.category
        kernel = settings.base.lr_kernel
        identity = patch_id(ledger.plan.key, window)
        paths = triplet_paths(
            settings.categories[name].folder, settings.formats[planned.format].folder, identity
        )
        sizes = self._writer.write(paths, stack_triplet(renderer.crop(frames, planned.rect), kernel))
        rect = planned.rect
        row = PatchRow(
            patch_id=identity,
            window=window,
            format=planned.format,
            x=rect.x,
            y=rect.y,
            width=rect.width,
            height=rect.height,
            gt=paths.gt.as_posix(),
            lr5=paths.lr5.as_posix(),
            lr7=paths.lr7.as_posix(),
            gt_bytes=sizes[0],
            lr5_bytes=sizes[1],
            lr7_bytes=sizes[2],
            kernel=kernel,
            scale=SCALE,
            settings_hash=ledger.settings_hash,
            created_at=datetime.now(UTC),
        )
        self._uncommitted.rows.append((ledger, row))
        self._made[name] += 1
        self._progress.size_bytes += sum(sizes)

    def _checkpoint(self, *, complete: bool, ledgers: Sequence[PatchLedger]) -> None:
        """Files first, then the rows that name them: a row never promises what is not there."""
        self._writer.commit()
        for ledger, row in self._uncommitted.rows:
            ledger.add(row)
        self._uncommitted = _Uncommitted()
        if self._finds_windows and not self.windows.is_complete:
            self.windows.commit(complete=complete)
        for ledger in ledgers:
            ledger.commit(complete=complete)

    def _report(self, window: int) -> None:
        progress = self._progress
        progress.windows_done = window + 1
        rows = self.windows.attempts(window) or []
        progress.attempts += len(rows)
        progress.accepted += self.windows.accepted(window) is not None
        for ledger in self.patches:
            name = ledger.plan.category
            progress.patches[name] = len(ledger.rows()) + sum(
                each is ledger for each, _ in self._uncommitted.rows
            )
        self._progress_file.update()

    def _check_space(self, pending: Sequence[PatchLedger]) -> None:
        folder = self._settings.base.output_base_dir
        folder.mkdir(parents=True, exist_ok=True)
        needed = sum(self._plan.size_bytes(ledger.plan.category) for ledger in pending)
        free = shutil.disk_usage(folder).free
        kept = int(self._settings.base.min_free_gb * 1e9)
        if free - needed < kept:
            raise SpaceError(
                f"{folder} has {free / 1e9:.1f} GB free, this video is estimated to need {needed / 1e9:.1f} GB and "
                f"base_settings.min_free_gb keeps {kept / 1e9:.1f} GB; free some space or lower min_free_gb"
            )

    def _prepare_folders(self, ledger: PatchLedger) -> None:
        category = self._settings.categories[ledger.plan.category]
        root = self._settings.base.output_base_dir
        (root / category.folder / VALIDATION_FOLDER).mkdir(parents=True, exist_ok=True)
        for name in category.mix:
            remove_temporaries(root, category.folder, self._settings.formats[name].folder, ledger.plan.key)
