"""Muon for the matrices (orthogonalized momentum, Jordan et al. 2024) beside AdamW for everything else."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def orthogonalize(g: Tensor, steps: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrices to a stack, by the quintic Newton-Schulz iteration."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        s = x @ x.mT
        x = a * x + (b * s + c * s @ s) @ x
    return x.mT if tall else x


class Muon:
    """Momentum on matrices of equal shape, stacked, so that each step costs a few batched products."""

    def __init__(self, params: list[nn.Parameter], lr: float, momentum: float = 0.95, decay: float = 0.01, compiled: bool = False) -> None:
        shapes: dict[tuple[int, ...], list[nn.Parameter]] = {}
        for p in params:
            shapes.setdefault(tuple(p.shape), []).append(p)
        self.groups = [(ps, torch.zeros(len(ps), *shape, device=ps[0].device)) for shape, ps in shapes.items()]
        self.lr, self.momentum, self.decay = lr, momentum, decay
        self.direction = torch.compile(self._direction, dynamic=False) if compiled else self._direction

    @staticmethod
    def _direction(grad: Tensor, buffer: Tensor, momentum: float) -> tuple[Tensor, Tensor]:
        buffer = buffer * momentum + grad
        return orthogonalize(grad + momentum * buffer), buffer

    @torch.no_grad()
    def step(self, scale: Tensor) -> None:
        """One update with the learning rate times `scale`, a number on the parameters' device."""
        lr = self.lr * scale
        for params, buffer in self.groups:
            update, fresh = self.direction(torch.stack([p.grad for p in params]), buffer, self.momentum)
            buffer.copy_(fresh)
            rows, cols = params[0].shape
            size = lr * max(1.0, rows / cols) ** 0.5
            torch._foreach_mul_(params, 1 - lr * self.decay)
            torch._foreach_sub_(params, list((update.float() * size).unbind(0)))
