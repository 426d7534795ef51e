"""One training run in several processes: who has which images, and what the processes tell each other.

The batch of a step is one batch. Each process computes the features of its share of the images, all get the features of
the whole batch and compute the same loss of it, and each sends the gradient through its own share. The sum of these
gradients is the gradient of one process with the whole batch: no mean of means.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..errors import InputError

Forward = Callable[..., tuple[Tensor, ...]]


@dataclass(frozen=True)
class Team:
    """The processes of a run.

    >>> Team(rank=1, size=2).share([10, 11, 12, 13, 14])
    [13, 14]
    """

    rank: int = 0  # number of this process
    size: int = 1  # how many there are
    splits: int = 1  # groups in which each process normalises its images (bn_splits)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))  # where this process computes

    @property
    def leads(self) -> bool:
        """The one process that writes and speaks."""
        return self.rank == 0

    def sizes(self, total: int) -> list[int]:
        """How many of ``total`` things each rank has. The first ranks have one more, the last may have none."""
        return [total // self.size + (rank < total % self.size) for rank in range(self.size)]

    def share(self, things: Sequence[Any]) -> list[Any]:
        """This rank's part of a batch. It may be empty where a batch has fewer things than there are ranks."""
        first = sum(self.sizes(len(things))[: self.rank])
        return list(things[first : first + self.sizes(len(things))[self.rank]])

    def union(self, own: Tensor, total: int) -> Tensor:
        """The rows of all ranks in the order of the batch, (share, ...) -> (total, ...); the same values on every rank.

        Gradient flows into the own rows alone. Rows beyond the share are left out.
        """
        if self.size == 1:
            return own
        sizes = self.sizes(total)
        own = own[: sizes[self.rank]]
        padded = own.new_zeros(sizes[0], *own.shape[1:])  # all ranks send the same shape
        padded[: len(own)] = own.detach()
        received = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(received, padded)
        rows = [part[:size] for part, size in zip(received, sizes, strict=True)]
        rows[self.rank] = own
        return torch.cat(rows)

    def look(self, forward: Forward, net: nn.Module, images: Sequence[Tensor], total: int) -> tuple[Tensor, ...]:
        """What ``forward`` says of the whole batch of ``total`` images, each process having looked at its share.

        With several processes or ``splits``, the images are normalised in groups. Every group of every rank finds the
        batch-norm statistics as they were before the batch; in the end they are the mean of what the groups made of
        them, weighted by images. So a step with G groups in one process and a step of G processes are the same.

        ``forward`` turns ``images``, this rank's (share, ...) each, into tensors with as many rows. Where the share is
        empty, an image of another rank takes its place, and counts for nothing. ``net`` is whose statistics move; in
        evaluation mode nothing moves, and all images are one group.
        """
        one_group = self.size * self.splits == 1 or not net.training
        found = [forward(*images)] if one_group else self._in_groups(forward, statistics_of(net), images, total)
        return tuple(self.union(torch.cat(parts), total) for parts in zip(*found, strict=True))

    def _in_groups(
        self, forward: Forward, buffers: list[Tensor], images: Sequence[Tensor], total: int
    ) -> list[tuple[Tensor, ...]]:
        before = [b.clone() for b in buffers]
        after = [torch.zeros_like(b, dtype=torch.float32) for b in buffers]
        counts = self.sizes(total)[self.rank] > 0
        found = []
        for part in torch.arange(len(images[0])).tensor_split(min(self.splits, len(images[0]))):
            for buffer, old in zip(buffers, before, strict=True):
                buffer.data.copy_(old)  # .data: the backward pass of a group before must not take offence
            found.append(forward(*(x[int(part[0]) : int(part[-1]) + 1] for x in images)))
            for mean, buffer in zip(after, buffers, strict=True):
                mean += buffer * (counts * len(part) / total)
        _reduce(after, self.size)
        for buffer, mean in zip(buffers, after, strict=True):  # a counter of batches is the same in every group
            buffer.data.copy_(mean if buffer.is_floating_point() else mean.round())
        return found

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add up the gradients of all ranks."""
        _reduce([p.grad for p in parameters if p.grad is not None], self.size)

    def any(self, *flags: bool) -> list[bool]:
        """For each flag, whether it is set on some rank."""
        raised = torch.tensor(flags, dtype=torch.int32, device=self.device if self.size > 1 else None)
        _reduce([raised], self.size)
        return raised.bool().tolist()

    def same_start(self, net: nn.Module) -> None:
        """Every rank takes the weights and buffers of rank 0."""
        for tensor in net.state_dict().values() if self.size > 1 else ():
            dist.broadcast(tensor, 0)

    def objects(self, own: Any) -> list[Any]:
        """A small object of every rank."""
        received: list[Any] = [own] * self.size
        if self.size > 1:
            dist.all_gather_object(received, own)
        return received


def _reduce(tensors: Sequence[Tensor], size: int) -> None:
    """Sum over the ranks, in one message."""
    if size == 1 or not tensors:
        return
    flat = torch.cat([t.reshape(-1) for t in tensors])
    dist.all_reduce(flat)
    for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(part.view(tensor.shape))


def statistics_of(net: nn.Module) -> list[Tensor]:
    """Running means, variances and counters of the batch-norm layers that keep some."""
    names = ("running_mean", "running_var", "num_batches_tracked")
    return [buffer for name, buffer in net.named_buffers() if name.rsplit(".", 1)[-1] in names]


def check_batch(team: Team, batch: int, images: int) -> None:
    """Raises an `InputError` if a batch is larger than the data, or too small for the groups of batch-norm."""
    if batch > images:
        found = f"found a batch of {batch} with {images} training images"
        raise InputError(found, f"expected a batch of {images} or fewer", f"use --batch {max(images // 2, 1)}")
    groups = team.size * team.splits
    if batch < groups or images < 2 * groups:
        found = f"found batches of {batch} from {images} images for {groups} groups of batch-norm"
        do = f"use --bn-splits {max(min(batch, images // 2) // team.size, 1)} or fewer, or a larger --batch"
        raise InputError(f"{found} (processes x bn_splits)", "expected an image of each batch for every group", do)
