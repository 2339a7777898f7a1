"""Train the attributes: `python -m facecv.models.training.attributes --data FILE --out DIR`.

One network for age, gender, emotion and mask. A face that lacks a label takes no part in that loss;
every face takes part in one more, the cosine to the teacher embedder, whose head is dropped later.
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
from facecv.models.training.torchtypes import Module, Rows, Tensor

SHARES = {"utkface": 0.45, "fer2013": 0.38, "mask": 0.17}
"""How a batch is made up."""
HEADS = ("gender", "emotion", "mask")
LOOK = augment.Strength(degrees=10, scale=0.1, shift=5, mask=0, glasses=0, border=0.4, grey=0.2)


def expected_age(logits: Tensor) -> Tensor:
    """Return years [n]: the mean of the distribution over 0..100."""
    return logits.float().softmax(1) @ torch.arange(101, dtype=torch.float32, device=logits.device)


@attrs.define
class Attributes:
    """The recipe of the attributes."""

    pack: packfile.Pack
    options: Options
    name: str = "attributes"
    how: augment.Strength = LOOK
    model: Any = attrs.field(init=False)
    crops: Pixels = attrs.field(init=False)
    rows: dict[str, Any] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        torch.manual_seed(self.options.seed)
        self.model = networks.Attributes()
        crops = self.pack.crops
        self.crops = crops.blobs.images(range(len(crops.blobs)))
        labelled = (crops.age >= 0) | (crops.emotion >= 0) | (crops.mask >= 0)
        self.rows = {
            source: np.flatnonzero((crops.source == packfile.SOURCES.index(source)) & labelled)
            for source in SHARES
        }

    def drawn(self, *, held_out: bool) -> dict[str, Any]:
        """Return the rows of each source that are held out, or are not."""
        return {
            s: rows[self.pack.crops.held_out[rows] == held_out] for s, rows in self.rows.items()
        }

    def loss(self, model: Module, rng: np.random.Generator, progress: float) -> Tensor:
        """Return the sum of the heads' losses on one batch."""
        del progress
        crops, pools = self.pack.crops, self.drawn(held_out=False)
        sources = rng.choice(list(SHARES), self.options.batch, p=list(SHARES.values()))
        rows = np.array([rng.choice(pools[s]) for s in sources])
        views = [augment.view(self.crops[i], crops.origin[i], rng, self.how) for i in rows]
        made = model(self.to_device(np.stack(views)))
        total = self.age_loss(made["age"], crops.age[rows])
        for name, weight in zip(HEADS, (1.0, 1.0, 0.5), strict=True):
            labels = self.tensor(getattr(crops, name)[rows]).long()
            if (labels >= 0).any():
                smooth = 0.1 if name == "emotion" else 0.02
                total = total + weight * fn.cross_entropy(
                    made[name].float(), labels, ignore_index=-1, label_smoothing=smooth
                )
        wanted = self.tensor(crops.teacher[rows].astype(np.float32).mean(1))
        return total + (1 - fn.cosine_similarity(made["embedding"].float(), wanted)).mean()

    def age_loss(self, logits: Tensor, ages: Floats) -> Tensor:
        """Return the loss of the age: a soft label around the year, and the error of the mean."""
        known = np.flatnonzero(ages >= 0)
        if not len(known):
            return logits.float().sum() * 0
        logits, years = (
            logits[torch.from_numpy(known)].float(),
            self.tensor(np.clip(ages[known], 0, 100)),
        )
        bins = torch.arange(101, device=logits.device)
        soft = (-((bins - years[:, None]) ** 2) / (2 * 3.0**2)).softmax(1)
        return (
            0.3 * fn.cross_entropy(logits, soft)
            + 0.08 * (expected_age(logits) - years).abs().mean()
        )

    def tensor(self, values: Tensor) -> Tensor:
        """Return an array on the device."""
        return torch.from_numpy(np.asarray(values)).to(self.options.device)

    def to_device(self, images: Pixels) -> Tensor:
        """Return images as the network's input."""
        return self.tensor(augment.tensor(images)).contiguous(memory_format=torch.channels_last)

    def validate(self, model: Module) -> Mapping[str, float]:
        """Return accuracies and the error of the age on the held-out fifths."""
        crops, right, figures = self.pack.crops, {}, {}
        for source, rows in self.drawn(held_out=True).items():
            if not len(rows):
                continue
            made = self.predict(model, rows)
            if source == "utkface":
                right["gender"] = made["gender"].argmax(1) == crops.gender[rows]
                figures["age"] = float(np.abs(made["age"] - crops.age[rows]).mean())
            name = {"utkface": "gender", "fer2013": "emotion", "mask": "mask"}[source]
            right[name] = made[name].argmax(1) == getattr(crops, name)[rows]
        return figures | {name: float(ok.mean()) for name, ok in right.items()}

    def predict(self, model: Module, rows: Rows) -> dict[str, Any]:
        """Return what the network says of crops that are black outside of their picture."""
        parts = []
        for part in np.array_split(rows, max(1, len(rows) // 256)):
            images = [
                augment.centre(augment.blacken(self.crops[i], self.pack.crops.origin[i]))
                for i in part
            ]
            made = model(self.to_device(np.stack(images)))
            parts.append(
                {
                    **{n: made[n].cpu().numpy() for n in HEADS},
                    "age": expected_age(made["age"]).cpu().numpy(),
                }
            )
        return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


@command(minutes=12.0, batch=128, rate=0.02)
def main(data: Path, options: Options) -> None:
    """Train the attributes on a packed data file."""
    Run(Attributes(packfile.load(data), options), options).go()


if __name__ == "__main__":
    main()
