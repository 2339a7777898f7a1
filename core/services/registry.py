"""The models of one kind: several at once, one of them the default, which can be switched."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import attrs

from facecv.core.embedding import EmbeddingSpace
from facecv.core.pack import RecognitionSpec
from facecv.core.services.slot import Blueprint, Built, Loaded, Slot, at_hand

ModelT = TypeVar("ModelT")
ModelT_co = TypeVar("ModelT_co", covariant=True)
Reference = str | EmbeddingSpace
"""What names a model: its name, ``PACK/MODEL``, a path, the space of its embeddings, or, empty,
the default."""


class Registry(Generic[ModelT_co]):
    """All models of one kind that were asked for, each in a slot of its own.

    Two references to one network share a slot. Safe to use from several threads.

    Args:
        plan: finds the model that a reference names; raises where there is none.
        default: the reference of the default, looked up when it is first needed.
        warm: runs a model once, on nothing.
    """

    def __init__(
        self,
        plan: Callable[[Reference], Blueprint[ModelT_co]],
        default: Reference = "",
        warm: Callable[[ModelT_co], object] | None = None,
    ) -> None:
        self._plan = plan
        self._warm = warm
        self._wraps: list[Callable[[Built[ModelT_co]], Built[ModelT_co]]] = []
        self._lock = threading.RLock()
        self._switching = threading.Lock()
        self._slots: dict[tuple[str, str], Slot[ModelT_co]] = {}
        self._references: dict[Reference, Slot[ModelT_co]] = {}
        self._configured = default
        self._default: Slot[ModelT_co] | None = None

    def wrap(self, wrapper: Callable[[Built[ModelT_co]], Built[ModelT_co]], /) -> None:
        """Let `wrapper` exchange every model that is loaded from now on (to share batches, say)."""
        self._wraps.append(wrapper)

    def slot(self, reference: Reference = "") -> Slot[ModelT_co]:
        """Return the place of a model; raises what finding raises."""
        if not reference:
            return self.default
        known = self._references.get(reference) or self._in_space(reference)
        if known is not None:
            return known
        blueprint = self._plan(reference)  # may read a whole file: not under the lock
        with self._lock:
            return self._references.setdefault(reference, self._slot_for(blueprint))

    def slots(self) -> list[Slot[ModelT_co]]:
        """Return the places of all models that were asked for so far."""
        with self._lock:
            return list(self._slots.values())

    @property
    def default(self) -> Slot[ModelT_co]:
        """The place of the default model; raises what finding raises."""
        if self._default is not None:
            return self._default
        blueprint = self._plan(self._configured)
        with self._lock:
            if self._default is None:
                self._default = self._slot_for(blueprint)
            return self._default

    @contextmanager
    def use(self, reference: Reference = "") -> Iterator[Loaded[ModelT_co]]:
        """Hold a model, loaded if need be, for the length of a block.

        The block keeps the model it began with, even if another becomes the default meanwhile.
        """
        loaded = self.slot(reference).enter() if reference else self._enter_default()
        try:
            yield loaded
        finally:
            loaded.leave()

    def switch(self, reference: Reference, *, keep: bool = False) -> Slot[ModelT_co]:
        """Make another model the default once it is loaded and warm.

        Whoever uses the old one finishes with it; nobody waits. If the new one cannot be found,
        loaded or warmed, that is raised and the old one goes on as the default.

        Args:
            reference: the new default.
            keep: whether the old one stays in memory; otherwise its last user closes it.
        """
        with self._switching:
            fresh = self.slot(reference)
            fresh.load(self._warm)
            with self._lock:
                old, self._default = self._default, fresh
                self._configured = reference or self._configured
            if old is not None and old is not fresh and not keep:
                old.unload()
            return fresh

    def load(self, reference: Reference = "") -> Slot[ModelT_co]:
        """Load and warm a model if it is not in memory; raises what loading raises."""
        slot = self.slot(reference)
        slot.load(self._warm)
        return slot

    def load_in_background(self, reference: Reference = "") -> Slot[ModelT_co]:
        """Begin to load and warm a model; its slot tells what comes of it."""
        slot = self.slot(reference)
        slot.load_in_background(self._warm)
        return slot

    def unload_idle(self, seconds: float) -> list[str]:
        """Unload what nobody has used for so long; return the names."""
        return [slot.blueprint.name for slot in self.slots() if slot.unload_idle(seconds)]

    def forget(self) -> None:
        """Look references up anew from now on (model files came or went); what is loaded stays."""
        with self._lock:
            self._references.clear()
            for key, slot in list(self._slots.items()):
                if slot.state in {"absent", "failed"}:
                    del self._slots[key]
                    self._default = None if slot is self._default else self._default

    def get(self) -> ModelT_co:
        """Return the default model for good; see `Slot.get`."""
        return self.default.get()

    @property
    def loaded(self) -> Loaded[ModelT_co] | None:
        """The default model in memory; None while there is none."""
        return self._default.loaded if self._default else None

    @property
    def blueprint(self) -> Blueprint[ModelT_co]:
        """The default model as found, not loaded; raises what finding raises."""
        return self.default.blueprint

    @property
    def recognition(self) -> RecognitionSpec:
        """What the manifest of the default model says about thresholds."""
        return self.default.recognition

    def _enter_default(self) -> Loaded[ModelT_co]:
        """Return the default model with the caller counted in.

        Under the lock, so that a switch cannot unload it between the look and the entry and have
        it loaded again.
        """
        while True:
            slot = self.default
            with self._lock:
                loaded = slot.loaded
                if slot is self._default and loaded is not None and loaded.enter():
                    return loaded
            if slot is self._default:
                slot.load()

    def _in_space(self, reference: Reference) -> Slot[ModelT_co] | None:
        """Return the place of a model that was asked for before and has the space asked for."""
        if not isinstance(reference, EmbeddingSpace):
            return None
        for slot in self.slots():
            file = slot.blueprint.file
            if file and (file.spec.name, file.sha256) == (reference.model, reference.digest):
                return slot
            if slot.loaded and getattr(slot.loaded.model, "space", None) == reference:
                return slot
        return None

    def _slot_for(self, blueprint: Blueprint[ModelT_co]) -> Slot[ModelT_co]:
        file = blueprint.file
        key = (blueprint.name, file.sha256 if file else "")
        if key not in self._slots:
            wrapped = attrs.evolve(blueprint, build=lambda: self._build(blueprint))
            self._slots[key] = Slot(lambda: wrapped)
        return self._slots[key]

    def _build(self, blueprint: Blueprint[ModelT_co]) -> Built[ModelT_co]:
        built = blueprint.build()
        for wrapper in self._wraps:
            built = wrapper(built)
        return built


def ready(model: ModelT, name: str = "") -> Registry[ModelT]:
    """Return a registry that holds one model, which is already there, under every reference."""
    return Registry(lambda _: at_hand(model, name))
