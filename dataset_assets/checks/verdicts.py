"""Verdicts on the guarantees about a video and the data set: in words, with one number each.

Not here: reading files and pictures (`inspection`), and how verdicts are shown (`assets`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataset_assets.addresses import FilmPath
from dataset_assets.checks.inspection import Inspection
from dataset_assets.config import Settings
from dataset_assets.counting import counted, some_are
from dataset_assets.dataset import AssetStatus, DataSet, Failure, is_scaled_down, share_held, what_it_holds
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.generate import CategoryReport, WindowsReport
from dataset_assets.tables import FILL_CANDIDATES, VideoRow
from dataset_assets.video import Fingerprint, is_there, look_at, seen

ENOUGH_SHARE = 0.9
ENOUGH_ACCEPTED = 0.2
# Formats are drawn by the candidate's number, evenly: any prefix is within 2 patches of the mix. Rejected
# candidates take theirs along; at random, they take a format off its share by about the root of their number.
MIX_TOLERANCE_PATCHES = 2
MIX_TOLERANCE_ROOT = 2
# Of the patches whose format is chosen by detail too: in 19 of 20 films a share is off by less (see
# `patches.planning`).
MIX_TOLERANCE_SHARE = 0.07
# Of the sampled triplets: some 0.2 % of those without a cut look like one; if the frames were not those of
# the windows, 6 % and more would contain one. Titles on black look like bars, but few windows are titles.
MAX_SHARE_CUT = 0.02
MAX_SHARE_BARRED = 0.05
# Blinds, stripes and small text look combed in a picture by itself.
MAX_SHARE_COMBED = 0.05
SAMPLED = "sampled triplet"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a guarantee is kept.

    Attributes:
        passed: Whether it is.
        description: What was found, in words.
        measure: Name of the figure.
        number: The figure.
        sampled: How many were looked at, where it is a sample; else None.
    """

    passed: bool
    description: str
    measure: str
    number: float
    sampled: int | None = None


def colours_tagged(warnings: Sequence[str]) -> Verdict:
    """Check that nothing about a film was guessed, ignored or left out."""
    return Verdict(not warnings, "; ".join(warnings) or "nothing guessed", "guesses", len(warnings))


def true_resolution(row: VideoRow) -> Verdict:
    """Check that a film's working frame is no larger than what the film holds, as far as that is sure."""
    z = round(row.native_z or 0.0, 1)
    if row.native_z is None:
        return Verdict(True, "too few frames, or too small ones, to measure it", "z", z)
    holds, working = what_it_holds(row), f"{row.working_width}x{row.working_height}"
    if not holds:
        return Verdict(True, f"no trace of an enlargement (z {z:g})", "z", z)
    if share_held(row) == 1 or is_scaled_down(row):
        return Verdict(True, f"{holds} (z {z:g}); its working frame is {working}", "z", z)
    return Verdict(
        False,
        f"{holds} (z {z:g}), and its working frame is {working}, so that its patches are enlarged ones; "
        'set base_settings.working_size to "native", or use a better source',
        "z",
        z,
    )


def source_unchanged(fingerprint: Fingerprint, path: FilmPath) -> Verdict:
    """Check that a film exists, and is still the one that was read.

    Args:
        fingerprint: What it was when a run began to read it.
        path: The film.
    """
    if not is_there(path):
        return Verdict(False, f"{path} disappeared while it was read", "changes", 1)
    if not fingerprint.is_of(path):
        return Verdict(
            False,
            f"{path} changed while it was read; materialise it again once nobody writes to it",
            "changes",
            1,
        )
    return Verdict(True, "unchanged from the first frame read to the last", "changes", 0)


def enough_windows(report: WindowsReport) -> Verdict:
    """Check that at least nine tenths of the windows wanted were found."""
    share = report.accepted / report.target if report.target else 1.0
    return Verdict(
        share >= ENOUGH_SHARE,
        report.shortfall or f"{report.accepted:,} of {counted(report.target, 'window')} found",
        "share_found",
        round(share, 3),
    )


def enough_accepted(report: WindowsReport) -> Verdict:
    """At least a fifth of the candidates were accepted: with less, five windows are decoded for one."""
    rate = report.acceptance_rate if report.candidates else 1.0
    reason = next(iter(report.rejected), "")
    most = f"; most rejected as {reason} ({report.rejected[reason]})" if reason else ""
    return Verdict(
        rate >= ENOUGH_ACCEPTED,
        f"{report.accepted:,} of {counted(report.candidates, 'candidate')} accepted ({rate:.0%}){most}",
        "acceptance_rate",
        round(rate, 3),
    )


def enough_patches(report: CategoryReport) -> Verdict:
    """Check that patches were made of at least nine tenths of the windows wanted."""
    share = report.windows / report.target if report.target else 1.0
    left_out = f"too large for the film: {', '.join(report.left_out)}" if report.left_out else ""
    reason = f"; {report.misfit or left_out}" if report.left_out else ""
    return Verdict(
        share >= ENOUGH_SHARE,
        f"{len(report.rows):,} of {counted(report.patches_target, 'patch')} made{reason}",
        "share_made",
        round(share, 3),
    )


def format_mix_kept(report: CategoryReport, acceptance_rate: float) -> Verdict:
    """Check that every format that fits the film has about its share of the windows.

    The share is an expectation: which candidates are rejected is chance. Further crops of a window have its
    format, as far as it leaves room for them.

    Args:
        report: The category.
        acceptance_rate: Accepted candidates over those tried, 0..1.
    """
    total = report.windows
    noun = "patch" if report.crops == 1 else "window"
    made = report.window_formats
    off = {name: abs(made.get(name, 0) - share * total) for name, share in report.mix.items()}
    allowed = MIX_TOLERANCE_PATCHES + MIX_TOLERANCE_ROOT * math.sqrt(total * (1 - acceptance_rate))
    allowed += MIX_TOLERANCE_SHARE * max(0, total - FILL_CANDIDATES)
    worst = max(off, key=lambda name: off[name], default="")
    return Verdict(
        all(value <= allowed for value in off.values()),
        f"{worst} is {off[worst]:.1f} of {counted(total, noun)} off its share, "
        f"up to {allowed:.1f} are expected"
        if worst
        else "no format fits",
        "patches_off",
        round(max(off.values(), default=0.0), 1),
    )


def triplets_whole(inspection: Inspection) -> Verdict:
    """Check that every sampled row has its files, complete and of the right size."""
    what = "incomplete or damaged"
    return _few_of(inspection.broken, inspection.sampled, SAMPLED, what, "broken_triplets")


def windows_uncut(inspection: Inspection) -> Verdict:
    """Check that no sampled triplet shows a cut, except a few false alarms among many."""
    found, sampled = inspection.over_a_cut, inspection.sampled
    return _few_of(found, sampled, SAMPLED, "with a cut", "triplets_over_a_cut", MAX_SHARE_CUT)


def free_of_black_bars(inspection: Inspection) -> Verdict:
    """Check that no sampled triplet has a black bar along an edge, except a few titles among many."""
    found, sampled = inspection.barred, inspection.sampled
    return _few_of(found, sampled, SAMPLED, "with a black bar", "barred_triplets", MAX_SHARE_BARRED)


def free_of_combs(inspection: Inspection) -> Verdict:
    """Check that no sampled ground truth has combs, except a few with fine lines among many."""
    found, sampled = inspection.combed, inspection.sampled
    return _few_of(found, sampled, SAMPLED, "with combs", "combed_triplets", MAX_SHARE_COMBED)


def files_match_table(
    settings: Settings, data_set: DataSet, key: str, category: str, report: CategoryReport, candidates: int
) -> Verdict:
    """Check that the category's folders hold what the table names of a sample of candidates, and no more.

    Args:
        settings: The configuration.
        data_set: The data set.
        key: The video's key.
        category: The category.
        report: Its rows of the video.
        candidates: Candidates of the video, accepted or not.
    """
    sample = data_set.compare_sample(key, settings.categories[category], report.rows, candidates)
    missing, unnamed = sample.missing, sample.unnamed
    parts = [
        f"{sample.named - len(missing):,} of {counted(sample.named, 'file')} found of "
        f"{counted(sample.candidates, 'sampled candidate')}"
    ]
    if missing:
        parts[0] += f", first missing {missing[0].as_posix()}"
    if unnamed:
        parts.append(f"{len(unnamed)} more that no row names, first {unnamed[0].as_posix()}")
    count = len(missing) + len(unnamed)
    return Verdict(not count, "; ".join(parts), "files_off", count, sample.candidates)


def videos_ok(videos: int, failed: Mapping[str, Failure], unfinished: Mapping[str, str]) -> Verdict:
    """Check that no video's last run failed.

    Args:
        videos: How many there are.
        failed: Why each that failed did, by key.
        unfinished: Why something of a video is missing or stale, by key.
    """
    to_come = len(unfinished.keys() - failed.keys())
    done = videos - len(unfinished.keys() | failed.keys())
    first = next((each.sentence for each in failed.values()), "")
    return Verdict(
        not failed,
        f"{some_are(done, videos, 'video')} done, {len(failed)} failed, {to_come} to come"
        + (f"; first {first}" if first else ""),
        "videos_failed",
        len(failed),
    )


def up_to_date(status: AssetStatus) -> Verdict:
    """Check that a table is not stale.

    Args:
        status: Its state.
    """
    is_stale = status.state == "stale"
    what = f"stale: {status.reason}; materialize it to bring it up to date" if is_stale else "up to date"
    return Verdict(not is_stale, what, "stale", int(is_stale))


def every_video_done(videos: int, unfinished: Mapping[str, str]) -> Verdict:
    """Check that nothing of any video is missing or stale; arguments as in `videos_ok`."""
    first = next((f"; first {key}: {why}" for key, why in unfinished.items()), "")
    done = videos - len(unfinished)
    return Verdict(
        not unfinished,
        f"{some_are(done, videos, 'video')} done{first}",
        "videos_unfinished",
        len(unfinished),
    )


def no_near_duplicates(windows: int, pairs: Sequence[tuple[str, str, str]]) -> Verdict:
    """Check that no window shows what a window of another video shows.

    Args:
        windows: Windows that do.
        pairs: The later video, the earlier one and what it looks like, those with the most windows first.
    """
    first = "; first {} shows again what {} shows ({})".format(*pairs[0]) if pairs else ""
    found = f"{counted(windows, 'window')} in {counted(len(pairs), 'pair')} of videos{first}"
    return Verdict(not pairs, found, "windows", windows)


def sources_unchanged(settings: Settings, data_set: DataSet) -> Verdict:
    """Check that every film that was probed still exists and is unchanged."""
    gone, changed, probed = [], [], 0
    look_at(entry.path for entry in settings.videos)
    for entry in settings.videos:
        try:
            provenance = data_set.tables.read_provenance(data_set.tables.video_path(entry.key))
        except DatasetAssetsError:
            continue  # reported as a problem of the tables
        if provenance is None:
            continue
        probed += 1
        if seen(entry.path) is None:
            gone.append(entry.key)
        elif not provenance.source_fingerprint.was_of(entry.path):
            changed.append(entry.key)
    unchanged = probed - len(gone) - len(changed)
    parts = [f"{some_are(unchanged, probed, 'probed film')} there and unchanged"]
    parts += [f"missing: {', '.join(gone)}"] if gone else []
    parts += [f"changed, so that their patches are stale: {', '.join(changed)}"] if changed else []
    return Verdict(not (gone or changed), "; ".join(parts), "films_off", len(gone) + len(changed))


def _few_of(
    found: Sequence[str], of: int, noun: str, what: str, measure: str, max_share: float = 0.0
) -> Verdict:
    named = f", first {found[0]}" if found else ""
    description = f"{len(found):,} of {counted(of, noun)} {what}{named}"
    return Verdict(len(found) <= max_share * of, description, measure, len(found), of)
