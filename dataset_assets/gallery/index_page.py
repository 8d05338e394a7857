"""What the index shows: a card for each video, and the totals of the data set.

Read from the tables' footers, so that the cost does not grow with their rows. Not here: HTML (`rendering`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from dataset_assets.config import Settings
from dataset_assets.curation import Census, PatchCounts
from dataset_assets.dataset import Completion, DataSet, Overview, Totals
from dataset_assets.errors import DatasetAssetsError
from dataset_assets.gallery.video_page import category_order

# A video's card shows the worst state of its tables; a stale table can still be used.
STATES = ("failed", "missing", "partial", "stale", "too_small", "unlisted", "short", "done")


@dataclass(frozen=True, slots=True)
class CategoryProgress:
    """How far a category has come with a video, and how many patches curation leaves out."""

    name: str
    colour: int
    patches: Completion
    left_out: int


@dataclass(frozen=True, slots=True)
class Card:
    """A video on the index.

    Attributes:
        key: The video's key.
        name: Its name.
        state: One of `STATES`; `unlisted` is a video that is not in the configuration any more.
        why: What is wrong if it failed, else why it is not done; empty if it is done.
        remedy: What to do about a failure; else empty.
        host: The machine that works on it; empty where nobody does, or one machine makes the data set.
        has_tables: Whether it has a page.
        windows: Accepted windows.
        windows_target: Windows wanted.
        candidates: Candidates that were tried, accepted or not.
        size_bytes: Bytes of its triplets.
        categories: The categories that want patches of it, or have some.
    """

    key: str
    name: str
    state: str
    why: str
    remedy: str
    host: str
    has_tables: bool
    windows: int
    windows_target: int
    candidates: int
    size_bytes: int
    categories: tuple[CategoryProgress, ...]


@dataclass(frozen=True, slots=True)
class IndexPage:
    """Everything on the index.

    Attributes:
        cards: One for each video that is configured or has tables; what needs a look first, then by key.
        states: Cards by state.
        categories: Cards by category.
        totals: Totals of the data set.
        curated: What curation leaves out of all patches.
        problems: One message for each table that cannot be read.
        has_validation: Whether patches were proposed for validation.
    """

    cards: tuple[Card, ...]
    states: Mapping[str, int]
    categories: Mapping[str, int]
    totals: Totals
    curated: PatchCounts
    problems: tuple[str, ...]
    has_validation: bool


def read_index_page(settings: Settings, data_set: DataSet, overview: Overview, census: Census) -> IndexPage:
    """Return what is to be shown of all videos."""
    stats = overview.stats
    order = category_order(settings, stats.categories["category"].tolist())
    rows = {str(row["video"]): row for row in stats.videos.to_dict("records")}
    made: dict[str, dict[str, int]] = defaultdict(dict)
    for each in stats.video_categories.to_dict("records"):
        made[each["video"]][each["category"]] = each["patches"]
    with_tables = set(data_set.tables.keys())
    configured = {entry.key: entry for entry in settings.videos}
    cards = []
    for key in {*rows, *configured}:
        entry = configured.get(key)
        state, why, remedy = _state(overview, key)
        row = rows.get(key, {})
        cards.append(
            Card(
                key=key,
                name=entry.name if entry else _recorded_name(data_set, key),
                state=state,
                why=why,
                remedy=remedy,
                host=overview.hosts.get(key, ""),
                has_tables=key in with_tables,
                windows=row.get("accepted", 0),
                windows_target=row.get("windows_target", 0),
                candidates=row.get("candidates", 0),
                size_bytes=row.get("size_bytes", 0),
                categories=_progress(overview, census, order, key, made.get(key, {})),
            )
        )
    cards.sort(key=lambda card: (card.state != "failed", card.key))
    return IndexPage(
        cards=tuple(cards),
        states=_counted(STATES, [[card.state] for card in cards]),
        categories=_counted(order, [[each.name for each in card.categories] for card in cards]),
        totals=stats.totals,
        curated=census.total,
        problems=tuple(stats.problems),
        has_validation=any(data_set.tables.validation_files().values()),
    )


def _progress(
    overview: Overview, census: Census, order: list[str], key: str, made: Mapping[str, int]
) -> tuple[CategoryProgress, ...]:
    found = []
    for colour, name in enumerate(order):
        of_patches = overview.completions.get(key, {}).get(name, Completion(stale=made.get(name, 0)))
        if of_patches != Completion():
            left_out = census.of(name, key).left_out
            found.append(CategoryProgress(name, colour, of_patches, left_out))
    return tuple(found)


def _state(overview: Overview, key: str) -> tuple[str, str, str]:
    """Return the state that a card shows, why, and the remedy of a failure."""
    state, why = overview.state(key)
    return state, why, overview.failures[key].remedy if state == "failed" else ""


def _recorded_name(data_set: DataSet, key: str) -> str:
    try:
        row = data_set.tables.read_video(key)
    except DatasetAssetsError:
        return key  # reported among the problems
    return row.name if row else key


def _counted(names: tuple[str, ...] | list[str], found: list[list[str]]) -> dict[str, int]:
    counts = {name: sum(name in each for each in found) for name in names}
    return {name: count for name, count in counts.items() if count}
