"""Fixtures of the tests of frame sources."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facecv.adapters.frames.recorder import Mp4Recorder

FilmFactory = Callable[..., Path]


@pytest.fixture
def film(tmp_path: Path) -> FilmFactory:
    """Return what writes a film of grey frames that get lighter, 10 a second."""
    pytest.importorskip("av")

    def write(count: int, size: tuple[int, int] = (64, 48), name: str = "film.mp4") -> Path:
        path = tmp_path / name
        recorder = Mp4Recorder(path)
        for number in range(count):
            width, height = size
            recorder.write(
                np.full((height, width, 3), 20 + 10 * (number % 20), np.uint8), number / 10
            )
        recorder.close()
        return path

    return write
