"""One training run in several processes: who has which images, and what they tell each other.

The batch of a step is one batch, whatever the number of processes. Each process looks at its share of the images, all
get the features of the whole union, compute the same loss of it, and send the gradient through their own share. The
sum of these gradients is the gradient of one process that looks at the whole batch: no mean of means, no repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import psutil
import torch
import torch.distributed as dist
from einops import rearrange
from torch import Tensor, nn

from ..errors import InputError


@dataclass(frozen=True)
class Team:
    """The processes of a run.

    Attributes:
        rank: number of this process, from 0. size: how many there are.
        splits: groups in which each process normalises its images (``bn_splits``).
        device: where this process computes.

    >>> Team(rank=1, size=2).share([10, 11, 12, 13, 14])
    [13, 14]
    """

    rank: int = 0
    size: int = 1
    splits: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def leads(self) -> bool:
        """The one process that writes and speaks."""
        return self.rank == 0

    def bounds(self, total: int) -> list[tuple[int, int]]:
        """First and last + 1 of every rank's share of ``total`` things; the first ranks take one more.

        >>> Team(size=3).bounds(5)
        [(0, 2), (2, 4), (4, 5)]
        """
        ends = [0]
        for part in torch.arange(total).tensor_split(self.size):
            ends.append(ends[-1] + len(part))
        return list(pairwise(ends))

    def share(self, things: Sequence[Any]) -> list[Any]:
        """This rank's part of a batch. It may be empty where a batch has fewer things than there are ranks."""
        first, end = self.bounds(len(things))[self.rank]
        return list(things[first:end])

    def union(self, own: Tensor, total: int) -> Tensor:
        """The rows of all ranks, in the order of the batch; gradient flows into the own rows alone.

        Args:
            own: this rank's rows, (share, ...); rows beyond the share are left out.
            total: rows of the whole batch.

        Returns:
            (total, ...), on every rank the same values.
        """
        if self.size == 1:
            return own
        sizes = [end - first for first, end in self.bounds(total)]
        own = own[: sizes[self.rank]]
        padded = own.detach().new_zeros(max(sizes), *own.shape[1:])
        padded[: len(own)] = own.detach()
        rows = [part[:size] for part, size in zip(self.gather(padded), sizes, strict=True)]
        rows[self.rank] = own
        return torch.cat(rows)

    def both_views(self, groups: Sequence[Tensor], total: int) -> Tensor:
        """Two views of every image of the whole batch, from this rank's groups.

        Args:
            groups: each (2b, ...), the first views of its images, then their second ones.
            total: B, images of the whole batch.

        Returns:
            (2, B, ...), on every rank the same values.
        """
        own = torch.cat([rearrange(rows, "(v b) ... -> b v ...", v=2) for rows in groups])
        return rearrange(self.union(own, total), "b v ... -> v b ...")

    def gather(self, own: Tensor) -> list[Tensor]:
        """A tensor of the same shape from every rank, without gradient."""
        if self.size == 1:
            return [own]
        received = [torch.empty_like(own, memory_format=torch.contiguous_format) for _ in range(self.size)]
        dist.all_gather(received, own.detach().contiguous())
        return received

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add up the gradients of all ranks."""
        _reduce([p.grad for p in parameters if p.grad is not None], self.size)

    def sum_in_place(self, tensors: Sequence[Tensor]) -> None:
        """Add up each tensor over the ranks."""
        _reduce(tensors, self.size)

    def any(self, *flags: bool) -> list[bool]:
        """For each flag, whether it is set on some rank."""
        if self.size == 1:
            return list(flags)
        said = torch.tensor(flags, dtype=torch.int32, device=self.device)
        dist.all_reduce(said, dist.ReduceOp.MAX)
        return [bool(flag) for flag in said.tolist()]

    def same_start(self, net: nn.Module) -> None:
        """Every rank takes the weights and buffers of rank 0."""
        if self.size > 1:
            for tensor in net.state_dict().values():
                dist.broadcast(tensor, 0)

    def objects(self, own: Any) -> list[Any]:
        """A small object of every rank."""
        if self.size == 1:
            return [own]
        received: list[Any] = [own] * self.size
        dist.all_gather_object(received, own)
        return received

    def whole(self, own: Tensor, total: int) -> Tensor:
        """Rows that lie on all ranks, put together on the CPU, share by share: (share, ...) -> (total, ...)."""
        if self.size == 1:
            return own.cpu()
        parts = []
        for rank, (first, end) in enumerate(self.bounds(total)):
            part = own.contiguous() if rank == self.rank else own.new_empty(end - first, *own.shape[1:])
            dist.broadcast(part, rank)
            parts.append(part.cpu())
        return torch.cat(parts)


def _reduce(tensors: Sequence[Tensor], size: int) -> None:
    """Sum over the ranks, in one message."""
    if size == 1 or not tensors:
        return
    flat = torch.cat([t.reshape(-1) for t in tensors])
    dist.all_reduce(flat)
    for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(part.view(tensor.shape))


def each_group(net: nn.Module, images: int, total: int, team: Team) -> Iterator[slice]:
    """The groups of images that are normalised together: slices of this rank's images, one after the other.

    Every group of every rank finds the batch-norm statistics as they were before the batch. In the end they are the
    mean of what the groups made of them, weighted by the number of images. So a step with G groups in one process and
    a step of G processes are the same.

    Args:
        net: in evaluation mode nothing moves, and all images are one group.
        images: this rank's images. A rank without any is given one of another's, and its look counts for nothing.
        total: images of the whole batch.
        team: ranks, and groups on each.
    """
    if team.size * team.splits == 1 or not net.training:
        yield slice(0, images)
        return
    statistics, counters = running_statistics(net), batch_counters(net)
    before, counted = [s.clone() for s in statistics], [c.clone() for c in counters]
    after = [torch.zeros_like(s) for s in statistics]
    first, end = team.bounds(total)[team.rank]
    for part in torch.arange(images).tensor_split(min(team.splits, images)):
        for s, b in zip(statistics, before, strict=True):
            s.data.copy_(b)  # .data: the backward pass of a group before must not take offence
        for counter, c in zip(counters, counted, strict=True):
            counter.data.copy_(c)  # one batch, whatever the number of groups
        yield slice(int(part[0]), int(part[-1]) + 1)
        for s, a in zip(statistics, after, strict=True):
            a += s * (len(part) / total if end > first else 0.0)
    team.sum_in_place(after)
    for s, a in zip(statistics, after, strict=True):
        s.data.copy_(a)


def running_statistics(net: nn.Module) -> list[Tensor]:
    """Running means and variances of the batch-norm layers that keep some."""
    named = ((name.rsplit(".", 1)[-1], buffer) for name, buffer in net.named_buffers())
    return [buffer for name, buffer in named if name in ("running_mean", "running_var")]


def batch_counters(net: nn.Module) -> list[Tensor]:
    """How many batches the batch-norm layers have seen."""
    return [buffer for name, buffer in net.named_buffers() if name.endswith("num_batches_tracked")]


def check_groups(team: Team, batch: int, images: int) -> None:
    """Raises an `InputError` if there are too few images for the groups that they are normalised in."""
    groups = team.size * team.splits
    if team.splits < 1 or batch < groups or images < 2 * groups:
        raise InputError(
            f"found batches of {batch} from {images} images for {groups} groups of batch-norm (processes x bn_splits)",
            "expected one image or more of each batch for every group",
            f"use --bn-splits {max(min(batch, images // 2) // team.size, 1)} or fewer, or a larger --batch",
        )


def free_bytes(device: torch.device) -> int:
    """Memory that a run may still take."""
    if device.type == "cuda":
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + cached
    return psutil.virtual_memory().available
