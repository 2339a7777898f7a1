"""Models that are loaded when they are first needed, once, however many threads ask."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from facecv.core.pack import ModelFile, RecognitionSpec

ModelT = TypeVar("ModelT")


class Slot(Generic[ModelT]):
    """A place for one model, loaded at first use and shared from then on.

    Args:
        name: what people call the model.
        build: loads it; called at most once, under a lock, unless it fails.
        file: the network behind it, where there is one.
    """

    def __init__(
        self, name: str, build: Callable[[], ModelT], file: ModelFile | None = None
    ) -> None:
        self.name = name
        self.file = file
        self._build = build
        self._lock = threading.Lock()
        self._model: ModelT | None = None

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._model is not None

    def get(self) -> ModelT:
        """Return the model, loading it if need be; raises what loading raises."""
        if self._model is None:
            with self._lock:
                if self._model is None:
                    self._model = self._build()
        return self._model

    @property
    def recognition(self) -> RecognitionSpec:
        """What the manifest says about thresholds; defaults where it says nothing."""
        return (self.file.spec.recognition if self.file else None) or RecognitionSpec()
