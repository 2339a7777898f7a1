"""One search: a projection for the vectors, the tables for everything else."""

import json
from collections.abc import Sequence
from functools import partial

import attrs
import numpy as np
from sqlite_utils import Database

from facecv.adapters.galleries.graph import FewFaces
from facecv.adapters.galleries.index import IndexView
from facecv.adapters.galleries.nearest import best_persons
from facecv.adapters.galleries.ranking import Hit, Keys, Rows, as_keys, merged
from facecv.adapters.galleries.sqlite import tables
from facecv.adapters.galleries.sqlite.filters import condition, few_persons, persons_between
from facecv.adapters.galleries.sqlite.projection import Projection, changes
from facecv.adapters.galleries.sqlite.rows import open_vectors
from facecv.adapters.galleries.sqlite.seal import Seal
from facecv.core.arrays import Floats
from facecv.core.embedding import Embedding, check_same_space
from facecv.core.gallery import Match, SearchQuery

_CANDIDATES = """
SELECT key, person, id, vector FROM faces WHERE key IN (SELECT value FROM json_each(?))
"""
_FEW_PERSONS = 20_000  # so many are listed, and their faces compared one by one
_BROAD_SHARE = 0.1  # of the candidates of a graph, where a filter lets more persons through


@attrs.frozen(eq=False)
class Search:
    """A search in the state that `db` sees.

    Attributes:
        db: the tables.
        projection: the faces.
        seal: what the vectors are closed with.
        query: whom to search.
        inside: whether `db` is inside a transaction that may have changed faces since.
    """

    db: Database
    projection: Projection
    seal: Seal
    query: SearchQuery
    inside: bool = False

    @property
    def found(self) -> tables.Found:
        """The collection."""
        return self.projection.found

    def matches(self, probes: Sequence[Embedding]) -> list[list[Match]]:
        """Return the matches of each probe."""
        for probe in probes:
            check_same_space(self.found.space, probe.space)
        if not probes:
            return []
        vectors = np.stack([probe.vector for probe in probes])
        few = None
        if self.query.narrows:
            few = few_persons(self.db, self.found, self.query, _FEW_PERSONS)
        hits = self._in_views(vectors, few)
        if self.projection.graph:
            hits = merged(hits, self._in_graph(vectors, few), self.query.top_k)
        return self._matches(hits)

    def _in_views(self, probes: Floats, few: Keys | None) -> list[list[Hit]]:
        """Search the faces that are not in the graph."""
        view = self.projection.view
        if not self.inside:
            return self._in_view(view, probes, few)
        fresh, removed = changes(self.db, self.projection, self.seal)
        hits = self._in_view(view.without(removed), probes, few)
        return merged(hits, self._in_view(fresh.view(), probes, few), self.query.top_k)

    def _in_view(self, view: IndexView, probes: Floats, few: Keys | None) -> list[list[Hit]]:
        """Search faces that are compared one by one."""
        if not len(view.faces):
            return [[] for _ in probes]
        persons = few
        if few is None and self.query.narrows:
            first, last = int(view.persons.min()), int(view.persons.max())
            persons = persons_between(self.db, self.found, self.query, first, last)
        query = self.query
        return view.search(probes, top_k=query.top_k, threshold=query.threshold, persons=persons)

    def _in_graph(self, probes: Floats, few: Keys | None) -> list[list[Hit]]:
        """Search the faces of the graph; with a filter, only as many as need be."""
        graph = self.projection.graph
        if graph is None:
            return []
        wanted = min(self.query.top_k, tables.persons_up_to(self.db, self.found, self.query.top_k))
        search = partial(
            best_persons,
            probes=probes,
            resolve=self._rows,
            top_k=wanted,
            threshold=self.query.threshold,
        )
        if few is not None:
            faces = tables.faces_of(self.db, few, self.projection.last_in_graph)
            return search(FewFaces(graph, faces))
        return search(graph, share=_BROAD_SHARE if self.query.narrows else 1.0)

    def _rows(self, faces: Keys) -> Rows:
        """Return those of some faces that are there and may be found, by rising key."""
        where, values = condition(self.found, self.query, "faces.person")
        rows = self.db.conn.execute(
            f"{_CANDIDATES} AND {where} ORDER BY key",
            [json.dumps(faces.tolist()), *values],
        ).fetchall()
        dim = self.found.space.dim
        vectors = [(face_id, vector) for *_, face_id, vector in rows]
        return Rows(
            as_keys(key for key, *_ in rows),
            as_keys(person for _, person, *_ in rows),
            open_vectors(vectors, dim, self.seal),
        )

    def _matches(self, found: list[list[Hit]]) -> list[list[Match]]:
        persons = tables.persons_by_key(self.db, (hit.person for hits in found for hit in hits))
        faces = tables.face_ids_by_key(self.db, (hit.face for hits in found for hit in hits))
        return [
            [Match(persons[hit.person], faces[hit.face], hit.similarity) for hit in hits]
            for hits in found
        ]
