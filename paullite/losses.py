"""The three losses of PAUL, each as the formula one would write on paper, and a thin module beside it.

Letters: B images, P patches, D patch feature size, E embedding size, N training images, A anchors.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .errors import InputError


def pedal(features: Tensor, memory: Tensor, index: Tensor, *, scale: float, k: int) -> Tensor:
    r"""PEDAL, the patch-based discriminative feature learning loss: pull each patch to the K patches of other images
    that look most like it, and push it from all others.

    .. math:: L = \frac{1}{BP} \sum_{i,p} -\log
              \frac{\sum_{j \in \mathrm{K\,nearest},\, j \ne i} e^{-s \|x_i^p - w_j^p\|^2}}
                   {\sum_{j \ne i} e^{-s \|x_i^p - w_j^p\|^2}}

    Patch p meets patch p only. The image's own memory entry is left out above and below. ``0 <= L <= log((N-1)/K)``.

    Args:
        features: patch features x, (B, P, D), usually L2-normalised. Taken as given.
        memory: patch memory w, (N, P, D). No gradient flows into it.
        index: memory row of each image, (B,) integers in 0..N-1.
        scale: s > 0; the larger, the more only the very nearest count. 15 for Market-1501, 5 for Duke.
        k: number of nearest patches K, 1..N-1. With N-1 the loss is 0.

    Returns:
        The mean over images and patches: a scalar in float32 (float64 for float64 input), also under autocast.

    Raises:
        InputError: (a ValueError) k is not in 1..N-1, or the shapes do not fit.

    Source: PAUL, Yang et al., CVPR 2019, as its reference implementation computes it.

    >>> x = torch.tensor([[[1.0, 0.0]]])                                # one image, one patch
    >>> w = torch.tensor([[[1.0, 0.0]], [[0.8, 0.6]], [[-1.0, 0.0]]])   # row 0 is its own
    >>> f"{pedal(x, w, torch.tensor([0]), scale=5.0, k=1):.6f}"         # log(1 + exp(-5 * (4 - 0.4)))
    '0.000000'
    >>> f"{pedal(x, w, torch.tensor([0]), scale=0.1, k=1):.3f}"
    '0.529'
    """
    _check_pedal(features, memory, index, k)
    with torch.autocast(features.device.type, enabled=False):
        x, w = _at_least_float32(features), _at_least_float32(memory.detach())
        # -s||x - w||^2 without its term in ||x||^2, which stands above and below the line and cancels
        logits = (
            torch.einsum("bpd,npd->bpn", 2 * scale * x, w) - scale * torch.linalg.vector_norm(w, dim=-1).square().T
        )  # B P N
        logits.scatter_(2, index.view(-1, 1, 1).expand(-1, logits.shape[1], 1), -torch.inf)  # own entry
        nearest = logits.topk(k, dim=-1).values  # B P K
        return (logits.logsumexp(-1) - nearest.logsumexp(-1)).clamp(min=0).mean()


def _check_pedal(features: Tensor, memory: Tensor, index: Tensor, k: int) -> None:
    if features.shape[1:] != memory.shape[1:] or index.shape != features.shape[:1]:
        raise InputError(
            f"found features {tuple(features.shape)}, memory {tuple(memory.shape)}, index {tuple(index.shape)}",
            "expected (B, P, D), (N, P, D) and (B,)",
        )
    if not 1 <= k <= len(memory) - 1:
        raise InputError(
            f"found k = {k} with {len(memory)} images in the memory",
            f"expected 1 <= k <= N - 1 = {len(memory) - 1}, since an image is no neighbour of its own",
            "use a smaller k or more images",
        )


def ipfl(
    embeddings: Tensor,
    centers: Tensor,
    owner: Tensor,
    *,
    margin: float = 2.0,
    nearest: int = 3,
    max_candidates: int = 15,
    no_negative: str = "skip",
) -> Tensor:
    r"""IPFL, the image-level patch feature learning loss: pull each view of an image to the image's center, and push it
    from a hard negative found by cyclic ranking.

    .. math:: L = \frac{1}{A} \sum_a \max(0,\; m + \|e_a - c_{o(a)}\| - \|e_a - c_{n(a)}\|)

    o(a) is the image that anchor a is a view of. The negative n(a) is the nearest other center, among the
    ``max_candidates`` nearest, that does not have the anchor's own center among the ``nearest`` centers nearest to it.
    One that has is taken for the same person. A counts the anchors that have a negative, see ``no_negative``.

    Args:
        embeddings: one row for each view of each image, (A, E).
        centers: running mean of each image of the batch, (B, E). No gradient flows into them.
        owner: row of each anchor's own center, (A,) integers in 0..B-1.
        margin: m, in units of the embedding's distance.
        nearest: size of a center's ranking list; it counts the center itself, so 3 is the paper's r = 2.
        max_candidates: how many other centers are tried, at most.
        no_negative: ``"skip"`` leaves an anchor without a negative out of the mean (0 if none is left);
            ``"pull"`` is the reference behaviour, distance 0 in place of the negative's.

    Returns:
        A scalar >= 0, in float32 (float64 for float64 input), also under autocast.

    Raises:
        InputError: shapes that do not fit, or an unknown ``no_negative``.

    Source: PAUL, Yang et al., CVPR 2019, figure 4, as its reference implementation computes it.

    >>> e = torch.tensor([[0.0], [1.0], [10.0]])
    >>> ipfl(e, e, torch.arange(3), margin=2.0, nearest=2)      # 0 and 1 name each other: the negative is 10
    tensor(0.)
    >>> ipfl(e, e, torch.arange(3), margin=2.0, nearest=1)      # no veto: 0 and 1 push each other
    tensor(0.6667)
    """
    _check_ipfl(embeddings, centers, owner, no_negative)
    with torch.autocast(embeddings.device.type, enabled=False):
        e, c = _at_least_float32(embeddings), _at_least_float32(centers.detach())
        distance = _distances(e, c)  # A B
        negative = _cyclic_negative(distance.detach(), _distances(c, c), owner, nearest, max_candidates)  # A, -1: none
        found = negative >= 0
        pos = distance.gather(1, owner[:, None]).squeeze(1)  # A
        neg = distance.gather(1, negative.clamp(min=0)[:, None]).squeeze(1) * found
        loss = F.relu(margin + pos - neg)
        return loss.mean() if no_negative == "pull" else (loss * found).sum() / found.sum().clamp(min=1)


def cyclic_ranking(
    embeddings: Tensor, centers: Tensor, owner: Tensor, *, nearest: int = 3, max_candidates: int = 15
) -> tuple[Tensor, Tensor]:
    """The candidates for each anchor's hard negative, and which of them the cycle rules out.

    Args:
        embeddings, centers, owner, nearest, max_candidates: as in `ipfl`.

    Returns:
        The other centers, nearest to the anchor first, (A, candidates); and whether the list of such a center names
        the anchor's own, (A, candidates) bool. The first that does not is the hard negative.

    >>> e = torch.tensor([[0.0], [1.0], [10.0]])
    >>> cyclic_ranking(e[:1], e, torch.tensor([0]), nearest=2)
    (tensor([[1, 2]]), tensor([[ True, False]]))
    """
    e, c = _at_least_float32(embeddings), _at_least_float32(centers)
    return _cyclic_ranking(_distances(e, c), _distances(c, c), owner, nearest, max_candidates)


def _cyclic_ranking(
    distance: Tensor, between: Tensor, owner: Tensor, nearest: int, max_candidates: int
) -> tuple[Tensor, Tensor]:
    """From the distances (A, B) and (B, B)."""
    order = distance.scatter(1, owner[:, None], torch.inf).argsort(dim=1, stable=True)  # A B, own center last
    order = order[:, : min(max_candidates, distance.shape[1] - 1)]
    lists = between.clone().fill_diagonal_(-1).argsort(dim=1, stable=True)[:, :nearest]  # B nearest, itself first
    return order, (lists[order] == owner[:, None, None]).any(-1)  # A candidates


def _cyclic_negative(distance: Tensor, between: Tensor, owner: Tensor, nearest: int, max_candidates: int) -> Tensor:
    """The center that is the hard negative of each anchor, or -1. (A, B), (B, B), (A,) -> (A,)."""
    order, names_owner = _cyclic_ranking(distance, between, owner, nearest, max_candidates)
    first = F.pad(~names_owner, (0, 1), value=True).int().argmax(1)  # a last column that stands for "none left"
    return F.pad(order, (0, 1), value=-1).gather(1, first[:, None]).squeeze(1)


def _check_ipfl(embeddings: Tensor, centers: Tensor, owner: Tensor, no_negative: str) -> None:
    if embeddings.shape[1:] != centers.shape[1:] or owner.shape != embeddings.shape[:1]:
        raise InputError(
            f"found embeddings {tuple(embeddings.shape)}, centers {tuple(centers.shape)}, owner {tuple(owner.shape)}",
            "expected (A, E), (B, E) and (A,)",
        )
    if no_negative not in ("skip", "pull"):
        raise InputError(f"found no_negative = {no_negative!r}", "expected 'skip' or 'pull'")


def batch_triplet(embeddings: Tensor, labels: Tensor, *, margin: float = 1.0, positive: str = "nearest") -> Tensor:
    r"""Triplet loss inside a labelled batch: same person nearer than the hardest other person, by a margin.

    .. math:: L = \mathrm{mean}_i \max(0,\; m + d(i, \mathrm{pos}(i)) - d(i, \mathrm{neg}(i)))

    with d the un-squared Euclidean distance of the L2-normalised rows. Rows without another row of their identity, or
    without a row of another identity, are left out; if none is left the loss is 0.

    Args:
        embeddings: (B, E), normalised here.
        labels: identity of each row, (B,) integers.
        margin: m, in 0..2.
        positive: ``"nearest"`` of the same identity (the reference's choice in phase 1) or ``"hardest"``, the farthest.

    Returns:
        A scalar >= 0, in float32 (float64 for float64 input), also under autocast.

    Raises:
        InputError: shapes that do not fit, or an unknown ``positive``.

    >>> e = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    >>> batch_triplet(e, torch.tensor([7, 7, 8]), margin=1.0)       # 1 + 0 - sqrt(2) < 0
    tensor(0.)
    """
    if embeddings.ndim != 2 or labels.shape != embeddings.shape[:1] or positive not in ("nearest", "hardest"):
        raise InputError(
            f"found embeddings {tuple(embeddings.shape)}, labels {tuple(labels.shape)}, positive = {positive!r}",
            "expected (B, E), (B,) and 'nearest' or 'hardest'",
        )
    with torch.autocast(embeddings.device.type, enabled=False):
        e = F.normalize(_at_least_float32(embeddings), dim=-1)
        distance = _distances(e, e)  # B B
        same = labels[:, None] == labels[None, :]
        others = same & ~torch.eye(len(e), dtype=torch.bool, device=e.device)
        usable = others.any(1) & (~same).any(1)
        far = torch.inf if positive == "nearest" else -torch.inf
        pos = distance.where(others, far).amin(1) if positive == "nearest" else distance.where(others, far).amax(1)
        loss = F.relu(margin + pos - distance.where(~same, torch.inf).amin(1))
        return loss.where(usable, 0).sum() / usable.sum().clamp(min=1)


class PedalLoss(nn.Module):
    """`pedal` with its two numbers kept: ``PedalLoss(scale=15, k=10)(features, memory, index)``."""

    def __init__(self, scale: float, k: int) -> None:
        super().__init__()
        self.scale, self.k = scale, k

    def forward(self, features: Tensor, memory: Tensor, index: Tensor) -> Tensor:
        """(B, P, D), (N, P, D), (B,) -> scalar."""
        return pedal(features, memory, index, scale=self.scale, k=self.k)


class IpflLoss(nn.Module):
    """`ipfl` with its settings kept: ``IpflLoss(margin=2)(embeddings, centers, owner)``."""

    def __init__(
        self, margin: float = 2.0, nearest: int = 3, max_candidates: int = 15, no_negative: str = "skip"
    ) -> None:
        super().__init__()
        self.margin, self.nearest = margin, nearest
        self.max_candidates, self.no_negative = max_candidates, no_negative

    def forward(self, embeddings: Tensor, centers: Tensor, owner: Tensor) -> Tensor:
        """(A, E), (B, E), (A,) -> scalar."""
        return ipfl(
            embeddings,
            centers,
            owner,
            margin=self.margin,
            nearest=self.nearest,
            max_candidates=self.max_candidates,
            no_negative=self.no_negative,
        )


class BatchTripletLoss(nn.Module):
    """`batch_triplet` with its settings kept: ``BatchTripletLoss(margin=1)(embeddings, labels)``."""

    def __init__(self, margin: float = 1.0, positive: str = "nearest") -> None:
        super().__init__()
        self.margin, self.positive = margin, positive

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(B, E), (B,) -> scalar."""
        return batch_triplet(embeddings, labels, margin=self.margin, positive=self.positive)


def _at_least_float32(x: Tensor) -> Tensor:
    """Half precision underflows in exp(-s d^2); float64 stays what it is."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances (A, E), (B, E) -> (A, B). cdist's gradient is 0, not NaN, where two points coincide."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
