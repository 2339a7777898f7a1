"""Who is this? Searches in a collection, by picture or by embedding."""

from typing import Annotated, Literal

import attrs
import msgspec
from litestar import Controller, post
from msgspec import Meta

from facecv.core.errors import InputError
from facecv.core.services.find import FindOptions
from facecv.core.services.identify import IdentifyOptions
from facecv.entrypoints.api import Gallery
from facecv.entrypoints.http import examples
from facecv.entrypoints.http.access import requires
from facecv.entrypoints.http.bodies import read_form
from facecv.entrypoints.http.controllers.collections import CollectionName
from facecv.entrypoints.http.controllers.persons import EXAMPLE as PERSON
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.finding import FindFields
from facecv.entrypoints.http.gallery_shapes import (
    FoundShape,
    MatchShape,
    MetadataFields,
    found_shape,
)
from facecv.entrypoints.http.openapi import operation, picture_body
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import ServiceParam
from facecv.entrypoints.http.shapes import EmbeddingShape, ImageShape, face_shape, image_shape


class SearchFields(FindFields, kw_only=True):
    """How to search.

    Attributes:
        faces: which faces of the picture are searched.
        top_k: the most persons for each.
        threshold: the least similarity of a person; the collection's, or the model's, if left out.
        margin: the best two persons closer than this are ambiguous.
        where: only persons whose metadata has all these values; JSON in forms.
        embedding: what to search instead of a picture, in JSON.
    """

    faces: Literal["all", "largest"] = "all"
    top_k: Annotated[int, Meta(ge=1, le=1000)] | None = None
    threshold: Annotated[float, Meta(ge=-1, le=1)] | None = None
    margin: Annotated[float, Meta(ge=0, le=2)] | None = None
    where: MetadataFields = msgspec.field(default_factory=dict)
    embedding: EmbeddingShape | None = None

    def which(self, most: int) -> IdentifyOptions:
        """Return how to decide; `most` persons unless the request says how many."""
        return IdentifyOptions(self.top_k or most, self.threshold, self.margin, self.where)

    def faces_of(self, find: FindOptions) -> FindOptions:
        """Return `find`, narrowed to the largest face where only that is searched."""
        largest = attrs.evolve(find, max_faces=1, order="area")
        return largest if self.faces == "largest" else find


class Searched(msgspec.Struct):
    """Who the faces are.

    Attributes:
        request_id: as in the header X-Request-Id.
        image: size of the picture; null where an embedding was searched.
        results: one a face, in the order of detection; none where the picture has no face.
    """

    request_id: str
    image: ImageShape | None
    results: list[FoundShape]


_EXAMPLE = FoundShape(
    "match", PERSON, [MatchShape(PERSON, "5e2a", 0.71)], 0.35, 0.71, examples.DETECTED
)


class SearchController(Controller):
    """Searches in collections."""

    tags = ("Search",)

    @post(
        "/collections/{collection:str}/search",
        status_code=200,
        guards=[requires("read")],
        operation_class=operation(
            Searched("a1", examples.IMAGE, [_EXAMPLE]),
            errors=(404, 409, 413, 415),
            body=picture_body(SearchFields, ["image"], {"top_k": 3}),
            queries=SearchFields,
        ),
    )
    async def search(
        self, request: AnyRequest, service: ServiceParam, collection: CollectionName
    ) -> Searched:
        """Tell who the faces of a picture are, or whose an embedding is; never just the nearest.

        An embedding of another space than the collection's is refused with 409.
        """
        form = await read_form(request, SearchFields, ["image"], service.config)
        fields, gallery = form.fields, service.engine.gallery(collection)
        which = fields.which(service.engine.config.recognition.top_k)
        own = request_id(request.scope)
        if fields.embedding is not None:
            if form.pictures:
                raise InputError("give a picture or an embedding, not both")
            embedding = fields.embedding.value()
            (found,) = await service.run(request, lambda: gallery.identify_many([embedding], which))
            return Searched(own, None, [found_shape(found)])
        picture = form.picture("image")
        find = fields.faces_of(fields.options(service.engine.analyser.find, service.config.limits))
        return await service.run(
            request, lambda: _search(gallery, picture.source, which, find, own)
        )


def _search(
    gallery: Gallery, source: bytes | str, which: IdentifyOptions, find: FindOptions, own: str
) -> Searched:
    image = gallery.engine.read(source)
    results = []
    for each in gallery.identify(image, which, find):
        face = face_shape(attrs.evolve(each.face, embedding=None), image)
        results.append(found_shape(each.identification, face))
    return Searched(own, image_shape(image), results)
