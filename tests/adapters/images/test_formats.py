"""Formats, pixel layouts, orientation and damage."""

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from facecv.adapters.images.decoder import PillowDecoder
from facecv.adapters.images.formats import sniff
from facecv.core.arrays import Pixels
from facecv.core.errors import ImageDecodeError, InputError


def _smooth(height: int = 48, width: int = 64) -> Pixels:
    """Return a picture without symmetry that lossy formats keep well."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)]
    return np.stack(channels, axis=2).astype(np.uint8)


PIXELS = _smooth()


def _file(kind: str, picture: PillowImage.Image | None = None, **options: Any) -> bytes:
    """Return a picture (default: PIXELS) as a file that Pillow writes."""
    file = io.BytesIO()
    picture = picture or PillowImage.fromarray(PIXELS[..., ::-1])
    picture.save(file, kind, **options)
    return file.getvalue()


def _decoded(data: bytes) -> Pixels:
    return PillowDecoder().decode(data).pixels


def _distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(float) - other).mean())


class TestFormats:
    @pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
    def test_lossless(self, kind: str) -> None:
        assert np.array_equal(_decoded(_file(kind)), PIXELS)

    @pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "HEIF"])
    def test_lossy(self, kind: str) -> None:
        if kind == "HEIF":
            pytest.importorskip("pillow_heif")
            data = _heic(PIXELS)
        else:
            data = _file(kind, quality=95)
        assert _distance(_decoded(data), PIXELS) < 4

    @pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tiff"])
    def test_pixels_are_those_of_opencv(self, suffix: str) -> None:
        """Scripts that used to read with OpenCV see the same numbers."""
        data = cv2.imencode(suffix, PIXELS)[1]
        expected = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert expected is not None
        assert np.array_equal(_decoded(data.tobytes()), expected)

    @pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
    def test_of_several_pictures_the_first_counts(self, kind: str) -> None:
        black, white = (PillowImage.new("RGB", (16, 16), shade) for shade in ("black", "white"))
        data = _file(kind, black, save_all=True, append_images=[white])
        assert _decoded(data).max() < 10

    def test_unknown_formats_name_the_known_ones(self) -> None:
        with pytest.raises(ImageDecodeError, match="JPEG, PNG"):
            _decoded(_file("PPM"))

    @pytest.mark.parametrize(
        ("data", "name"),
        [
            (b"\0\0\0\x1cftypheic\0\0\0\0mif1heic", "heif"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "avif"),
            (b"\0\0\0\x1cftypisom\0\0\0\0isommp42", None),
            (b"\0\0\0\x14ftypisom\0\0\0\0isomheic", None),
            (b"RIFF\0\0\0\0WAVEfmt ", None),
            (b"", None),
        ],
        ids=["heic", "avif as mif1", "mp4", "brand beyond the box", "wave", "nothing"],
    )
    def test_containers_are_told_apart(self, data: bytes, name: str | None) -> None:
        assert sniff(data) == name


class TestLayouts:
    def test_grey(self) -> None:
        grey = PIXELS[..., 0]
        pixels = _decoded(_file("PNG", PillowImage.fromarray(grey)))
        assert np.array_equal(pixels, np.repeat(grey[..., None], 3, axis=2))

    @pytest.mark.parametrize("suffix", [".png", ".tiff"])
    @pytest.mark.parametrize("channels", [1, 3])
    def test_16_bits(self, suffix: str, channels: int) -> None:
        sixteen = PIXELS[..., :channels].astype(np.uint16) * 256 + 77
        pixels = _decoded(cv2.imencode(suffix, sixteen)[1].tobytes())
        assert np.array_equal(pixels, np.broadcast_to(PIXELS[..., :channels], PIXELS.shape))

    def test_black_and_white(self) -> None:
        bits = PillowImage.fromarray(PIXELS[..., 0] > 127)
        assert bits.mode == "1"
        assert np.array_equal(_decoded(_file("PNG", bits))[..., 0] == 255, PIXELS[..., 0] > 127)

    def test_palette(self) -> None:
        picture = PillowImage.fromarray(PIXELS[..., ::-1]).quantize(64)
        expected = np.asarray(picture.convert("RGB"))[..., ::-1]
        assert np.array_equal(_decoded(_file("PNG", picture)), expected)

    @pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
    @pytest.mark.parametrize("mode", ["RGBA", "LA"])
    def test_transparency_is_laid_on_white(self, kind: str, mode: str) -> None:
        picture = PillowImage.new(mode, (8, 8), 0)
        if kind == "WEBP":
            picture = picture.convert("RGBA")
        assert (_decoded(_file(kind, picture, lossless=True)) == 255).all()

    def test_a_transparent_colour_is_laid_on_white(self) -> None:
        """PNG may declare one entry of the palette, or one colour, transparent."""
        palette = PillowImage.new("P", (8, 8), 0)
        assert (_decoded(_file("PNG", palette, transparency=0)) == 255).all()
        rgb = PillowImage.new("RGB", (8, 8), (9, 8, 7))
        assert (_decoded(_file("PNG", rgb, transparency=(9, 8, 7))) == 255).all()

    @pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
    def test_cmyk(self, kind: str) -> None:
        """JPEG holds CMYK inverted, as Adobe does; TIFF does not."""
        rgb = PillowImage.fromarray(PIXELS[..., ::-1])
        assert _distance(_decoded(_file(kind, rgb.convert("CMYK"))), PIXELS) < 4

    def test_floats(self) -> None:
        grey = PIXELS[..., 0]
        tiff = _file("TIFF", PillowImage.fromarray((grey / 255).astype(np.float32)))
        assert np.array_equal(_decoded(tiff)[..., 0], grey)
        with pytest.raises(ImageDecodeError, match="between 0 and 1"):
            _decoded(_file("TIFF", PillowImage.fromarray(grey.astype(np.float32))))


_STORED: dict[int, Callable[[Pixels], Pixels]] = {
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


class TestOrientation:
    @pytest.mark.parametrize("orientation", sorted(_STORED))
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
    def test_pictures_come_out_upright(self, kind: str, orientation: int) -> None:
        stored = np.ascontiguousarray(_STORED[orientation](PIXELS)[..., ::-1])
        exif = PillowImage.Exif()
        exif[0x0112] = orientation
        options = {"compression": "tiff_lzw"} if kind == "TIFF" else {"quality": 95}
        data = _file(kind, PillowImage.fromarray(stored), exif=exif.tobytes(), **options)
        pixels = _decoded(data)
        assert pixels.shape == PIXELS.shape
        assert _distance(pixels, PIXELS) < 4

    @pytest.mark.parametrize("orientation", sorted(_STORED))
    def test_heic_is_turned_once(self, orientation: int) -> None:
        """HEIC states its turn twice, in the container and in EXIF."""
        pytest.importorskip("pillow_heif")
        stored = np.ascontiguousarray(_STORED[orientation](PIXELS))
        pixels = _decoded(_heic(stored, orientation))
        assert pixels.shape == PIXELS.shape
        assert _distance(pixels, PIXELS) < 4

    @pytest.mark.parametrize("orientation", [0, 9, 65535])
    def test_senseless_orientations_are_ignored(self, orientation: int) -> None:
        exif = PillowImage.Exif()
        exif[0x0112] = orientation
        assert np.array_equal(_decoded(_file("PNG", exif=exif.tobytes())), PIXELS)

    @pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
    @pytest.mark.parametrize(
        "exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0junk"]
    )
    def test_damaged_metadata_is_ignored(self, exif: bytes) -> None:
        assert _distance(_decoded(_file("JPEG", exif=exif, quality=95)), PIXELS) < 4


def _heic(pixels: Pixels, orientation: int = 1) -> bytes:
    from pillow_heif import from_pillow

    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    picture = from_pillow(PillowImage.fromarray(np.ascontiguousarray(pixels[..., ::-1])))
    file = io.BytesIO()
    picture.save(file, quality=95, chroma=444, exif=exif.tobytes())
    return file.getvalue()


def test_without_the_extra_heic_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageDecodeError, match=r"pip install 'facecv\[heif\]'"):
        _decoded(b"\0\0\0\x1cftypheic\0\0\0\0mif1heic")


class TestDamage:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"])
    @pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97])
    def test_a_file_that_ends_too_early(self, kind: str, share: float) -> None:
        """A picture is whole or an error, never half grey."""
        noise = np.random.default_rng(5).integers(0, 256, (90, 120, 3), dtype=np.uint8)
        data = _file(kind, PillowImage.fromarray(noise))
        with pytest.raises(ImageDecodeError):
            _decoded(data[: int(len(data) * share)])

    @pytest.mark.parametrize("marker", [0x01, 0x3A, 0xC0, 0xD3, 0xE5, 0xF7])
    @pytest.mark.parametrize("progressive", [False, True])
    def test_a_jpeg_with_a_stray_marker_inside(self, marker: int, *, progressive: bool) -> None:
        """Decoders fill the rest with grey; we refuse."""
        noise = np.random.default_rng(5).integers(0, 256, (90, 120, 3), dtype=np.uint8)
        data = bytearray(_file("JPEG", PillowImage.fromarray(noise), progressive=progressive))
        _decoded(bytes(data))
        middle = len(data) // 2
        data[middle : middle + 2] = bytes([0xFF, marker])
        with pytest.raises(ImageDecodeError, match="damaged"):
            _decoded(bytes(data))

    @pytest.mark.parametrize("progressive", [False, True])
    def test_a_whole_jpeg_with_restarts_a_comment_and_a_tail(self, *, progressive: bool) -> None:
        """Legal markers, and bytes after the end, are no damage."""
        data = _file(
            "JPEG",
            quality=95,
            progressive=progressive,
            restart_marker_blocks=1,
            comment=b"\xff\x3a",
        )
        assert _distance(_decoded(data + b"tail\xff\x3a"), PIXELS) < 4

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"])
    def test_no_damage_crashes_or_leaks_another_error(self, kind: str) -> None:
        """Random bytes anywhere give a picture or an ImageDecodeError."""
        random = np.random.default_rng(7)
        whole = np.frombuffer(_file(kind), dtype=np.uint8)
        for _ in range(60):
            data = whole.copy()
            places = random.integers(12, len(data), 6)
            data[places] = random.integers(0, 256, len(places))
            with contextlib.suppress(InputError):
                assert _decoded(data.tobytes()).ndim == 3


def test_damaged_files_leave_standard_error_quiet() -> None:
    """C libraries print past Python, where no filter of warnings reaches; ours must not."""
    script = """
import cv2, numpy, contextlib
from facecv.adapters.images.decoder import PillowDecoder
from facecv.core.errors import InputError
picture = numpy.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=numpy.uint8)
for suffix in (".jpg", ".png", ".webp", ".bmp", ".gif", ".avif"):
    data = bytearray(cv2.imencode(suffix, picture)[1].tobytes())
    middle = len(data) // 2
    broken = data[:middle] + bytes(64) + data[middle + 64:]
    for content in (data[:middle], broken, data[:-9] + b"  " + data[-9:]):
        with contextlib.suppress(InputError):
            PillowDecoder().decode(bytes(content))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stderr == ""
