"""Models of an engine, loaded, unloaded and switched while it works."""

import time
from functools import partial

import attrs
import pytest

from facecv.core.attributes import AlignedCropNeed
from facecv.core.errors import ModelNotFoundError
from facecv.core.ports.embedder import Embedder
from facecv.core.services.attributes import AttributeModels
from facecv.core.services.idle import IdleUnloader
from facecv.core.services.model_desk import ModelDesk
from facecv.core.services.registry import Reference, Registry
from facecv.core.services.slot import Blueprint, Built, Slot, at_hand
from tests.core.services.world import WorldAttributes, WorldEmbedder, analyser


def _plan(reference: Reference) -> Blueprint[Embedder]:
    if str(reference) not in {"", "a", "b"}:
        raise ModelNotFoundError(f"there is no model {reference!r}")
    return Blueprint(str(reference) or "a", lambda: Built(WorldEmbedder()))


@pytest.fixture
def desk() -> ModelDesk:
    tone = WorldAttributes("tone", AlignedCropNeed(112))
    models = AttributeModels(
        [Slot(partial(at_hand, tone, "tone")), Slot(partial(_plan, "missing"))]  # type: ignore[arg-type]
    )
    return ModelDesk(attrs.evolve(analyser(), embedder=Registry(_plan), attribute_models=models))


def _table(desk: ModelDesk) -> list[tuple[str, str, str, bool]]:
    return [
        (place.kind, place.slot.blueprint.name, place.slot.state, place.default)
        for place in desk.places()
    ]


def test_what_can_be_found_is_listed_and_nothing_is_loaded_for_it(desk: ModelDesk) -> None:
    assert _table(desk) == [
        ("detection", "WorldDetector", "absent", True),
        ("recognition", "a", "absent", True),
        ("attributes", "tone", "absent", True),
    ]


def test_a_default_that_cannot_be_found_hides_no_other() -> None:
    registry = Registry(_plan, "missing")
    registry.load("b")
    table = _table(ModelDesk(attrs.evolve(analyser(), embedder=registry)))
    assert ("recognition", "b", "ready", False) in table


def test_load_switch_and_unload(desk: ModelDesk) -> None:
    assert desk.load("recognition", "").slot.state == "ready"
    assert desk.load("attributes", "tone").slot.state == "ready"
    place = desk.switch("recognition", "b", keep=True)
    assert (place.slot.blueprint.name, place.default) == ("b", True)
    assert desk.unload("attributes", "tone").slot.state == "absent"
    assert _table(desk)[1:] == [
        ("recognition", "a", "ready", False),
        ("recognition", "b", "ready", True),
        ("attributes", "tone", "absent", True),
    ]


@pytest.mark.parametrize("kind", ["recognition", "attributes"])
def test_unknown_names_are_refused(desk: ModelDesk, kind: str) -> None:
    with pytest.raises(ModelNotFoundError, match="other"):
        desk.load(kind, "other")  # type: ignore[arg-type]


def test_idle_models_are_unloaded_by_themselves(desk: ModelDesk) -> None:
    desk.load("recognition", "a")
    unloader = IdleUnloader(desk, 0.01)
    unloader.start()
    deadline = time.monotonic() + 10
    while desk.slot("recognition", "a").state != "absent":
        assert time.monotonic() < deadline
        time.sleep(0.005)
    unloader.close()
    unloader.close()


def test_nothing_is_unloaded_unless_asked_for(desk: ModelDesk) -> None:
    unloader = IdleUnloader(desk, 0)
    unloader.start()
    unloader.close()
