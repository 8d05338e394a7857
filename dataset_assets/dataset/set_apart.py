"""What is set apart for validation: its patches, and their neighbours in time, on which nothing is trained.

A neighbour shows what a validation patch shows: it would praise a model for what it has seen. It is set apart
in every category, since a window has crops in several; so is what other films show of it, such as the same
opening, once near-duplicates were searched for. Used by everything that trains or exports. Not here:
what was accepted (`validation`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

from dataset_assets.tables import DuplicateRow, ValidationRow

if TYPE_CHECKING:
    from dataset_assets.dataset.data_set import DataSet
    from dataset_assets.dataset.triplets import Triplet
    from dataset_assets.dataset.validation import ValidationPatch

Side = Literal["train", "val", "apart"]

# A window that is made again from other settings has its place to the tick, or another place.
_SAME_PLACE_S: Final = 0.01
# Around what another film shows of one that is set apart as a whole: see `curation.proposing`.
_COPY_SPAN_S: Final = 10.0


def sides_of(
    data_set: DataSet,
    triplets: Sequence[Triplet],
    accepted: Iterable[ValidationPatch] | None = None,
    held_out: Collection[str] = (),
) -> list[Side]:
    """Return of each triplet whether it is for training, for validation, or for neither.

    A patch for validation that was made again since is still one while it has its place in the film.

    Args:
        data_set: The data set.
        triplets: The triplets.
        accepted: What is for validation; what was accepted by default.
        held_out: Keys of films that are for validation as a whole: what others show of them is set apart.

    Raises:
        DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
    """
    chosen = data_set.validation.accepted() if accepted is None else list(accepted)
    if not chosen and not held_out:
        return ["train"] * len(triplets)
    by_film: dict[str, list[ValidationPatch]] = {}
    for each in chosen:
        by_film.setdefault(each.video, []).append(each)
    copies = _copies(data_set, by_film, held_out)
    films = {
        key: _Film(data_set, key, by_film.get(key, ()), copies.get(key, ()))
        for key in (by_film.keys() | copies.keys()) & {triplet.video for triplet in triplets}
    }
    return [films[triplet.video].side(triplet) if triplet.video in films else "train" for triplet in triplets]


def is_near(time_s: float, rows: Collection[ValidationRow]) -> bool:
    """Return whether a window that begins at a time of its film is set apart with one of some patches."""
    return any(row.span_s is None or abs(time_s - row.time_s) <= row.span_s for row in rows)


def shows_set_apart(row: DuplicateRow, accepted: Mapping[str, Collection[ValidationRow]]) -> bool:
    """Return whether one window of a near-duplicate is set apart with an accepted patch of its own film.

    Args:
        row: The near-duplicate.
        accepted: What was accepted, by the key of the film.
    """
    places = (row.video, row.time_s), (row.of_video, row.of_time_s)
    return any(is_near(time_s, accepted.get(key, ())) for key, time_s in places)


def _copies(
    data_set: DataSet, accepted: Mapping[str, Sequence[ValidationPatch]], held_out: Collection[str]
) -> dict[str, list[tuple[float, float]]]:
    """Return where other films show what is set apart, as far as near-duplicates were searched for.

    Returns:
        Seconds, and so many before and after that are set apart, by the key of the film.
    """
    table = data_set.tables.read_duplicates()
    found: dict[str, list[tuple[float, float]]] = {}
    for row in table.rows if table else ():
        one, other = (row.video, row.time_s), (row.of_video, row.of_time_s)
        for (key, time_s), (copy, copy_s) in ((one, other), (other, one)):
            if key in held_out:
                found.setdefault(copy, []).append((copy_s, _COPY_SPAN_S))
            for each in (each.row for each in accepted.get(key, ())):
                if each.span_s is None:
                    found.setdefault(copy, []).append((copy_s, _COPY_SPAN_S))
                elif abs(time_s - each.time_s) <= each.span_s:
                    # The films need not have windows at the same moments: the patch's own moment counts.
                    found.setdefault(copy, []).append((each.time_s + copy_s - time_s, each.span_s))
    return found


class _Film:
    """What of one film is set apart."""

    def __init__(
        self,
        data_set: DataSet,
        key: str,
        accepted: Sequence[ValidationPatch],
        copies: Sequence[tuple[float, float]],
    ) -> None:
        self._rows = [each.row for each in accepted]
        self._copies = copies
        self._times_s = {row.window: row.time_s for row in data_set.tables.read_windows(key)}
        self._own = {
            (each.category, each.row.patch_id)
            for each in accepted
            if abs(self._times_s.get(each.row.window, -1.0) - each.row.time_s) < _SAME_PLACE_S
        }
        self._windows = {row.window for row in self._rows}

    def side(self, triplet: Triplet) -> Side:
        if (triplet.category, triplet.row.patch_id) in self._own:
            return "val"
        time_s = self._times_s.get(triplet.row.window)
        if time_s is None or triplet.row.window in self._windows or is_near(time_s, self._rows):
            return "apart"
        is_copy = any(abs(time_s - copy_s) <= span_s for copy_s, span_s in self._copies)
        return "apart" if is_copy else "train"
