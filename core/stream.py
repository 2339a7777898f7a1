"""Frames of videos and cameras."""

from typing import Literal

import attrs

from facecv.core.arrays import Pixels

SourceState = Literal["connecting", "running", "retrying", "ended", "closed"]


@attrs.frozen
class SourceStatus:
    """How a source is doing.

    Attributes:
        state: what it does; ``retrying`` says that a camera is lost, and why stands in `problem`.
        problem: what went wrong last, without secrets; empty while all is well.
        outages: how many times a source that had been running, or ought to run, was lost; once it
            tells of one, no frame from before comes any more.
        frames: frames that the source has produced, dropped ones included.
        dropped: frames that nobody took in time.
    """

    state: SourceState = "connecting"
    problem: str = ""
    outages: int = 0
    frames: int = 0
    dropped: int = 0


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
