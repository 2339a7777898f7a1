"""Workers follow one another's changes of models; here each is an engine in this process."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from facecv.core.errors import ModelError
from facecv.core.services.model_desk import ModelDesk
from facecv.core.services.registry import Registry
from facecv.core.services.slot import Blueprint, Built
from facecv.entrypoints.http import model_sync
from facecv.entrypoints.http.model_book import ModelBook, ModelChange
from facecv.entrypoints.http.model_sync import ModelSync
from tests.core.services.world import WorldEmbedder, analyser


@attrs.define(eq=False)
class Worker:
    """A worker whose embedders may have any name; `sick` ones cannot be loaded."""

    folder: Path
    id: str
    sick: set[str] = attrs.field(factory=set)
    loads: list[str] = attrs.field(factory=list)
    desk: ModelDesk = attrs.field(init=False)
    sync: ModelSync = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.desk = ModelDesk(attrs.evolve(analyser(), embedder=Registry(self._plan, "first")))
        self.sync = ModelSync(self.desk, self.id, ModelBook(self.folder))

    @property
    def default(self) -> str:
        return self.desk.analyser.embedder.blueprint.name

    def switch(self, model: str) -> None:
        self.sync.change(ModelChange(action="switch", kind="recognition", model=model))

    def _plan(self, reference: object) -> Blueprint[WorldEmbedder]:
        name = str(reference)
        return Blueprint(name, lambda: self._built(name))

    def _built(self, name: str) -> Built[WorldEmbedder]:
        self.loads.append(name)
        if name in self.sick:
            raise ModelError(f"{name} is broken here")
        return Built(WorldEmbedder())


@pytest.fixture
def hire(tmp_path: Path) -> Iterator[Callable[[str], Worker]]:
    hired: list[Worker] = []

    def hire(name: str) -> Worker:
        hired.append(Worker(tmp_path, name))
        return hired[-1]

    yield hire
    for worker in hired:
        worker.sync.close()


Hire = Callable[[str], Worker]


def until(condition: Callable[[], object]) -> None:
    pause = threading.Event()
    for _ in range(2000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it never came to that")


def test_a_switch_is_followed(hire: Hire) -> None:
    one, other = hire("1"), hire("2")
    other.sync.start()
    one.switch("second")
    until(lambda: other.default == "second")
    assert other.sync.problems() == []


def test_who_comes_late_begins_with_the_models_of_today(hire: Hire) -> None:
    """Without what was the case in between."""
    one = hire("1")
    for name in ("second", "third"):
        one.switch(name)
    late = hire("2")
    late.sync.start()
    assert late.default == "third"
    assert late.loads == ["third"]


def test_nobody_follows_to_a_switch_that_is_older_than_its_own(hire: Hire) -> None:
    """Two switch at nearly the same time: the later note counts, for all."""
    one, other = hire("1"), hire("2")
    one.switch("second")
    other.switch("third")
    for worker in (one, other):
        worker.sync.start()
        until(lambda: worker.default == "third")  # noqa: B023 - called at once
    assert other.loads == ["third"]


def test_what_fails_leaves_the_old_one_and_is_tried_again(
    hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_sync, "_AGAIN", 0.0)
    one, other = hire("1"), hire("2")
    other.sick.add("second")
    other.sync.start()
    one.switch("second")
    until(other.sync.problems)
    assert other.sync.problems() == ["switch recognition second: second is broken here"]
    assert other.default == "first"
    other.sick.clear()
    until(lambda: other.default == "second")
    until(lambda: not other.sync.problems())


def test_what_fails_where_it_was_asked_is_told_to_nobody(hire: Hire) -> None:
    one, other = hire("1"), hire("2")
    one.sick.add("second")
    with pytest.raises(ModelError):
        one.switch("second")
    other.sync.start()
    assert (one.default, other.default, other.loads) == ("first", "first", [])


def test_loading_and_unloading_are_followed_in_order(hire: Hire) -> None:
    one, other = hire("1"), hire("2")
    for action in ("load", "unload", "load"):
        one.sync.change(ModelChange(action=action, kind="recognition", model="second"))
    other.sync.start()
    assert other.loads == ["second"]
    one.sync.change(ModelChange(action="unload", kind="recognition", model="second"))
    until(lambda: other.desk.slot("recognition", "second").state == "absent")
