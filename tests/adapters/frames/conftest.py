"""Fixtures of the tests of frame sources."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facecv.adapters.frames.recorder import Mp4Recorder

FilmFactory = Callable[..., Path]


def write_film(path: Path, count: int, size: tuple[int, int] = (64, 48)) -> Path:
    """Write a film of grey frames that get lighter, 10 a second; return its path."""
    recorder = Mp4Recorder(path)
    width, height = size
    for number in range(count):
        grey = 20 + 10 * (number % 20)
        recorder.write(np.full((height, width, 3), grey, np.uint8), number / 10)
    recorder.close()
    return path


@pytest.fixture
def film(tmp_path: Path) -> FilmFactory:
    """Return what writes films."""
    pytest.importorskip("av")

    def write(count: int, size: tuple[int, int] = (64, 48), name: str = "film.mp4") -> Path:
        return write_film(tmp_path / name, count, size)

    return write


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a film that nobody reads to its end; written once."""
    pytest.importorskip("av")
    return write_film(tmp_path_factory.mktemp("films") / "long.mp4", 400, (320, 240))
