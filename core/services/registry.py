"""Models that are loaded when they are first needed, once, however many threads ask."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

from facecv.core.pack import ModelFile, RecognitionSpec

ModelT = TypeVar("ModelT")
ModelT_co = TypeVar("ModelT_co", covariant=True)


@attrs.frozen
class Blueprint(Generic[ModelT_co]):
    """A model that is found but not loaded.

    Attributes:
        name: what people call it.
        build: loads it.
        file: the network behind it, where there is one.
    """

    name: str
    build: Callable[[], ModelT_co]
    file: ModelFile | None = None


class Slot(Generic[ModelT_co]):
    """A place for one model, found and loaded at first use and shared from then on.

    Args:
        plan: finds the model; called once, under a lock, unless it fails.
    """

    def __init__(self, plan: Callable[[], Blueprint[ModelT_co]]) -> None:
        self._plan = plan
        self._lock = threading.RLock()
        self._blueprint: Blueprint[ModelT_co] | None = None
        self._model: ModelT_co | None = None

    @property
    def blueprint(self) -> Blueprint[ModelT_co]:
        """The model as found, not loaded; raises what finding raises."""
        with self._lock:
            if self._blueprint is None:
                self._blueprint = self._plan()
            return self._blueprint

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._model is not None

    def get(self) -> ModelT_co:
        """Return the model, loading it if need be; raises what loading raises."""
        if self._model is None:
            with self._lock:
                if self._model is None:
                    self._model = self.blueprint.build()
        return self._model

    @property
    def recognition(self) -> RecognitionSpec:
        """What the manifest says about thresholds; defaults where it says nothing."""
        file = self.blueprint.file
        return (file.spec.recognition if file else None) or RecognitionSpec()


def ready(model: ModelT, name: str = "") -> Slot[ModelT]:
    """Return a slot that holds a model which is already there."""
    return Slot(lambda: Blueprint(name or type(model).__name__, lambda: model))
