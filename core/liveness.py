"""Whether a face is a living person before the camera, and what follows if it is not."""

from typing import Literal

import attrs

ATTRIBUTE = "liveness"
"""The name of the attribute."""

LIVE, SPOOF, REJECTED = "live", "spoof", "rejected"
"""Its values; a face that is rejected cannot be judged, and the reason says why."""

LivenessGate = Literal["off", "observe", "enforce"]
"""``off``: nobody looks; ``observe``: the answer is told and changes nothing; ``enforce``: a face
that is not live is refused."""


@attrs.frozen
class LivenessLimits:
    """When a face is judged, and how; a section ``[attribute_models.…]`` of the configuration.

    Attributes:
        threshold: the probability from which a face is live, 0..1.
        min_face: a box whose shorter side is less is too small, pixels.
        min_light: a face whose mean grey is less is too dark, 0..255.
        min_room: a picture that is not so many times as large as the box cuts off what the
            networks look for around the face: frames, fingers, the edge of a screen.
        max_outside: a box of which a larger share of a side lies outside the picture is cut off.
    """

    threshold: float = attrs.field(default=0.5, validator=attrs.validators.ge(0.0))
    min_face: float = attrs.field(default=48.0, validator=attrs.validators.ge(1.0))
    min_light: float = attrs.field(default=30.0, validator=attrs.validators.ge(0.0))
    min_room: float = attrs.field(default=1.3, validator=attrs.validators.ge(1.0))
    max_outside: float = attrs.field(default=0.05, validator=attrs.validators.ge(0.0))
