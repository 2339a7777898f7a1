"""Which execution provider got which operators of a network; pure functions.

ONNX Runtime gives operators that a provider has no kernel for to the CPU, without a word, and also
small ones around shapes, which is right. A convolution there is not: each time its input and output
cross the bus, and the processor computes it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from facecv.adapters.backends.providers import CPU, Choice
from facecv.core.errors import PlacementError
from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import Placement

RECORD = "session.record_ep_graph_assignment_info"
"""The entry of a session's configuration that lets ONNX Runtime (1.24 and later) remember."""

HEAVY = frozenset(
    f"{prefix}{name}{suffix}"
    for name in ("Conv", "ConvTranspose", "Gemm", "MatMul")
    for prefix, suffix in (("", ""), ("Fused", ""), ("QLinear", ""), ("Q", ""), ("", "Integer"))
)
"""Operators that take the time of a network, as themselves, fused and quantised."""

Assigned = Mapping[str, list[str]]
"""Execution provider to the operators that it got, one for each node."""


def placement_of(session: Any, provider: str) -> Placement | None:  # noqa: ANN401 - no types
    """Return how much of a session `provider` runs; None: this ONNX Runtime does not tell.

    Args:
        session: an ``onnxruntime.InferenceSession``, made with `RECORD` unless it is of the CPU.
        provider: the first of the session's.
    """
    if provider == CPU:
        return Placement()  # there is nowhere else to go
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return None
    return placed(_assigned(session.get_provider_graph_assignment_info()), provider)


def placed(assigned: Assigned, provider: str) -> Placement:
    """Return how much of a network `provider` runs."""
    total = sum(map(len, assigned.values()))
    share = len(assigned.get(provider, ())) / total if total else 1.0
    others = {name: tuple(sorted(set(ops))) for name, ops in assigned.items() if name != provider}
    return Placement(share, others)


def check_placement(model: ModelFile, choice: Choice, placement: Placement) -> None:
    """Raise `PlacementError` if a GPU leaves operators that take time to the CPU."""
    heavy = sorted(HEAVY.intersection(placement.elsewhere.get(CPU, ())))
    if not heavy:
        return
    raise PlacementError(
        f"{choice.provider} leaves {', '.join(heavy)} of {model.spec.name!r} to the CPU: "
        f"it runs {placement.share:.0%} of the operators",
        hint="choose device 'cpu' or another model, or allow it with allow_cpu_nodes = true "
        "in [backends.onnxruntime]",
        details={"model": model.spec.name, "share": placement.share, "operators": heavy},
    )


def _assigned(subgraphs: Iterable[Any]) -> Assigned:
    found: dict[str, list[str]] = {}
    for subgraph in subgraphs:
        found.setdefault(subgraph.ep_name, []).extend(node.op_type for node in subgraph.get_nodes())
    return found
