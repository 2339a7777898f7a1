"""The photos of ``facecv demo``: those that ship inside scikit-image and matplotlib."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs
import cv2
import numpy as np

from facecv.core.arrays import Pixels, check_pixels
from facecv.core.errors import ImageDecodeError
from facecv.entrypoints.cli.extras import demo_package

_GROUND = 24
"""Grey of the contact sheet where there is no picture."""


@attrs.frozen(eq=False)
class DemoPhoto:
    """A picture, and whom it shows.

    Attributes:
        title: what it is, in a few words.
        person: whose name is the right answer; empty: nobody that is enrolled.
        pixels: uint8 [H, W, 3] BGR.
    """

    title: str
    person: str
    pixels: Pixels


def photos() -> list[DemoPhoto]:
    """Return the original photos: two persons to enrol, and one who stays a stranger.

    Raises:
        RuntimeMissingError: a package of the extra ``demo`` is not installed.
    """
    data = demo_package("skimage.data")
    samples = demo_package("matplotlib.cbook")
    hopper = Path(samples.get_sample_data("grace_hopper.jpg", asfileobj=False))
    return [
        DemoPhoto("astronaut", "Eileen Collins", _bgr(data.astronaut())),
        DemoPhoto("admiral", "Grace Hopper", _decoded(hopper.read_bytes())),
        DemoPhoto("cameraman", "", _bgr(np.stack([data.camera()] * 3, axis=-1))),
    ]


def altered(photo: DemoPhoto) -> Iterator[DemoPhoto]:
    """Yield the photo in all versions in which its person is still to be known."""
    for change, alter in ALTERATIONS.items():
        yield attrs.evolve(photo, title=f"{photo.title}, {change}", pixels=alter(photo.pixels))


def contact_sheet(pictures: Sequence[Pixels], columns: int = 5, side: int = 300) -> Pixels:
    """Return pictures in rows, each fitted into a square of `side` pixels; uint8 BGR."""
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * side, columns * side, 3), _GROUND, dtype=np.uint8)
    for index, picture in enumerate(pictures):
        small = _fitted(picture, side - 8)
        height, width = small.shape[:2]
        top = index // columns * side + (side - height) // 2
        left = index % columns * side + (side - width) // 2
        sheet[top : top + height, left : left + width] = small
    return sheet


def _mirrored(image: Pixels) -> Pixels:
    return np.ascontiguousarray(image[:, ::-1])


def _blurred(image: Pixels) -> Pixels:
    return _checked(cv2.GaussianBlur(image, (0, 0), 2.5))


def _smaller(image: Pixels) -> Pixels:
    return _fitted(image, max(image.shape[:2]) * 2 // 5)


def _tilted(image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 15, 1.0)
    return _checked(cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE))


def _lying(image: Pixels) -> Pixels:
    return np.ascontiguousarray(np.rot90(image))


def _darker(image: Pixels) -> Pixels:
    return (image * 0.35).astype(np.uint8)


def _compressed(image: Pixels) -> Pixels:
    _, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 20])
    return _decoded(content.tobytes())


def _grey(image: Pixels) -> Pixels:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return _checked(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))


ALTERATIONS: Mapping[str, Callable[[Pixels], Pixels]] = {
    "mirrored": _mirrored,
    "blurred": _blurred,
    "at 40 % of size": _smaller,
    "turned by 15°": _tilted,
    "turned by 90°": _lying,
    "darker": _darker,
    "JPEG quality 20": _compressed,
    "grey": _grey,
}
"""What is done to a photo, and how."""


def _fitted(image: Pixels, longer: int) -> Pixels:
    """Return the picture with its longer side at `longer` pixels."""
    height, width = image.shape[:2]
    scale = longer / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return _checked(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _bgr(rgb: Pixels) -> Pixels:
    return np.ascontiguousarray(check_pixels(rgb)[:, :, ::-1])


def _decoded(content: bytes) -> Pixels:
    image = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ImageDecodeError("a photo of the demo cannot be decoded")
    return _checked(image)


def _checked(image: object) -> Pixels:
    return check_pixels(np.asarray(image))
