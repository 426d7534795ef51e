"""The slow twin: the loss step with the costs of the published implementation, in our own words.

What is slow about it is a fact about that implementation (rows 10 and 11 of our table of differences): the memory is a
list that is put together again at every step, all N distances are sorted for a top K, and IPFL loops over its anchors.
"""

import torch
from torch import Tensor


class ListMemory:
    """A patch memory that is a Python list with one (P, D) tensor for each image."""

    def __init__(self, features: Tensor, momentum: float = 0.1) -> None:
        self.rows = [row.clone() for row in features]
        self.momentum = momentum

    def update(self, index: list[int], features: Tensor) -> None:
        """Average the features of a batch into their rows."""
        for i, feature in zip(index, features, strict=True):
            self.rows[i] = (1 - self.momentum) * self.rows[i] + self.momentum * feature

    def stacked(self) -> Tensor:
        """The whole memory as one tensor (N, P, D), put together anew."""
        return torch.stack(self.rows)


def pedal(x: Tensor, memory: Tensor, index: list[int], scale: float, k: int) -> Tensor:
    """PEDAL with every distance sorted, a patch and an image at a time: (B, P, D), (N, P, D) -> scalar."""
    losses = []
    for p in range(x.shape[1]):
        w = memory[:, p]
        d2 = x[:, p].square().sum(1, keepdim=True) + w.square().sum(1) - 2 * x[:, p] @ w.T  # B N
        for i, own in enumerate(index):
            others = torch.cat([d2[i, :own], d2[i, own + 1 :]])
            weights = torch.exp(-scale * torch.sort(others).values)
            losses.append(-torch.log(weights[:k].sum() / weights.sum()))
    return torch.stack(losses).mean()


def ipfl(e: Tensor, c: Tensor, owner: list[int], margin: float = 2.0, nearest: int = 3, most: int = 15) -> Tensor:
    """IPFL one anchor after the other: (A, E), (B, E) -> scalar."""
    losses = []
    for a, own in enumerate(owner):
        distance = (e[a] - c).square().sum(1).sqrt()  # B
        negative = torch.zeros(())
        for j in [j for j in torch.argsort(distance).tolist() if j != own][:most]:
            if own not in torch.argsort((c[j] - c).square().sum(1))[:nearest].tolist():
                negative = distance[j]
                break
        losses.append(torch.relu(margin + distance[own] - negative))
    return torch.stack(losses).mean()
