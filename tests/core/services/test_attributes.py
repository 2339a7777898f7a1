"""Only the models that a request needs are loaded and run, each once for all faces."""

from collections.abc import Callable

import pytest

from facecv.core.attributes import AttributeValue
from facecv.core.errors import InputError
from facecv.core.image import Image
from facecv.core.ports.attribute_model import AttributeModel
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.attributes import AttributeModels
from facecv.core.services.slot import Blueprint, Built, Slot
from tests.core.services.world import (
    ALIGNED,
    BOXED,
    WorldAttributes,
    WorldDetector,
    analyser,
    picture,
)

TWO = Image(picture((20, 20, 60, 10), (150, 50, 120, 90)))
ONE = Image(picture((100, 100, 112, 40)))


class Shelf:
    """Makes slots, and notes which of their models were loaded."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def slot(
        self, model: WorldAttributes, *, declared: bool = True, name: str = ""
    ) -> Slot[AttributeModel]:
        """Return a slot that declares what its model provides, or does not."""
        provides = model.provides if declared else None
        build = self._builder(model, name or model.name)
        return Slot(lambda: Blueprint(name or model.name, build, None, provides))

    def _builder(self, model: WorldAttributes, name: str) -> Callable[[], Built[AttributeModel]]:
        def build() -> Built[AttributeModel]:
            self.loaded.append(name)
            return Built(model)

        return build


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def over(*slots: Slot[AttributeModel]) -> Analyser:
    """Return an analyser with these attribute models."""
    looking = analyser()
    looking.attribute_models = AttributeModels(slots)
    return looking


def asked(looking: Analyser, *names: str) -> dict[str, AttributeValue]:
    """Return what is told about one face when `names` are asked for (none: all)."""
    want = Want(quality=False, embedding=False, attributes=frozenset(names) or None)
    (face,) = looking.analyse([ONE], want)[0]
    return dict(face.attributes)


def test_models_that_are_not_needed_are_not_loaded(shelf: Shelf) -> None:
    looking = over(
        *(shelf.slot(WorldAttributes(name, ALIGNED)) for name in ("age", "mask", "pose"))
    )
    assert set(asked(looking, "mask")) == {"mask"}
    assert shelf.loaded == ["mask"]
    assert set(asked(looking)) == {"age", "mask", "pose"}
    assert shelf.loaded == ["mask", "age", "pose"]


def test_asking_what_can_be_told_loads_nothing(shelf: Shelf) -> None:
    models = AttributeModels([shelf.slot(WorldAttributes(name, BOXED)) for name in ("a", "b")])
    assert models.names == {"a", "b"}
    assert shelf.loaded == []


def test_the_first_model_that_gives_an_attribute_gives_it(shelf: Shelf) -> None:
    """Fall-backs come last, and are not even loaded where a network is there."""
    best, fallback = WorldAttributes("mask", ALIGNED), WorldAttributes("mask", BOXED)
    looking = over(shelf.slot(best, name="network"), shelf.slot(fallback, name="rule"))
    for names in ((), ("mask",)):
        assert set(asked(looking, *names)) == {"mask"}
    assert (best.batches, fallback.batches) == ([1, 1], [])
    assert shelf.loaded == ["network"]


def test_a_model_that_declares_nothing_is_loaded_to_know(shelf: Shelf) -> None:
    """As one of a plugin may be; those behind it are not, once all is told."""
    looking = over(
        shelf.slot(WorldAttributes("smile", BOXED), declared=False),
        shelf.slot(WorldAttributes("age", BOXED)),
        shelf.slot(WorldAttributes("hat", BOXED), declared=False),
    )
    assert set(asked(looking, "age")) == {"age"}
    assert shelf.loaded == ["smile", "age"]


def test_an_attribute_that_nobody_gives_is_an_error_that_lists_the_others(shelf: Shelf) -> None:
    looking = over(
        shelf.slot(WorldAttributes("age", BOXED)), shelf.slot(WorldAttributes("b", BOXED))
    )
    with pytest.raises(InputError, match="no attribute model gives hat") as caught:
        asked(looking, "age", "hat")
    assert caught.value.hint == "the attributes at hand are: age, b"
    assert shelf.loaded == []


def test_faces_of_all_pictures_are_one_batch_for_each_model() -> None:
    models = [WorldAttributes("a", ALIGNED), WorldAttributes("b", BOXED)]
    found = analyser(attributes=models).analyse([TWO, ONE, TWO], Want(attributes=None))
    assert [model.batches for model in models] == [[5], [5]]
    told = [face.attributes["b"].value for faces in found for face in faces]
    assert told == [90, 10, 40, 90, 10]


def test_a_face_that_a_model_cannot_see_goes_without_its_attributes(shelf: Shelf) -> None:
    looking = over(
        shelf.slot(WorldAttributes("a", ALIGNED)), shelf.slot(WorldAttributes("b", BOXED))
    )
    looking.detector = analyser(detector=WorldDetector(landmarks=False)).detector
    assert set(asked(looking)) == {"b"}
