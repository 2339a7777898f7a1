"""The Python facade: `Engine` and the collections it opens."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import attrs

from facecv.core.arrays import Pixels
from facecv.core.embedding import Embedding
from facecv.core.errors import FaceNotFoundError
from facecv.core.face import Face
from facecv.core.gallery import Collection, Counts, FaceRecord, Identification, Metadata, Person
from facecv.core.image import Image, ImageSource
from facecv.core.ports.annotator import Label
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.enrol import Enroller, Enrolment, EnrolOptions
from facecv.core.services.find import FindOptions
from facecv.core.services.follow import default_threshold, following
from facecv.core.services.forget import Forgetter
from facecv.core.services.identify import Identifier, IdentifyOptions
from facecv.core.services.liveness import passing, wanted
from facecv.core.services.transfer import export_lines, import_lines
from facecv.core.services.verify import Verification, Verifier
from facecv.entrypoints.bootstrap import Parts, bootstrap, configure
from facecv.entrypoints.config import Config
from facecv.entrypoints.logging import stay_quiet

AnyImage = ImageSource | Image


@attrs.frozen(eq=False)
class Identified:
    """A face and who it is."""

    face: Face
    identification: Identification


@attrs.define(eq=False, repr=False)
class Engine:
    """Face detection, analysis, verification and galleries, wired from a configuration.

    Opening an engine loads no model: each loads when it is first needed. Safe to use from several
    threads. A picture may be a path, an http(s) URL, a data URI, base64 text, the bytes of a file,
    a BGR array, or an `Image`.

    Attributes:
        parts: what the engine is made of; `bootstrap` makes them.
    """

    parts: Parts

    @classmethod
    def open(
        cls,
        config: Config | str | Path | Mapping[str, Any] | None = None,
        /,
        **overrides: Any,  # noqa: ANN401 - keys of the configuration, validated there
    ) -> Self:
        """Return an engine.

        Args:
            config: a configuration, the path of a ``facecv.toml``, or a mapping like one; None:
                the file and environment that apply to this process.
            overrides: keys of the configuration that win, such as ``device="cpu"``,
                ``pack_dir="models"``, ``detection={"input_size": 320}``.

        Raises:
            ConfigurationError: a setting is unknown or has the wrong type.
            PluginError: a setting names something that no plugin registers.
        """
        stay_quiet()
        return cls(bootstrap(configure(config, overrides)))

    @property
    def config(self) -> Config:
        """The configuration the engine was made from."""
        return self.parts.config

    @property
    def analyser(self) -> Analyser:
        """What looks at pictures."""
        return self.parts.analyser

    def __repr__(self) -> str:
        return f"Engine(pack={self.parts.pack.name!r}, device={self.config.device!r})"

    def using(self, *, detector: str = "", embedder: str = "") -> Self:
        """Return this engine with other models (by name; empty: as now); nothing is copied.

        Collections keep the embedder of their space all the same.
        """
        analyser = self.analyser.using(detector=detector, embedder=embedder)
        return attrs.evolve(self, parts=attrs.evolve(self.parts, analyser=analyser))

    def read(self, image: AnyImage) -> Image:
        """Return a picture, decoded and upright."""
        return self.analyser.read(image)

    def detect(self, image: AnyImage, find: FindOptions | None = None) -> list[Face]:
        """Return the faces of a picture with their quality; loads no embedder."""
        return self.analyser.detect([self.read(image)], find)[0]

    def analyze(
        self, image: AnyImage, want: Want | None = None, find: FindOptions | None = None
    ) -> list[Face]:
        """Return the faces of a picture with embedding, quality and all attributes at hand."""
        return self.analyze_many([image], want, find)[0]

    def analyze_many(
        self, images: Sequence[AnyImage], want: Want | None = None, find: FindOptions | None = None
    ) -> list[list[Face]]:
        """Return the faces of each picture; all faces go through each network in one batch."""
        everything = want or Want(attributes=None)
        return self.analyser.analyse([self.read(image) for image in images], everything, find)

    def verify(
        self,
        one: AnyImage | Embedding,
        other: AnyImage | Embedding,
        *,
        find: FindOptions | None = None,
        threshold: float | None = None,
    ) -> Verification:
        """Return whether the largest faces of two pictures are the same person.

        An embedding that was computed before may stand for a picture.
        """
        left, right = (
            each if isinstance(each, Embedding) else self.read(each) for each in (one, other)
        )
        verifier = Verifier(self.analyser, self.config.recognition.threshold)
        return verifier.verify(left, right, find, threshold)

    def gallery(self, collection: str | None = None, /) -> "Gallery":
        """Return a collection of enrolled persons; it is made when somebody is enrolled."""
        return Gallery(self, self.parts.gallery.get(), collection or self.config.collection)

    def collections(self) -> list[Collection]:
        """Return all collections of the gallery."""
        return self.parts.gallery.get().collections()

    def draw(self, image: AnyImage, labels: Sequence[Label]) -> Pixels:
        """Return a copy of the picture, uint8 [H, W, 3] BGR, with `labels` drawn on it."""
        return self.parts.annotator.draw(self.read(image).pixels, labels)

    def close(self) -> None:
        """Close the gallery and the store of events. May be called twice."""
        if self.parts.events.loaded:
            self.parts.events.get().close()
        if self.parts.gallery.loaded:
            self.parts.gallery.get().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@attrs.frozen(eq=False)
class Gallery:
    """One collection of an engine's gallery.

    Attributes:
        engine: looks at the pictures.
        repo: keeps the faces.
        name: of the collection.
    """

    engine: Engine
    repo: GalleryRepo
    name: str

    def enroll(
        self,
        name: str,
        photos: AnyImage | Sequence[AnyImage],
        *,
        metadata: Metadata | None = None,
        skip_bad: bool = False,
        store_crops: bool = False,
    ) -> Enrolment:
        """Add the faces of `photos` to the person called `name`, who is made if new.

        All or nothing: raises an `InputError` and leaves nothing behind if a photo cannot be
        used, unless `skip_bad` is set.
        """
        many = list(photos) if isinstance(photos, list | tuple) else [cast("AnyImage", photos)]
        config = self.engine.config
        options = EnrolOptions(
            None, skip_bad, metadata or {}, store_crops, config.liveness.enrolment
        )
        return self.enroller().enrol(self.name, name, many, options)

    def enroller(self) -> Enroller:
        """Return what enrols, with all its options; the quality gate is that of the engine."""
        return Enroller(self.engine.analyser, self.repo, self.engine.config.quality)

    def identify(
        self,
        image: AnyImage,
        options: IdentifyOptions | None = None,
        find: FindOptions | None = None,
    ) -> list[Identified]:
        """Return every face of a picture with who it is; faces without landmarks are left out.

        The embedder is that of the collection's space, whatever the default is. Where the liveness
        gate is ``enforce``, faces that are not live are left out too.

        Raises:
            LivenessError: the gate lets none of the faces pass.
            ConfigurationError: the gate is on, but no attribute model gives liveness.
            ModelNotFoundError: no model at hand has that space; the hint says what to get.
        """
        picture = self.engine.read(image)

        gate = self.engine.config.liveness.identification
        want = wanted(Want(quality=False), gate, self.engine.analyser)

        def identify(analyser: Analyser) -> list[Identified]:
            faces = [face for face in analyser.analyse([picture], want, find)[0] if face.embedding]
            live = passing(faces, gate, picture.source or "the picture")
            return self.identify_faces(live, options)

        return following(self.name, self.engine.analyser, self.repo, identify)

    def identify_faces(
        self, faces: Sequence[Face], options: IdentifyOptions | None = None
    ) -> list[Identified]:
        """Return who faces are that were analysed before.

        Raises:
            FaceNotFoundError: a face has no embedding.
        """
        probes = [face.embedding for face in faces if face.embedding]
        if len(probes) != len(faces):
            raise FaceNotFoundError("a face without an embedding cannot be identified")
        who = self.identify_many(probes, options)
        return [Identified(face, answer) for face, answer in zip(faces, who, strict=True)]

    def identify_many(
        self, probes: Sequence[Embedding], options: IdentifyOptions | None = None
    ) -> list[Identification]:
        """Return who embeddings are that were computed before.

        Raises:
            EmbeddingSpaceError: they are of another model than the collection.
        """
        settings = self.engine.config.recognition
        options = options or IdentifyOptions(top_k=settings.top_k)
        threshold = settings.threshold
        if threshold is None:
            threshold = default_threshold(self.engine.analyser, self.info().space)
        meter = self.engine.analyser.meter
        identifier = Identifier(self.repo, threshold, settings.margin, meter)
        return identifier.identify(self.name, probes, options)

    def info(self) -> Collection:
        """Return the collection's own facts."""
        return self.repo.collection(self.name)

    def count(self) -> Counts:
        """Return how many persons and faces are enrolled."""
        return self.repo.count(self.name)

    def persons(self, name: str | None = None) -> list[Person]:
        """Return the persons, or those of one name."""
        return self.repo.persons(self.name, name=name)

    def faces(self, person_id: str | None = None) -> list[tuple[str, FaceRecord]]:
        """Return (person id, face) of a person or of all."""
        return list(self.repo.faces(self.name, person_id))

    def rename(self, person_id: str, name: str) -> Person:
        """Give a person another name; return the person as it is now."""
        changed = attrs.evolve(self.repo.person(self.name, person_id), name=name)
        self.repo.update_person(self.name, changed)
        return changed

    def delete_person(self, person_id: str) -> None:
        """Delete a person with all faces, and the events in which the person was seen."""
        self.forgetter().person(self.name, person_id)

    def delete_face(self, face_id: str) -> None:
        """Delete one face."""
        self.repo.delete_face(self.name, face_id)

    def delete(self) -> None:
        """Delete the collection with all persons, faces and events."""
        self.forgetter().collection(self.name)

    def forgetter(self) -> Forgetter:
        """Return what deletes persons and collections with their events."""
        return Forgetter(self.repo, self.engine.parts.events.get())

    def export(self) -> Iterator[str]:
        """Yield the collection as lines of JSON, embeddings included."""
        return export_lines(self.repo, self.name)

    def load(self, lines: Iterable[str]) -> Counts:
        """Add what `export` wrote, to what is there; return how much was added.

        Raises:
            InputError: a line is not of an export; nothing was added.
            EmbeddingSpaceError: the collection exists, in another space.
            AlreadyExistsError: a person or face of the export is already there.
        """
        return import_lines(self.repo, lines, collection=self.name, merge=True)
