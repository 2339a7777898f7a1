"""One model: loaded once, shared, closed after its last user."""

import threading
import time
from pathlib import Path

import attrs
import pytest

from facecv.core.errors import ModelError
from facecv.core.pack import ModelFile, ModelSpec
from facecv.core.services.slot import Blueprint, Built, Slot


@attrs.define(eq=False)
class Model:
    """A model that knows whether it was closed."""

    closed: int = 0
    warmed: int = 0

    def close(self) -> None:
        self.closed += 1

    def warm(self) -> None:
        self.warmed += 1


@attrs.define(eq=False)
class Factory:
    """Builds models, keeps them, and fails while `broken`."""

    made: list[Model] = attrs.field(factory=list)
    broken: bool = False
    file: ModelFile | None = None

    def plan(self) -> Blueprint[Model]:
        return Blueprint("model", self.build, self.file)

    def build(self) -> Built[Model]:
        if self.broken:
            raise ModelError("broken")
        self.made.append(Model())
        return Built(self.made[-1], self.made[-1].close, ("FakeExecutionProvider",))


@pytest.fixture
def factory() -> Factory:
    return Factory()


@pytest.fixture
def slot(factory: Factory) -> Slot[Model]:
    return Slot(factory.plan)


def test_loaded_once_however_many_threads_ask(slot: Slot[Model], factory: Factory) -> None:
    def ask() -> None:
        with slot.use() as loaded:
            assert loaded.model is factory.made[0]

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(factory.made) == 1
    assert slot.loaded is not None
    assert (slot.loaded.users, slot.loaded.providers) == (0, ("FakeExecutionProvider",))


def test_the_last_user_closes_an_unloaded_model(slot: Slot[Model], factory: Factory) -> None:
    with slot.use(), slot.use():
        assert slot.unload()
        assert slot.state == "absent"
        assert factory.made[0].closed == 0
        with slot.use() as fresh:
            assert fresh.model is factory.made[1]
    assert [model.closed for model in factory.made] == [1, 0]
    assert slot.unload()
    assert not slot.unload()
    assert [model.closed for model in factory.made] == [1, 1]


def test_a_model_that_was_got_for_good_is_not_closed(slot: Slot[Model], factory: Factory) -> None:
    assert slot.get() is slot.get() is factory.made[0]
    slot.unload()
    assert factory.made[0].closed == 0
    assert slot.get() is factory.made[1]


def test_a_failure_is_told_and_the_next_caller_tries_again(
    slot: Slot[Model], factory: Factory
) -> None:
    factory.broken = True
    with pytest.raises(ModelError, match="broken"):
        slot.load()
    assert (slot.state, str(slot.failure)) == ("failed", "broken")
    factory.broken = False
    slot.load()
    assert (slot.state, slot.failure) == ("ready", None)


def test_warmed_when_loaded_and_not_again(slot: Slot[Model], factory: Factory) -> None:
    slot.load(Model.warm)
    slot.load(Model.warm)
    assert factory.made[0].warmed == 1


def test_a_model_that_cannot_be_warmed_is_closed(slot: Slot[Model], factory: Factory) -> None:
    def fail(_: Model) -> None:
        raise ModelError("cold")

    with pytest.raises(ModelError, match="cold"):
        slot.load(fail)
    assert (slot.state, factory.made[0].closed) == ("failed", 1)


class TestInTheBackground:
    """The state says how far loading is."""

    def test_loading_then_ready(self) -> None:
        go = threading.Event()

        def build() -> Built[Model]:
            go.wait()
            return Built(Model())

        slot = Slot(lambda: Blueprint("slow", build))
        slot.load_in_background()
        _await(slot, "loading")
        go.set()
        _await(slot, "ready")

    def test_failed(self, slot: Slot[Model], factory: Factory) -> None:
        factory.broken = True
        slot.load_in_background()
        _await(slot, "failed")
        assert isinstance(slot.failure, ModelError)


class TestIdle:
    """A model that nobody uses can be unloaded after a while."""

    def test_not_while_it_is_used_or_was_just_now(self, slot: Slot[Model]) -> None:
        assert not slot.unload_idle(0)
        with slot.use():
            assert not slot.unload_idle(0)
        assert not slot.unload_idle(3600)
        assert slot.state == "ready"

    def test_afterwards(self, slot: Slot[Model], factory: Factory) -> None:
        with slot.use():
            pass
        assert slot.unload_idle(0)
        assert (slot.state, factory.made[0].closed) == ("absent", 1)


def test_memory_is_by_how_much_the_process_grew_or_the_size_of_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"x" * 77)
    file = ModelFile(path, "0" * 64, ModelSpec("model", "model.onnx", "detection", "any"))
    footprints = []
    for sizes in ([100, 1100], [1100, 1100]):
        slot = Slot(Factory(file=file).plan)
        with monkeypatch.context() as patch:
            readings = iter(sizes)
            patch.setattr(
                "facecv.core.services.slot.resident_bytes", lambda left=readings: next(left)
            )
            slot.load()
        assert slot.loaded is not None
        footprints.append((slot.loaded.footprint.bytes, slot.loaded.footprint.measured))
    assert footprints == [(1000, "resident"), (77, "file")]


def _await(slot: Slot[Model], state: str) -> None:
    deadline = time.monotonic() + 10
    while slot.state != state:
        assert time.monotonic() < deadline, slot.state
        time.sleep(0.001)
