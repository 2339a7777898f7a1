"""All passes over a network, in the order in which one helps the next."""

from collections.abc import Callable, Container, Mapping

import onnx

from facecv.adapters.backends.graph.batch import free_batch
from facecv.adapters.backends.graph.channels import pad_channels
from facecv.adapters.backends.graph.editing import Graph
from facecv.adapters.backends.graph.pairs import split_pairs
from facecv.adapters.backends.graph.precision import computes_in_half
from facecv.adapters.backends.graph.prelu import rewrite_prelu
from facecv.adapters.backends.graph.siblings import merge_siblings

_PASSES: Mapping[str, Callable[[Graph, int], bool]] = {
    "pairs": split_pairs,
    "prelu": lambda graph, _: rewrite_prelu(graph),
    "siblings": merge_siblings,
    "channels": pad_channels,
    "batch": lambda graph, _: free_batch(graph),
}


def rewrite(
    content: bytes, block: int, leave_out: Container[str] = ()
) -> tuple[bytes, tuple[str, ...]]:
    """Return a network rewritten, and the names of the passes that found something to do.

    Args:
        content: of an ONNX file that holds its weights itself.
        block: channels that the processor works on at once.
        leave_out: names of passes that are not run.

    Raises:
        ValueError: the content is not a network that can be rewritten.
    """
    try:
        model = onnx.load_from_string(content)
        if computes_in_half(model):  # which the passes do not write
            return content, ()
        graph = Graph(model)
        wanted = {name: run for name, run in _PASSES.items() if name not in leave_out}
        done = tuple(name for name, run in wanted.items() if run(graph, block))
        if not done:
            return content, ()
        return graph.finish().SerializeToString(), done
    except Exception as error:  # whatever protobuf and numpy raise at odd files
        raise ValueError(f"the network cannot be rewritten: {error}") from error
