"""Cyclic ranking: which center of the batch is a hard negative of an anchor, and which is the same person after all."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .modes import at_least_float32, full_precision


class Ranking(NamedTuple):
    """The candidates of every anchor, nearest first."""

    candidates: Tensor  #: (A, candidates) rows of the other centers
    vetoed: Tensor  #: (A, candidates) bool, whether the candidate's own list contains the anchor's center

    def negatives(self) -> Tensor:
        """The first candidate of each anchor that is not vetoed, or -1 if all are: (A,)."""
        first = F.pad(~self.vetoed, (0, 1), value=True).int().argmax(1)  # a last column that stands for "none left"
        return F.pad(self.candidates, (0, 1), value=-1).gather(1, first[:, None]).squeeze(1)


@torch.no_grad()
def cyclic_ranking(
    embeddings: Tensor, centers: Tensor, owner: Tensor, *, nearest: int = 3, max_candidates: int = 15
) -> Ranking:
    """Rank the other centers for every anchor, and find those whose own ranking contains the anchor's center.

    A candidate that ranks the anchor's center among its own ``nearest`` is taken for the same person. The first
    candidate that does not is the hard negative (figure 4 of PAUL, Yang et al., CVPR 2019). The arguments are those of
    `paullite.losses.ipfl`; a choice has no gradient.

    >>> e = torch.tensor([[0.0], [1.0], [10.0]])
    >>> ranking = cyclic_ranking(e[:1], e, torch.tensor([0]), nearest=2)
    >>> ranking.candidates, ranking.vetoed, ranking.negatives()
    (tensor([[1, 2]]), tensor([[ True, False]]), tensor([2]))
    """
    with full_precision(embeddings.device):
        e, c = at_least_float32(embeddings), at_least_float32(centers).to(embeddings.device)
        owner = owner.to(e.device)
        order = distances(e, c).scatter(1, owner[:, None], torch.inf).argsort(dim=1, stable=True)  # A B, own one last
        order = order[:, : min(max_candidates, len(c) - 1)]
        lists = distances(c, c).fill_diagonal_(-1).argsort(dim=1, stable=True)[:, :nearest]  # B nearest, itself first
        return Ranking(order, (lists[order] == owner[:, None, None]).any(-1))


def distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances between all rows: (A, E), (B, E) -> (A, B).

    A matrix product would lose the digits of small distances, and Apple GPUs lack the gradient of ``torch.cdist``.

    >>> distances(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[5., 0.]])
    """
    return length(a[:, None] - b)


def length(x: Tensor) -> Tensor:
    """Euclidean length of the last axis, with gradient 0 where it is 0: the square root's own would be infinite.

    >>> x = torch.zeros(2, requires_grad=True)
    >>> length(x).backward(); x.grad
    tensor([0., 0.])
    """
    squared = x.square().sum(-1)
    moved = squared != 0  # and not > 0, which would turn NaN into 0
    return squared.where(moved, 1).sqrt() * moved
