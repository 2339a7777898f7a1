"""Graphs do not break the libraries that are loaded after them."""

import subprocess
import sys

import pytest

GRAPH_FIRST = """
from facecv.adapters.galleries.graph import Graph
graph = Graph(8)
{then}
import numpy as np
graph.add(np.arange(20), np.eye(20, 8, dtype=np.float32), threads=1)
found = graph.nearest(np.eye(1, 8, dtype=np.float32), 1)
assert found[0].faces.tolist() == [0]
print("alive", len(graph), repr(graph._index))
"""


@pytest.mark.parametrize("others", [("onnxruntime",), ("av", "onnxruntime"), ("cv2", "openvino")])
def test_libraries_may_be_loaded_after_a_graph(others: tuple[str, ...]) -> None:
    """In a process of its own: without help the first import of ONNX Runtime ends it."""
    for name in others:
        pytest.importorskip(name)
    then = "\n".join(f"import {name}" for name in others)
    command = [sys.executable, "-c", GRAPH_FIRST.format(then=then)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("alive 20")
