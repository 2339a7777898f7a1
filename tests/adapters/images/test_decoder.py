"""Where pictures come from: paths, text, bytes and arrays, within limits."""

import base64
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote_from_bytes

import numpy as np
import pytest

from facecv.adapters.images.decoder import PillowDecoder
from facecv.core.arrays import Pixels
from facecv.core.errors import (
    ImageDecodeError,
    ImageFetchError,
    ImageNotFoundError,
    ImageTooLargeError,
)
from facecv.core.image import ImageLimits
from facecv.core.ports.image_decoder import ImageDecoder
from facecv.plugins.contracts.image_decoder import ImageDecoderContract, png
from tests.fakes.image_decoder import FakeImageDecoder

PIXELS = np.random.default_rng(3).integers(0, 256, (20, 30, 3), dtype=np.uint8)
PNG = png(PIXELS)


class TestPillowDecoder(ImageDecoderContract):
    @pytest.fixture
    def decoder(self) -> ImageDecoder:
        return PillowDecoder()


class TestFakeImageDecoder(ImageDecoderContract):
    @pytest.fixture
    def decoder(self) -> ImageDecoder:
        return FakeImageDecoder()

    @pytest.fixture
    def encoded(self, pixels: Pixels) -> bytes:
        file = io.BytesIO()
        np.save(file, pixels)
        return file.getvalue()


class TestText:
    @pytest.mark.parametrize(
        "encode",
        [
            base64.b64encode,
            base64.urlsafe_b64encode,
            base64.encodebytes,
            lambda data: base64.b64encode(data).rstrip(b"="),
        ],
        ids=["plain", "url-safe", "in lines", "without padding"],
    )
    def test_base64(self, encode: Callable[[bytes], bytes]) -> None:
        image = PillowDecoder().decode(encode(PNG).decode())
        assert np.array_equal(image.pixels, PIXELS)
        assert image.source == "base64 text"

    @pytest.mark.parametrize(
        "uri",
        [
            f"data:image/png;base64,{base64.b64encode(PNG).decode()}",
            f"DATA:;BASE64,{base64.b64encode(PNG).decode()}",
            f"data:image/png,{quote_from_bytes(PNG)}",
        ],
        ids=["base64", "upper case", "percent encoded"],
    )
    def test_data_uris(self, uri: str) -> None:
        image = PillowDecoder().decode(uri)
        assert np.array_equal(image.pixels, PIXELS)
        assert image.source == "data URI"

    @pytest.mark.parametrize("uri", ["data:image/png;base64", "data:;base64,äöü", "data:"])
    def test_malformed_data_uris(self, uri: str) -> None:
        with pytest.raises(ImageDecodeError, match="data URI is malformed"):
            PillowDecoder().decode(uri)

    @pytest.mark.parametrize("text", ["", "a\0b", "photo.jpg", "/9j", "x" * 100_000, "file:///a"])
    def test_text_that_is_nothing_is_a_missing_file(self, text: str) -> None:
        """A long text is not repeated in full."""
        with pytest.raises(ImageNotFoundError) as raised:
            PillowDecoder().decode(text)
        assert len(str(raised.value)) < 300

    def test_a_file_goes_before_base64(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Base64 text that is also a file's name means the file."""
        name = base64.b64encode(b"BM0123").decode()
        (tmp_path / name).write_bytes(PNG)
        monkeypatch.chdir(tmp_path)
        assert np.array_equal(PillowDecoder().decode(name).pixels, PIXELS)

    def test_base64_of_a_damaged_picture_says_so(self) -> None:
        with pytest.raises(ImageDecodeError, match=r"base64 text: .*PNG"):
            PillowDecoder().decode(base64.b64encode(PNG[:200]).decode())


class TestFiles:
    def test_a_folder_is_no_picture(self, tmp_path: Path) -> None:
        with pytest.raises(ImageNotFoundError, match="folder"):
            PillowDecoder().decode(tmp_path)

    def test_a_file_that_may_not_be_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(ImageNotFoundError, match=r"secret\.png.* Permission denied"):
            PillowDecoder().decode(Path("secret.png"))

    def test_a_path_through_a_file_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(PNG)
        with pytest.raises(ImageNotFoundError, match="cannot be read"):
            PillowDecoder().decode(tmp_path / "a.png" / "b.png")


class TestArrays:
    def test_bgra_is_laid_on_white(self) -> None:
        alpha = np.full((20, 30, 1), 255, dtype=np.uint8)
        alpha[0] = 0
        alpha[1] = 128
        pixels = PillowDecoder().decode(np.concatenate([PIXELS, alpha], axis=2)).pixels
        half = PIXELS[1] * (128 / 255) + 255 * (127 / 255)
        assert (pixels[0] == 255).all()
        assert np.abs(pixels[1] - half).max() <= 0.51
        assert np.array_equal(pixels[2:], PIXELS[2:])

    def test_16_bits_lose_their_lower_half(self) -> None:
        sixteen = PIXELS.astype(np.uint16) * 256 + 255
        assert np.array_equal(PillowDecoder().decode(sixteen).pixels, PIXELS)

    @pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
    def test_floats_from_0_to_1(self, kind: type) -> None:
        pixels = PillowDecoder().decode((PIXELS / 255).astype(kind)).pixels
        assert np.abs(pixels.astype(int) - PIXELS).max() <= (1 if kind is np.float16 else 0)

    @pytest.mark.parametrize("value", [-0.1, 1.1, 255.0, np.nan, np.inf])
    def test_other_floats_are_an_error(self, value: float) -> None:
        floats = np.zeros((4, 4), dtype=np.float32)
        floats[2, 2] = value
        with pytest.raises(ImageDecodeError, match="between 0 and 1"):
            PillowDecoder().decode(floats)

    @pytest.mark.parametrize("kind", [bool, np.int64, complex, object])
    def test_other_types_are_an_error(self, kind: type) -> None:
        with pytest.raises(ImageDecodeError, match="uint8"):
            PillowDecoder().decode(np.zeros((4, 4), dtype=kind))

    def test_views_will_do(self) -> None:
        assert np.array_equal(PillowDecoder().decode(PIXELS[::2, ::-1]).pixels, PIXELS[::2, ::-1])

    @pytest.mark.parametrize("thing", [None, 5, ["a.jpg"], object()])
    def test_anything_else_is_an_error(self, thing: object) -> None:
        with pytest.raises(ImageDecodeError, match=type(thing).__name__):
            PillowDecoder().decode(thing)  # type: ignore[arg-type]


class TestLimits:
    def test_bytes(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(PNG)
        exact = PillowDecoder(ImageLimits(max_bytes=len(PNG)))
        assert exact.decode(path).width == 30
        short = PillowDecoder(ImageLimits(max_bytes=len(PNG) - 1))
        for source in (path, PNG, base64.b64encode(PNG).decode()):
            with pytest.raises(ImageTooLargeError, match="bytes"):
                short.decode(source)

    def test_endless_files_are_not_read_to_the_end(self) -> None:
        endless = Path("/dev/zero")
        if not endless.exists():
            pytest.skip("there is no /dev/zero here")
        with pytest.raises(ImageTooLargeError):
            PillowDecoder(ImageLimits(max_bytes=10_000)).decode(endless)

    def test_pixels(self) -> None:
        assert PillowDecoder(ImageLimits(max_pixels=600)).decode(PNG).width == 30
        small = PillowDecoder(ImageLimits(max_pixels=599))
        for source in (PNG, PIXELS):
            with pytest.raises(ImageTooLargeError, match="30 x 20"):
                small.decode(source)

    @pytest.mark.parametrize("side", [12_000, 60_000])
    def test_pixels_are_counted_from_the_header_alone(self, side: int) -> None:
        """A bomb: a small file that claims to be huge is refused before it is decoded."""
        header = b"IHDR" + struct.pack(">II", side, side) + PNG[24:29]
        bomb = PNG[:12] + header + struct.pack(">I", zlib.crc32(header)) + PNG[33:]
        with pytest.raises(ImageTooLargeError, match=f"{side} x {side}"):
            PillowDecoder().decode(bomb)


class TestUrls:
    def test_urls_can_be_switched_off(self) -> None:
        with pytest.raises(ImageFetchError, match=r"http://example\.org/a\.jpg .*switched off"):
            PillowDecoder(urls=False).decode("http://me:secret@example.org/a.jpg?key=1")
