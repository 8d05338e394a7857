"""One pass over a film: windows found or replayed, every category's patch made of each, in order.

Here: what is committed, and when. Not here: how (`checkpoints`), probing and locking (`video`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Event

from dataset_assets.config import Settings
from dataset_assets.dataset import (
    PATCHES_VERSION,
    WINDOWS_VERSION,
    DataSet,
    Journal,
    Progress,
    TripletPaths,
    irrelevant_settings,
    patch_id,
    patches_hashes,
    triplet_paths,
    windows_hashes,
)
from dataset_assets.errors import MissingWindowsError, SourceChangedError, SourceLostError, SpaceError
from dataset_assets.generate.checkpoints import Checkpoints
from dataset_assets.generate.lanes import Job, Lane, Lanes, Made
from dataset_assets.generate.ledger import PatchLedger, WindowLedger
from dataset_assets.generate.limits import step_done
from dataset_assets.generate.plan import VideoPlan
from dataset_assets.generate.reports import CategoryReport, WindowsReport
from dataset_assets.generate.rows import patch_row
from dataset_assets.patches import EncodedTriplet, PlannedPatch
from dataset_assets.tables import Provenance
from dataset_assets.video import Source
from dataset_assets.windows import AcceptedSignatures, Preview, signature_from


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
        data_set: DataSet,
        journal: Journal,
        *,
        windows: bool,
        categories: Sequence[str],
        force: bool,
        lanes: int,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Take over what earlier runs committed.

        Args:
            settings: The configuration.
            plan: What is to be made.
            data_set: The data set.
            journal: The video's journal.
            windows: Whether windows are searched; else finished ones are replayed.
            categories: Categories to make patches of.
            force: Whether to rebuild what is up to date.
            lanes: Windows that are worked on at a time.
            on_progress: Called with the progress after each window.

        Raises:
            DatasetAssetsError: A table is damaged, or from a newer release.
        """
        entry = plan.entry
        self._settings = settings
        self._plan = plan
        self._finds_windows = windows
        self._lanes = lanes
        self._on_progress = on_progress
        self._data_set = data_set
        self._pictures = data_set.pictures(entry.key)
        self._accepted = AcceptedSignatures()
        self._source = Source(plan.info.path, plan.info.fingerprint)
        irrelevant = irrelevant_settings(
            converted=plan.info.colour.is_converted, interlaced=plan.info.interlaced
        )
        self.windows = self._window_ledger(irrelevant, rebuilds=force and windows)
        self.patches = [self._patch_ledger(name, irrelevant, rebuilds=force) for name in categories]
        self.made: Counter[str] = Counter()
        self._pending = [ledger for ledger in self.patches if not ledger.is_complete]
        self._checkpoints = Checkpoints(data_set, journal, self.windows if windows else None, self._pending)
        self._progress = Progress(
            key=entry.key,
            windows_target=len(plan.strata),
            patches_target={ledger.plan.category: ledger.plan.target for ledger in self.patches},
            patches={ledger.plan.category: ledger.made for ledger in self.patches},
            patches_bytes={ledger.plan.category: ledger.size_bytes for ledger in self.patches},
        )
        self._progress_file = data_set.progress_file(self._progress)

    def run(self) -> None:
        """Make what is missing.

        Raises:
            VideoError: A recorded window can no longer be read.
            MissingWindowsError: Windows are not searched, and there are none to replay.
            SpaceError: The disk has too little space.
        """
        self._refuse_to_replay_nothing()
        if not self._pending and (self.windows.is_complete or not self._finds_windows):
            self._progress_file.remove()  # of a run that was killed after its last patch
            return
        self._check_space()
        self._prepare_folders()
        self._progress.windows_pending = sum(job.has_work for job in self._jobs())
        self._progress_file.update()
        try:
            with Lanes(self._lanes, self._settings.base.checkpoint_every, self._open_lane) as lanes:
                self._go_through(lanes)
            self._commit(complete=True)
        except BaseException:
            # A run that is stopped keeps what is complete; one that is killed has its last checkpoint. What
            # the disk refuses it refuses again: the first error is the one to report.
            with suppress(OSError, SourceChangedError):
                self._commit(complete=False)
            raise
        finally:
            self._checkpoints.discard()
            self._progress_file.remove()

    def windows_report(self) -> WindowsReport:
        """Count the windows table."""
        rows = self.windows.rows()
        return WindowsReport(
            target=self._settings.window_target(self._plan.entry),
            possible=len(self._plan.strata),
            accepted=sum(row.accepted for row in rows),
            with_repeats=sum(row.accepted and bool(row.repeated_frames) for row in rows),
            attempts=len(rows),
            rejected=dict(Counter(row.reason for row in rows if row.reason is not None).most_common()),
        )

    def category_reports(self) -> dict[str, CategoryReport]:
        """Count the patches tables of the categories asked for."""
        return {
            ledger.plan.category: CategoryReport(
                target=self._settings.target(self._plan.entry, ledger.plan.category),
                possible=ledger.plan.target if ledger.plan.mix else 0,
                made=self.made[ledger.plan.category],
                rows=tuple(ledger.rows()),
                mix=ledger.plan.mix,
                left_out=ledger.plan.left_out,
            )
            for ledger in self.patches
        }

    def _window_ledger(self, irrelevant: frozenset[str], *, rebuilds: bool) -> WindowLedger:
        settings, entry = self._settings, self._plan.entry
        hashes = windows_hashes(settings, entry, irrelevant)
        provenance = self._provenance(hashes.written, WINDOWS_VERSION, settings.window_target(entry))
        return WindowLedger(self._data_set, entry.key, provenance, hashes, rebuilds=rebuilds)

    def _patch_ledger(self, category: str, irrelevant: frozenset[str], *, rebuilds: bool) -> PatchLedger:
        settings, entry = self._settings, self._plan.entry
        hashes = patches_hashes(settings, entry, category, irrelevant)
        provenance = self._provenance(hashes.written, PATCHES_VERSION, settings.target(entry, category))
        return PatchLedger(
            self._data_set, self._plan.patches[category], provenance, hashes, rebuilds=rebuilds
        )

    def _provenance(self, settings_hash: str, code_version: str, target: int) -> Provenance:
        fingerprint = self._plan.info.fingerprint
        return Provenance(settings_hash, fingerprint, code_version, complete=False, target=target)

    def _open_lane(self, stop: Event) -> Lane:
        return Lane(self._plan.info, self._plan.entry.key, self._settings.base, self._accepted, stop)

    def _go_through(self, lanes: Lanes) -> None:
        # What runs ahead is lost with a killed run too.
        most = max(1, self._settings.base.checkpoint_every - lanes.ahead)
        for made in lanes.make(self._jobs()):
            signature = self._signature(made)
            if made.is_new and signature is not None and self._accepted.contains_like(signature):
                # A window that was accepted meanwhile shows the same.
                made = lanes.make_again(made.job)
                signature = self._signature(made)
            if signature is not None:
                self._accepted.add(signature)
            self._take(made)
            # The first commit is immediate: users see in the gallery what the rest will look like.
            if self._checkpoints.windows >= (most if self._checkpoints.committed_s else 1):
                self._commit(complete=False)
            self._report(made)

    def _commit(self, *, complete: bool) -> None:
        """Commit, if the film is still the one that was probed."""
        # A film that is away counts as unchanged: what was made of it was made while it was there.
        with suppress(SourceLostError):
            self._source.check()
        self._checkpoints.commit(complete=complete)

    def _jobs(self) -> Iterator[Job]:
        for stratum in self._plan.strata:
            window = stratum.window
            patches = {
                ledger.plan.category: planned
                for ledger in self._pending
                if not ledger.has(window) and (planned := ledger.plan.patch(window)) is not None
            }
            recorded = self.windows.attempts(window)
            yield Job(stratum, recorded if self._finds_windows else recorded or [], patches)

    @staticmethod
    def _signature(made: Made) -> Preview | None:
        kept = made.accepted.signature if made.accepted else None
        return None if kept is None else signature_from(kept)

    def _take(self, made: Made) -> None:
        """Write what was made of a window; its rows and names come with the next commit."""
        window = made.job.stratum.window
        if made.is_new:
            self.windows.add(window, made.attempts)
            for name, content in made.pictures.items():
                self._pictures.write(name, content)
        planned = {
            ledger: made.job.patches[ledger.plan.category]
            for ledger in self._pending
            if ledger.plan.category in made.triplets
        }
        self._write(planned, made.triplets)
        self._checkpoints.windows += made.job.has_work

    def _report(self, made: Made) -> None:
        step_done()
        self._progress.windows_done = made.job.stratum.window + 1
        self._progress.windows_worked += made.job.has_work
        self._progress.windows_pending -= made.job.has_work
        self._progress.windows_uncommitted = self._checkpoints.windows
        self._progress.committed_s = self._checkpoints.committed_s
        self._progress.attempts += len(made.attempts)
        self._progress.accepted += made.accepted is not None
        self._progress_file.update()
        if self._on_progress is not None:
            self._on_progress(self._progress)

    def _write(
        self, planned: Mapping[PatchLedger, PlannedPatch], triplets: Mapping[str, EncodedTriplet]
    ) -> None:
        written = [
            (ledger, patch, self._paths(ledger, patch), triplets[ledger.plan.category])
            for ledger, patch in planned.items()
        ]
        self._checkpoints.write([(paths, files) for _, _, paths, files in written])
        for ledger, patch, paths, files in written:
            row = patch_row(
                patch,
                paths,
                files,
                kernel=self._settings.base.lr_kernel,
                settings_hash=ledger.settings_hash,
            )
            self._checkpoints.add(ledger, row)
            name = ledger.plan.category
            self.made[name] += 1
            self._progress.patches[name] += 1
            self._progress.patches_bytes[name] += sum(map(len, files))

    def _paths(self, ledger: PatchLedger, patch: PlannedPatch) -> TripletPaths:
        return triplet_paths(
            self._settings.categories[ledger.plan.category].folder,
            self._settings.formats[patch.format].folder,
            patch_id(ledger.plan.key, patch.window),
        )

    def _refuse_to_replay_nothing(self) -> None:
        wanting = [ledger.plan.category for ledger in self._pending if ledger.plan.target]
        if wanting and not self._finds_windows and not self.windows.is_complete:
            raise MissingWindowsError(
                f"its windows are missing, unfinished or stale, so no patches of {' and '.join(wanting)} can "
                "be made of them",
                "materialise scene_windows too, or run `dataset-assets generate`",
            )

    def _check_space(self) -> None:
        base = self._settings.base
        needed = sum(self._plan.size_bytes(ledger.plan.category, ledger.made) for ledger in self._pending)
        free = self._data_set.free_bytes
        if free - needed < base.min_free_gb * 1e9:
            raise SpaceError(
                f"{self._plan.entry.key}: {self._data_set.folder} has {free / 1e9:.1f} GB free, this video "
                f"is estimated to need {needed / 1e9:.1f} GB and base_settings.min_free_gb keeps "
                f"{base.min_free_gb:.1f} GB",
                "free some space or lower min_free_gb",
            )

    def _prepare_folders(self) -> None:
        for ledger in self._pending:
            self._data_set.make_validation_folder(self._settings, ledger.plan.category)
