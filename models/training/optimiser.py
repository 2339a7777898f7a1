"""Muon for convolution kernels, AdamW for the rest.

Muon (Jordan and others, 2024) takes the momentum of a weight matrix and makes it orthogonal by a
few Newton-Schulz iterations before stepping; on short training runs it needs notably fewer
views.
"""

from __future__ import annotations

from typing import Any

import attrs
import torch

from facecv.models.training.torchtypes import Module, Tensor


def orthogonal(matrix: Tensor, rounds: int = 5) -> Tensor:
    """Return the nearly orthogonal matrix [m,n] of the same singular directions, in bf16."""
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.mT if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(rounds):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.mT if tall else x


@attrs.define
class Muon:
    """Both optimisers, stepped together at a common factor on their rates."""

    kernels: list[Tensor]
    adam: Any
    rate: float
    momentum: float = 0.95
    decay: float = 0.01
    buffers: list[Tensor] = attrs.Factory(list)

    @classmethod
    def of(cls, model: Module, rate: float) -> Muon:
        """Return the optimiser of a model's parameters; AdamW's rate is a tenth of *rate*."""
        parameters = [p for p in model.parameters() if p.requires_grad]
        kernels = [p for p in parameters if p.ndim == 4 and p.shape[1] > 3]
        rest = [p for p in parameters if not any(p is k for k in kernels)]
        adam = torch.optim.AdamW(rest, lr=rate / 10, weight_decay=0.01)
        return cls(kernels, adam, rate, buffers=[torch.zeros_like(k) for k in kernels])

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self.adam.zero_grad()
        for kernel in self.kernels:
            kernel.grad = None

    def step(self, factor: float) -> None:
        """Take one step at *factor* times the peak rates."""
        for group in self.adam.param_groups:
            group["lr"] = self.rate / 10 * factor
        self.adam.step()
        with torch.no_grad():
            for kernel, buffer in zip(self.kernels, self.buffers, strict=True):
                buffer.lerp_(kernel.grad, 1 - self.momentum)
                blend = kernel.grad.lerp(buffer, self.momentum)
                update = orthogonal(blend.reshape(len(kernel), -1)).to(kernel.dtype)
                scale = max(1.0, len(kernel) / update.shape[1]) ** 0.5
                kernel.mul_(1 - self.rate * factor * self.decay)
                kernel.add_(update.reshape(kernel.shape), alpha=-self.rate * factor * scale)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {"adam": self.adam.state_dict(), "buffers": self.buffers}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        self.adam.load_state_dict(state["adam"])
        for buffer, value in zip(self.buffers, state["buffers"], strict=True):
            buffer.copy_(value)
