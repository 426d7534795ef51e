"""One step before the first: what it costs, and whether it fits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import InputError
from .team import Team, free_bytes

PAIRS = 16  # images, each with its second view, of a trial on a CPU; on CUDA the trial is a whole batch
SPARE = 0.9  # share of the free memory that a batch may take

TrialLoss = Callable[[Tensor, Tensor, Tensor], Tensor]  # places, first views, second views -> loss


@dataclass(frozen=True)
class Cost:
    """What a step takes.

    Attributes:
        fixed: bytes whatever the batch: gradients and momenta. pair: bytes for each image with its second view.
        free: bytes that were free. step, read: seconds for each pair, of the step and of reading images.
        measured: whether the bytes were measured (CUDA) or estimated from what the backward pass keeps (CPU).
    """

    fixed: int
    pair: float
    free: int
    step: float
    read: float
    measured: bool

    def bytes(self, pairs: int) -> float:
        """Bytes of a step."""
        return self.fixed + pairs * self.pair

    def fits(self) -> int:
        """The largest number of images that fits, with some room to spare."""
        return max(int((SPARE * self.free - self.fixed) / max(self.pair, 1)), 0)

    def line(self, batch: int, images: int, workers: int, team: Team) -> str:
        """The cost of a step and of an epoch, for people."""
        own, read = images / team.size, images / team.size * self.read / max(workers, 1)
        epoch = max(own * self.step, read) if workers else own * self.step + read
        how = "takes" if self.measured else "takes an estimated"
        return (
            f"a step of {batch} + {batch} images {how} {self.bytes(-(-batch // team.size)) / 2**30:.2f} GiB of "
            f"{self.free / 2**30:.1f} GiB free and {batch / team.size * self.step:.2g} s; an epoch about {epoch:.2g} s "
            f"(reading images alone: {read:.2g} s with workers = {workers})"
        )


def check_fits(cost: Cost, batch: int, team: Team) -> None:
    """Raises an `InputError` with a batch that fits, if this one does not."""
    own = -(-batch // team.size)
    if own > cost.fits():
        fits = cost.fits() * team.size
        raise InputError(
            f"found {cost.free / 2**30:.1f} GiB of free memory; a step of {batch} + {batch} images takes "
            f"{cost.bytes(own) / 2**30:.1f} GiB",
            "expected a step that fits",
            f"use --batch {fits}" if fits else "use a smaller backbone or smaller images",
        )


def try_step(loss_of: TrialLoss, pairs: Any, net: nn.Module, count: int, team: Team) -> Cost:
    """Take a step that changes nothing.

    Args:
        loss_of: what a step differentiates.
        pairs: gives for a key (epoch, place) the place and two views.
        net: its parameters tell what learns; its buffers are put back.
        count: images of a batch, all processes together.
        team: the processes; all take the step together.
    """
    cuda = team.device.type == "cuda"
    count = count if cuda else min(count, max(PAIRS, team.size))
    learning = [p for p in net.parameters() if p.requires_grad]
    grads = sum(p.nbytes for p in learning)
    while True:
        own = team.share(range(count)) or [0]
        began = time.perf_counter()
        views = [pairs[0, place][1:3] for place in own]
        read = (time.perf_counter() - began) / len(own)
        first, second = (torch.stack(side).to(team.device) for side in zip(*views, strict=True))
        free = free_bytes(team.device)
        try:
            seconds, held = _measured(loss_of, net, torch.arange(count, device=team.device), first, second)
            break
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            if count <= team.size * team.splits:
                found = f"found too little memory for a step of {count} + {count} images"
                raise InputError(found, "expected room for it", "use a smaller backbone or smaller images") from None
            count //= 2
    held = held - grads if cuda else held
    return Cost(2 * grads, max(held, 0) / len(own), free, seconds / len(own), read, cuda)


def _measured(loss_of: TrialLoss, net: nn.Module, index: Tensor, *views: Tensor) -> tuple[float, int]:
    """Seconds and bytes of the second of two steps; the first one warms up. Weights and statistics stay."""
    before = [(buffer, buffer.clone()) for buffer in net.buffers()]
    was, cuda = net.training, index.device.type == "cuda"
    net.train()
    try:
        for _ in range(2):
            if cuda:
                torch.cuda.synchronize()
                torch.cuda.reset_peak_memory_stats()
            there, began = torch.cuda.memory_allocated() if cuda else 0, time.perf_counter()
            kept = _backward(loss_of, net, index, *views)
            if cuda:
                torch.cuda.synchronize()
            seconds = time.perf_counter() - began
            held = torch.cuda.max_memory_allocated() - there if cuda else kept
            net.zero_grad(set_to_none=True)
    finally:
        net.train(was)
        net.zero_grad(set_to_none=True)
        for buffer, old in before:
            buffer.data.copy_(old)
    return seconds, held


def _backward(loss_of: TrialLoss, net: nn.Module, index: Tensor, *views: Tensor) -> int:
    """Forward and backward; returns the bytes that were kept in between, parameters left out."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = loss_of(index, *views)
    loss.backward()
    own = {p.untyped_storage().data_ptr() for p in net.parameters()}
    return sum(size for place, size in kept.items() if place not in own)
