"""The student networks: plain 3x3 convolutions with batch norm and ReLU.

On processors with wide vectors or matrix tiles a plain convolution runs several times nearer to the
peak than a depthwise one, in training (bf16) as in ONNX Runtime, and batch norm folds into it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as fn

from facecv.models.training.torchtypes import Module, Tensor


def conv(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, *, relu: bool = True
) -> Module:
    """Return convolution, batch norm and, unless told otherwise, ReLU."""
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if relu else nn.Sequential(*layers)


class Residual(nn.Module):  # type: ignore[misc]
    """Two 3x3 convolutions around a shortcut (ResNet, arXiv:1512.03385), *middle* channels wide."""

    def __init__(self, channels: int, middle: int) -> None:
        super().__init__()
        self.first = conv(channels, middle)
        self.second = conv(middle, channels, relu=False)
        nn.init.zeros_(self.second[1].weight)  # starts as the identity

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the shape of *x*."""
        return fn.relu(x + self.second(self.first(x)))


class Pool(nn.Module):  # type: ignore[misc]
    """One learned 7x7 weight map a channel in place of the mean (MobileFaceNet, arXiv:1804.07573).

    For smaller maps, which the embedder sees early in training, the weights are resampled.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, 1, 7, 7) / 7)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return [n, channels] of [n, channels, h, w]."""
        weight = self.weight.to(x.dtype)
        if x.shape[-1] != 7:
            weight = fn.interpolate(weight, x.shape[-2:], mode="bilinear") * (7 / x.shape[-1])
        return self.norm((x * weight[:, 0]).sum((2, 3)))


def trunk(
    widths: Sequence[int], blocks: Sequence[int], middles: Sequence[int], stem: int
) -> list[Module]:
    """Return a stem to a quarter of the size, then stages, each but the first halving it again."""
    layers = [conv(3, stem, stride=2), conv(stem, widths[0], stride=2)]
    for index, (width, count, middle) in enumerate(zip(widths, blocks, middles, strict=True)):
        if index:
            layers.append(conv(widths[index - 1], width, stride=2))
        layers += [Residual(width, middle) for _ in range(count)]
    return layers


def embedder() -> Module:
    """Return the embedder: [n,3,112,112] to [n,512], not normalised."""
    layers = trunk((48, 128, 320), (1, 2, 1), (48, 96, 192), stem=24)
    return nn.Sequential(*layers, Pool(320), nn.Linear(320, 512))


class Attributes(nn.Module):  # type: ignore[misc]
    """Age, gender, emotion and mask of an aligned face [n,3,112,112].

    Gives logits: `age` [n,101] (a bin a year), `gender` [n,2], `emotion` [n,7], `mask` [n,2], and
    while training `embedding` [n,512]: the teacher's space is a good thing to know of a face.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *trunk((32, 80, 160), (1, 1, 1), (32, 64, 80), stem=16), Pool(160)
        )
        self.drop = nn.Dropout(0.2)
        sizes = {"age": 101, "gender": 2, "emotion": 7, "mask": 2, "embedding": 512}
        self.heads = nn.ModuleDict({name: nn.Linear(160, size) for name, size in sizes.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the logits by name."""
        features = self.drop(fn.relu(self.body(x)))
        return {name: head(features) for name, head in self.heads.items()}


class Detector(nn.Module):  # type: ignore[misc]
    """SCRFD's nine maps (arXiv:2105.04714), from a plain backbone and a pyramid of three strides.

    Takes [n,3,H,W] with H and W multiples of 32. Gives for the strides 8, 16, 32 [n, h*w*2, 15]:
    score logit, four distances to the sides of the box, ten offsets of the landmarks, all in
    strides from the cell's corner.
    """

    def __init__(self, widths: tuple[int, int, int] = (48, 96, 128), neck: int = 48) -> None:
        super().__init__()
        a, b, c = widths
        self.stem = nn.Sequential(conv(3, 16, stride=2), conv(16, 32, stride=2))
        self.stages = nn.ModuleList(
            [
                nn.Sequential(conv(32, a, stride=2), Residual(a, a // 2)),
                nn.Sequential(conv(a, b, stride=2), Residual(b, b // 2), Residual(b, b // 2)),
                nn.Sequential(conv(b, c, stride=2), Residual(c, c // 2), Residual(c, c // 2)),
            ]
        )
        self.lateral = nn.ModuleList([conv(width, neck, 1, relu=False) for width in widths])
        self.smooth = nn.ModuleList([conv(neck, neck) for _ in widths])
        self.heads = nn.ModuleList(
            [nn.Sequential(conv(neck, neck), nn.Conv2d(neck, 30, 1)) for _ in widths]
        )
        for head in self.heads:
            nn.init.normal_(head[1].weight, std=0.01)
            with torch.no_grad():
                head[1].bias.zero_()
                bias = head[1].bias.view(2, 15)
                bias[:, 0], bias[:, 1:5] = -4.0, 1.5

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the three maps."""
        maps, x = [], self.stem(x)
        for stage, lateral in zip(self.stages, self.lateral, strict=True):
            x = stage(x)
            maps.append(lateral(x))
        for level in (1, 0):
            maps[level] = maps[level] + fn.interpolate(
                maps[level + 1], scale_factor=2.0, mode="nearest"
            )
        outputs = (
            head(smooth(fn.relu(m)))
            for head, smooth, m in zip(self.heads, self.smooth, maps, strict=True)
        )
        return [o.permute(0, 2, 3, 1).reshape(o.shape[0], -1, 15) for o in outputs]
