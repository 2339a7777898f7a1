"""Port: pictures from the outside."""

from typing import Protocol

from facecv.core.image import Image, ImageSource


class ImageDecoder(Protocol):
    """Turns whatever a caller has into an upright BGR picture."""

    def decode(self, source: ImageSource, side: int = 0, /) -> Image:
        """Return the picture, with its EXIF orientation applied.

        Grey, 16-bit, transparent (on white) and CMYK pictures become uint8 BGR.

        Args:
            source: the picture.
            side: a longer side, in pixels, that suffices at first: a decoder may then decode a
                preview at least that large, and the full picture when it is asked for. A damaged
                file is refused now all the same. 0: the full picture.

        Raises:
            ImageNotFoundError: there is no such file.
            ImageFetchError: the URL does not answer, or URLs are switched off.
            ImageDecodeError: it is not a picture.
            ImageTooLargeError: it has more bytes or pixels than allowed.
        """
        ...
