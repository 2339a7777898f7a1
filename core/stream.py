"""Frames of videos and cameras."""

from typing import Literal

import attrs

from facecv.core.arrays import Pixels

SourceState = Literal["connecting", "running", "retrying", "ended", "closed"]


@attrs.frozen(eq=False)
class Frame:
    """One picture of a stream.

    Attributes:
        index: counts from 0 over the frames the source produced, dropped ones included.
        time: seconds since the stream began (files) or since the epoch (live sources).
        pixels: uint8 [H, W, 3] BGR.
    """

    index: int
    time: float
    pixels: Pixels
