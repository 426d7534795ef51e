"""Groups of images that may be one person, found without labels. Letters: N training images, E size of a feature."""

import torch
from torch import Tensor

from paullite.errors import InputError


def jaccard(features: Tensor, neighbours: int) -> Tensor:
    r"""Jaccard distances between the k-reciprocal neighbour sets of images.

    .. math:: d_{ij} = 1 - |R_i \cap R_j| / |R_i \cup R_j|, \quad
              R_i = \{ j : j \in \mathrm{kNN}(i),\ i \in \mathrm{kNN}(j) \}

    Args:
        features: (N, E), normalised.
        neighbours: k, 1..N, itself counted.

    Returns:
        (N, N) float32 on the CPU, symmetric, in 0..1, zero on the diagonal.

    Source: Zhong et al., CVPR 2017. Left out: the expansion of the sets by their members' sets, the weights by
    distance, the averaging over neighbours.

    >>> jaccard(torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]]), 2)[0]
    tensor([0., 0., 1., 1.])
    """
    likeness = (features @ features.T).fill_diagonal_(torch.inf)  # each is its own nearest
    near = torch.zeros_like(likeness).scatter_(1, likeness.topk(neighbours).indices, 1.0)  # N N
    mutual = near * near.T
    common, sizes = mutual @ mutual.T, mutual.sum(1)
    return (1 - common / (sizes[:, None] + sizes[None] - common)).cpu()


def dbscan(distance: Tensor, *, eps: float, min_samples: int) -> Tensor:
    """Clusters of images from their distances (N, N): labels (N,) from 0; -1 for an outlier.

    Raises:
        InputError: scikit-learn is not installed.
    """
    try:
        from sklearn.cluster import DBSCAN
    except ImportError:
        raise InputError(
            "found no scikit-learn", "expected it, for DBSCAN", "pip install 'paullite[experiments]'"
        ) from None
    found = DBSCAN(eps=eps, min_samples=min_samples, metric="precomputed").fit_predict(distance.numpy())
    return torch.as_tensor(found, dtype=torch.long)


def purity(labels: Tensor, pids: tuple[int, ...]) -> float:
    """Share of the clustered images whose cluster is mostly of their person; junk (-1) is nobody. 0 if there is none.

    >>> purity(torch.tensor([0, 0, 0, 1, -1]), (7, 7, 8, 9, 9))
    0.75
    """
    clusters: dict[int, list[int]] = {}
    for label, pid in zip(labels.tolist(), pids, strict=True):
        if label >= 0 and pid >= 0:
            clusters.setdefault(label, []).append(pid)
    right = sum(max(map(members.count, members)) for members in clusters.values())
    return round(right / max(sum(map(len, clusters.values())), 1), 6)
