"""Propose patches for validation: diverse ones with something to learn, that a person looks at.

Nothing is written but the proposal: no file in `Val/GT`, and nothing is set apart before somebody accepts.
Not here: how patches are chosen so that they differ (`diverse`), and deciding (`dataset`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np

from dataset_assets.config import Settings
from dataset_assets.counting import counted
from dataset_assets.curation.diverse import diverse, vectors_of
from dataset_assets.curation.reports import NOTHING_TO_LEARN_DB
from dataset_assets.dataset import DataSet, ValidationPatch, current_scores, is_near, select, sides_of
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.tables import PatchRow, ScoreRow, ValidationRow, WindowRow
from dataset_assets.windows import SIGNATURE_HEIGHT, SIGNATURE_WIDTH

PROPOSED_COUNT: Final = 20
# Of pictures 3 to 5 s apart up to 23 % show the same in films with cuts, of 5 to 8 s up to 8 %, farther apart
# none: a scene has been left, or a dialogue has shown both of its sides.
NEIGHBOURS_S: Final = 10.0
# From here on `scores` calls a patch combed, or with a subtitle.
_COMBED: Final = 0.01
_SUBTITLED: Final = 0.15


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patch that may be proposed, with what is known of it.

    Attributes:
        video: Key of the video.
        patch: Its row.
        scores: Its scores.
        window: Its window.
        is_curated: Whether curation takes it, as the validation split of an export does.
    """

    video: str
    patch: PatchRow
    scores: ScoreRow
    window: WindowRow
    is_curated: bool

    @property
    def is_usable(self) -> bool:
        """Whether curation takes it, there is something to learn, and neither combs nor a subtitle."""
        scores = self.scores
        has_text = scores.subtitle is not None and scores.subtitle >= _SUBTITLED
        is_whole = scores.combing < _COMBED and not has_text
        return self.is_curated and is_whole and scores.detail_db < NOTHING_TO_LEARN_DB


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was proposed in a category.

    Attributes:
        category: Its name.
        proposed: The patches, by video and time.
        accepted: Patches that were accepted before.
        candidates: Patches that could have been proposed.
        patches: Patches of the category.
        adopted: Patches that are accepted since just now: their GT was in `Val/GT`.
        set_apart: How many of them are not for training once all is accepted, in every category.
    """

    category: str
    proposed: tuple[Candidate, ...]
    accepted: int
    candidates: int
    patches: int
    adopted: int
    set_apart: int


def propose(
    settings: Settings,
    categories: Sequence[str],
    *,
    videos: Collection[str] = (),
    count: int = PROPOSED_COUNT,
    span_s: float = NEIGHBOURS_S,
) -> list[Proposal]:
    """Propose patches in categories, in place of those that were proposed before.

    What was accepted counts, and what was declined is not proposed again, nor are its neighbours. A patch
    whose GT the user has put into `Val/GT` counts as accepted.

    Args:
        settings: The configuration.
        categories: Names of the categories.
        videos: Keys of the films to take from, each of which is set apart as a whole; where empty, all films
            give, and the neighbours of each patch are set apart.
        count: How many a category is to have, those that were accepted included.
        span_s: Seconds before and after a patch that are its neighbours.

    Raises:
        DatasetAssetsError: Patches have no scores, or a table cannot be read.
        OSError: The disk is full or cannot be written.
    """
    data_set = DataSet.of(settings)
    found = {name: _candidates(settings, data_set, name, videos) for name in categories}
    _refuse_unscored(data_set, categories, videos, found)
    adopted = {name: _adopt(settings, data_set, name, span_s) for name in categories}
    before, proposals = data_set.validation.read(), {}
    for name, candidates in found.items():
        decided = [each for each in before if each.category == name and each.row.state != "proposed"]
        chosen = _chosen(candidates, decided, count, span_s)
        rows: dict[str, list[ValidationRow]] = {}
        for each in chosen:
            row = _row(each.patch, each.window.time_s, None if videos else span_s)
            rows.setdefault(each.video, []).append(row)
        data_set.validation.propose(name, rows)
        data_set.validation.fetch_gt(each.patch for each in chosen)
        proposals[name] = chosen
    return [
        _proposal(data_set, name, proposals[name], candidates, adopted[name])
        for name, candidates in found.items()
    ]


def _adopt(settings: Settings, data_set: DataSet, category: str, span_s: float) -> int:
    """Accept the patches whose GT the user has put into `Val/GT`; return how many."""
    hashes = data_set.validation.own_hashes(settings, category)
    found: dict[str, list[ValidationRow]] = {}
    for key in data_set.tables.patches_files(category) if hashes else ():
        patches = [row for row in data_set.tables.read_patches(category, key) if row.gt_hash in hashes]
        times_s = {row.window: row.time_s for row in data_set.tables.read_windows(key)} if patches else {}
        rows = [_row(row, times_s[row.window], span_s) for row in patches if row.window in times_s]
        if rows:
            found[key] = rows
    return data_set.validation.adopt(category, found)


def _candidates(
    settings: Settings, data_set: DataSet, category: str, videos: Collection[str]
) -> list[Candidate]:
    """Return the patches of a category that have scores, by video and window."""
    found: list[Candidate] = []
    if next(data_set.triplets(categories=[category]), None) is None:
        return found
    selection = select(data_set, [category], curation=settings.curation)
    curated = {(each.video, each.row.patch_id) for each in selection.triplets}
    for key in data_set.tables.patches_files(category):
        if videos and key not in videos:
            continue
        patches = data_set.tables.read_patches(category, key)
        scores = current_scores(patches, data_set.tables.read_scores(category, key))
        windows = {row.window: row for row in data_set.tables.read_windows(key)} if patches else {}
        found += [
            Candidate(
                key, patch, scores[patch.patch_id], windows[patch.window], (key, patch.patch_id) in curated
            )
            for patch in patches
            if patch.patch_id in scores and patch.window in windows
        ]
    return sorted(
        found, key=lambda each: (each.video, each.window.time_s, each.patch.window, each.patch.crop)
    )


def _refuse_unscored(
    data_set: DataSet,
    categories: Sequence[str],
    videos: Collection[str],
    found: Mapping[str, Sequence[Candidate]],
) -> None:
    patches = sum(1 for _ in data_set.triplets(videos or None, categories))
    unscored = patches - sum(map(len, found.values()))
    if unscored:
        raise DatasetAssetsError(
            f"{unscored:,} of {counted(patches, 'patch')} of {', '.join(categories)} have no scores",
            "run `dataset-assets score` first.",
        )


def _chosen(
    candidates: Sequence[Candidate], decided: Sequence[ValidationPatch], count: int, span_s: float
) -> list[Candidate]:
    """Return what is proposed, given what was decided before."""
    accepted = {each.row.patch_id for each in decided if each.row.state == "accepted"}
    declined: dict[str, list[ValidationRow]] = {}
    for each in decided:
        if each.row.state == "declined":
            # Of a whole film: the picture was declined, and not the film.
            span = replace(each.row, span_s=each.row.span_s or span_s)
            declined.setdefault(each.video, []).append(span)
    pool = [
        each
        for each in candidates
        if each.patch.patch_id in accepted
        or (each.is_usable and not is_near(each.window.time_s, declined.get(each.video, ())))
    ]
    if not pool:
        return []
    known = [index for index, each in enumerate(pool) if each.patch.patch_id in accepted]
    # Those of films that were removed since count too.
    absent = len(accepted) - len(known)
    indices = diverse(
        vectors_of(np.array([_scores(each) for each in pool]), np.stack([_signature(each) for each in pool])),
        [each.video for each in pool],
        [each.window.time_s for each in pool],
        count - absent,
        chosen=known,
        span_s=span_s,
    )
    return [pool[index] for index in indices]


def _scores(candidate: Candidate) -> tuple[float, ...]:
    """Return the scores that candidates are compared by; those with long tails as logarithms."""
    scores, window = candidate.scores, candidate.window
    return (
        scores.detail_db,
        math.log1p(scores.motion),
        math.log1p(scores.noise_sigma),
        window.brightness or 0.0,
        window.contrast or 0.0,
    )


def _signature(candidate: Candidate) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    size = SIGNATURE_HEIGHT * SIGNATURE_WIDTH
    signature = candidate.window.signature
    # Tables of the first releases have none.
    return np.frombuffer(signature if signature and len(signature) == size else bytes(size), np.uint8)


def _row(patch: PatchRow, time_s: float, span_s: float | None) -> ValidationRow:
    return ValidationRow(
        patch_id=patch.patch_id,
        window=patch.window,
        time_s=time_s,
        gt_hash=patch.gt_hash,
        state="proposed",
        span_s=span_s,
        val_path=None,
        changed_at=datetime.now(UTC),
    )


def _proposal(
    data_set: DataSet,
    category: str,
    proposed: Sequence[Candidate],
    candidates: Sequence[Candidate],
    adopted: int,
) -> Proposal:
    triplets = list(data_set.triplets(categories=[category]))
    decided = [each for each in data_set.validation.read() if each.row.state != "declined"]
    sides = sides_of(data_set, triplets, decided)
    return Proposal(
        category=category,
        proposed=tuple(proposed),
        accepted=sum(each.category == category and each.row.state == "accepted" for each in decided),
        candidates=sum(each.is_usable for each in candidates),
        patches=len(triplets),
        adopted=adopted,
        set_apart=sum(side != "train" for side in sides),
    )
