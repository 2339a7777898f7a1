"""What arguments of the insightface package mean to us."""

from pathlib import Path

import numpy as np
import pytest

from facecv.core.errors import ConfigurationError
from facecv.entrypoints.compat.insightface.arguments import (
    DEFAULT_SIZES,
    detection_sizes,
    device,
    pack_settings,
)

CPU, CUDA, TENSORRT = (
    "CPUExecutionProvider",
    "CUDAExecutionProvider",
    "TensorrtExecutionProvider",
)


@pytest.mark.parametrize(
    ("providers", "wanted"),
    [
        (None, "auto"),
        ([], "auto"),
        ([CPU], "cpu"),
        ([CPU, CUDA], "cpu"),
        ([CUDA], "cuda"),
        ([(CUDA, {"device_id": 0})], "cuda"),
        ([CUDA, CPU], "auto"),
        ([TENSORRT], "tensorrt"),
        ([TENSORRT, CUDA], "tensorrt"),
        (["CoreMLExecutionProvider", CPU], "auto"),
    ],
)
def test_only_a_listed_cpu_may_stand_in_for_a_gpu(providers: list[object], wanted: str) -> None:
    assert device(providers) == wanted


def test_a_provider_that_is_not_ours_needs_the_cpu_after_it() -> None:
    with pytest.raises(ConfigurationError, match="CoreML"):
        device(["CoreMLExecutionProvider"])


@pytest.mark.parametrize(
    ("det_size", "wanted"),
    [
        (None, DEFAULT_SIZES),
        ((0, 0), DEFAULT_SIZES),
        ((640, 640), ((640, 640),)),
        ([320, 240], ((320, 240),)),
        (np.array([320, 320]), ((320, 320),)),
        ([(128, 128), (640, 640), (128, 128)], DEFAULT_SIZES),
    ],
)
def test_sizes_come_in_many_shapes(det_size: object, wanted: object) -> None:
    assert detection_sizes(det_size) == wanted  # type: ignore[arg-type] # whatever scripts pass


@pytest.mark.parametrize("det_size", [640, (640,), (640, 640, 3), (0, 640), (-1, 5), ("a", "b")])
def test_other_sizes_are_refused(det_size: object) -> None:
    with pytest.raises(ConfigurationError, match="det_size"):
        detection_sizes(det_size)  # type: ignore[arg-type] # whatever scripts pass


def test_a_pack_is_a_folder_or_lies_under_the_root_or_in_our_store(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "mine"
    folder.mkdir(parents=True)
    assert pack_settings(folder, "elsewhere") == {"pack": "", "pack_dir": folder}
    assert pack_settings("mine", tmp_path) == {"pack": "mine", "pack_dir": folder}
    assert pack_settings("other", tmp_path) == {"pack": "other", "pack_dir": None}
