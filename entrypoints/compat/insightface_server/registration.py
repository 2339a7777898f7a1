"""From the photos of a request to faces in a collection, as InsightFace Server takes them in."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec
import numpy as np

from facecv.core.arrays import Floats
from facecv.core.embedding import Embedding
from facecv.core.errors import (
    EmbeddingSpaceError,
    GalleryError,
    InputError,
    KnownFaceError,
)
from facecv.core.gallery import Collection, FaceRecord, Person
from facecv.core.image import Image
from facecv.core.services.analyse import Want
from facecv.core.services.enrol import Enrolment, EnrolOptions
from facecv.core.services.find import FindOptions
from facecv.core.services.liveness import wanted
from facecv.core.services.photos import Photo, good_face
from facecv.entrypoints.api import Gallery
from facecv.entrypoints.compat.insightface_server.errors import reason_of
from facecv.entrypoints.compat.insightface_server.fields import PhotoFields, one_face
from facecv.entrypoints.compat.insightface_server.shapes import (
    contract_id,
    limits_of,
    profile_of,
    sample_body,
)
from facecv.entrypoints.http.bodies import Picture

_TOLERANCE = 2e-4
Good = Photo | FaceRecord


@attrs.frozen
class Registered:
    """What became of photos.

    Attributes:
        person: whose they are.
        faces: those that were enrolled.
        rejected: the photos that were not taken.
    """

    person: Person
    faces: list[dict[str, Any]]
    rejected: list[dict[str, Any]]


@attrs.frozen(eq=False)
class Registration:
    """Takes in the photos of one request.

    Attributes:
        gallery: of the collection.
        fields: how.
        collection: as it is now.
        find: which face of a photo counts.
    """

    gallery: Gallery
    fields: PhotoFields
    collection: Collection
    find: FindOptions

    @classmethod
    def of(cls, gallery: Gallery, fields: PhotoFields) -> "Registration":
        """Return the registration in a collection, with its own settings of detection."""
        collection = gallery.info()
        find = one_face(profile_of(collection), gallery.engine.analyser.find)
        return cls(gallery, fields, collection, find)

    def register(self, who: Person | str, pictures: Sequence[Picture]) -> Registered:
        """Enrol the good photos of a new person, or of the one with an id.

        Raises:
            InputError: no photo of a new person is good; nobody is enrolled.
            GalleryError: the collection, or the person, would have too many faces.
        """
        if not pictures:
            raise InputError("there are no photos in the field 'images'")
        looked = self._look_at(pictures)
        good = {n: item for n, item in enumerate(looked) if not isinstance(item, str)}
        reasons = {n: item for n, item in enumerate(looked) if isinstance(item, str)}
        done = self._keep(who, good, reasons) if good else None
        rejected = [
            {"index": n, "filename": pictures[n].name, "reason": reasons[n]}
            for n in sorted(reasons)
        ]
        if done is None and isinstance(who, Person):
            raise InputError("no photo can be enrolled", details={"rejected_images": rejected})
        person = done.person if done else self.gallery.repo.person(self.gallery.name, str(who))
        return Registered(person, self._faces(done), rejected)

    def _look_at(self, pictures: Sequence[Picture]) -> list[Good | str]:
        """Return each photo, or why it is not taken."""
        if self.fields.embedding_mode == "server":
            self._check_no_vectors()
            return [self._look(picture) for picture in pictures]
        vectors = self._vectors(len(pictures))
        return [self._look(*both) for both in zip(pictures, vectors, strict=True)]

    def _look(self, picture: Picture, vector: Any = None) -> Good | str:  # noqa: ANN401 - any JSON
        try:
            image = self.gallery.engine.read(picture.source)
            if self.fields.review_mode != "off" and self._count(image) > 1:
                return "multiple_faces"
            if self.fields.embedding_mode == "server":
                return Photo(image, picture.name)
            return self._trusted(image, picture.name, vector)
        except InputError as error:
            return reason_of(error)

    def _count(self, image: Image) -> int:
        """Return the number of faces, counting no further than two."""
        find, want = attrs.evolve(self.find, max_faces=2), Want(quality=False, embedding=False)
        return len(self.gallery.engine.analyser.analyse([image], want, find)[0])

    def _trusted(self, image: Image, name: str, given: Any) -> FaceRecord | str:  # noqa: ANN401
        """Return the face of a photo with the embedding that the client gives."""
        analyser = self.gallery.engine.analyser
        want = wanted(Want(embedding=False, crop=True), self._options.liveness, analyser)
        faces = analyser.analyse([image], want, self.find)[0]
        if not faces:
            return "face_not_found"
        vector = _unit(given, self.collection.space.dim)
        if vector is None:
            return "invalid_external_embedding"
        face = attrs.evolve(faces[0], embedding=Embedding(vector, self.collection.space))
        options = self._options
        return good_face([face], name, options.gate or "off", options.liveness).record

    def _keep(
        self, who: Person | str, good: Mapping[int, Good], reasons: dict[int, str]
    ) -> Enrolment | None:
        """Enrol good photos; add the reasons of those that are not enrolled after all."""
        self._check_room(who, len(good))
        try:
            done = self._enrol(who, list(good.values()))
        except (InputError, KnownFaceError) as error:
            reasons |= dict.fromkeys(good, reason_of(error))
            return None
        for number, photo in zip(good, done.photos, strict=True):
            if photo.error is not None:
                reasons[number] = reason_of(photo.error)
            elif photo.status == "known":
                reasons[number] = "duplicate_image"
        return done

    def _enrol(self, who: Person | str, good: Sequence[Good]) -> Enrolment:
        enroller, name, options = self.gallery.enroller(), self.gallery.name, self._options
        photos = [item for item in good if isinstance(item, Photo)]
        if photos and isinstance(who, Person):
            return enroller.enrol(name, who, photos, options, self.find)
        if photos:
            return enroller.add_photos(name, str(who), photos, options, self.find)
        faces = [item for item in good if isinstance(item, FaceRecord)]
        if isinstance(who, Person):
            return enroller.enrol_faces(name, who, faces, options)
        return enroller.add_faces(name, who, faces, options)

    @property
    def _options(self) -> EnrolOptions:
        return EnrolOptions(
            gate="off" if self.fields.review_mode == "off" else "standard",
            skip_bad=True,
            liveness=self.gallery.engine.config.liveness.enrolment,
            taken_name="allow",
            known_faces="refuse" if self.fields.review_mode == "strict" else "skip",
            new_collection=False,
        )

    def _check_room(self, who: Person | str, more: int) -> None:
        limits, rows = limits_of(self.collection), self.gallery.count().faces + more
        if rows > limits["capacity_rows"]:
            raise GalleryError(
                "the collection would have too many faces",
                details={"capacity_rows": limits["capacity_rows"], "requested_rows": rows},
            )
        faces = more + (0 if isinstance(who, Person) else len(self.gallery.faces(who)))
        if faces > limits["max_faces_per_person"]:
            raise GalleryError(
                "the person would have too many faces",
                details={"max_faces": limits["max_faces_per_person"], "requested_faces": faces},
            )

    def _check_no_vectors(self) -> None:
        if self.fields.external_embeddings or self.fields.embedding_contract_id:
            raise InputError("embeddings are taken with embedding_mode=external_trusted only")

    def _vectors(self, count: int) -> list[Any]:
        """Return what the client gives as embeddings, one a photo."""
        try:
            vectors = msgspec.json.decode(self.fields.external_embeddings or "")
        except msgspec.DecodeError as error:
            raise InputError("external_embeddings is not JSON") from error
        if not isinstance(vectors, list) or len(vectors) != count:
            raise InputError("external_embeddings must have one vector for each photo")
        expected = contract_id(self.collection.space)
        if self.fields.embedding_contract_id != expected:
            raise EmbeddingSpaceError(
                "these embeddings are not of the collection's space",
                details={"expected_embedding_contract_id": expected},
            )
        return vectors

    def _faces(self, done: Enrolment | None) -> list[dict[str, Any]]:
        if done is None:
            return []
        known = {face.id: face for _, face in self.gallery.faces(done.person.id)}
        new = [photo.face_id for photo in done.photos if photo.face_id in known]
        source = self.fields.embedding_mode
        return [
            sample_body(known[each], done.person.id) | {"embedding_source": source} for each in new
        ]


def _unit(given: Any, length: int) -> Floats | None:  # noqa: ANN401 - any JSON
    """Return a vector of length one that is one already, but for rounding; otherwise None."""
    try:
        vector = msgspec.convert(given, list[float])
    except msgspec.ValidationError:
        return None
    norm = float(np.linalg.norm(vector)) if len(vector) == length else 0.0
    if not abs(norm - 1) <= _TOLERANCE:
        return None
    return (np.asarray(vector) / norm).astype(np.float32)
