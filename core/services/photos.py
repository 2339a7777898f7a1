"""From a photo to a face that can be enrolled."""

import hashlib
from collections.abc import Sequence

import attrs

from facecv.core.arrays import Pixels
from facecv.core.attributes import AttributeValue
from facecv.core.errors import FaceNotFoundError, QualityError
from facecv.core.face import Face
from facecv.core.gallery import FaceRecord
from facecv.core.image import Image, ImageSource
from facecv.core.liveness import LivenessGate
from facecv.core.quality import GateName
from facecv.core.services.analyse import largest
from facecv.core.services.liveness import check_live, liveness_of


@attrs.frozen(eq=False)
class Photo:
    """A photo with a name of its own.

    Attributes:
        source: the picture.
        name: for reports, and kept with the face; empty: the picture's own.
    """

    source: ImageSource | Image = attrs.field(repr=False)
    name: str = ""


AnyPhoto = ImageSource | Image | Photo


@attrs.frozen(eq=False)
class GoodFace:
    """A face that can be enrolled.

    Attributes:
        record: what is to be kept of it.
        liveness: what a model said about it, where the gate asked one.
        others: faces of its photo that are at least half as large as it.
    """

    record: FaceRecord
    liveness: AttributeValue | None = None
    others: int = 0


def good_face(
    faces: Sequence[Face], source: str, gate: GateName, liveness: LivenessGate
) -> GoodFace:
    """Return the largest face if it passes all gates; raise an `InputError` otherwise."""
    face = largest(faces)
    if face is None:
        raise FaceNotFoundError(f"{source}: no face found")
    check_live(face, liveness, source)
    others = sum(2 * other.box.area >= face.box.area for other in faces) - 1
    return GoodFace(_record(face, source, gate), liveness_of(face), others)


def distinct(records: Sequence[FaceRecord], seen: set[str]) -> list[FaceRecord]:
    """Return the records whose crop is neither in `seen` nor twice among them."""
    first = {record.digest: record for record in reversed(records)}
    return [r for r in records if r.digest not in seen and first[r.digest] is r]


def _record(face: Face, source: str, gate: GateName) -> FaceRecord:
    """Return a face as a record; raise an `InputError` if it is not good enough."""
    if face.embedding is None or face.crop is None or face.quality is None:
        raise FaceNotFoundError(
            f"{source}: the detector gives no landmarks", hint="use a detector with landmarks"
        )
    failed = face.quality.failed(gate)
    if failed:
        parts = ", ".join(f"{part} {getattr(face.quality, part):.2f}" for part in failed)
        raise QualityError(
            f"{source}: the face fails the {gate!r} quality gate: {parts}",
            hint="use a better photo or another gate (off, standard, strict)",
            details={"failed": list(failed), "quality": face.quality.score},
        )
    return FaceRecord(
        face.embedding,
        source=source,
        digest=_digest(face.crop),
        quality=face.quality.score,
        crop=face.crop,
    )


def _digest(crop: Pixels) -> str:
    return hashlib.sha256(crop.tobytes()).hexdigest()
