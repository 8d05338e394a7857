"""Pages as HTML: the templates, and how numbers and times are written in them.

All text from outside (names, paths, messages) is escaped by the templates' automatic escaping; nothing is
marked as safe. Not here: what a page shows (the modules `*_page`), and files (`site`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import escape

from dataset_assets import __version__
from dataset_assets.counting import counted
from dataset_assets.gallery.curation_page import ShownCategory
from dataset_assets.gallery.duplicates_page import DuplicatesPage
from dataset_assets.gallery.exclusion_states import STATE_TEXTS
from dataset_assets.gallery.index_page import IndexPage
from dataset_assets.gallery.patches_page import PatchesPage
from dataset_assets.gallery.scores_page import ScoresPage
from dataset_assets.gallery.validation_page import ValidationPage
from dataset_assets.gallery.video_page import VideoPage, page_of

# Colours that the style sheet has for categories; a seventh category starts again.
COLOURS = 6


def render_video_page(page: VideoPage, stamp: str) -> str:
    """Return a video's page.

    Args:
        page: What it shows.
        stamp: Identifies what it was made from, see `site`.
    """
    return _environment().get_template("video.html").render(page=page, stamp=stamp)


def render_patches_page(page: PatchesPage) -> str:
    """Return the page of all patches."""
    return _environment().get_template("patches.html").render(page=page)


def render_validation_page(page: ValidationPage) -> str:
    """Return the page of validation patches."""
    return _environment().get_template("validation.html").render(page=page)


def render_duplicates_page(page: DuplicatesPage) -> str:
    """Return the page of near-duplicates."""
    return _environment().get_template("duplicates.html").render(page=page)


def render_index_page(page: IndexPage, covers: frozenset[str]) -> str:
    """Return the index.

    Args:
        page: What it shows.
        covers: Keys of the videos that have a cover.
    """
    return _environment().get_template("index.html").render(page=page, covers=covers)


def render_scores_page(page: ScoresPage) -> str:
    """Return the page of scores."""
    return _environment().get_template("scores.html").render(page=page)


def render_curation_page(page: Sequence[ShownCategory]) -> str:
    """Return the page of a curation preview."""
    return _environment().get_template("curation.html").render(page=page)


def with_notice(page: bytes, notice: str) -> bytes:
    """Return a page with a line above everything else, about what is wrong while it is served.

    Args:
        page: A page of the gallery, as its file holds it.
        notice: The line, as plain text.
    """
    line = f'<p class="alert" role="alert">{escape(notice)}</p>\n'
    body = b"<body>\n"
    return page.replace(body, body + line.encode("utf-8", "backslashreplace"), 1)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dataset_assets.gallery"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clock": clock,
        "size": size,
        "percent": percent,
        "score": score,
        "counted": counted,
        "number": lambda value: f"{value:,}",
        "share": lambda value: f"{value:.4f}".rstrip("0").rstrip("."),
        "colour": lambda value: value % COLOURS,
    }
    environment.globals |= {"version": __version__, "page_of": page_of, "state_texts": STATE_TEXTS}
    return environment


def clock(time_s: float) -> str:
    """Return a time as h:mm:ss.s, without the hours where there are none."""
    tenths = round(time_s * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


def size(size_bytes: float) -> str:
    """Return bytes in the decimal unit that needs the fewest digits."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes / 1e3:.0f} kB"


def percent(part: float, total: float) -> str:
    """Return a share in percent, rounded; a dash if the total is 0."""
    return f"{100 * part / total:.0f}\u202f%" if total else "\u2013"


def score(value: float) -> str:
    """Return a score with its significant digits: two decimals below ten, none from a hundred on.

    Counts are integers.
    """
    if isinstance(value, int):
        return str(value)
    if value < 10:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"
