"""The routes of InsightFace Server, but for those of monitors."""

from litestar import Router

from facecv.entrypoints.compat.insightface_server import (
    collections,
    faces,
    persons,
    samples,
    system,
)
from facecv.entrypoints.compat.insightface_server.errors import HANDLERS


def router(prefix: str) -> Router:
    """Return all routes, below a prefix and ``/v1``."""
    handlers = [
        *(system.health, system.system, system.models),
        *(faces.detect, faces.compare, faces.embeddings),
        *(collections.create, collections.collections, collections.collection_of),
        *(collections.change, collections.remove, collections.search),
        *(persons.enrol, persons.persons, persons.person_of, persons.change, persons.remove),
        *(samples.add, samples.faces, samples.remove, samples.image),
    ]
    return Router(
        f"{prefix}/v1",
        route_handlers=handlers,
        exception_handlers=HANDLERS,
        include_in_schema=False,
    )
