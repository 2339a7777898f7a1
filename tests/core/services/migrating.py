"""A collection to migrate: faces of four random colours, and two embedders of colours."""

from collections.abc import Sequence

import attrs
import numpy as np

from facecv.core.arrays import Pixels
from facecv.core.embedding import Embedding, EmbeddingSpace
from facecv.core.errors import ModelNotFoundError
from facecv.core.gallery import Collection, FaceRecord, Person
from facecv.core.ports.embedder import Embedder
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.services.analyse import Analyser
from facecv.core.services.registry import Reference, Registry
from facecv.core.services.slot import Blueprint, Built
from tests.core.services import world
from tests.fakes.embedder import FakeEmbedder

OLD = FakeEmbedder(EmbeddingSpace("old", 12, "0" * 64, "fake-112"))
NEW = FakeEmbedder(EmbeddingSpace("new", 12, "1" * 64, "fake-112"))
_BOTH = {"old": OLD, "new": NEW}


def plan(reference: Reference) -> Blueprint[Embedder]:
    name = reference.model if isinstance(reference, EmbeddingSpace) else reference or "old"
    if name not in _BOTH:
        raise ModelNotFoundError(f"there is no model {name!r}")
    return Blueprint(name, lambda: Built(_BOTH[name]))


def analyser() -> Analyser:
    """Return an analyser whose default embedder is the old one."""
    return attrs.evolve(world.analyser(), embedder=Registry(plan))


def crop(number: int) -> Pixels:
    """Return a crop that no other number has."""
    colours = np.random.default_rng(number).integers(0, 255, (2, 2, 3), dtype=np.uint8)
    patches: Pixels = colours.repeat(56, axis=0).repeat(56, axis=1)
    return patches


def embedded(embedder: FakeEmbedder, pixels: Pixels) -> Embedding:
    """Return the embedding of a crop."""
    return Embedding(embedder.embed(pixels[None])[0][0], embedder.space)


def record(number: int, *, with_crop: bool = True) -> FaceRecord:
    pixels = crop(number)
    return FaceRecord(
        embedded(OLD, pixels),
        id=f"f{number:06}",
        source=f"{number}.jpg",
        quality=0.5,
        crop=pixels if with_crop else None,
    )


def fill(gallery: GalleryRepo, faces: Sequence[FaceRecord], each: int = 5) -> None:
    """Make the collection ``team`` of persons who have so many faces each."""
    gallery.create_collection(
        Collection("team", OLD.space, threshold=0.9, margin=0.01, store_crops=True)
    )
    with gallery.transaction():
        for first in range(0, len(faces), each):
            person = Person(f"Person {first}", id=f"p{first:06}", metadata={"number": first})
            gallery.add_person("team", person, faces[first : first + each])
