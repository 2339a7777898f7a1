"""Train the embedder: `python -m facecv.models.training.embedder --data FILE --out DIR`.

The student learns the teacher's space: the cosine between its embedding of a random view and the
teacher's embedding of the clean face (mean of crop and mirror image), and, so that errors do not
turn all one way, the cosines between all faces of a batch. Early views are small (progressive
resizing).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch
from torch.nn import functional as fn

from facecv.core.arrays import Floats, Pixels
from facecv.models.training import augment, networks, packfile
from facecv.models.training.common import Options, Run, command
from facecv.models.training.torchtypes import Module, Tensor

WEIGHT_OF_SOURCE = {"fer2013": 0.2, "video": 0.3}
"""How often a crop is drawn, against 1 of the rest: grey thumbnails and frames of few less."""
SHARE_OF_MORPHS = 0.4
SIZES = ((0.45, 80), (2.0, 112))
"""Side of the views until this much of the run is done."""


@attrs.define
class Embedder:
    """The embedder's recipe."""

    pack: packfile.Pack
    options: Options
    name: str = "embedder"
    how: augment.Strength = attrs.Factory(augment.Strength)
    model: Any = attrs.field(init=False)
    crops: Pixels = attrs.field(init=False)
    targets: Floats = attrs.field(init=False)
    chosen: Any = attrs.field(init=False)
    odds: Any = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        torch.manual_seed(self.options.seed)
        self.model = networks.embedder()
        crops = self.pack.crops
        self.crops = crops.blobs.images(range(len(crops.blobs)))
        mean = crops.teacher.astype(np.float32).mean(1)
        self.targets = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        weights = np.ones(len(crops.source))
        for source, weight in WEIGHT_OF_SOURCE.items():
            weights[crops.source == packfile.SOURCES.index(source)] = weight
        pool = np.flatnonzero((weights == 1) & crops.held_out)
        self.chosen = np.random.default_rng(0).permutation(pool)[:512]
        weights[self.chosen] = 0
        self.odds = np.cumsum(weights) / weights.sum()

    def loss(self, model: Module, rng: np.random.Generator, progress: float) -> Tensor:
        """Return the mean of 1 - cosine, and how far the batch's pairwise cosines are off."""
        size = next(size for until, size in SIZES if progress < until)
        images, targets = self.batch(rng, size)
        made = fn.normalize(model(images).float())
        wanted = torch.from_numpy(targets).to(made.device)
        off = 1 - (made * wanted).sum(1)
        related = (made @ made.T - wanted @ wanted.T).square().sum() / len(made)
        return off.mean() + 0.1 * related

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Any, Floats]:
        """Return views [n,3,size,size] and their targets [n,512]."""
        rows = [self.one(rng, size) for _ in range(self.options.batch)]
        return self.to_device(np.stack([r[0] for r in rows])), np.stack([r[1] for r in rows])

    def one(self, rng: np.random.Generator, size: int) -> tuple[Pixels, Floats]:
        """Return a view of a face, or of a face made of two, and its target."""
        morphs = self.pack.morphs
        if len(morphs.kind) and rng.random() < SHARE_OF_MORPHS:
            row = int(rng.integers(len(morphs.kind)))
            first, second = (self.crops[i].astype(np.float32) for i in morphs.pair[row])
            made = packfile.morph(first, second, int(morphs.kind[row]), float(morphs.weight[row]))
            crop, origin, target = (
                made.astype(np.uint8),
                None,
                morphs.teacher[row].astype(np.float32),
            )
        else:
            row = int(np.searchsorted(self.odds, rng.random()))
            crop, origin, target = self.crops[row], self.pack.crops.origin[row], self.targets[row]
        return augment.view(crop, origin, rng, self.how, size), target

    def to_device(self, images: Pixels) -> Tensor:
        """Return images as the network's input."""
        made = torch.from_numpy(augment.tensor(images)).to(self.options.device)
        return made.contiguous(memory_format=torch.channels_last)

    def validate(self, model: Module) -> Mapping[str, float]:
        """Return the mean cosine to the teacher on crops that are never drawn."""
        total = 0.0
        for part in np.array_split(self.chosen, max(1, len(self.chosen) // 64)):
            images = np.stack([augment.centre(self.crops[i]) for i in part])
            made = fn.normalize(model(self.to_device(images)).float()).cpu().numpy()
            total += float((made * self.targets[part]).sum())
        return {"cosine": total / max(1, len(self.chosen))}


@command(minutes=120.0, batch=64, rate=0.02)
def main(data: Path, options: Options) -> None:
    """Train the embedder on a packed data file."""
    Run(Embedder(packfile.load(data), options), options).go()


if __name__ == "__main__":
    main()
