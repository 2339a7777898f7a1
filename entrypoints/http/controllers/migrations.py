"""Moving a collection to another model, as a job."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import Controller, Response, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from facecv.core.services.jobs import Tell
from facecv.core.services.migrate import MigrateOptions, Migration, Migrator
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.job_shapes import JobAnswer, JobShape, ProgressShape
from facecv.entrypoints.http.jobs import begin
from facecv.entrypoints.http.openapi import operation
from facecv.entrypoints.http.packs import check_reference
from facecv.entrypoints.http.service import ServiceParam

CollectionName = Annotated[str, PathParameter(description="Name of a collection.")]
_START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
_JOB = JobShape(
    "8f3a2b1c0d9e8f7a6b5c4d3e",
    "migrate",
    "running",
    ProgressShape(640, 10_000, "staff"),
    created=_START,
    started=_START,
)


class MigrateFields(msgspec.Struct, forbid_unknown_fields=True):
    """Where the collection moves.

    Attributes:
        model: name of an embedder, or `PACK/MODEL`.
        drop_without_crop: leave faces behind whose crop was not stored; otherwise they stop it.
    """

    model: Annotated[str, Meta(min_length=1, max_length=300)]
    drop_without_crop: bool = False


class MigrationController(Controller):
    """Collections follow their model: they change it only so."""

    tags = ("Collections",)

    @post(
        "/collections/{collection:str}/migrate",
        status_code=202,
        guards=[requires("admin")],
        operation_class=operation(
            JobAnswer("a1", _JOB),
            errors=(404,),
            body_example=MigrateFields("buffalo_l/w600k_r50"),
        ),
    )
    async def migrate(
        self,
        request: AnyRequest,
        service: ServiceParam,
        collection: CollectionName,
        data: JSONBody[MigrateFields],
    ) -> Response[JobAnswer]:
        """Embed the faces of a collection anew with another model, from their stored crops.

        A job: searches go on with the old model until the new embeddings are complete, then all
        switch at once. One that was stopped goes on where it was when it is asked for again.
        """
        engine = service.engine
        check_reference(engine, data.model)
        await service.run(request, lambda: engine.gallery(collection).info())
        options = MigrateOptions(data.drop_without_crop)
        return begin(
            request,
            service,
            "migrate",
            lambda tell: _migrate(engine, collection, data.model, options, tell),
        )


def _migrate(
    engine: Engine, collection: str, model: str, options: MigrateOptions, tell: Tell
) -> dict[str, object]:
    migrator = Migrator(engine.analyser, engine.gallery(collection).repo)
    done = migrator.migrate(
        collection, model, options, lambda done, total: tell(done, total, collection)
    )
    return _result(done)


def _result(done: Migration) -> dict[str, object]:
    return {
        "collection": done.collection.name,
        "from": str(done.before),
        "to": str(done.collection.space),
        "embedded": done.embedded,
        "dropped": [{"person_id": person, "face_id": face} for person, face in done.dropped],
        "dropped_threshold": done.threshold,
    }
