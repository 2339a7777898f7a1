"""Pixels to tensors."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from facecv.adapters.imaging.tensors import Normalizer
from facecv.core.pack import ColorOrder, InputSpec
from facecv.core.ports.inference_backend import TensorSpec


@pytest.mark.parametrize(("mean", "std"), [(127.5, 127.5), (127.5, 128.0), (0.0, 1.0), (0.0, 255)])
@pytest.mark.parametrize("color", ["rgb", "bgr"])
def test_is_the_formula(mean: float, std: float, color: ColorOrder) -> None:
    """(pixel - mean) / std, channels in the order asked for, black around the picture."""
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    canvas = np.zeros((8, 9, 3), np.uint8)
    canvas[:5, :7] = picture
    tensor = Normalizer.of(InputSpec(color=color, mean=mean, std=std)).planes([picture], (9, 8))
    ordered = canvas[..., ::-1] if color == "rgb" else canvas
    expected = (ordered.transpose(2, 0, 1).astype(np.float64) - mean) / std
    assert tensor.dtype == np.float32
    np.testing.assert_allclose(tensor[0], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("color", ["rgb", "bgr"])
def test_a_network_that_takes_bytes_gets_them(color: ColorOrder) -> None:
    """Laid out as for one that takes floats, black around the picture."""
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    spec = InputSpec(color=color, mean=0, std=1)
    takes_bytes = Normalizer.of(spec, TensorSpec("x", (1, 3, 8, 9), "uint8"))
    takes_floats = Normalizer.of(spec, TensorSpec("x", (1, 3, 8, 9), "float32"))
    tensor = takes_bytes.planes([picture], (9, 8))
    assert tensor.dtype == np.uint8
    np.testing.assert_array_equal(tensor, takes_floats.planes([picture], (9, 8)))


@pytest.mark.parametrize("std", [128.0, 127.5, 1.0])
def test_numbers_are_those_next_to_the_formula(std: float) -> None:
    """Networks of bytes take them for integers: a rounding more, and they get the next one."""
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16)
    normalizer = Normalizer.of(InputSpec(mean=127.5, std=std))
    tensor = normalizer.planes([np.stack([picture] * 3, axis=-1)], (16, 16))
    nearest = ((picture - 127.5) / std).astype(np.float32)
    np.testing.assert_array_equal(tensor, np.broadcast_to(nearest, (1, 3, 16, 16)))


def test_memory_is_used_again_by_the_same_thread_alone() -> None:
    """What one thread holds is not touched by another; a smaller picture leaves no trace."""
    normalizer = Normalizer.of(InputSpec(mean=0, std=1))
    white, grey = (np.full((4, 4, 3), value, np.uint8) for value in (255, 100))
    tensor = normalizer.planes([white], (4, 4))
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(normalizer.planes, [grey], (4, 4)).result()
    assert (tensor == 255).all()
    assert (other == 100).all()
    again = normalizer.planes([grey[:2]], (4, 4))
    assert np.shares_memory(again, tensor)
    assert (again[0, :, 2:] == 0).all()


def test_grey_has_one_plane() -> None:
    """Luma, not a channel."""
    picture = np.full((4, 4, 3), (0, 0, 255), np.uint8)
    tensor = Normalizer.of(InputSpec(color="grey", mean=0, std=1)).planes([picture], (4, 4))
    assert tensor.shape == (1, 1, 4, 4)
    assert tensor[0, 0, 0, 0] == pytest.approx(76, abs=1)


def test_mirrored_views_are_pictures() -> None:
    """Negative strides do not confuse it."""
    picture = np.random.default_rng(0).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    normalizer = Normalizer.of(InputSpec())
    view = normalizer.planes([picture[:, ::-1]], (6, 6))
    copy = normalizer.planes([np.ascontiguousarray(picture[:, ::-1])], (6, 6))
    np.testing.assert_array_equal(view, copy)
