"""One pass over a film: windows found or replayed in order, and every category's patch made of each.

What is committed when is said here; how, in `checkpoints`. Probing and locking are done before (`video`).
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import av

from dataset_assets.config import Settings
from dataset_assets.errors import MissingWindowsError, SpaceError, VideoError
from dataset_assets.generate.checkpoints import Checkpoints
from dataset_assets.generate.identity import CODE_VERSION, patches_hash, windows_hash
from dataset_assets.generate.journal import Journal
from dataset_assets.generate.ledger import PatchLedger, WindowLedger
from dataset_assets.generate.plan import VideoPlan
from dataset_assets.generate.progress import Progress, ProgressFile
from dataset_assets.generate.reports import CategoryReport, WindowsReport
from dataset_assets.generate.rows import patch_row, window_row
from dataset_assets.patches.triplets import patch_id, stack_triplet, triplet_paths
from dataset_assets.tables import Provenance, TableStore, WindowRow
from dataset_assets.video.decode import FrameReader
from dataset_assets.video.probe import FRAMES_PER_WINDOW
from dataset_assets.video.render import CropRenderer
from dataset_assets.windows.finding import WindowFinder

PROGRESS_FOLDER = ".progress"
VALIDATION_FOLDER = Path("Val") / "GT"


class VideoPass:
    """One pass over a film.

    Attributes:
        windows: The windows table.
        patches: The patches table of each category asked for.
        made: Patches made by this pass, by category.
    """

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
        """Takes over what earlier runs committed, and clears away what they left unfinished.

        Args:
            settings: The configuration.
            plan: What is to be made.
            store: The data set's tables.
            windows: Whether windows are looked for; without, finished ones are replayed.
            categories: Categories to make patches of.
            force: Whether everything asked for is made anew.

        Raises:
            DatasetAssetsError: A table is damaged, or from a newer release.
        """
        entry = plan.entry
        self._settings = settings
        self._plan = plan
        self._finds_windows = windows
        journal = Journal(store, entry.key)
        journal.settle()
        self.windows = WindowLedger(
            store,
            entry.key,
            self._provenance(windows_hash(settings, entry), settings.window_target(entry)),
            afresh=force and windows,
        )
        self.patches = [
            PatchLedger(store, plan.patches[name], self._patches_provenance(name), afresh=force)
            for name in categories
        ]
        self.made: Counter[str] = Counter()
        self._pending = [ledger for ledger in self.patches if not ledger.is_complete]
        self._checkpoints = Checkpoints(store, journal, self.windows if windows else None, self._pending)
        self._progress = Progress(
            key=entry.key,
            windows_target=len(plan.strata),
            patches_target={ledger.plan.category: ledger.plan.target for ledger in self.patches},
            patches={ledger.plan.category: ledger.made for ledger in self.patches},
            size_bytes=sum(ledger.size_bytes for ledger in self.patches),
        )
        self._progress_file = ProgressFile(store.root / PROGRESS_FOLDER, self._progress)

    def run(self) -> None:
        """Makes what is missing.

        Raises:
            VideoError: A recorded window can no longer be read.
            MissingWindowsError: Windows are not looked for, and there are none to replay.
            SpaceError: The disk has too little room.
        """
        self._refuse_to_replay_nothing()
        if not self._pending and (self.windows.is_complete or not self._finds_windows):
            return
        self._check_space()
        self._prepare_folders()
        try:
            info = self._plan.info
            with FrameReader(info.path, deinterlace=info.interlaced, max_step=info.max_step) as reader:
                self._go_through(reader)
            self._checkpoints.commit(complete=True)
        except BaseException:
            # A run that is told to stop keeps what is whole; one that is killed has its last checkpoint. What
            # the disk refuses it refuses again: the first error is the one to tell.
            with suppress(OSError):
                self._checkpoints.commit(complete=False)
            raise
        finally:
            self._checkpoints.discard()
            self._progress_file.remove()

    def windows_report(self) -> WindowsReport:
        """Counts the windows table."""
        rows = self.windows.rows()
        return WindowsReport(
            target=self._settings.window_target(self._plan.entry),
            room=len(self._plan.strata),
            accepted=sum(row.accepted for row in rows),
            attempts=len(rows),
            rejected=dict(Counter(row.reason for row in rows if row.reason is not None).most_common()),
        )

    def category_reports(self) -> dict[str, CategoryReport]:
        """Counts the patches tables of the categories asked for."""
        return {
            ledger.plan.category: CategoryReport(
                target=self._settings.target(self._plan.entry, ledger.plan.category),
                room=ledger.plan.target if ledger.plan.mix else 0,
                made=self.made[ledger.plan.category],
                rows=tuple(ledger.rows()),
                mix=ledger.plan.mix,
                left_out=ledger.plan.left_out,
            )
            for ledger in self.patches
        }

    def _patches_provenance(self, category: str) -> Provenance:
        settings, entry = self._settings, self._plan.entry
        return self._provenance(patches_hash(settings, entry, category), settings.target(entry, category))

    def _provenance(self, settings_hash: str, target: int) -> Provenance:
        fingerprint = self._plan.info.fingerprint
        return Provenance(settings_hash, fingerprint, CODE_VERSION, complete=False, target=target)

    def _go_through(self, reader: FrameReader) -> None:
        info, base = self._plan.info, self._settings.base
        finder = WindowFinder(reader, info, self._plan.entry.key, base)
        renderer = CropRenderer(info.colour, info.geometry, base.colour_order)
        for stratum in self._plan.strata:
            window = stratum.window
            frames: list[av.VideoFrame] = []
            is_new = self._finds_windows and self.windows.attempts(window) is None
            if is_new:
                attempts, frames = finder.find(stratum)
                self.windows.add(window, [window_row(attempt) for attempt in attempts])
            accepted = self.windows.accepted(window)
            if accepted is not None:
                if not is_new and accepted.signature is not None:
                    finder.remember(accepted.signature)
                is_new |= self._make_patches(accepted, frames, finder, renderer)
            self._report(window)
            self._checkpoints.windows += is_new
            if self._checkpoints.windows >= base.checkpoint_every:
                self._checkpoints.commit(complete=False)

    def _make_patches(
        self,
        accepted: WindowRow,
        frames: Sequence[av.VideoFrame],
        finder: WindowFinder,
        renderer: CropRenderer,
    ) -> bool:
        """Makes each category's patch of a window that lacks it; returns whether there was one."""
        window = accepted.window
        wanting = [
            (ledger, planned)
            for ledger in self._pending
            if not ledger.has(window) and (planned := ledger.plan.patch(window)) is not None
        ]
        if wanting and not frames:
            frames = self._read_again(finder, accepted)
        kernel = self._settings.base.lr_kernel
        for ledger, planned in wanting:
            name = ledger.plan.category
            paths = triplet_paths(
                self._settings.categories[name].folder,
                self._settings.formats[planned.format].folder,
                patch_id(ledger.plan.key, window),
            )
            sizes = self._checkpoints.write(paths, stack_triplet(renderer.crop(frames, planned.rect), kernel))
            row = patch_row(planned, paths, sizes, kernel=kernel, settings_hash=ledger.settings_hash)
            self._checkpoints.add(ledger, row)
            self.made[name] += 1
            self._progress.patches[name] += 1
            self._progress.size_bytes += sum(sizes)
        return bool(wanting)

    def _read_again(self, finder: WindowFinder, accepted: WindowRow) -> list[av.VideoFrame]:
        frames = finder.read_again(accepted.pts)
        if len(frames) < FRAMES_PER_WINDOW:
            raise VideoError(
                f"the frames of window {accepted.window} at {accepted.time_s:.1f} s cannot be read any more; "
                "the file is damaged or changed: replace it, or run generate with --force"
            )
        return frames

    def _report(self, window: int) -> None:
        self._progress.windows_done = window + 1
        self._progress.attempts += len(self.windows.attempts(window) or [])
        self._progress.accepted += self.windows.accepted(window) is not None
        self._progress_file.update()

    def _refuse_to_replay_nothing(self) -> None:
        wanting = [ledger.plan.category for ledger in self._pending if ledger.plan.target]
        if wanting and not self._finds_windows and not self.windows.is_complete:
            raise MissingWindowsError(
                f"its windows are missing, unfinished or stale, so no patches of {' and '.join(wanting)} can "
                "be made of them; materialise scene_windows too, or run `dataset-assets generate`"
            )

    def _check_space(self) -> None:
        base = self._settings.base
        needed = sum(self._plan.size_bytes(ledger.plan.category, ledger.made) for ledger in self._pending)
        free = shutil.disk_usage(base.output_base_dir).free
        if free - needed < base.min_free_gb * 1e9:
            raise SpaceError(
                f"{self._plan.entry.key}: {base.output_base_dir} has {free / 1e9:.1f} GB free, this video is "
                f"estimated to need {needed / 1e9:.1f} GB and base_settings.min_free_gb keeps "
                f"{base.min_free_gb:.1f} GB; free some space or lower min_free_gb"
            )

    def _prepare_folders(self) -> None:
        for ledger in self._pending:
            folder = self._settings.categories[ledger.plan.category].folder
            path = self._settings.base.output_base_dir / folder / VALIDATION_FOLDER
            path.mkdir(parents=True, exist_ok=True)
