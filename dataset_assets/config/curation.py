"""`curation` of a configuration: which patches of a category are worth training on, by an SQL condition.

Belongs here: the conditions by default, and what is wrong with one that a file holds. Not here: what they see
and how they are evaluated (`tables.conditions`), and what is left out by them (`dataset`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from dataset_assets.config.keys import near_names

DEFAULT_CURATION: Final = "combing < 0.01 AND detail_db <= 60 AND duplicate_of IS NULL"
"""What is wrong in itself is left out, and what an earlier film shows too.

Combed is what the check `free_of_combs` reports, from 0.01 on. Above 60 dB LR lacks nothing of GT:
`detail_db` is absolute and reads 6 dB higher at half the contrast, so that 50 would leave out dark scenes
that have details.
"""

Curation = Mapping[str, str | None]
"""Conditions by category; None takes all patches of it. A category that is not listed has the default."""


def curation_of(curation: Curation, category: str) -> str | None:
    """Return the condition of a category; None where all of its patches are taken."""
    return curation.get(category, DEFAULT_CURATION)


def curation_mistakes(raw: object, categories: Iterable[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find what is wrong with the section.

    Args:
        raw: The section of a file; None where there is none.
        categories: Names of the categories.

    Yields:
        The place as a path of keys, and what is wrong there with its remedy.
    """
    if raw is None:
        return
    if not isinstance(raw, dict):
        yield (
            (),
            'does not fit; use a mapping of categories to conditions, such as {general: "detail_db < 50"}',
        )
        return
    known, seen = set(categories), set[str]()
    for written, condition in raw.items():
        name = written.lower()
        if name in seen:
            yield (written,), "is there in upper and in lower case; keep one of them"
        elif name not in known:
            yield (written,), f"no such category; {near_names(name, known)}"
        seen.add(name)
        if not (condition is None or isinstance(condition, str)):
            yield (written,), 'is no condition; use SQL in quotes, such as "detail_db < 50", or null for none'
        elif condition is not None and (mistake := mistake_in(condition)):
            yield (written,), mistake


def mistake_in(condition: str) -> str:
    """Return what is wrong with a condition over patches, with its remedy; empty where nothing is."""
    # Only where a file has one: pyarrow and DuckDB take half a second of CPU time.
    from dataset_assets.tables import Condition, ConditionError, condition_columns

    try:
        Condition(condition).check()
    except ConditionError as error:
        hint = "docs/tables.md lists the columns"
        if error.unknown is not None:
            hint = near_names(error.unknown, condition_columns())
        return f"{condition!r} is not valid: {error.why}; {hint}"
    return ""
