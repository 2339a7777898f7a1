"""Start a recipe from an exported ONNX file instead of from random weights.

A file holds convolutions with their batch norm folded in. Here each gets its weights back, and
its batch norm the scale and shift that undo, on one batch of the recipe, what normalising does:
the network says what the file says, and can learn on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from facecv.core.arrays import Floats
from facecv.models.training.networks import Pool
from facecv.models.training.torchtypes import Module, Tensor

LAYERS = (nn.Conv2d, nn.Linear, Pool)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def start(model: Module, path: Path, run: Callable[[], object]) -> None:
    """Give *model* the weights of the ONNX file *path*.

    *run* runs the network on one batch, each time the same.

    Raises:
        ValueError: the file holds another network.
    """
    layers, stored = _in_order(model, run), _stored(path)
    if len(layers) < len(stored):
        raise ValueError(f"{path} has {len(stored)} layers, the network {len(layers)}")
    shifts = {}
    for index, (layer, values) in enumerate(zip(layers, stored, strict=False)):
        weight, bias = map(torch.from_numpy, values)
        if layer.weight.shape != weight.shape:
            raise ValueError(
                f"layer {index} of {path} is {[*weight.shape]}, "
                f"in the network {[*layer.weight.shape]}"
            )
        layer.weight.data.copy_(weight)
        if getattr(layer, "bias", None) is None:
            shifts[layer] = bias
        else:
            layer.bias.data.copy_(bias)
    _undo_norms(model, run, shifts)


def _stored(path: Path) -> list[tuple[Floats, Floats]]:
    """Return weight and bias of the layers of a file, in the order in which they run."""
    model = onnx.load(path)
    values = {
        tensor.name: numpy_helper.to_array(tensor).astype(np.float32)
        for tensor in model.graph.initializer
    }
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]]
    nodes = [node for node in model.graph.node if node.op_type in {"Conv", "Gemm"}]
    return [(values[node.input[1]].copy(), values[node.input[2]].copy()) for node in nodes]


def _in_order(model: Module, run: Callable[[], object]) -> list[Any]:
    """Return the layers with weights in the order in which they run."""
    order: list[Any] = []
    hooks = [
        module.register_forward_pre_hook(lambda module, _: order.append(module))
        for module in model.modules()
        if isinstance(module, LAYERS)
    ]
    _look(model, run, hooks)
    return order


def _undo_norms(model: Module, run: Callable[[], object], shifts: dict[Any, Any]) -> None:
    """Set each batch norm so that it only adds the shift of the layer before it."""
    before: list[Any] = []

    def undo(norm: Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].transpose(0, 1).flatten(1)
        norm.running_mean.copy_(values.mean(1))
        norm.running_var.copy_(values.var(1, unbiased=False))
        norm.weight.data.copy_((norm.running_var + norm.eps).sqrt())
        norm.bias.data.copy_(norm.running_mean + shifts[before[-1]])

    hooks = [
        module.register_forward_pre_hook(
            undo if isinstance(module, NORMS) else lambda module, _: before.append(module)
        )
        for module in model.modules()
        if isinstance(module, (*LAYERS, *NORMS))
    ]
    _look(model, run, hooks)


def _look(model: Module, run: Callable[[], object], hooks: list[Any]) -> None:
    """Run the network once, as at inference, and take the hooks off."""
    model.eval()
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
