"""One pass over a film: windows found or replayed, every category's patches made of each, in order.

Here: what is committed, and when. Not here: how (`checkpoints`), probing and locking (`video`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from threading import Event, Lock
from time import time

from dataset_assets.config import Settings
from dataset_assets.dataset import (
    REJECTED_PICTURES,
    DataSet,
    Progress,
    VideoWork,
    shortfall,
)
from dataset_assets.errors import MissingWindowsError, SourceChangedError, SourceLostError
from dataset_assets.generate.checkpoints import Checkpoints
from dataset_assets.generate.lane import Job, Lane, Made, MadePatch
from dataset_assets.generate.lanes import Lanes
from dataset_assets.generate.ledgers import FilmIdentity, patch_ledger, patch_paths, window_ledger
from dataset_assets.generate.limits import step_done
from dataset_assets.generate.patch_ledger import PatchLedger, key_of
from dataset_assets.generate.plan import VideoPlan
from dataset_assets.generate.reaching import KeyframeIndex
from dataset_assets.generate.reports import CategoryReport, WindowsReport
from dataset_assets.generate.rounds import Rounds
from dataset_assets.generate.rows import patch_row, with_kinds, written_files
from dataset_assets.generate.score_ledger import ScoreLedger
from dataset_assets.generate.space import check_space
from dataset_assets.reasons import EXCLUDED
from dataset_assets.tables import FILL_CANDIDATES, count
from dataset_assets.video import Source
from dataset_assets.windows import CandidateSequence, Placement


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
        work: VideoWork,
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
            work: The right to write the video.
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
        self._finds_windows = windows and not plan.misfit
        self._lanes = lanes
        self._on_progress = on_progress
        self._data_set = data_set
        self._pictures = data_set.pictures(entry.key)
        self._source = Source(plan.info.path, plan.info.fingerprint)
        self._sequence: CandidateSequence | None = None
        film = FilmIdentity.of_info(plan.info, data_set.excluded_windows.read(entry.key))
        self.windows = window_ledger(settings, data_set, entry, film, rebuilds=force and windows)
        self.patches = [
            patch_ledger(settings, data_set, entry, film, plan.patches[name], self.windows, rebuilds=force)
            for name in categories
        ]
        self.made: Counter[str] = Counter()
        self._pending = [ledger for ledger in self.patches if self._is_pending(ledger)]
        found = self.windows if self._finds_windows else None
        scores = {
            ledger: ScoreLedger(data_set, ledger.plan.category, entry.key, ledger.table_rows())
            for ledger in self._pending
        }
        self._checkpoints = Checkpoints(work, found, self._pending, scores)
        rows = self.windows.rows()
        self._progress = Progress(
            key=entry.key,
            windows_target=plan.windows,
            candidates=sum(row.is_tried for row in rows),
            accepted=sum(row.accepted for row in rows),
            patches_target=self._patches_target([row.window for row in rows if row.accepted]),
            patches={ledger.plan.category: ledger.made for ledger in self.patches},
            patches_bytes={ledger.plan.category: ledger.size_bytes for ledger in self.patches},
        )
        self._progress_file = data_set.progress_file(self._progress, work)
        self._away, self._away_lock = 0, Lock()

    @property
    def is_done(self) -> bool:
        """Whether nothing has to be made."""
        return not self._pending and (self.windows.is_complete or not self._finds_windows)

    def run(self) -> None:
        """Make what is missing.

        Raises:
            VideoError: A recorded window can no longer be read.
            MissingWindowsError: Windows are not searched, and there are none to replay.
            SpaceError: The disk has too little space.
        """
        self._refuse_to_replay_nothing()
        if self.is_done:
            self._progress_file.remove()  # of a run that was killed after its last patch
            return
        check_space(self._settings, self._plan, self._data_set, self._pending)
        self._prepare_folders()
        self._progress_file.update()
        try:
            with closing(KeyframeIndex(self._plan.info, self._film_away)) as index:
                rounds = self._rounds(index)
                with Lanes(
                    self._lanes, self._settings.base.checkpoint_every, partial(self._open_lane, rounds)
                ) as lanes:
                    self._go_through(lanes, rounds)
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
            target=self._plan.windows,
            possible=self._plan.room,
            accepted=sum(row.accepted for row in rows),
            with_repeats=sum(row.accepted and bool(row.repeated_frames) for row in rows),
            candidates=sum(row.is_tried for row in rows),
            rejected=dict(
                Counter(row.reason for row in rows if row.is_tried and row.reason is not None).most_common()
            ),
            shortfall=self._plan.misfit or shortfall(self.windows.finished, count(rows)),
            rows=len(rows),
        )

    def category_reports(self) -> dict[str, CategoryReport]:
        """Count the patches tables of the categories asked for."""
        return {
            ledger.plan.category: CategoryReport(
                target=self._settings.target(self._plan.entry, ledger.plan.category),
                possible=min(ledger.plan.target, self._plan.room) if ledger.plan.mix else 0,
                made=self.made[ledger.plan.category],
                rows=tuple(ledger.rows()),
                mix=ledger.plan.mix,
                left_out=ledger.plan.left_out,
                misfit=ledger.plan.misfit,
                crops=ledger.plan.most_patches,
            )
            for ledger in self.patches
        }

    def _is_pending(self, ledger: PatchLedger) -> bool:
        """Whether a category has patches to make or to delete, or may have."""
        if not ledger.is_complete:
            return True
        if not self.windows.is_complete:
            return self._finds_windows
        accepted = sum(row.accepted for row in self.windows.rows())
        return ledger.chosen not in (None, min(ledger.plan.target, accepted, self._plan.windows))

    def _open_lane(self, rounds: Rounds, stop: Event) -> Lane:
        exclusions = self.windows.exclusions
        base = self._settings.base
        return Lane(self._plan.info, base, rounds.signatures, stop, exclusions, self._film_away)

    def _film_away(self, is_away: bool) -> None:
        """Show that the film is away, or there again; each lane finds that out by itself."""
        with self._away_lock:
            self._away += 1 if is_away else -1
            self._progress.film_away_s = (self._progress.film_away_s or time()) if self._away else 0.0
            self._progress_file.update(is_news=True)

    def _rounds(self, index: KeyframeIndex) -> Rounds:
        base, windows = self._settings.base, self.windows
        older = [row for number in range(windows.strata) if (row := windows.row(number)) is not None]
        accepted = [row.window for row in older if row.accepted]
        self._progress.windows_done = len(accepted)
        pause = windows.strata + FILL_CANDIDATES
        known, cap = windows.placements(), self._plan.windows * base.max_attempts
        if windows.is_complete or not self._finds_windows:
            # The table has every window: a category that falls short gets no others.
            recorded = iter([known[number] for number in sorted(known)])
            return Rounds(windows, recorded, cap, accepted, pause=pause)
        self._sequence = CandidateSequence(
            windows.extent,
            index.keyframe_at,
            base.seed,
            self._plan.entry.key,
            base.sampling,
            known=known,
            taken=[row.pts[0] for row in older],
            first=windows.strata,
        )
        return Rounds(windows, self._sequence, cap, accepted, pause=pause)

    def _go_through(self, lanes: Lanes, rounds: Rounds) -> None:
        """Make the windows of every target, the smallest first.

        A window that is found on the way to a target goes to every category with this target or a larger one,
        so its crops are made at once.
        """
        targets = {ledger.plan.target for ledger in self.patches}
        if self._finds_windows:
            targets.add(self._plan.windows)
        for target in sorted(targets - {0}):
            while batch := rounds.next_round(target, self._round_size):
                self._make(lanes, [self._job(each, target) for each in batch])
                for number in rounds.settle(batch):
                    for ledger in self._pending:
                        ledger.drop(number)
                self._progress.windows_done = len(rounds.accepted)
                self._progress.patches_target = self._patches_target(rounds.accepted)
            for ledger in self._pending:
                if ledger.plan.target == target:
                    self._complete(lanes, ledger, rounds.accepted[: self._plan.windows])
        for ledger in self._pending:
            if not ledger.plan.target:
                ledger.keep_only(())
        if self._sequence is not None:
            self.windows.mark_full(is_full=rounds.is_full)
            self.windows.keep_below(self._sequence.number, rounds.accepted[: self._plan.windows])

    def _patches_target(self, accepted: Sequence[int]) -> dict[str, int]:
        """Return the patches that each category is to have, given the accepted windows in their order."""
        return {ledger.plan.category: ledger.patches_target(accepted) for ledger in self.patches}

    def _complete(self, lanes: Lanes, ledger: PatchLedger, accepted: Sequence[int]) -> None:
        """Have a category keep the patches of its windows alone, and make those that it lacks."""
        chosen = ledger.choose(accepted, self.windows.strata)
        ledger.keep_only(chosen)
        self._make(lanes, [job for number in chosen if (job := self._lacking(ledger, number)) is not None])

    def _lacking(self, ledger: PatchLedger, number: int) -> Job | None:
        row = self.windows.row(number)
        if row is None or not ledger.plan.mix or ledger.has_all(number):
            return None
        category = ledger.plan.category
        placement = Placement(number, row.keyframe_pts, row.pts[0])
        return Job(
            placement,
            row,
            {category: ledger.plan_of(number)},
            {category: ledger.lacking_of(number)},
            self.windows.fills_for(number),
        )

    @property
    def _round_size(self) -> int:
        """How many candidates of GOPs of their own a round may take; whatever it is, the result is the same.

        Small rounds cost nothing then, and a run that is killed leaves an even, smaller data set.
        """
        if not self._finds_windows:
            return max(1, self._plan.windows)
        return max(self._settings.base.checkpoint_every, 2 * self._lanes)

    def _job(self, placement: Placement, target: int) -> Job:
        """Return what is wanted of a candidate on the way to a target."""
        number = placement.number
        row = self.windows.row(number)
        plans, kinds = {}, {}
        for ledger in self._pending if row is None or row.accepted else ():
            is_taken = target <= ledger.plan.target and ledger.plan.mix
            # Which patches a candidate will have is known once it is found.
            lacking = ledger.lacking_of(number)
            is_lacking = any(each is not None for each in lacking)
            if is_taken and (is_lacking if row is None else not ledger.has_all(number)):
                plans[ledger.plan.category] = ledger.plan_of(number)
                kinds[ledger.plan.category] = lacking
        return Job(placement, row, plans, kinds, self.windows.fills_for(number))

    def _make(self, lanes: Lanes, jobs: Sequence[Job]) -> None:
        """Make what is wanted, and commit it."""
        # What runs ahead is lost with a killed run too.
        most = max(1, self._settings.base.checkpoint_every - lanes.ahead)
        wanted = [job for job in jobs if job.recorded is None or job.plans]
        self._progress.windows_pending = max(len(wanted), self._lacked())
        for made in lanes.make(sorted(wanted, key=lambda job: job.placement.start or 0)):
            self._take(made)
            # The first commit is immediate: users see in the gallery what the rest will look like.
            if self._checkpoints.windows >= (most if self._checkpoints.committed_s else 1):
                self._commit(complete=False)
            self._report(made)
        if wanted:
            self._commit(complete=False)

    def _lacked(self) -> int:
        """Return the windows that are still to be found, and those of which a patch is to be made."""
        accepted = [row.window for row in self.windows.rows() if row.accepted]
        missing = max(0, self._plan.windows - len(accepted)) if self._finds_windows else 0
        lacking = {
            number
            for ledger in self._pending
            if ledger.plan.mix
            for number in accepted[: ledger.plan.target]
            if not ledger.has_all(number)
        }
        return missing + len(lacking)

    def _commit(self, *, complete: bool) -> None:
        """Commit, if the film is still the one that was probed."""
        # A film that is away counts as unchanged: what was made of it was made while it was there.
        with suppress(SourceLostError):
            self._source.check()
        self._checkpoints.commit(complete=complete)

    def _take(self, made: Made) -> None:
        """Write what was made of a window; its rows and names come with the next commit."""
        if made.is_new:
            self.windows.add(made.row)
            for ledger in self._pending:
                ledger.look_again(made.row.window)
            is_shown = made.row.accepted or made.row.reason == EXCLUDED
            if is_shown or made.row.window < REJECTED_PICTURES * self._plan.windows:
                for name, content in made.pictures.items():
                    self._pictures.write(name, content)
        self._write(
            [
                (ledger, patch)
                for ledger in self._pending
                for patch in made.patches.get(ledger.plan.category, ())
            ]
        )
        self._checkpoints.windows += 1

    def _report(self, made: Made) -> None:
        step_done()
        self._progress.windows_done += made.is_new and made.row.accepted
        self._progress.windows_worked += 1
        self._progress.windows_pending = max(0, self._progress.windows_pending - 1)
        self._progress.windows_uncommitted = self._checkpoints.windows
        self._progress.committed_s = self._checkpoints.committed_s
        self._progress.candidates += made.is_new and made.row.is_tried
        self._progress.accepted += made.is_new and made.row.accepted
        self._progress_file.update()
        if self._on_progress is not None:
            self._on_progress(self._progress)

    def _write(self, of_window: Sequence[tuple[PatchLedger, MadePatch]]) -> None:
        written = [
            (ledger, patch, patch_paths(self._settings, ledger.plan, patch.planned, ledger.kinds))
            for ledger, patch in of_window
        ]
        self._checkpoints.write([(paths, patch.triplet) for _, patch, paths in written])
        for ledger, patch, paths in written:
            made, before = written_files(paths, patch.triplet), ledger.row(key_of(patch.planned))
            if before is None:
                row = patch_row(
                    patch.planned,
                    made.values(),
                    kernel=self._settings.base.lr_kernel,
                    scale=self._settings.base.scale,
                    settings_hash=ledger.settings_hash,
                )
            else:
                row = with_kinds(before, made, ledger.kinds)
            name = ledger.plan.category
            self._checkpoints.add(ledger, row, patch.scores)
            self.made[name] += 1
            self._progress.patches[name] += 1
            self._progress.patches_bytes[name] += sum(map(len, patch.triplet.values()))

    def _refuse_to_replay_nothing(self) -> None:
        wanting = [ledger.plan.category for ledger in self._pending if ledger.plan.target and ledger.plan.mix]
        if wanting and not self._finds_windows and not self.windows.is_complete:
            raise MissingWindowsError(
                f"its windows are missing, unfinished or stale, so no patches of {' and '.join(wanting)} can "
                "be made of them",
                "materialise scene_windows too, or run `dataset-assets generate`",
            )

    def _prepare_folders(self) -> None:
        for ledger in self._pending:
            self._data_set.validation.make_folder(self._settings, ledger.plan.category)
