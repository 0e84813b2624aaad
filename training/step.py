"""One training step as a captured CUDA graph: the network is small, and launching its kernels one by one costs more than running them."""

from __future__ import annotations

from typing import Callable

import torch
from torch import Tensor, nn

from .data import Batch
from .model import Qwen2
from .optim import Muon

WARMUP = 4


class Step:
    """Loss, gradients and both optimizers. Shapes are fixed; a batch is copied in and the graph replayed."""

    def __init__(self, model: Qwen2, loss_of: Callable[[Batch, Tensor], Tensor], muon_lr: float, adam_lr: float) -> None:
        self.model, self.loss_of = model, loss_of
        device = model.embed.weight.device
        matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and not n.startswith("embed")]
        self.rest = [p for n, p in model.named_parameters() if p.ndim != 2 or n.startswith("embed")]
        self.muon = Muon(matrices, muon_lr, compiled=True)
        self.adam_lr = adam_lr
        self.rate = torch.zeros((), device=device)
        self.adam = torch.optim.AdamW(self.rest, lr=torch.zeros((), device=device), betas=(0.9, 0.95), weight_decay=0.0, fused=True, capturable=True)
        self.prompt, self.sum = torch.zeros((), device=device), torch.zeros((), device=device)
        self.batch: Batch | None = None
        self.graph: torch.cuda.CUDAGraph | None = None
        self.seen = 0

    def _run(self) -> None:
        self.model.zero_grad(set_to_none=False)
        loss = self.loss_of(self.batch, self.prompt)
        loss.backward()
        for group in self.adam.param_groups:
            group["lr"].copy_(self.rate * self.adam_lr)
        nn.utils.clip_grad_norm_(self.rest, 1.0)
        self.muon.step(self.rate)
        self.adam.step()
        self.sum += loss.detach()

    def __call__(self, host: Batch, prompt: float, scale: float) -> None:
        """One update; `prompt` is the weight of the prompt's tokens, `scale` the factor of the learning rates."""
        self.prompt.fill_(prompt)
        self.rate.fill_(scale)
        if self.batch is None:
            self.batch = host.to(self.sum.device)
        else:
            for into, new in zip(vars(self.batch).values(), vars(host).values()):
                into.copy_(new, non_blocking=True)
        self.seen += 1
        if self.graph is not None:
            self.graph.replay()
        elif self.seen <= WARMUP:
            # Capture wants what it captures to have run on a side stream before.
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                self._run()
            torch.cuda.current_stream().wait_stream(side)
        else:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self._run()
            self.graph.replay()

    def mean_loss(self, steps: int) -> float:
        """The mean loss of the last `steps` steps; starts the sum anew. Waits for the device."""
        mean = self.sum.item() / steps
        self.sum.zero_()
        return mean
