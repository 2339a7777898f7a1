"""Networks that look at square crops and give one row of numbers for each."""

from collections.abc import Iterator

import attrs
import numpy as np

from facecv.adapters.imaging.tensors import INPUTS, Normalizer
from facecv.core.arrays import Floats, Pixels
from facecv.core.errors import InferenceError, InputError, ModelSignatureError
from facecv.core.pack import InputSpec
from facecv.core.ports.inference_backend import Session


@attrs.frozen
class _Input:
    """How crops are fed.

    Attributes:
        name: of the input.
        side: of the crops, pixels.
        channels_last: whether the network wants [N, S, S, C].
        batch: the exact number of crops in each run; None: free.
    """

    name: str
    side: int
    channels_last: bool
    batch: int | None


class CropNetwork:
    """Runs a network of one image input and one output over crops, in batches.

    Attributes:
        side: of the crops it wants, pixels.
        length: how many numbers it gives for each crop.
    """

    def __init__(self, session: Session, spec: InputSpec, *, family: str, batch_size: int) -> None:
        """Take a loaded network.

        Args:
            session: the network.
            spec: its preprocessing.
            family: what it is taken for, for messages.
            batch_size: crops in one run; a network of fixed batch gets its own.

        Raises:
            ModelSignatureError: it has other inputs and outputs.
        """
        self._session = session
        self._family = family
        self._input = self._read_input(spec)
        self._normalizer = Normalizer.of(spec, session.inputs[0])
        self._chunk = self._input.batch or batch_size
        self.side = self._input.side
        self.length = self._probe()

    def outputs(self, crops: Pixels) -> Floats:
        """Return what the network gives, float32 [N, length].

        Args:
            crops: uint8 [N, side, side, 3] BGR, N >= 0.

        Raises:
            InputError: the crops have another type or shape.
            InferenceError: the network failed or gave numbers that are not finite.
        """
        self._check(crops)
        if not len(crops):
            return np.empty((0, self.length), np.float32)
        outputs = np.concatenate([self._run(chunk) for chunk in self._chunks(crops)])
        if not np.isfinite(outputs).all():
            raise InferenceError(f"the {self._family} network gave numbers that are not finite")
        return outputs

    def _check(self, crops: Pixels) -> None:
        shape = (self.side, self.side, 3)
        if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != shape:
            got = f"{crops.dtype} {list(crops.shape)}"
            raise InputError(f"crops must be uint8 [N, {self.side}, {self.side}, 3], got {got}")

    def _chunks(self, crops: Pixels) -> Iterator[Pixels]:
        for start in range(0, len(crops), self._chunk):
            yield crops[start : start + self._chunk]

    def _run(self, crops: Pixels) -> Floats:
        missing = (self._input.batch or len(crops)) - len(crops)
        filled = [*crops, *[crops[0]] * missing]
        tensor = self._normalizer.planes(filled, (self._input.side, self._input.side))
        if self._input.channels_last:
            tensor = np.ascontiguousarray(tensor.transpose(0, 2, 3, 1))
        output = self._session.run({self._input.name: tensor})[0]
        return output.reshape(len(tensor), -1)[: len(crops)].astype(np.float32, copy=False)

    def _probe(self) -> int:
        """Return how many numbers a crop gives, found by running the network on black."""
        try:
            return int(self._run(np.zeros((1, self.side, self.side, 3), np.uint8)).shape[1])
        except (InferenceError, ValueError) as error:
            raise self._refusal("it does not run on a crop") from error

    def _read_input(self, spec: InputSpec) -> _Input:
        inputs, outputs = self._session.inputs, self._session.outputs
        if len(inputs) != 1 or len(outputs) != 1:
            raise self._refusal(f"it has {len(inputs)} inputs and {len(outputs)} outputs")
        tensor = inputs[0]
        if len(tensor.shape) != 4 or tensor.dtype not in INPUTS:
            raise self._refusal(f"its input is {tensor.dtype} {list(tensor.shape)}")
        batch, *rest = tensor.shape
        channels = 1 if spec.color == "grey" else 3
        channels_last = rest[0] != channels and rest[2] == channels
        height, width = rest[:2] if channels_last else rest[1:]
        if height is None and width is None and spec.size:
            width, height = spec.size
        found = rest[2 if channels_last else 0]
        if not height or height != width or found not in {channels, None}:
            raise self._refusal(f"its input is {list(tensor.shape)}")
        return _Input(tensor.name, height, channels_last, batch)

    def _refusal(self, what: str) -> ModelSignatureError:
        return ModelSignatureError(
            f"this is not a network of the {self._family} family: {what}",
            hint="it has one float input [N, C, S, S] or [N, S, S, C] with C = 3 (grey: 1), "
            "and one output [N, K]",
        )
