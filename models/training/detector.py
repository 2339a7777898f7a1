"""Train the detector: `python -m facecv.models.training.detector --data FILE --out DIR`.

The teacher's boxes and landmarks on whole photos are known once and move with the photos into
composed scenes, so every batch is fresh and no step runs the teacher. Losses as in SCRFD:
quality focal loss on the score (arXiv:2006.04388), generalised IoU on the box, L1 on the
landmarks.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch
from torch.nn import functional as fn

from facecv.models.training import augment, networks, packfile
from facecv.models.training.assign import anchors, assign
from facecv.models.training.common import Options, Run, command
from facecv.models.training.compose import Composer, Scene
from facecv.models.training.torchtypes import Module, Rows, Tensor

SIZES, ODDS = (256, 448), (0.85, 0.15)


def overlaps(a: Tensor, b: Tensor) -> tuple[Any, Any]:
    """Return the IoU and the generalised IoU of boxes [n,4] with boxes [n,4] (arXiv:1902.09630)."""
    top, low = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    shared = (low - top).clamp(min=0).prod(1)
    area = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(1) + (b[:, 2:] - b[:, :2]).prod(1)
    union = area - shared + 1e-6
    hull = (
        (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2]))
        .clamp(min=1e-3)
        .prod(1)
    )
    iou = shared / union
    return iou, iou - (hull - union) / hull


@attrs.define
class Detector:
    """The detector's recipe."""

    pack: packfile.Pack
    options: Options
    name: str = "detector"
    model: Any = attrs.field(init=False)
    composer: Composer = attrs.field(init=False)
    kept: list[Scene] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        torch.manual_seed(self.options.seed)
        self.model = networks.Detector()
        self.composer = Composer(self.pack.photos)
        rest = attrs.evolve(self.composer, held_out=True)
        rng = np.random.default_rng(0)
        self.kept = [rest.scene(rng, SIZES[0]) for _ in range(8 if self.options.smoke else 64)]

    def loss(self, model: Module, rng: np.random.Generator, progress: float) -> Tensor:
        """Return the loss of one batch of fresh scenes, fewer where they are larger."""
        del progress
        size = int(rng.choice(SIZES, p=ODDS))
        count = max(2, round(self.options.batch * (SIZES[0] / size) ** 2))
        return self.loss_of(model, [self.composer.scene(rng, size) for _ in range(count)])

    def loss_of(self, model: Module, scenes: list[Scene]) -> Tensor:
        """Return the loss on scenes of one size."""
        size = scenes[0].image.shape[0]
        images = augment.tensor(np.stack([s.image for s in scenes])) * (127.5 / 128)
        batch = self.tensor(images).contiguous(memory_format=torch.channels_last)
        made = torch.cat(model(batch), 1).float()
        owners = np.stack([assign(s.boxes, s.ignored, size) for s in scenes])
        scene, cell = np.nonzero(owners >= 0)
        hits = made[self.tensor(scene), self.tensor(cell)]
        quality, placed = self.placed_loss(hits, scenes, scene, cell, owners[scene, cell])
        target = torch.zeros_like(made[..., 0])
        target[self.tensor(scene), self.tensor(cell)] = quality
        seen = self.tensor(owners != -2)
        logit = made[..., 0]
        focal = fn.binary_cross_entropy_with_logits(logit, target, reduction="none")
        focal = focal * (logit.sigmoid() - target).detach().abs().square()
        return (focal * seen).sum() / quality.sum().clamp(min=4.0) + placed

    def placed_loss(
        self, hits: Tensor, scenes: list[Scene], scene: Rows, cell: Rows, face: Rows
    ) -> tuple[Any, Any]:
        """Return each hit's overlap with its face, and the loss of boxes and landmarks."""
        if not len(scene):
            return hits.sum(1) * 0, hits.sum() * 0
        corners, strides, _ = anchors(scenes[0].image.shape[0])
        corner, stride = self.tensor(corners[cell]), self.tensor(strides[cell])[:, None]
        wanted = self.tensor(
            np.stack([scenes[s].boxes[f] for s, f in zip(scene, face, strict=True)])
        )
        points = self.tensor(
            np.stack([scenes[s].points[f] for s, f in zip(scene, face, strict=True)])
        )
        distance = hits[:, 1:5] * stride
        boxes = torch.cat([corner - distance[:, :2], corner + distance[:, 2:]], 1)
        iou, generalised = overlaps(boxes, wanted)
        quality = iou.detach().clamp(min=0.05)
        offset = ((points - corner[:, None]) / stride[..., None]).reshape(-1, 10)
        off = fn.smooth_l1_loss(hits[:, 5:], offset, beta=0.1, reduction="none").mean(1)
        return quality, ((quality * (2 * (1 - generalised) + off)).sum() / quality.sum())

    def tensor(self, values: Tensor) -> Tensor:
        """Return an array on the device."""
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.options.device)

    def validate(self, model: Module) -> Mapping[str, float]:
        """Return the loss on scenes composed of held-out photos."""
        losses = [
            float(self.loss_of(model, self.kept[i : i + 8])) for i in range(0, len(self.kept), 8)
        ]
        return {"held-out loss": float(np.mean(losses))}


@command(minutes=45.0, batch=16, rate=0.02)
def main(data: Path, options: Options) -> None:
    """Train the detector on a packed data file."""
    Run(Detector(packfile.load(data), options), options).go()


if __name__ == "__main__":
    main()
