"""Port: finding faces."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

import attrs

if TYPE_CHECKING:  # numpy is not needed until something runs, nor by plugins that register it
    from facecv.core.arrays import Pixels
    from facecv.core.face import Detection

Passes = Literal["auto", "single"]


_between_0_and_1 = [attrs.validators.ge(0.0), attrs.validators.le(1.0)]


@attrs.frozen
class DetectorOptions:
    """How a detector looks at a batch of pictures.

    Attributes:
        score_threshold: the least confidence of a detection, 0..1.
        nms_threshold: detections that overlap a better one by more than this IoU are dropped.
        input_size: the longer side, in pixels, at which the network sees a picture.
        passes: ``auto`` adds a cheap low-resolution pass that finds faces which fill the picture,
            where the network needs it; ``single`` looks once.
        padding: ``rectangle`` feeds the smallest multiple of 32 that holds the resized picture;
            ``square`` pads to a square, and samples large pictures, as the insightface package
            does. A network of fixed input size always gets its own size.
    """

    score_threshold: float = attrs.field(default=0.5, validator=_between_0_and_1)
    nms_threshold: float = attrs.field(default=0.4, validator=_between_0_and_1)
    input_size: int = attrs.field(
        default=640, validator=[attrs.validators.ge(32), attrs.validators.le(8192)]
    )
    passes: Passes = attrs.field(default="auto", validator=attrs.validators.in_(("auto", "single")))
    padding: Literal["rectangle", "square"] = attrs.field(
        default="rectangle", validator=attrs.validators.in_(("rectangle", "square"))
    )


class Detector(Protocol):
    """Finds faces."""

    def detect(
        self, images: "Sequence[Pixels]", options: DetectorOptions, /
    ) -> "list[list[Detection]]":
        """Return the faces of each picture, by falling score.

        Args:
            images: uint8 [H, W, 3] BGR pictures of any sizes; left untouched.
            options: thresholds and sizes.

        Returns:
            One list a picture, in order, empty where there is no face. Boxes and landmarks are in
            the pixels of each picture as given.
        """
        ...
