"""Port: how long things take."""

from typing import Literal, Protocol

Stage = Literal["decode", "detect", "align", "embed", "attributes", "search"]


class Meter(Protocol):
    """Is told how long the stages of the work take; never raises, and returns at once."""

    def observe(self, stage: Stage, seconds: float, items: int, model: str, /) -> None:
        """Take note of one pass through a stage.

        Args:
            stage: which one.
            seconds: how long it took, waiting for shared runs included.
            items: pictures (decode, detect), faces (align, embed, attributes) or probes (search).
            model: name of the model that ran; empty where none did.
        """
        ...

    def batch(self, model: str, size: int, /) -> None:
        """Take note of one run of a network with so many faces."""
        ...
