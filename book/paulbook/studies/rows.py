"""What the rivals of PAUL remember, and the loss that pulls an image to its row of it.

Letters: B images, N training images, A anchors, R rows, E = P * D.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paullite.memory import FeatureMemory


class Rows(nn.Module):
    """A memory row for each image or cluster, and which image belongs to which row. Checkpoints carry both.

    Attributes:
        memory: N rows of size E, of which the first ``count`` are in use.
        labels: (N,) row of each image; -1 for none.
    """

    labels: Tensor

    def __init__(self, images: int, dim: int, momentum: float) -> None:
        super().__init__()
        self.memory = FeatureMemory(images, 1, dim, momentum=momentum)
        self.register_buffer("labels", torch.full((images,), -1))

    @property
    def count(self) -> int:
        """R, rows in use."""
        return int(self.labels.max()) + 1

    def assign(self, labels: Tensor, features: Tensor) -> None:
        """Begin anew: each row is the mean of its images' features. labels (N,), 0..R-1 or -1; features (N, E)."""
        self.labels.copy_(labels)
        self.memory.features.zero_()
        self.memory.filled.zero_()
        self.update(torch.arange(len(labels)), features)

    def learns(self, places: Tensor) -> Tensor:
        """Which of these images have a row, and another one to be pushed from: (B,) bool on the CPU."""
        return (self.labels[places.to(self.labels.device)] >= 0).cpu() & (self.count >= 2)

    def loss(self, views: Tensor, places: Tensor, temperature: float) -> Tensor:
        """`contrast` of both views (2, B, E) of the images that have a row."""
        labels = self.labels[places.to(self.labels.device)]
        kept = labels >= 0
        return contrast(
            views[:, kept].flatten(0, 1), self.memory.features[: self.count, 0], labels[kept].repeat(2), temperature
        )

    def update(self, places: Tensor, features: Tensor) -> None:
        """Move each row towards the mean of its images in the batch, features (B, E); the others rest."""
        labels = self.labels[places.to(self.labels.device)]
        rows, member = labels[labels >= 0].unique(return_inverse=True)
        own = features[labels >= 0]
        sums = own.new_zeros(len(rows), own.shape[1]).index_add_(0, member, own)
        means = sums / member.bincount(minlength=len(rows))[:, None]
        self.memory.update(rows, means[:, None], check_finite=False)  # the loop watches what is finite


def whole(features: Tensor) -> Tensor:
    """The P patch features side by side, normalised: (B, P, D) -> (B, E)."""
    return F.normalize(features.flatten(1), dim=-1)


def contrast(features: Tensor, rows: Tensor, own: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of each anchor against its own row, among all rows.

    Args:
        features: whole-image features, (A, E), normalised.
        rows: the memory, (R, E); it is normalised here. No gradient flows into it.
        own: row of each anchor, (A,) integers in 0..R-1.
        temperature: tau, over 0.

    Returns:
        The mean over anchors; 0 if there is none.

    >>> x = torch.tensor([[1.0, 0.0]])
    >>> contrast(x, torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0]), 1.0)  # log(1 + exp(-1))
    tensor(0.3133)
    """
    logits = features @ F.normalize(rows.detach(), dim=-1).T / temperature  # A R
    return F.cross_entropy(logits, own, reduction="sum") / max(len(own), 1)
