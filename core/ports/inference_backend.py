"""Port: running networks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

import attrs

from facecv.core.pack import InputSpec, ModelFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

Device = Literal["auto", "cpu", "cuda", "tensorrt"]
_SHARE = attrs.validators.and_(attrs.validators.ge(0.0), attrs.validators.le(1.0))


@attrs.frozen
class TensorSpec:
    """An input or output of a network.

    Attributes:
        name: as in the file.
        shape: length of each axis; None: free.
        dtype: such as ``float32``.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str


@attrs.frozen
class SessionOptions:
    """How a network is loaded.

    Attributes:
        device: where it runs; only ``auto`` may choose.
        threads: threads inside one run; 0: the share of cores that this process may use, or one
            for small networks where it is crowded.
        max_batch: the largest batch the caller will send (shapes of accelerator engines).
        crowded: whether several runs at once are the rule, as in a server: threads that have
            nothing to do then make room at once.
        pixels: how the caller normalises pixels, if it can leave that to the network. Where that
            pays, the input then takes ``uint8``, as its `TensorSpec` says, and the network
            normalises; shape, layout and colour order stay. None: it takes what its file says.
    """

    device: Device = "auto"
    threads: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    max_batch: int = attrs.field(default=64, validator=attrs.validators.ge(1))
    crowded: bool = False
    pixels: InputSpec | None = None


@attrs.frozen
class Placement:
    """Where the operators of a network were placed.

    Attributes:
        share: of the operators, by number, that `Session.provider` runs, 0..1.
        elsewhere: what runs other operators, and which ones, such as
            ``{"CPUExecutionProvider": ("Gather", "Shape")}``; each name once.
    """

    share: float = attrs.field(default=1.0, validator=_SHARE)
    elsewhere: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)


class Session(Protocol):
    """A loaded network; may be run from several threads at once."""

    @property
    def inputs(self) -> Sequence[TensorSpec]:
        """Its inputs, in the file's order."""
        ...

    @property
    def outputs(self) -> Sequence[TensorSpec]:
        """Its outputs, in the file's order."""
        ...

    @property
    def provider(self) -> str:
        """What really runs it, such as ``CPUExecutionProvider``."""
        ...

    @property
    def placement(self) -> Placement | None:
        """How much of it `provider` runs; None: the library does not tell."""
        ...

    def run(self, inputs: "Mapping[str, NDArray[Any]]", /) -> "list[NDArray[Any]]":
        """Return all outputs, in the file's order.

        Raises:
            InferenceError: the network failed.
        """
        ...

    def close(self) -> None:
        """Free it; running it afterwards is an `InferenceError`. May be called twice."""
        ...


class InferenceBackend(Protocol):
    """Loads networks."""

    def load(self, model: ModelFile, options: SessionOptions, /) -> Session:
        """Return the network, loaded on the device that `options` asks for.

        Raises:
            RuntimeMissingError: the library behind the backend is not installed.
            DeviceUnavailableError: the device cannot be had; says why.
            PlacementError: the device would leave operators that take time to the CPU.
            ModelError: the file is missing or not a network.
        """
        ...
