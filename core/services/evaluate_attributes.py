"""Measuring attribute models on labelled faces."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs
import numpy as np

from facecv.core.attributes import AttributeValue
from facecv.core.image import Image
from facecv.core.labelled import DataSet, LabelledPicture
from facecv.core.ports.attribute_model import AttributeModel
from facecv.core.services.analyse import Analyser, Want
from facecv.core.services.attributes import AttributeModels
from facecv.core.services.cuts import Found
from facecv.core.services.find import FindOptions, find_faces
from facecv.core.services.slot import Slot

_BORDER = 0.3
_BATCH = 16


@attrs.define
class Score:
    """How well a model tells an attribute of a data set.

    Attributes:
        data: name of the data set.
        attribute: what is told.
        model: who tells it.
        pictures: how many were looked at.
        judged: in how many the model said something about a face.
        right: how many of those were classified rightly; 0 for numbers.
        off: sum of the differences from the right numbers; 0 for classes.
        numeric: which of the two it is.
    """

    data: str
    attribute: str
    model: str
    pictures: int = 0
    judged: int = 0
    right: int = 0
    off: float = 0.0
    numeric: bool = False

    @property
    def accuracy(self) -> float | None:
        """Share of the judged faces that were classified rightly; None for numbers."""
        return None if self.numeric or not self.judged else self.right / self.judged

    @property
    def mean_error(self) -> float | None:
        """Mean absolute difference from the right numbers; None for classes."""
        return self.off / self.judged if self.numeric and self.judged else None

    def add(self, truth: str | float, said: AttributeValue | None) -> None:
        """Count one picture; None: no face was found, or nothing was said about it."""
        self.pictures += 1
        self.numeric = not isinstance(truth, str)
        if said is None:
            return
        self.judged += 1
        if isinstance(truth, str):
            self.right += said.value == truth
        elif isinstance(said.value, int | float):
            self.off += abs(said.value - truth)


@attrs.define(eq=False)
class AttributeEvaluator:
    """Measures each attribute model of an analyser by itself.

    The face of a picture is the one nearest to its middle. Where faces fill the pictures, these
    get a black border of 0.3 times their sides first, as detectors are trained to see more.

    Attributes:
        analyser: finds the faces, and has the models.
        find: how faces are found.
    """

    analyser: Analyser
    find: FindOptions

    def evaluate(self, data: DataSet, done: Callable[[int], None] | None = None) -> list[Score]:
        """Return the score of every model for every attribute of a data set that it gives.

        Args:
            data: the labelled faces.
            done: called with the number of pictures of each finished batch.

        Raises:
            InputError: a picture cannot be read.
        """
        slots = [slot for slot in self.analyser.attribute_models.slots if _gives(slot, data)]
        scores: dict[tuple[str, str], Score] = {}
        for start in range(0, len(data.pictures), _BATCH):
            batch = data.pictures[start : start + _BATCH]
            found = [self._find(each, border=data.filled) for each in batch]
            for slot in slots:
                for name, truth, said in self._ask(slot, data, batch, found):
                    model = slot.blueprint.name
                    key = model, name
                    score = scores.setdefault(key, Score(data.name, name, model))
                    score.add(truth, said)
            if done:
                done(len(batch))
        return list(scores.values())

    def _find(self, labelled: LabelledPicture, *, border: bool) -> Found | None:
        """Return the face of a picture, with its pixels."""
        pixels = self.analyser.read(labelled.path).pixels
        if border:
            height, width = (round(_BORDER * side) for side in pixels.shape[:2])
            pixels = np.pad(pixels, ((height, height), (width, width), (0, 0)))
        find = attrs.evolve(self.find, order="center", max_faces=1)
        with self.analyser.detector.use() as detector:
            faces = find_faces(detector.model, [Image(pixels).pixels], find)[0]
        return (pixels, faces[0]) if faces else None

    def _ask(
        self,
        slot: Slot[AttributeModel],
        data: DataSet,
        batch: Sequence[LabelledPicture],
        found: Sequence[Found | None],
    ) -> Iterator[tuple[str, str | float, AttributeValue | None]]:
        """Yield what is right and what one model says, for each picture and attribute."""
        names = data.attributes & _provided(slot)
        alone = attrs.evolve(self.analyser, attribute_models=AttributeModels([slot]))
        want = Want(quality=False, embedding=False, attributes=names)
        told = iter(alone.describe([each for each in found if each], want))
        for labelled, face in zip(batch, found, strict=True):
            said: Mapping[str, AttributeValue] = next(told).attributes if face else {}
            for name in sorted(names):
                yield name, labelled.truth[name], said.get(name)


def _provided(slot: Slot[AttributeModel]) -> frozenset[str]:
    return AttributeModels([slot]).names


def _gives(slot: Slot[AttributeModel], data: DataSet) -> bool:
    return bool(data.attributes & _provided(slot))
