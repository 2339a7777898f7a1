"""Promises of `facecv.core.ports.image_decoder`."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from facecv.core.arrays import Pixels
from facecv.core.errors import ImageDecodeError, ImageNotFoundError
from facecv.core.ports.image_decoder import ImageDecoder


def png(pixels: Pixels) -> bytes:
    """Return a PNG file with the pixels, uint8 [H, W, 3] BGR."""
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row[:, ::-1].tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


class ImageDecoderContract:
    """Subclass this and override `decoder`."""

    @pytest.fixture
    def decoder(self) -> ImageDecoder:
        """Return the implementation under test."""
        raise NotImplementedError

    @pytest.fixture
    def pixels(self) -> Pixels:
        """Return a picture without symmetry."""
        return np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)

    @pytest.fixture
    def encoded(self, pixels: Pixels) -> bytes:
        """Return the picture as a file that the decoder reads without loss."""
        return png(pixels)

    @pytest.fixture
    def file(self, encoded: bytes, tmp_path: Path) -> Path:
        """Return the picture's file on disk."""
        path = tmp_path / "picture.png"
        path.write_bytes(encoded)
        return path

    def test_paths_are_read(self, decoder: ImageDecoder, file: Path, pixels: Pixels) -> None:
        """A path may be text; it is the source's name."""
        for source in (file, str(file)):
            image = decoder.decode(source)
            assert np.array_equal(image.pixels, pixels)
            assert image.source == str(file)
            assert (image.width, image.height) == (9, 6)

    def test_bytes_are_decoded(self, decoder: ImageDecoder, encoded: bytes, pixels: Pixels) -> None:
        """Any bytes-like object will do."""
        for source in (encoded, bytearray(encoded), memoryview(encoded)):
            assert np.array_equal(decoder.decode(source).pixels, pixels)

    def test_arrays_are_taken_as_they_are(self, decoder: ImageDecoder, pixels: Pixels) -> None:
        """BGR in, the same BGR out."""
        assert np.array_equal(decoder.decode(pixels).pixels, pixels)

    def test_grey_arrays_become_colour(self, decoder: ImageDecoder, pixels: Pixels) -> None:
        """All three channels are the grey."""
        grey = pixels[..., 0]
        for source in (grey, grey[..., None]):
            image = decoder.decode(source)
            assert all(np.array_equal(image.pixels[..., i], grey) for i in range(3))

    def test_missing_files_are_an_error(self, decoder: ImageDecoder, tmp_path: Path) -> None:
        """The error names the file."""
        for source in (tmp_path / "nobody.jpg", str(tmp_path / "nobody.jpg")):
            with pytest.raises(ImageNotFoundError, match=r"nobody\.jpg"):
                decoder.decode(source)

    @pytest.mark.parametrize("content", [b"", b"\0", b"no picture at all", bytes(5000)])
    def test_other_files_are_an_error(
        self, decoder: ImageDecoder, tmp_path: Path, content: bytes
    ) -> None:
        """The error names the file."""
        path = tmp_path / "notes.jpg"
        path.write_bytes(content)
        with pytest.raises(ImageDecodeError, match=r"notes\.jpg"):
            decoder.decode(path)
        with pytest.raises(ImageDecodeError):
            decoder.decode(content)

    def test_arrays_that_are_no_pictures_are_an_error(self, decoder: ImageDecoder) -> None:
        """Shapes are checked."""
        for shape in ((5,), (4, 4, 2), (0, 4, 3), (2, 4, 4, 3)):
            with pytest.raises(ImageDecodeError):
                decoder.decode(np.zeros(shape, dtype=np.uint8))
