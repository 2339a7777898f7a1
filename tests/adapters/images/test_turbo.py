"""Large JPEG files: a preview first, the full picture when somebody asks for it."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from facecv.adapters.images.decoder import PillowDecoder
from facecv.core.arrays import Pixels
from facecv.core.errors import ImageDecodeError, ImageTooLargeError
from facecv.core.image import Image, ImageLimits

HEIGHT, WIDTH = 603, 901
STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}
"""EXIF orientation to how the upright picture lies in the file."""


@pytest.fixture(scope="module")
def photo() -> Pixels:
    """Return a smooth picture without symmetry."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    channels = [x * 255 // WIDTH, y * 255 // HEIGHT, (x + y) * 255 // (WIDTH + HEIGHT)]
    return np.stack(channels, axis=2).astype(np.uint8)


def jpeg(pixels: Pixels, orientation: int = 1, **options: object) -> bytes:
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](pixels)[..., ::-1])
    file = io.BytesIO()
    PillowImage.fromarray(stored).save(file, "JPEG", quality=95, exif=exif.tobytes(), **options)
    return file.getvalue()


def decode(data: bytes, side: int) -> Image:
    return PillowDecoder().decode(data, side)


class TestPreview:
    @pytest.mark.parametrize(
        ("side", "reduction"), [(1, 8), (113, 8), (114, 4), (226, 4), (227, 1), (5000, 1), (0, 1)]
    )
    def test_it_is_the_smallest_that_is_large_enough(
        self, photo: Pixels, side: int, reduction: int
    ) -> None:
        image = decode(jpeg(photo), side)
        preview = image.preview
        assert (preview.reduction if preview else 1) == reduction
        assert (image.width, image.height) == (WIDTH, HEIGHT)
        if preview:
            assert preview.pixels.shape == (-(-HEIGHT // reduction), -(-WIDTH // reduction), 3)

    @pytest.mark.parametrize("orientation", sorted(STORED))
    def test_preview_and_full_picture_are_upright(self, photo: Pixels, orientation: int) -> None:
        image = decode(jpeg(photo, orientation), 200)
        assert (image.width, image.height) == (WIDTH, HEIGHT)
        assert image.preview
        small = cv2.resize(photo, (226, 151), interpolation=cv2.INTER_AREA).astype(int)
        assert np.abs(image.preview.pixels - small).mean() < 2
        assert image.pixels.shape == photo.shape
        assert image.pixels.flags.c_contiguous
        assert np.abs(image.pixels.astype(int) - photo).mean() < 2

    def test_the_full_picture_is_the_same_as_without_a_preview(self, photo: Pixels) -> None:
        data = jpeg(photo, 6, progressive=True)
        assert np.array_equal(decode(data, 200).pixels, decode(data, 0).pixels)

    @pytest.mark.parametrize("mode", ["L", "CMYK"])
    def test_other_layouts_have_the_full_picture_too(self, photo: Pixels, mode: str) -> None:
        file = io.BytesIO()
        PillowImage.fromarray(photo[..., ::-1].copy()).convert(mode).save(file, "JPEG")
        image = decode(file.getvalue(), 200)
        assert (image.preview is None) == (mode == "CMYK")
        assert np.array_equal(image.pixels, decode(file.getvalue(), 0).pixels)

    def test_other_formats_are_decoded_at_once(self, photo: Pixels) -> None:
        image = decode(cv2.imencode(".png", photo)[1].tobytes(), 200)
        assert image.preview is None
        assert np.array_equal(image.pixels, photo)


class TestDamage:
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
    def test_a_damaged_file_is_refused_with_its_preview(self, photo: Pixels, share: float) -> None:
        data = jpeg(photo)
        with pytest.raises(ImageDecodeError):
            decode(data[: int(share * len(data))], 200)

    def test_limits_hold_for_the_full_size(self, photo: Pixels) -> None:
        limited = PillowDecoder(ImageLimits(max_pixels=WIDTH * HEIGHT - 1))
        with pytest.raises(ImageTooLargeError, match=f"{WIDTH} x {HEIGHT}"):
            limited.decode(jpeg(photo), 100)
