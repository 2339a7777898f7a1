"""Several models of one kind, and a default that is switched while it is used."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import attrs
import numpy as np
import pytest

from facecv.core.arrays import Floats, Pixels
from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import InferenceError, ModelError, ModelNotFoundError
from facecv.core.image import Image
from facecv.core.ports.embedder import Embedder
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.registry import Reference, Registry
from facecv.core.services.slot import Blueprint, Built
from tests.core.services.world import analyser, picture
from tests.fakes.face_aligner import FakeFaceAligner

ONE = Image(picture((100, 100, 112, 40)))


@attrs.define(eq=False)
class Numbered:
    """An embedder whose vectors point along the axis of its number; fails once it is closed."""

    space: EmbeddingSpace
    number: int
    input_size: int = 112
    closed: bool = False

    def embed(self, crops: Pixels, /) -> tuple[Floats, Floats]:
        vectors = np.zeros((len(crops), 4), np.float32)
        vectors[:, self.number] = 1
        if self.closed:
            raise InferenceError("the network was closed")
        return vectors, np.ones(len(crops), np.float32)

    def close(self) -> None:
        self.closed = True


class Blank(FakeFaceAligner):
    """Cuts out nothing, and so costs nothing."""

    def align(self, image: Pixels, landmarks: Sequence[Floats], size: int, /) -> Pixels:
        return np.zeros((len(landmarks), size, size, 3), np.uint8)


@attrs.define(eq=False)
class Zoo:
    """Embedders called ``a`` to ``d``; those in `broken` cannot be loaded, others not warmed."""

    made: list[Numbered] = attrs.field(factory=list)
    broken: frozenset[str] = frozenset()
    cold: frozenset[str] = frozenset()

    def plan(self, reference: Reference) -> Blueprint[Embedder]:
        name = reference.model if isinstance(reference, EmbeddingSpace) else reference or "a"
        name = name.rpartition("/")[2]
        if name not in "abcd":
            raise ModelNotFoundError(f"there is no model {name!r}")
        return Blueprint(name, lambda: self._build(name))

    def warm(self, model: Embedder) -> None:
        if model.space.model in self.cold:
            raise ModelError("cold")

    def _build(self, name: str) -> Built[Embedder]:
        if name in self.broken:
            raise ModelError("broken")
        model = Numbered(EmbeddingSpace(name, 4, "0" * 64, "none"), "abcd".index(name))
        self.made.append(model)
        return Built(model, model.close)

    def alive(self) -> list[str]:
        return sorted(model.space.model for model in self.made if not model.closed)


@pytest.fixture
def zoo() -> Zoo:
    return Zoo()


@pytest.fixture
def registry(zoo: Zoo) -> Registry[Embedder]:
    return Registry(zoo.plan, "", zoo.warm)


def _name(registry: Registry[Embedder], reference: Reference = "") -> str:
    with registry.use(reference) as loaded:
        return loaded.model.space.model


def test_several_at_once_each_under_its_name(registry: Registry[Embedder], zoo: Zoo) -> None:
    assert [_name(registry, name) for name in ("", "b", "c", "b")] == ["a", "b", "c", "b"]
    assert zoo.alive() == ["a", "b", "c"]
    assert [slot.blueprint.name for slot in registry.slots()] == ["a", "b", "c"]


def test_two_references_to_one_model_share_it(registry: Registry[Embedder], zoo: Zoo) -> None:
    space = EmbeddingSpace("b", 4, "0" * 64, "none")
    assert [_name(registry, name) for name in ("b", "pack/b", space)] == ["b", "b", "b"]
    assert len(zoo.made) == 1


def test_a_model_in_memory_is_found_by_its_space(zoo: Zoo) -> None:
    def plan(reference: Reference) -> Blueprint[Embedder]:
        if isinstance(reference, EmbeddingSpace):
            raise ModelNotFoundError("spaces are not known here")
        return zoo.plan(reference)

    registry = Registry(plan)
    slot = registry.load("b")
    assert registry.slot(EmbeddingSpace("b", 4, "0" * 64, "none")) is slot


class TestSwitch:
    """Another model becomes the default, or nothing changes."""

    def test_the_old_one_is_closed_by_its_last_user(
        self, registry: Registry[Embedder], zoo: Zoo
    ) -> None:
        with registry.use() as old:
            registry.switch("b")
            assert _name(registry) == "b"
            assert old.model.space.model == "a"
            assert zoo.alive() == ["a", "b"]
        assert zoo.alive() == ["b"]

    def test_the_old_one_may_be_kept(self, registry: Registry[Embedder], zoo: Zoo) -> None:
        registry.load()
        registry.switch("b", keep=True)
        assert zoo.alive() == ["a", "b"]

    def test_to_itself_changes_nothing(self, registry: Registry[Embedder], zoo: Zoo) -> None:
        registry.load()
        registry.switch("a")
        assert (zoo.alive(), len(zoo.made)) == (["a"], 1)

    @pytest.mark.parametrize(("name", "why"), [("b", "broken"), ("c", "cold"), ("x", "no model")])
    def test_one_that_fails_leaves_the_old_one_serving(
        self, registry: Registry[Embedder], zoo: Zoo, name: str, why: str
    ) -> None:
        registry.load()
        zoo.broken, zoo.cold = frozenset("b"), frozenset("c")
        with pytest.raises(ModelError, match=why):
            registry.switch(name)
        assert _name(registry) == "a"
        assert zoo.alive() == ["a"]


def test_idle_models_leave_memory_and_come_back(registry: Registry[Embedder], zoo: Zoo) -> None:
    registry.load()
    registry.load("b")
    with registry.use():
        assert registry.unload_idle(0) == ["b"]
    assert registry.unload_idle(0) == ["a"]
    assert zoo.alive() == []
    assert _name(registry) == "a"


def test_references_are_looked_up_anew_once_files_changed(
    registry: Registry[Embedder], zoo: Zoo
) -> None:
    registry.switch("b")
    held = registry.slot("c")
    registry.forget()
    assert registry.slot("c") is not held
    assert _name(registry) == "b"
    assert len(zoo.made) == 1


def test_every_model_can_be_wrapped(registry: Registry[Embedder]) -> None:
    other = Numbered(EmbeddingSpace("wrapped", 4, "0" * 64, "none"), 0)
    registry.wrap(lambda built: attrs.evolve(built, model=other))
    assert _name(registry, "b") == "wrapped"


class TestUnderLoad:
    """32 threads embed while the default changes all the time."""

    @pytest.fixture
    def looking(self, registry: Registry[Embedder]) -> Analyser:
        return attrs.evolve(analyser(), embedder=registry, aligner=Blank())

    @pytest.fixture
    def switching(self, registry: Registry[Embedder]) -> Iterator[threading.Event]:
        """Switch the default round and round until the test is over."""
        over = threading.Event()

        def switch() -> None:
            for turn in range(10_000):
                if over.is_set():
                    return
                registry.switch("abcd"[turn % 4])
                registry.unload_idle(0)

        thread = threading.Thread(target=switch)
        thread.start()
        yield over
        over.set()
        thread.join()

    @pytest.mark.usefixtures("switching")
    def test_no_request_is_dropped_and_no_spaces_are_mixed(
        self, looking: Analyser, zoo: Zoo
    ) -> None:
        def request(_: int) -> str:
            faces = looking.analyse([ONE, ONE], Want())
            found = [face.embedding for (face,) in faces if face.embedding]
            names = {embedding.space.model for embedding in found}
            axes = {"abcd"[int(embedding.vector.argmax())] for embedding in found}
            assert len(found) == 2
            assert names == axes
            (name,) = names
            return name

        with ThreadPoolExecutor(32) as pool:
            served = list(pool.map(request, range(640)))
        assert len(served) == 640
        assert len(set(served)) > 1
        assert len(zoo.made) > 4

    @pytest.mark.usefixtures("switching")
    def test_who_asks_for_a_space_gets_it(self, looking: Analyser) -> None:
        spaces = [EmbeddingSpace(name, 4, "0" * 64, "none") for name in "abcd"]

        def request(number: int) -> None:
            space = spaces[number % 4]
            (face,) = looking.in_space(space).analyse([ONE], Want())[0]
            assert face.embedding is not None
            assert face.embedding.space == space
            assert face.embedding.vector.argmax() == number % 4

        with ThreadPoolExecutor(32) as pool:
            assert len(list(pool.map(request, range(320)))) == 320
