"""What every recipe shares: options, the training loop, checkpoints, progress, the loss curve.

A batch depends on the seed and the number of the step alone, and a checkpoint holds weights,
average, optimiser and the time used, so a run that is stopped and resumed sees what it would
have seen.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import attrs
import click
import numpy as np
import torch

from facecv.models.training.optimiser import Muon
from facecv.models.training.start import start
from facecv.models.training.torchtypes import Module, Tensor


@attrs.frozen
class Options:
    """What a run is told. Its length is *minutes* of training, or *steps* where that is not 0."""

    out: Path
    minutes: float
    batch: int
    rate: float
    steps: int = 0
    seed: int = 1
    device: str = "cpu"
    resume: bool = False
    start: Path | None = None
    smoke: bool = False


class Recipe(Protocol):
    """A network, its batches and its loss."""

    name: str
    model: Any

    def loss(self, model: Module, rng: np.random.Generator, progress: float) -> Tensor:
        """Return the loss of one fresh batch; *progress* runs from 0 to 1."""

    def validate(self, model: Module) -> Mapping[str, float]:
        """Return figures on what is held out."""


def command(**usual: float) -> Callable[[Callable[[Path, Options], None]], click.Command]:
    """Return the command line of a recipe: data, and all `Options`, with these usual values."""

    def decorate(function: Callable[[Path, Options], None]) -> click.Command:
        def run(data: Path, smoke: bool, **values: Tensor) -> None:
            if smoke:
                values |= {"steps": values["steps"] or 8, "batch": min(values["batch"], 16)}
            function(data, Options(smoke=smoke, **values))

        run.__doc__ = function.__doc__
        for option in reversed(_options(usual)):
            run = option(run)
        return click.command()(run)

    return decorate


def _options(usual: Mapping[str, float]) -> list[Callable[..., Any]]:
    path = click.Path(path_type=Path)
    return [
        click.option("--data", type=path, required=True, help="The packed data file."),
        click.option("--out", type=path, required=True, help="Folder for checkpoints and curve."),
        click.option(
            "--minutes", default=usual["minutes"], show_default=True, help="Training time."
        ),
        click.option("--steps", default=0, help="Length in steps instead of minutes."),
        click.option("--batch", default=usual["batch"], show_default=True),
        click.option(
            "--rate", default=usual["rate"], show_default=True, help="Peak learning rate."
        ),
        click.option("--seed", default=1, show_default=True),
        click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu"),
        click.option("--resume", is_flag=True, help="Go on from the checkpoint in --out."),
        click.option(
            "--start", type=path, help="Begin with the weights of this exported ONNX file."
        ),
        click.option(
            "--smoke", is_flag=True, help="A few steps on small batches, to see that it runs."
        ),
    ]


@attrs.define
class Run:
    """One training run: `go` trains until the time is used up or SIGTERM comes, checkpointing."""

    recipe: Recipe
    options: Options
    step: int = 0
    used: float = 0.0
    history: list[dict[str, float]] = attrs.Factory(list)
    average: Any = attrs.field(init=False)
    optimiser: Muon = attrs.field(init=False)
    _stopped: bool = attrs.field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self.recipe.model.to(self.options.device, memory_format=torch.channels_last)
        if self.options.start and not self.options.resume:
            start(self.recipe.model, self.options.start, self._look)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.recipe.model,
            multi_avg_fn=average,
            use_buffers=True,
        )
        self.optimiser = Muon.of(self.recipe.model, self.options.rate)
        self.options.out.mkdir(parents=True, exist_ok=True)
        if self.options.resume:
            self.restore()

    def _look(self) -> None:
        rng = np.random.default_rng(self.options.seed)
        self.recipe.loss(self.recipe.model, rng, 1.0)

    @property
    def checkpoint(self) -> Path:
        """Where the run is kept."""
        return self.options.out / f"{self.recipe.name}.pt"

    @property
    def progress(self) -> float:
        """How much of the run is done, 0..1."""
        if self.options.steps:
            return self.step / self.options.steps
        return self.used / (60 * self.options.minutes)

    def go(self) -> None:
        """Train to the end, or until the process is asked to stop."""
        signal.signal(signal.SIGTERM, self._stop)
        losses: list[float] = []
        saved = shown = time.monotonic()
        while self.progress < 1 and not self._stopped:
            started = time.monotonic()
            losses.append(self.train_step())
            now = time.monotonic()
            self.used += now - started
            if now - shown > 30 or self.progress >= 1:
                self.note(losses, now - shown)
                losses, shown = [], now
            if now - saved > 300:
                self.validate()
                self.save()
                saved = shown = time.monotonic()
        self.validate()
        self.save()

    def train_step(self) -> float:
        """Take one step and return its loss."""
        rng = np.random.default_rng([self.options.seed, self.step])
        torch.manual_seed(int(rng.integers(2**62)))  # what dropout draws from
        self.recipe.model.train()
        with torch.autocast(self.options.device, dtype=torch.bfloat16):
            loss = self.recipe.loss(self.recipe.model, rng, self.progress)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step(schedule(self.progress, self.step))
        self.average.update_parameters(self.recipe.model)
        self.step += 1
        return float(loss.detach())

    def validate(self) -> None:
        """Measure the averaged weights on what is held out and write the figures down."""
        self.average.eval()
        with torch.inference_mode():
            figures = dict(self.recipe.validate(self.average.module))
        self.history.append({"step": self.step, **figures})
        click.echo("   held out: " + ", ".join(f"{k} {v:.4f}" for k, v in figures.items()))

    def note(self, losses: list[float], seconds: float) -> None:
        """Write a line of progress."""
        loss, views = float(np.mean(losses)), len(losses) * self.options.batch
        self.history.append({"step": self.step, "loss": loss})
        click.echo(
            f"{self.recipe.name} {100 * self.progress:5.1f} %  step {self.step}  loss {loss:.4f}  "
            f"{views / max(seconds, 1e-3):.0f} pictures/s"
        )

    def save(self) -> None:
        """Write the checkpoint, beside first and then renamed, and the loss curve."""
        state = {
            "step": self.step,
            "used": self.used,
            "history": json.dumps(self.history),
            "model": self.recipe.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        temporary = self.checkpoint.with_suffix(".part")
        torch.save(state, temporary)
        temporary.rename(self.checkpoint)
        if self.history:
            draw(self.history, self.checkpoint.with_suffix(".png"))

    def restore(self) -> None:
        """Go on from the checkpoint."""
        state = torch.load(self.checkpoint, map_location=self.options.device, weights_only=True)
        self.step, self.used = state["step"], state["used"]
        self.history = json.loads(state["history"])
        self.recipe.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])

    def _stop(self, *_: object) -> None:
        self._stopped = True


def schedule(progress: float, step: int) -> float:
    """Return the factor on the learning rate: a short warm-up, flat for a while, then a cosine."""
    warm = min(1.0, (step + 1) / 100)
    fall = max(0.0, min(1.0, (progress - 0.1) / 0.9))
    return warm * max(0.01, 0.5 * (1 + float(np.cos(np.pi * fall))))


def average(averages: list[Tensor], values: list[Tensor], count: Tensor) -> None:
    """Move running averages towards *values*, by much at first and by 0.3 % a step later."""
    decay = min(0.997, (1 + int(count)) / (10 + int(count)))
    torch.optim.swa_utils.get_ema_multi_avg_fn(decay)(averages, values, count)


def averaged(checkpoint: Path, model: Module) -> Tensor:
    """Return *model* with the averaged weights of a checkpoint, ready for inference."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["average"]
    model.load_state_dict(
        {k.removeprefix("module."): v for k, v in state.items() if k.startswith("module.")}
    )
    return model.eval()


def draw(history: list[dict[str, float]], path: Path) -> None:
    """Write the loss curve, and the held-out figures, as a picture."""
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    mpl.use("Agg")
    names = sorted({name for row in history for name in row if name != "step"})
    figure = Figure((6, 2.2 * max(1, len(names))))
    for axis, name in zip(figure.subplots(len(names), squeeze=False)[:, 0], names, strict=True):
        rows = [(row["step"], row[name]) for row in history if name in row]
        axis.plot(*zip(*rows, strict=True))
        axis.set_ylabel(name)
    figure.supxlabel("step")
    figure.tight_layout()
    figure.savefig(path)
