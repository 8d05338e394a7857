"""Settings of automatic work: watched folders, nights, ended runs.

Belongs here: these models and their defaults. Not here: looking into folders (watch.py) and the schedules
themselves, which are Dagster's.
"""

from __future__ import annotations

import os
import re
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from croniter import CroniterBadDateError, croniter
from pydantic import AfterValidator, Field

from dataset_assets.config.fields import Strict, WatchedPath, Weights, mistake
from dataset_assets.config.films import Rule, fits
from dataset_assets.config.keys import near_names

# What each field of a cron expression is, with its least and greatest value.
_CRON_FIELDS: Final = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)
# croniter also reads its own letters for the last, the nearest or a random day; Dagster does not, or draws
# another day at each evaluation. Names of months and days have three letters.
_CRON_FIELD = re.compile(r"(?:[0-9*,/-]|[a-z]{3})+", re.IGNORECASE)


class WatchFolder(Strict):
    """A folder whose films are videos of the configuration, including films that are added later."""

    folder: WatchedPath = Field(
        description="The folder, with its subfolders; relative to the configuration file's folder, ~ is the "
        "home folder. If one watched folder is inside another, the inner one applies."
    )
    categories: Weights = Field(description="Weight of its films in each category, as in `videos`.")
    rules: dict[str, Weights] = Field(
        default_factory=dict,
        description="Other weights for films whose file name matches a shell pattern, such as "
        '`{"star*": {"space": 1.0}}`; the first match counts.',
    )
    exclude: list[str] = Field(
        default_factory=list,
        description="Shell patterns of films to skip, matched against the file name or the path inside the "
        'folder, such as `["*sample*", "Extras/*"]`.',
    )
    settled_after_s: float = Field(
        default=60.0,
        ge=0,
        description="Seconds for which a film must be unchanged before it counts as complete.",
    )

    def holds(self, film: Path) -> bool:
        """Return, by the text of the path alone, whether a film is in the folder or below it."""
        return film.is_relative_to(self.folder)

    def weights_of(self, film: Path) -> Mapping[str, float] | None:
        """Return the weights of a film of the folder; None if it is excluded."""
        inside = film.relative_to(self.folder).as_posix()
        if any(fits(film.name, pattern) or fits(inside, pattern) for pattern in self.exclude):
            return None
        rules = (Rule(pattern, weights) for pattern, weights in self.rules.items())
        return next((rule.weights for rule in rules if rule.matches(film)), self.categories)


def watching(watch: Iterable[WatchFolder], film: Path) -> WatchFolder | None:
    """Return the watched folder that applies to a film: the innermost that contains it."""
    holding = (each for each in watch if each.holds(film))
    return max(holding, key=lambda each: len(each.folder.parts), default=None)


def watch_contradictions(
    watch: Sequence[object], categories: Mapping[str, object]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find what is wrong between watched folders and the rest, as `models.contradictions` does."""
    owners: dict[str, int] = {}
    for index, entry in enumerate(watch):
        if not isinstance(entry, dict):
            continue
        folder = entry.get("folder")
        if isinstance(folder, str | Path) and str(folder):
            owner = owners.setdefault(os.path.normpath(folder), index)
            if owner != index:
                yield ("watch", index, "folder"), f"is the folder of watch[{owner}]; keep one of them"
        rules = entry.get("rules")
        given: list[tuple[tuple[str, ...], object]] = [(("categories",), entry.get("categories"))]
        if isinstance(rules, dict):
            given += [(("rules", pattern), weights) for pattern, weights in rules.items()]
        for place, weights in given:
            for category in weights if isinstance(weights, dict) else ():
                if str(category).lower() not in categories:
                    hint = near_names(str(category), categories)
                    yield ("watch", index, *place, category), f"no such category; {hint}"


def _cron(text: str) -> str:
    """Check that a cron expression has what every cron reads: five fields of numbers, names, `,-/`."""
    fields = text.split()
    if len(fields) != len(_CRON_FIELDS):
        raise mistake("is no cron expression of five fields; write such as 0 1 * * * (each night at one)")
    for index, (field, (name, low, high)) in enumerate(zip(fields, _CRON_FIELDS, strict=True)):
        alone = ["*"] * len(fields)
        alone[index] = field
        if not _CRON_FIELD.fullmatch(field) or not croniter.is_valid(" ".join(alone)):
            raise mistake(f"{field} is no {name}; use * or {low} to {high}, and , - / between them")
    _, _, day, month, _ = fields
    try:
        # Dagster refuses a day that never comes also where days of the week come beside it.
        croniter(f"0 0 {day} {month} *").get_next()
    except CroniterBadDateError:
        raise mistake(f"day {day} is in no month of {month}; use a day that comes") from None
    return " ".join(fields)


def _time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = near_names(name, zoneinfo.available_timezones())
        short = hint if hint.startswith("did") else "write such as Europe/Berlin"
        raise mistake(f"no such time zone; {short}") from None
    return name


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_right = False
    if not is_right or not text.isprintable() or not text.isascii() or " " in text:
        raise mistake("is no address that can be posted to; write one that begins with http:// or https://")
    return text


class Nightly(Strict):
    """What the schedule `nightly` requests, once it is switched on in the UI."""

    cron: Annotated[str, AfterValidator(_cron)] = Field(
        default="0 1 * * *",
        description="When, as minute, hour, day of the month, month and day of the week.",
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="UTC", description="The time zone of `cron`, such as `Europe/Berlin`."
    )
    max_videos_per_night: int = Field(
        default=20, ge=1, description="Runs that are requested at most, the largest films first."
    )


class EndedRuns(Strict):
    """What happens after runs."""

    webhook_url: Annotated[str, AfterValidator(_web_address)] | None = Field(
        default=None,
        description="Address (http or https) that each failed run is posted to as JSON, while the UI or its "
        "daemon runs.",
    )
    keep_days: int = Field(
        default=180,
        ge=1,
        description="Days for which the schedule `delete_old_runs`, once it is switched on in the UI, keeps "
        "the records of ended runs. The run that last materialised a partition is always kept.",
    )
