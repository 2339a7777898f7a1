"""One search: a projection for the vectors, the tables for everything else."""

from collections.abc import Sequence

import numpy as np
from sqlite_utils import Database

from facecv.adapters.galleries.index import Hit, IndexView, Keys, merged
from facecv.adapters.galleries.sqlite import tables
from facecv.adapters.galleries.sqlite.projection import Projection, changes
from facecv.core.arrays import Floats
from facecv.core.embedding import Embedding, check_same_space
from facecv.core.gallery import Match, SearchQuery


def search(
    db: Database,
    found: tables.Found,
    projection: Projection,
    probes: Sequence[Embedding],
    query: SearchQuery,
) -> list[list[Match]]:
    """Return the matches of each probe in the state that `db` sees.

    Where `db` is inside a transaction, that is the projection and what came after it.
    """
    for probe in probes:
        check_same_space(found.collection.space, probe.space)
    if not probes:
        return []
    vectors = np.stack([probe.vector for probe in probes])
    persons = np.array(tables.accepted_persons(db, found, query), np.int64) if query.where else None
    fresh, removed = changes(db, projection)
    hits = _search_view(projection.view.without(removed), vectors, query, persons)
    if len(fresh):
        more = _search_view(fresh.view(), vectors, query, persons)
        hits = merged(hits, more, query.top_k)
    return _matches(db, hits)


def _search_view(
    view: IndexView, probes: Floats, query: SearchQuery, persons: Keys | None
) -> list[list[Hit]]:
    return view.search(probes, top_k=query.top_k, threshold=query.threshold, persons=persons)


def _matches(db: Database, found: list[list[Hit]]) -> list[list[Match]]:
    persons = tables.persons_by_key(db, (hit.person for hits in found for hit in hits))
    faces = tables.face_ids_by_key(db, (hit.face for hits in found for hit in hits))
    return [
        [Match(persons[hit.person], faces[hit.face], hit.similarity) for hit in hits]
        for hits in found
    ]
