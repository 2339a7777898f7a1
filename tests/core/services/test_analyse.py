"""From pictures to faces."""

import numpy as np
import pytest

from facecv.core.arrays import Pixels
from facecv.core.errors import ImageNotFoundError, InputError
from facecv.core.image import Deferred, Image, ImageSource, Preview
from facecv.core.ports.detector import DetectorOptions
from facecv.core.ports.embedder import Embedder
from facecv.core.services.analyse import Want, largest
from facecv.core.services.find import FindOptions
from facecv.core.services.registry import Reference, Registry
from facecv.core.services.slot import Blueprint
from tests.core.services.world import (
    ALIGNED,
    BOXED,
    WorldAttributes,
    WorldDetector,
    WorldEmbedder,
    analyser,
    cosine,
    picture,
)

TWO = Image(picture((20, 20, 60, 10), (150, 50, 120, 90)))
NONE = Image(picture())
ONE = Image(picture((100, 100, 112, 40)))


def test_faces_of_many_pictures_come_back_in_order_and_in_one_batch() -> None:
    embedder = WorldEmbedder()
    found = analyser(embedder=embedder).analyse([TWO, NONE, ONE], Want())
    assert [len(faces) for faces in found] == [2, 0, 1]
    assert embedder.batches == [3]
    large, small = found[0]
    assert large.box.width > small.box.width
    assert large.embedding
    assert small.embedding
    assert large.embedding.cosine(small.embedding) == pytest.approx(cosine(10, 90), abs=1e-4)
    assert large.embedding.norm == 7
    assert large.quality is not None


def test_no_face_is_an_empty_list_and_asks_no_embedder() -> None:
    embedder = WorldEmbedder()
    assert analyser(embedder=embedder).analyse([NONE], Want(attributes=None)) == [[]]
    assert analyser(embedder=embedder).analyse([], Want()) == []
    assert embedder.batches == []


def test_detecting_loads_no_embedder() -> None:
    looking = analyser()

    def fail(_: Reference) -> Blueprint[Embedder]:
        raise AssertionError

    looking.embedder = Registry(fail)
    (face,) = looking.detect([ONE])[0]
    assert face.embedding is None
    assert face.quality is not None
    assert face.crop is None


def test_crops_are_kept_when_asked_for() -> None:
    (face,) = analyser().analyse([ONE], Want(crop=True, quality=False))[0]
    assert face.crop is not None
    assert face.crop.shape == (112, 112, 3)
    assert face.quality is None


def test_faces_without_landmarks_have_no_embedding() -> None:
    (face,) = analyser(detector=WorldDetector(landmarks=False)).analyse([ONE], Want(crop=True))[0]
    assert (face.embedding, face.quality, face.crop) == (None, None, None)


def test_options_reach_the_search_for_faces() -> None:
    (faces,) = analyser().analyse([TWO], Want(), FindOptions(max_faces=1))
    assert len(faces) == 1


class TestAttributes:
    """Attribute models run when they are asked for, each once a batch."""

    def test_all_or_named_or_none(self) -> None:
        models = [WorldAttributes("aligned", ALIGNED), WorldAttributes("boxed", BOXED)]
        looking = analyser(attributes=models)
        (face,) = looking.analyse([ONE], Want(attributes=None))[0]
        assert {name: value.value for name, value in face.attributes.items()} == {
            "aligned": 40,
            "boxed": 40,
        }
        (face,) = looking.analyse([ONE], Want(attributes=frozenset({"boxed"})))[0]
        assert set(face.attributes) == {"boxed"}
        (face,) = looking.analyse([ONE], Want())[0]
        assert face.attributes == {}
        assert [model.batches for model in models] == [[1], [1, 1]]

    def test_all_faces_in_one_batch(self) -> None:
        model = WorldAttributes("boxed", BOXED)
        found = analyser(attributes=[model]).analyse([TWO, ONE], Want(attributes=None))
        assert model.batches == [3]
        assert [face.attributes["boxed"].value for faces in found for face in faces] == [90, 10, 40]

    def test_faces_without_landmarks_still_have_those_of_their_box(self) -> None:
        models = [WorldAttributes("aligned", ALIGNED), WorldAttributes("boxed", BOXED)]
        looking = analyser(detector=WorldDetector(landmarks=False), attributes=models)
        (face,) = looking.analyse([ONE], Want(attributes=None))[0]
        assert set(face.attributes) == {"boxed"}


def test_aligned_crops_of_the_wrong_size_are_refused() -> None:
    with pytest.raises(InputError, match="N, 112, 112, 3"):
        analyser().embed_crops(np.zeros((1, 96, 96, 3), dtype=np.uint8))


def test_reading_passes_pictures_through_and_decodes_the_rest() -> None:
    assert analyser().read(ONE) is ONE
    with pytest.raises(ImageNotFoundError):
        analyser().read("absent.jpg")


def test_the_largest_face_of_none_is_none() -> None:
    assert largest([]) is None


class TestPreviews:
    """A face is cut out of the preview where that is sharp enough, else out of the full picture."""

    def read_for(self, side: int) -> tuple[float, int]:
        """Return the similarity to the full picture's embedding, and how often that was read."""
        small, read = picture((80, 40, side, 90)), list[int]()
        full = small.repeat(4, axis=0).repeat(4, axis=1)

        def whole() -> Pixels:
            read.append(1)
            return full

        image = Image(Deferred(1600, 1200, Preview(small, 4), whole))
        find = FindOptions(detector=DetectorOptions(input_size=320))
        (face,) = analyser().analyse([image], Want(), find)[0]
        (same,) = analyser().analyse([Image(full)], Want(), find)[0]
        assert face.box == same.box
        assert face.embedding
        assert same.embedding
        return face.embedding.cosine(same.embedding), len(read)

    @pytest.mark.parametrize(("side", "times"), [(100, 1), (114, 0), (200, 0)])
    def test_only_small_faces_need_the_full_picture(self, side: int, times: int) -> None:
        similarity, read = self.read_for(side)
        assert similarity == pytest.approx(1, abs=1e-4)
        assert read == times


def test_pictures_are_decoded_as_far_as_detection_needs() -> None:
    asked: list[int] = []

    class Noting:
        def decode(self, source: ImageSource, side: int = 0, /) -> Image:
            asked.append(side)
            return ONE

    looking = analyser()
    looking.decoder = Noting()
    looking.read("a.jpg")
    looking.read("a.jpg", FindOptions(detector=DetectorOptions(input_size=1024)))
    looking.read("a.jpg", FindOptions(tile=640))
    assert asked == [640, 1024, 0]
