"""Which persons a search may find, told without reading all of them."""

import json
from collections.abc import Sequence

from sqlite_utils import Database

from facecv.adapters.galleries.ranking import Keys, as_keys
from facecv.adapters.galleries.sqlite.rows import fact_rows
from facecv.adapters.galleries.sqlite.tables import Found
from facecv.core.gallery import SearchQuery

_WITH_FACT = "SELECT person AS key FROM facts WHERE collection = ? AND name = ? AND value = ?"
_WITH_ID = "SELECT key FROM persons WHERE collection = ? AND id IN (SELECT value FROM json_each(?))"

_COUNT = "SELECT count(*) FROM"
_KEYS = "SELECT key FROM"

Clause = tuple[str, Sequence[object]]
"""A piece of SQL and its values."""


def few_persons(db: Database, found: Found, query: SearchQuery, limit: int) -> Keys | None:
    """Return the keys of the persons that a query accepts; None if they may exceed `limit`."""
    counts = []
    for sql, values in _sources(found, query):
        counted = db.execute(f"{_COUNT} ({sql} LIMIT ?)", [*values, limit + 1])
        counts.append((int(counted.fetchone()[0]), sql, values))
    count, sql, values = min(counts, key=lambda counted: counted[0])
    return None if count > limit else _accepted(db, found, query, (sql, values))


def persons_between(db: Database, found: Found, query: SearchQuery, first: int, last: int) -> Keys:
    """Return the keys of the persons that a query accepts, of those from `first` to `last`."""
    between = "SELECT key FROM persons WHERE collection = ? AND key BETWEEN ? AND ?"
    return _accepted(db, found, query, (between, [found.key, first, last]))


def condition(found: Found, query: SearchQuery, person: str) -> Clause:
    """Return SQL that is true if a query accepts the person whose key is `person`.

    That is a column with the name of its table: facts have a column ``person`` of their own.
    """
    parts, values = ["1"], []
    for name, value in fact_rows(query.where):
        parts.append(f"EXISTS ({_WITH_FACT} AND person = {person})")
        values += [found.key, name, value]
    if query.persons is not None:
        parts.append(f"{person} IN ({_WITH_ID})")
        values += [found.key, json.dumps(sorted(query.persons))]
    return " AND ".join(parts), values


def _sources(found: Found, query: SearchQuery) -> list[Clause]:
    """Return ways to list persons, each of which lists all that a query accepts."""
    facts: list[Clause] = [(_WITH_FACT, [found.key, *fact]) for fact in fact_rows(query.where)]
    if query.persons is not None:
        facts.append((_WITH_ID, [found.key, json.dumps(sorted(query.persons))]))
    return facts


def _accepted(db: Database, found: Found, query: SearchQuery, source: Clause) -> Keys:
    listed, values = source
    sql, more = condition(found, query, "listed.key")
    chosen = db.execute(f"{_KEYS} ({listed}) AS listed WHERE {sql}", [*values, *more])
    return as_keys(key for (key,) in chosen)
