"""Port: making smaller variants of networks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from facecv.core.pack import ModelFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

Precision = Literal["int8", "fp16"]
PRECISIONS: tuple[Precision, ...] = ("int8", "fp16")


@runtime_checkable
class ModelConverter(Protocol):
    """An inference backend that can also write networks in fewer bits."""

    def convert(
        self,
        model: ModelFile,
        precision: Precision,
        runs: "Sequence[Mapping[str, NDArray[Any]]]",
        target: Path,
        /,
    ) -> None:
        """Write a variant of a network.

        Args:
            model: the network, in single precision.
            precision: ``int8``: weights and most activations as 8-bit integers (QDQ); ``fp16``:
                all in half precision, but inputs and outputs.
            runs: inputs of typical runs, from which ``int8`` takes the ranges of activations.
            target: the file.

        Raises:
            RuntimeMissingError: a package that this takes is not installed.
            ModelError: the file is no network, has that precision already, or cannot be converted.
        """
        ...
