"""Choice and options of execution providers."""

from pathlib import Path

import attrs
import pytest

from facecv.adapters.backends.gpu import Gpu, find_gpus, missing_libraries, tensorrt_version
from facecv.adapters.backends.providers import (
    TensorrtSettings,
    largest_shapes,
    tensorrt_cache,
    tensorrt_options,
)
from facecv.core.ports.inference_backend import TensorSpec
from tests import graphs

SETTINGS = TensorrtSettings(None, fp16=True, max_batch=64, max_side=1280)
KEY = (Gpu("NVIDIA L4", "8.9").name, "8.9", "ort1.31.0")


def test_profiles_of_a_free_input_size(tmp_path: Path) -> None:
    """A detector's height and width range from 32 to the longest side."""
    detector = TensorSpec("input.1", (1, 3, None, None), "float32")
    options = tensorrt_options(SETTINGS, tmp_path, [detector])
    assert options["trt_profile_min_shapes"] == "input.1:1x3x32x32"
    assert options["trt_profile_opt_shapes"] == "input.1:1x3x640x640"
    assert options["trt_profile_max_shapes"] == "input.1:1x3x1280x1280"
    assert largest_shapes(SETTINGS, [detector]) == {"input.1": (1, 3, 1280, 1280)}


def test_fixed_inputs_need_no_profile(tmp_path: Path) -> None:
    """There is nothing to range over."""
    fixed = TensorSpec("data", (1, 3, 112, 112), "float32")
    options = tensorrt_options(SETTINGS, tmp_path, [fixed])
    assert not [name for name in options if "profile" in name]
    assert largest_shapes(SETTINGS, [fixed]) == {}


def test_without_a_cache_nothing_is_kept(tmp_path: Path) -> None:
    """No folder, no engine options."""
    settings = attrs.evolve(SETTINGS, fp16=False)
    assert tensorrt_cache(settings, graphs.doubler(tmp_path), KEY) is None
    assert tensorrt_options(settings, None, []) == {"trt_fp16_enable": "False"}


@pytest.mark.parametrize("change", ["weights", "gpu", "precision", "batch", "side"])
def test_engines_do_not_get_mixed_up(tmp_path: Path, change: str) -> None:
    """Whatever makes another engine has another folder."""
    settings, model, key = attrs.evolve(SETTINGS, cache=tmp_path), graphs.doubler(tmp_path), KEY
    before = tensorrt_cache(settings, model, key)
    if change == "weights":
        model = attrs.evolve(model, sha256="f" * 64)
    elif change == "gpu":
        key = ("NVIDIA H100", "9.0", "ort1.31.0")
    elif change == "precision":
        settings = attrs.evolve(settings, fp16=False)
    elif change == "side":
        settings = attrs.evolve(settings, max_side=1920)
    else:
        settings = attrs.evolve(settings, max_batch=1)
    assert tensorrt_cache(settings, model, key) != before


def test_no_driver_no_gpus() -> None:
    """A machine without the driver is not an error."""
    assert find_gpus("libno-such-driver.so.1") == ()


def test_missing_libraries_are_named() -> None:
    """With the loader's own words."""
    (message,) = missing_libraries(["libno-such-library.so.7"])
    assert message.startswith("libno-such-library.so.7: ")


def test_tensorrt_s_version_without_tensorrt() -> None:
    """It is not known, which is no error; nor is a library that cannot tell."""
    assert tensorrt_version("libno-such-library.so.10") == ""
    assert tensorrt_version("libc.so.6") == ""
