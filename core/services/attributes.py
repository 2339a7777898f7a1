"""The attribute models at hand: which a request needs, and what they say about faces."""

from collections.abc import Iterator, Mapping, Sequence

import attrs

from facecv.core.attributes import AttributeValue
from facecv.core.errors import InputError
from facecv.core.ports.attribute_model import AttributeModel
from facecv.core.ports.meter import Meter
from facecv.core.services.cuts import Cuts
from facecv.core.services.metering import timed
from facecv.core.services.slot import Slot

Said = Mapping[str, AttributeValue]
"""What is said about one face, by the attribute's name."""


@attrs.frozen(eq=False)
class AttributeModels:
    """The attribute models of an engine.

    Attributes:
        slots: the models, best first: where several give one attribute, the first one does.
    """

    slots: Sequence[Slot[AttributeModel]] = ()

    @property
    def names(self) -> frozenset[str]:
        """The attributes that can be told; models that declare theirs are not loaded for it."""
        return frozenset().union(*(_provided(slot) for slot in self.slots))

    def needed(
        self, names: frozenset[str] | None
    ) -> Iterator[tuple[Slot[AttributeModel], frozenset[str]]]:
        """Yield the models that a request needs, not loaded, and what each is to tell.

        Args:
            names: the attributes asked for; None: all.

        Raises:
            InputError: no model gives an attribute that was asked for.
        """
        told: frozenset[str] = frozenset()
        for slot in self.slots:
            if names is not None and told == names:
                return
            wanted = _provided(slot) - told
            if names is not None:
                wanted &= names
            if wanted:
                told |= wanted
                yield slot, wanted
        if names is not None and told != names:
            self._refuse(names - told)

    def describe(
        self, cuts: Cuts, names: frozenset[str] | None, meter: Meter
    ) -> Mapping[int, Said]:
        """Return what is said about each face of a batch, by index; each model runs once.

        Args:
            cuts: the faces.
            names: the attributes asked for; None: all.
            meter: is told how long each model takes.

        Raises:
            InputError: no model gives an attribute that was asked for.
        """
        said: dict[int, dict[str, AttributeValue]] = {}
        for slot, wanted in list(self.needed(names)):
            with slot.use() as loaded:
                views = cuts.views(loaded.model.needs)
                with timed(meter, "attributes", len(views), loaded.name):
                    answers = loaded.model.predict(list(views.values()))
            for index, answer in zip(views, answers, strict=True):
                chosen = {name: value for name, value in answer.items() if name in wanted}
                said.setdefault(index, {}).update(chosen)
        return said

    def _refuse(self, names: frozenset[str]) -> None:
        known = ", ".join(sorted(self.names)) or "none"
        raise InputError(
            f"no attribute model gives {', '.join(sorted(names))}",
            hint=f"the attributes at hand are: {known}",
            details={"unknown": sorted(names), "known": sorted(self.names)},
        )


def _provided(slot: Slot[AttributeModel]) -> frozenset[str]:
    """Return what a model gives; it is loaded only if nothing declares that."""
    declared = slot.blueprint.provides
    if declared is not None:
        return declared
    with slot.use() as loaded:
        return loaded.model.provides
