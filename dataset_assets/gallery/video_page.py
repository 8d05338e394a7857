"""What a video's page shows, read from its tables and the list of its pictures.

URLs are relative to the page, so that they point to the data set's own files in any place, on the disk and
over HTTP. Not here: how it looks (the templates).
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import cv2
import numpy as np

from dataset_assets.config import Settings
from dataset_assets.dataset import (
    WINDOWS,
    Completion,
    DataSet,
    Failure,
    picture_name,
    shortfall,
    what_it_holds,
)
from dataset_assets.gallery.exclusion_states import Exclusion, ExclusionStates
from dataset_assets.gallery.histograms import CategoryScores, scores_of
from dataset_assets.reasons import EXCLUDED
from dataset_assets.tables import PatchRow, Provenance, VideoRow, WindowRow, patches_target
from dataset_assets.windows import SHOWN_FRAMES, SIGNATURE_HEIGHT, SIGNATURE_WIDTH, rule_named

# From a video's page to the data set's folder.
TO_DATA_SET = "../../"
# With more, a page would be slow to open, and nobody looks at so many rejected attempts.
MOST_REJECTED = 3000
# Names of the scores on the pages, by their columns.
SCORE_NAMES = {
    "cut_score": "cut",
    "mean_abs_diff": "difference",
    "sharpness": "sharpness",
    "brightness": "brightness",
    "contrast": "contrast",
    "repeated_frames": "repeated frames",
}


@dataclass(frozen=True, slots=True)
class Region:
    """Where a crop lies in the picture of its window: shares of the active area's width and height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Crop:
    """A patch of a window.

    Attributes:
        category: Its category.
        format: Its format.
        colour: Number of the category's colour.
        row: Its row in the table.
        files: URL of each file of the triplet, by the columns of its kind.
        region: Where it lies in the window's picture; None where that is not known.
    """

    category: str
    format: str
    colour: int
    row: PatchRow
    files: Mapping[str, str]
    region: Region | None


@dataclass(frozen=True, slots=True)
class Score:
    """A measured value of a candidate, and whether it is why the candidate was rejected."""

    name: str
    value: float
    is_blamed: bool


@dataclass(frozen=True, slots=True)
class ShownCandidate:
    """A candidate, accepted or not.

    Attributes:
        window: Its number in the sequence.
        time_s: Seconds from the start of the film.
        reason: Name of the rule that rejected it, None where it was accepted.
        description: What is wrong, in a few words; the reason's name if no rule has it.
        picture: URL of its picture; empty where there is none.
        pictured_frames: How many frames stand side by side in it.
        is_coarse: Whether the picture is only the few grey pixels of the table.
        scores: What was measured.
        crops: The patches made of it.
        exclusion: Whether it is excluded by hand; None where it is no window.
    """

    window: int
    time_s: float
    reason: str | None
    description: str
    picture: str
    pictured_frames: int
    is_coarse: bool
    scores: tuple[Score, ...]
    crops: tuple[Crop, ...]
    exclusion: Exclusion | None


@dataclass(frozen=True, slots=True)
class CategoryShare:
    """What a category has of the video, and the scores of it."""

    name: str
    colour: int
    patches: int
    target: int
    size_bytes: int
    formats: Mapping[str, int]
    is_unfinished: bool
    scores: CategoryScores


@dataclass(frozen=True, slots=True)
class VideoPage:
    """Everything on a video's page.

    Attributes:
        key: The video's key.
        name: Its name.
        row: Its row in the videos table; None where it was not probed.
        failure: Why its last run failed; None if it did not.
        windows_target: Windows asked for.
        shortfall: Why it gave fewer windows than were asked for; empty where it did not.
        is_unfinished: Whether a table is unfinished.
        accepted: The windows, by number.
        excluded: Windows that the last run left out because a user excluded them, by number.
        excluded_ranges: Ranges of time that the configuration excludes, as they are written.
        rejected: The rejected candidates, by number; at most `MOST_REJECTED`, spread evenly.
        reasons: Rejected candidates by reason, the most frequent first.
        categories: The categories that want something of it, or have.
        formats: Patches by format.
        pictures: File names of all its pictures that belong to a candidate.
        cover: File name of the picture with the most to see, empty where there is none.
    """

    key: str
    name: str
    row: VideoRow | None
    failure: Failure | None
    windows_target: int
    shortfall: str
    is_unfinished: bool
    accepted: tuple[ShownCandidate, ...]
    excluded: tuple[ShownCandidate, ...]
    excluded_ranges: tuple[str, ...]
    rejected: tuple[ShownCandidate, ...]
    reasons: Mapping[str, int]
    categories: tuple[CategoryShare, ...]
    formats: Mapping[str, int]
    pictures: Collection[str]
    cover: str

    @property
    def holds(self) -> str:
        """What the film holds, where that is less than its coded size; else empty."""
        return what_it_holds(self.row) if self.row else ""

    @property
    def candidates(self) -> int:
        """Candidates that were tried, accepted or not."""
        return len(self.accepted) + sum(self.reasons.values())

    @property
    def to_exclude(self) -> int:
        """Windows that the next run excludes."""
        return _in_state(self.accepted, "to_exclude")

    @property
    def to_bring_back(self) -> int:
        """Windows that the next run makes again."""
        return _in_state(self.excluded, "to_bring_back")

    @property
    def patches(self) -> int:
        """Patches of all categories."""
        return sum(category.patches for category in self.categories)

    @property
    def size_bytes(self) -> int:
        """Bytes of all triplets."""
        return sum(category.size_bytes for category in self.categories)


def _in_state(candidates: Sequence[ShownCandidate], state: str) -> int:
    return sum(each.exclusion is not None and each.exclusion.state == state for each in candidates)


def page_of(key: str) -> str:
    """Return a video's page, relative to the gallery's folder."""
    return f"videos/{key}.html"


def file_url(path: str, to_data_set: str = TO_DATA_SET) -> str:
    """Return the URL of a file, relative to a page.

    Args:
        path: Relative to the data set's folder, with `/` between its parts.
        to_data_set: From the page to the data set's folder; from a video's page by default.
    """
    return to_data_set + quote(path, safe="/=")


def category_order(settings: Settings, names: Collection[str]) -> list[str]:
    """Return categories in the configuration's order, removed ones last; the position gives the colour."""
    return [*settings.categories, *sorted(set(names) - settings.categories.keys())]


def read_video_page(settings: Settings, data_set: DataSet, key: str) -> VideoPage:
    """Read what is to be shown of a video.

    Raises:
        DatasetAssetsError: A table is damaged, from a newer release, or cannot be read.
    """
    row = data_set.tables.read_video(key)
    records = data_set.tables.read_footer(data_set.tables.windows_path(key))
    footer = records[0] if records else None
    rows = data_set.tables.read_windows(key)
    entry = next((entry for entry in settings.videos if entry.key == key), None)
    exclusions = ExclusionStates(entry, row, footer, data_set.excluded_windows.read(key))
    reader = _Reader(data_set, key, row, footer, exclusions)
    crops: dict[int, list[Crop]] = {}
    shares = []
    completions = _completions(settings, data_set, key)
    for colour, category in enumerate(category_order(settings, data_set.tables.categories())):
        of_patches = data_set.tables.read_footer(data_set.tables.patches_path(category, key))
        if of_patches is None:
            continue
        made, counts = of_patches
        patches = data_set.tables.read_patches(category, key)
        for patch in patches:
            crops.setdefault(patch.window, []).append(reader.crop(category, colour, patch))
        if patches or made.target:
            target = patches_target(made, counts)
            if category in completions:
                target = completions[category].target
            scores = scores_of(settings, data_set, key, category, colour)
            shares.append(_share(category, colour, patches, made, target, scores))
    accepted = [(each, reader.candidate(each, crops.get(each.window, []))) for each in rows if each.accepted]
    rejected = [each for each in rows if each.is_tried and not each.accepted]
    excluded = [each for each in rows if each.reason == EXCLUDED and each.pts]
    reasons = Counter(each.reason or "" for each in rejected)
    formats: Counter[str] = Counter()
    for share in shares:
        formats.update(share.formats)
    return VideoPage(
        key=key,
        name=row.name if row else _configured_name(settings, key),
        row=row,
        failure=data_set.failures.read_one(key),
        windows_target=completions[WINDOWS].target if completions else footer.target if footer else 0,
        shortfall=shortfall(*records) if records else "",
        is_unfinished=any(share.is_unfinished for share in shares) or bool(footer and not footer.complete),
        accepted=tuple(candidate for _, candidate in accepted),
        excluded=tuple(reader.candidate(each, []) for each in excluded),
        excluded_ranges=tuple(entry.exclude) if entry else (),
        rejected=tuple(reader.candidate(each, []) for each in _spread(rejected)),
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        categories=tuple(shares),
        formats={name: formats[name] for name in _format_order(settings, formats)},
        pictures=frozenset(name for each in rows if (name := reader.picture_name(each))),
        cover=_cover([row for row, candidate in accepted if not candidate.is_coarse], reader),
    )


class _Reader:
    """Makes candidates and crops of rows."""

    def __init__(
        self,
        data_set: DataSet,
        key: str,
        video: VideoRow | None,
        windows: Provenance | None,
        exclusions: ExclusionStates,
    ) -> None:
        self._exclusions = exclusions
        self._pictures = data_set.pictures(key)
        self._folder_url = file_url(data_set.relative(self._pictures.folder).as_posix())
        self._fingerprint = windows.source_fingerprint if windows else None
        # A film that was replaced and probed again has another picture than its windows, until they are made.
        is_same = (
            video is not None
            and self._fingerprint is not None
            and video.source_fingerprint.has_same_content(self._fingerprint)
        )
        self._video = video if is_same else None

    def picture_name(self, row: WindowRow) -> str | None:
        return picture_name(self._fingerprint, row.pts, row.reason) if self._fingerprint else None

    def candidate(self, row: WindowRow, crops: Sequence[Crop]) -> ShownCandidate:
        name = self.picture_name(row)
        picture = f"{self._folder_url}/{name}" if self._pictures.find(name) else ""
        is_coarse = not picture and row.signature is not None
        rule = rule_named(row.reason)
        return ShownCandidate(
            window=row.window,
            time_s=row.time_s,
            reason=row.reason,
            description=rule.description if rule else row.reason or "",
            picture=self._coarse_picture(row.signature or b"") if is_coarse else picture,
            pictured_frames=len(rule.shown_frames if rule and picture else SHOWN_FRAMES),
            is_coarse=is_coarse,
            scores=_scores(row),
            crops=tuple(crops),
            exclusion=self._exclusions.of(row),
        )

    def crop(self, category: str, colour: int, row: PatchRow) -> Crop:
        return Crop(
            category=category,
            format=row.format,
            colour=colour,
            row=row,
            files={file.kind.column: file_url(file.path) for file in row.files},
            region=self._region(row),
        )

    def _region(self, row: PatchRow) -> Region | None:
        video = self._video
        if video is None:
            return None
        width, height = video.active_width, video.active_height
        return Region(
            (row.x - video.active_x) / width,
            (row.y - video.active_y) / height,
            row.width / width,
            row.height / height,
        )

    def _coarse_picture(self, signature: bytes) -> str:
        """Return the thumbnail in the windows table as a data URI, for a window whose picture is gone."""
        luma = np.frombuffer(signature, np.uint8).reshape(SIGNATURE_HEIGHT, SIGNATURE_WIDTH)
        upright = np.rot90(luma, -(self._video.rotation if self._video else 0) // 90)
        _, encoded = cv2.imencode(".png", np.ascontiguousarray(upright))
        return f"data:image/png;base64,{base64.b64encode(encoded.tobytes()).decode()}"


def _scores(row: WindowRow) -> tuple[Score, ...]:
    rule = rule_named(row.reason)
    blamed = rule.blamed if rule else ()
    measured = {column: getattr(row, column) for column in SCORE_NAMES}
    return tuple(
        Score(SCORE_NAMES[column], value, column in blamed)
        for column, value in measured.items()
        if value is not None
    )


def _completions(settings: Settings, data_set: DataSet, key: str) -> Mapping[str, Completion]:
    """Return how far a video has come; nothing where it is not in the configuration any more."""
    entry = next((entry for entry in settings.videos if entry.key == key), None)
    if entry is None:
        return {}
    return data_set.completions(settings, entry, data_set.statuses(settings, entry))


def _share(
    name: str,
    colour: int,
    patches: Sequence[PatchRow],
    made: Provenance,
    target: int,
    scores: CategoryScores,
) -> CategoryShare:
    return CategoryShare(
        name=name,
        colour=colour,
        patches=len(patches),
        target=target,
        size_bytes=sum(patch.size_bytes for patch in patches),
        formats=Counter(patch.format for patch in patches),
        is_unfinished=not made.complete,
        scores=scores,
    )


def _cover(rows: Sequence[WindowRow], reader: _Reader) -> str:
    best = max(rows, key=lambda row: (row.contrast or 0) * (row.sharpness or 0), default=None)
    return (reader.picture_name(best) or "") if best else ""


def _spread(rows: Sequence[WindowRow]) -> list[WindowRow]:
    """At most `MOST_REJECTED` of the rows, evenly."""
    step = max(1.0, len(rows) / MOST_REJECTED)
    return [rows[int(index * step)] for index in range(min(len(rows), MOST_REJECTED))]


def _format_order(settings: Settings, names: Collection[str]) -> list[str]:
    known = [name for name in settings.formats if name in names]
    return [*known, *sorted(set(names) - settings.formats.keys())]


def _configured_name(settings: Settings, key: str) -> str:
    return next((entry.name for entry in settings.videos if entry.key == key), key)
