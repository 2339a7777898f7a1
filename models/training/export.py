"""Write the ONNX files: `python -m facecv.models.training.export --runs DIR --out FOLDER`.

Takes the averaged weights of the three checkpoints in DIR. Batch norm is folded into the
convolutions; weights are stored as 16-bit floats, each behind a Cast that a runtime folds away
when it loads the file.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from facecv.models.training import networks
from facecv.models.training.attributes import expected_age
from facecv.models.training.common import averaged
from facecv.models.training.torchtypes import Module, Tensor

NAMES = {"detector": "det_nano", "embedder": "embed_nano", "attributes": "attributes_nano"}
ATTRIBUTES = (
    "age",
    "female",
    "male",
    "angry",
    "disgust",
    "fear",
    "happy",
    "neutral",
    "sad",
    "surprise",
    "no_mask",
    "mask",
)
"""The columns of the attribute network's output: years, then probabilities."""


class DetectorGraph(nn.Module):  # type: ignore[misc]
    """The detector with SCRFD's nine outputs: scores [n,1], boxes [n,4], points [n,10]."""

    def __init__(self, detector: Module) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, x: Tensor) -> tuple[Any, ...]:
        """Return scores of the three strides, then boxes, then landmarks."""
        maps = [m.reshape(-1, 15) for m in self.detector(x)]
        return (
            *(m[:, :1].sigmoid() for m in maps),
            *(m[:, 1:5] for m in maps),
            *(m[:, 5:] for m in maps),
        )


class AttributesGraph(nn.Module):  # type: ignore[misc]
    """The attribute network with one output [n,12]; see `ATTRIBUTES`."""

    def __init__(self, attributes: Module) -> None:
        super().__init__()
        self.attributes = attributes

    def forward(self, x: Tensor) -> Tensor:
        """Return years and probabilities."""
        made = self.attributes(x)
        gender = made["gender"].softmax(1).flip(1)  # trained as male, female
        rest = [made[name].softmax(1) for name in ("emotion", "mask")]
        return torch.cat([expected_age(made["age"])[:, None], gender, *rest], 1)


def graph(
    name: str, checkpoint: Path
) -> tuple[Any, tuple[int, ...], dict[str, dict[int, str]], list[str]]:
    """Return the network to export, its example input, its free axes and its outputs' names."""
    if name == "detector":
        outputs = [
            f"{kind}_{stride}" for kind in ("score", "bbox", "kps") for stride in (8, 16, 32)
        ]
        axes = {"input": {2: "height", 3: "width"}, **{o: {0: "anchors"} for o in outputs}}
        return (
            DetectorGraph(averaged(checkpoint, networks.Detector())),
            (1, 3, 640, 640),
            axes,
            outputs,
        )
    output = "embedding" if name == "embedder" else "attributes"
    network = networks.embedder() if name == "embedder" else networks.Attributes()
    made = averaged(checkpoint, network)
    made = made if name == "embedder" else AttributesGraph(made)
    return made, (1, 3, 112, 112), {"input": {0: "n"}, output: {0: "n"}}, [output]


def fold_pools(module: Module) -> None:
    """Replace every `Pool` in *module* by the one depthwise convolution that it amounts to."""
    for name, child in module.named_children():
        if isinstance(child, networks.Pool):
            norm = child.norm
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            layer = nn.Conv2d(len(scale), len(scale), 7, groups=len(scale))
            layer.weight.data = child.weight.data * scale.data[:, None, None, None]
            layer.bias.data = norm.bias.data - norm.running_mean * scale.data
            setattr(module, name, nn.Sequential(layer, nn.Flatten()))
        else:
            fold_pools(child)


def to_onnx(name: str, checkpoint: Path) -> onnx.ModelProto:
    """Return the network of a checkpoint as ONNX with 32-bit weights."""
    network, shape, axes, outputs = graph(name, checkpoint)
    fold_pools(network)
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            torch.zeros(shape),
            buffer,
            input_names=["input"],
            output_names=outputs,
            dynamic_axes=axes,
            dynamo=False,
            opset_version=17,
        )
    return onnx.load_from_string(buffer.getvalue())


def halve(model: onnx.ModelProto) -> None:
    """Store the large weights of *model* as 16-bit floats, in place."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= 256:
            name, values = tensor.name, numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(values, f"{name}.half"))
            casts.append(
                onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT)
            )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


@click.command()
@click.option(
    "--runs",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="Folder of the checkpoints.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where the files go.")
@click.option("--only", type=click.Choice(list(NAMES)), multiple=True, help="These networks alone.")
def main(runs: Path, out: Path, only: tuple[str, ...]) -> None:
    """Write the ONNX files of a pack."""
    out.mkdir(parents=True, exist_ok=True)
    for name in only or NAMES:
        model = to_onnx(name, runs / f"{name}.pt")
        halve(model)
        onnx.checker.check_model(model)
        path = out / f"{NAMES[name]}.onnx"
        onnx.save(model, path)
        click.echo(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
