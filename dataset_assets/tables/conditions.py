"""Conditions in DuckDB's SQL over what the tables know of a patch: parsed, checked, and evaluated.

Here: which columns a condition sees, the clauses that it is made of, and its value for rows that are given.
Not here: which rows these are (`dataset`), and where conditions are written (`config`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Literal

import pyarrow as pa

from dataset_assets.tables.schemas import PATCHES, SCORES, VIDEOS, WINDOWS

if TYPE_CHECKING:
    import duckdb

Source = Literal["patches", "windows", "scores", "duplicates", "films"]

_OF_SCORES_TABLE: Final = frozenset({"patch_id", "window", "gt_hash", "lr_hash", "scores_version"})
ID: Final = pa.field("id", pa.int64())
_KEY: Final = pa.field("video", pa.string())
_CATEGORY: Final = pa.field("category", pa.string())

SOURCES: Final[Mapping[Source, pa.Schema]] = {
    "patches": pa.schema([_KEY, _CATEGORY, *PATCHES]),
    "windows": pa.schema([field for field in WINDOWS if field.name != "window"]),
    "scores": pa.schema([field for field in SCORES if field.name not in _OF_SCORES_TABLE]),
    "duplicates": pa.schema([pa.field("duplicate_of", pa.string())]),
    "films": VIDEOS,
}
"""What a condition sees, by where it is: those of the videos table as `film.<column>`.

`duplicate_of` is `<video>:<window>` of the earlier window that shows the same; null where there is none.
"""

KEYS: Final[Mapping[Source, tuple[pa.Field, ...]]] = {
    "patches": (ID, _KEY, _CATEGORY, pa.field("window", pa.int32())),
    "windows": (_KEY, pa.field("window", pa.int32())),
    "scores": (ID,),
    "duplicates": (ID,),
    "films": (_KEY,),
}
"""The columns by which rows of the sources belong together; `id` is the caller's."""

# A patch has no column of its film's name, so that `width` is its own and `film.width` the film's.
_FILM: Final = "film"
# Two exports by the same condition have to be the same.
_VOLATILE: Final = ("gen_random_uuid", "nextval", "random", "uuid", "uuidv4", "uuidv7")
_FROM: Final = """
    FROM patches
    LEFT JOIN windows USING (video, "window")
    LEFT JOIN (SELECT video, films AS film FROM films) USING (video)
    LEFT JOIN scores USING (id)
    LEFT JOIN duplicates USING (id)
"""


class ConditionError(ValueError):
    """A text is no condition.

    Attributes:
        why: What is wrong, in one line.
        unknown: The column that there is not; None where something else is wrong.
    """

    def __init__(self, why: str, unknown: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.unknown = unknown


@dataclass(frozen=True, slots=True)
class Limit:
    """A column that a clause compares with a number.

    Attributes:
        column: The column, as a condition writes it.
        value: The number.
    """

    column: str
    value: float


@dataclass(frozen=True, slots=True)
class Clause:
    """One of the conditions that all have to be met.

    Attributes:
        text: It, in DuckDB's SQL.
        limit: What it compares with what, where it does no more than that.
    """

    text: str
    limit: Limit | None


class Condition:
    """A condition that can be parsed; its columns may be unknown.

    Attributes:
        text: It, as it was written.
    """

    def __init__(self, text: str) -> None:
        """Parse it.

        Raises:
            ConditionError: It cannot be parsed.
        """
        if not text.strip():
            raise ConditionError("it is empty")
        self.text = text
        with connected() as database:
            self._tree = _parsed(database, text)

    @cached_property
    def sees_all(self) -> bool:
        """Whether it may see more than the columns that it names: it has a subquery or a `*`."""
        return any(node.get("class") in ("SUBQUERY", "STAR") for node in _nodes(self._where))

    @cached_property
    def columns(self) -> Mapping[Source, tuple[str, ...]]:
        """The columns that it needs of each source; a source of which it needs none is left out."""
        if self.sees_all:
            return {source: tuple(schema.names) for source, schema in SOURCES.items()}
        named = {
            name.lower()
            for node in _nodes(self._where)
            if node.get("class") == "COLUMN_REF"
            for name in node["column_names"]
        }
        found: dict[Source, tuple[str, ...]] = {}
        for source, schema in SOURCES.items():
            if source != "films" or _FILM in named:
                found[source] = tuple(name for name in schema.names if name in named)
        return {source: names for source, names in found.items() if names}

    @property
    def names_score(self) -> bool:
        """Whether it depends on scores."""
        return "scores" in self.columns

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """The conditions that it joins by AND, in the order in which they are written."""
        with connected() as database:
            return tuple(self._clause(database, node) for node in _joined(self._where))

    def check(self) -> None:
        """Check that it is a condition over one patch.

        Raises:
            ConditionError: It names an unknown column, has the value of something else than a condition, or
                looks at other patches.
        """
        if self.sees_all:
            raise ConditionError("it has a subquery or a *, and a condition sees one patch at a time")
        with connected() as database:
            # One patch of which nothing is known: a constant of the wrong type is found where a row is met.
            _register(database, {"patches": pa.Table.from_pylist([{"id": 0}], _schema_of("patches"))})
            try:
                # The first refuses sums over rows, the second says what it gives.
                database.execute(f"SELECT id {_FROM} WHERE ({self.text}\n)").fetchall()
                kind = database.execute(f"SELECT ({self.text}\n) {_FROM}").description[0][1]
            except _duckdb_error() as error:
                unknown = self._unknown_column()
                why = _first_line(error) if unknown is None else f"there is no column {unknown}"
                raise ConditionError(why, unknown) from error
        if str(kind) != "BOOLEAN":
            raise ConditionError(f"it gives {kind}, and a condition is true or false")

    @property
    def _where(self) -> dict[str, Any]:
        where: dict[str, Any] = self._tree["statements"][0]["node"]["where_clause"]
        return where

    def _unknown_column(self) -> str | None:
        known = {*condition_columns(), _FILM}
        named = (node["column_names"] for node in _nodes(self._where) if node.get("class") == "COLUMN_REF")
        return next((name for names in named if (name := ".".join(names).lower()) not in known), None)

    def _clause(self, database: duckdb.DuckDBPyConnection, node: dict[str, Any]) -> Clause:
        text = self._written(database, node)
        sides = [node.get("left"), node.get("right")]
        columns = [side for side in sides if side and side.get("class") == "COLUMN_REF"]
        others = [side for side in sides if side and side.get("class") != "COLUMN_REF"]
        if node.get("class") != "COMPARISON" or len(columns) != 1 or len(others) != 1:
            return Clause(text, None)
        if any(each.get("class") in ("COLUMN_REF", "SUBQUERY") for each in _nodes(others[0])):
            return Clause(text, None)
        number = f"SELECT TRY_CAST(({self._written(database, others[0])}) AS DOUBLE)"
        try:
            ((value,),) = database.execute(number).fetchall()
        except _duckdb_error():
            return Clause(text, None)
        return Clause(
            text,
            None
            if value is None or not isfinite(value)
            else Limit(".".join(columns[0]["column_names"]), value),
        )

    def _written(self, database: duckdb.DuckDBPyConnection, node: dict[str, Any]) -> str:
        """Return a part of it as SQL, as DuckDB writes it."""
        tree = json.loads(json.dumps(self._tree))
        tree["statements"][0]["node"]["where_clause"] = node
        ((text,),) = database.execute("SELECT json_deserialize_sql(?::JSON)", [json.dumps(tree)]).fetchall()
        written = str(text).partition(" WHERE ")[2]
        return written[1:-1] if _is_enclosed(written) else written


def condition_columns() -> list[str]:
    """Return the names of all columns that a condition sees, as it writes them."""
    return [*sorted(_plain_columns()), *(f"{_FILM}.{name}" for name in SOURCES["films"].names)]


def evaluate(expressions: Sequence[str], sources: Mapping[Source, pa.Table]) -> list[pa.ChunkedArray]:
    """Return the values of each expression for the patches, in the order of their ids.

    Args:
        expressions: SQL over the columns.
        sources: The rows of each source with its `KEYS`; the patches at least. Columns that no expression
            names may be absent, and so may sources.

    Raises:
        ConditionError: An expression is not valid.
    """
    with connected() as database:
        _register(database, sources)
        shown = ", ".join(f"({each}\n) AS e{number}" for number, each in enumerate(expressions))
        try:
            table = database.sql(f"SELECT {shown} {_FROM} ORDER BY id").to_arrow_table()
        except _duckdb_error() as error:
            raise ConditionError(_first_line(error)) from error
    return list(table.columns)


@contextmanager
def connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection to a database in memory that reads no file; what is registered goes with it."""
    with _database(os.getpid()).cursor() as connection:
        yield connection


@cache
def _database(_process: int) -> duckdb.DuckDBPyConnection:
    """Return the database of this process: to open one takes 12 CPU ms, a connection to it 0.3."""
    import duckdb  # A third of a second of CPU time, which only a condition needs.

    database = duckdb.connect(config={"threads": 1})
    database.execute("SET enable_external_access = false")
    return database


def _register(database: duckdb.DuckDBPyConnection, sources: Mapping[Source, pa.Table]) -> None:
    """Register the rows of each source; one that is not given is empty and has all columns."""
    for source in SOURCES:
        database.register(source, sources.get(source) or _schema_of(source).empty_table())


def _schema_of(source: Source) -> pa.Schema:
    of_keys = {field.name for field in KEYS[source]}
    others = [field.with_nullable(True) for field in SOURCES[source] if field.name not in of_keys]
    return pa.schema([*KEYS[source], *others])


def _parsed(database: duckdb.DuckDBPyConnection, text: str) -> dict[str, Any]:
    # Alone too: within parentheses `a) OR (b` is valid.
    for query in (f"SELECT 1 WHERE {text}\n", f"SELECT 1 WHERE ({text}\n)"):
        ((tree,),) = database.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchall()
        parsed: dict[str, Any] = json.loads(tree)
        if parsed.get("error"):
            raise ConditionError(f"Parser Error: {_first_line(parsed['error_message'])}")
        if len(parsed["statements"]) != 1:
            raise ConditionError("it is more than one statement")
    for node in _nodes(parsed):
        if node.get("class") == "FUNCTION" and node["function_name"] in _VOLATILE:
            raise ConditionError(f"{node['function_name']}() gives another value each time")
    return parsed


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    """Iterate over the nodes of a part of a tree, itself among them."""
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _nodes(each)


def _joined(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if node.get("type") == "CONJUNCTION_AND":
        for child in node["children"]:
            yield from _joined(child)
    else:
        yield node


def _is_enclosed(text: str) -> bool:
    """Return whether the first bracket of a text is closed by its last character."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place == len(text) - 1 > 0
    return False


def _plain_columns() -> frozenset[str]:
    return frozenset(name for source, schema in SOURCES.items() if source != "films" for name in schema.names)


def _duckdb_error() -> type[Exception]:
    import duckdb

    return duckdb.Error


def _first_line(error: object) -> str:
    return str(error).strip().splitlines()[0]
