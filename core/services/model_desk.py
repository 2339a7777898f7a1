"""Loading, unloading and switching the models of an engine while it works."""

from collections.abc import Iterator
from typing import Any, Literal

import attrs

from facecv.core.errors import FaceCVError, ModelNotFoundError
from facecv.core.services.analyse import Analyser
from facecv.core.services.slot import Slot

Kind = Literal["detection", "recognition", "attributes"]
KINDS: tuple[Kind, ...] = ("detection", "recognition", "attributes")


@attrs.frozen(eq=False)
class Place:
    """A slot, and what it is for.

    Attributes:
        kind: the task of its model.
        slot: where the model is, or would be.
        default: whether requests that name no model use it; attribute models all are.
    """

    kind: Kind
    slot: Slot[Any]
    default: bool


@attrs.frozen(eq=False)
class ModelDesk:
    """Changes which models an analyser has in memory, and which are its defaults."""

    analyser: Analyser

    def places(self) -> list[Place]:
        """Return the places of all models that were asked for; those that cannot be found not."""
        return [place for kind in KINDS for place in self._places(kind)]

    def load(self, kind: Kind, reference: str, *, wait: bool = True) -> Place:
        """Load a model and run it once.

        Args:
            kind: its task.
            reference: its name; empty: the default.
            wait: otherwise it is loaded in the background: the state of its slot tells.

        Raises:
            ModelNotFoundError: no model goes by that name.
            FaceCVError: it cannot be loaded; what is loaded goes on as before.
        """
        if kind == "attributes":
            slot = self._attribute_slot(reference)
            slot.load() if wait else slot.load_in_background()
        else:
            registry = self._registry(kind)
            load = registry.load if wait else registry.load_in_background
            slot = load(reference)
        return self._place(kind, slot)

    def unload(self, kind: Kind, reference: str) -> Place:
        """Take a model out of memory once its last user is done; it comes back when needed."""
        slot = self.slot(kind, reference)
        slot.unload()
        return self._place(kind, slot)

    def switch(
        self, kind: Literal["detection", "recognition"], reference: str, *, keep: bool
    ) -> Place:
        """Make another model the default; see `Registry.switch`."""
        slot = self._registry(kind).switch(reference, keep=keep)
        return self._place(kind, slot)

    def slot(self, kind: Kind, reference: str) -> Slot[Any]:
        """Return the place of a model; raises `ModelNotFoundError`."""
        if kind == "attributes":
            return self._attribute_slot(reference)
        slot: Slot[Any] = self._registry(kind).slot(reference)
        return slot

    def unload_idle(self, seconds: float) -> list[str]:
        """Unload what nobody has used for so long; return the names."""
        return [
            place.slot.blueprint.name for place in self.places() if place.slot.unload_idle(seconds)
        ]

    def forget(self) -> None:
        """Look names up anew from now on: files of models came or went."""
        self.analyser.detector.forget()
        self.analyser.embedder.forget()

    def _registry(self, kind: Kind) -> Any:  # noqa: ANN401 - of detectors or embedders
        return self.analyser.detector if kind == "detection" else self.analyser.embedder

    def _places(self, kind: Kind) -> Iterator[Place]:
        default = self._default(kind)  # looked up first, so that it is among the others
        if kind == "attributes":
            found = [slot for slot in self.analyser.attribute_models.slots if _is_there(slot)]
        else:
            found = self._registry(kind).slots()
        yield from (Place(kind, slot, kind == "attributes" or slot is default) for slot in found)

    def _place(self, kind: Kind, slot: Slot[Any]) -> Place:
        return Place(kind, slot, kind == "attributes" or slot is self._default(kind))

    def _default(self, kind: Kind) -> Slot[Any] | None:
        """Return the place of the default model; None where it cannot be found."""
        if kind == "attributes":
            return None
        try:
            slot: Slot[Any] = self._registry(kind).default
        except FaceCVError:
            return None
        return slot

    def _attribute_slot(self, reference: str) -> Slot[Any]:
        found = [slot for slot in self.analyser.attribute_models.slots if _is_there(slot)]
        for slot in found:
            if slot.blueprint.name == reference:
                return slot
        known = ", ".join(slot.blueprint.name for slot in found) or "none"
        raise ModelNotFoundError(
            f"there is no attribute model {reference!r} in use", hint=f"there are: {known}"
        )


def _is_there(slot: Slot[Any]) -> bool:
    try:
        return bool(slot.blueprint)
    except FaceCVError:
        return False
