"""Port: pictures from the outside."""

from typing import Protocol

from facecv.core.image import Image, ImageSource


class ImageDecoder(Protocol):
    """Turns whatever a caller has into an upright BGR picture."""

    def decode(self, source: ImageSource, /) -> Image:
        """Return the picture, with its EXIF orientation applied.

        Grey, 16-bit, transparent (on white) and CMYK pictures become uint8 BGR.

        Raises:
            ImageNotFoundError: there is no such file.
            ImageFetchError: the URL does not answer, or URLs are switched off.
            ImageDecodeError: it is not a picture.
            ImageTooLargeError: it has more bytes or pixels than allowed.
        """
        ...
