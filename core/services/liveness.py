"""The gate of enrolment and identification: is this a living person before the camera?"""

from collections.abc import Sequence

import attrs

from facecv.core.attributes import AttributeValue
from facecv.core.errors import ConfigurationError, LivenessError
from facecv.core.face import Face
from facecv.core.liveness import ATTRIBUTE, LIVE, LivenessGate
from facecv.core.services.analyse import Analyser, Want


def wanted(want: Want, gate: LivenessGate, analyser: Analyser) -> Want:
    """Return `want` with liveness added, unless the gate is off.

    Raises:
        ConfigurationError: the gate is on, but no attribute model gives liveness.
    """
    if gate == "off":
        return want
    if ATTRIBUTE not in analyser.attribute_models.names:
        raise ConfigurationError(
            f"the liveness gate is set to {gate!r}, but no attribute model gives {ATTRIBUTE}",
            hint="name one in `attributes`, such as minifasnet:PATH, or set the gate to off",
        )
    named = want.attributes
    return want if named is None else attrs.evolve(want, attributes=named | {ATTRIBUTE})


def liveness_of(face: Face) -> AttributeValue | None:
    """Return what a model said about a face; None where none was asked."""
    return face.attributes.get(ATTRIBUTE)


def check_live(face: Face, gate: LivenessGate, about: str) -> None:
    """Raise unless the gate lets a face pass; only ``enforce`` refuses.

    Args:
        face: the face.
        gate: the gate.
        about: the picture, for the message.

    Raises:
        LivenessError: the face is a spoof, or could not be judged.
    """
    if gate != "enforce" or _passes(face):
        return
    said = liveness_of(face)
    answer, reason = (str(said.value), said.reason) if said else ("not judged", "")
    raise LivenessError(
        f"{about}: the face does not pass for live: {answer}" + (f", {reason}" if reason else ""),
        hint="use a photo of the person before the camera, or set the gate to observe or off",
        details={"liveness": answer, "reason": reason},
    )


def passing(faces: Sequence[Face], gate: LivenessGate, about: str) -> list[Face]:
    """Return the faces that the gate lets pass; all unless it is ``enforce``.

    Raises:
        LivenessError: there are faces, and none passes.
    """
    if gate != "enforce":
        return list(faces)
    live = [face for face in faces if _passes(face)]
    if faces and not live:
        check_live(faces[0], gate, about)
    return live


def _passes(face: Face) -> bool:
    said = liveness_of(face)
    return said is not None and said.value == LIVE
