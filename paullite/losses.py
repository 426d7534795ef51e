"""The three losses of PAUL as functions, each the formula that one would write on paper, and a thin module beside it.

Letters: B images, P patches, D patch feature size, E embedding size, N training images, A anchors.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import check_pedal, pedal_in_blocks, pedal_logits
from .cyclic import Ranking, cyclic_ranking, distances, length
from .errors import InputError
from .modes import at_least_float32, full_precision
from .step import Step


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
        index: memory row of each image, (B,) integers in 0..N-1; may be on the CPU.
        scale: s > 0; the larger, the more only the very nearest count. 15 for Market-1501, 5 for Duke.
        k: number of nearest patches K, 1..N-1. With N-1 the loss is 0.

    Returns:
        The mean over images and patches: a scalar in float32 (float64 for float64 input), also under autocast. Values
        out of range and shapes that do not fit, here and below, are an `InputError` (a ValueError).

    Source: PAUL, Yang et al., CVPR 2019, as its reference implementation computes it.

    >>> x = torch.tensor([[[1.0, 0.0]]])                                # one image, one patch
    >>> w = torch.tensor([[[1.0, 0.0]], [[0.8, 0.6]], [[-1.0, 0.0]]])   # row 0 is its own
    >>> f"{pedal(x, w, torch.tensor([0]), scale=5.0, k=1):.6f}"         # log(1 + exp(-5 * (4 - 0.4)))
    '0.000000'
    >>> f"{pedal(x, w, torch.tensor([0]), scale=0.1, k=1):.3f}"
    '0.529'
    """
    check_pedal(features, memory, index, scale, k)
    with full_precision(features.device):
        x = at_least_float32(features)
        logits = pedal_logits(x, memory.detach().to(x.dtype), scale)  # B P N
        own = index.to(x.device).view(-1, 1, 1).expand(-1, logits.shape[1], 1)  # B P 1
        logits.scatter_(2, own, -torch.inf)
        nearest = logits.topk(k, dim=-1).values  # B P K
        return (logits.logsumexp(-1) - nearest.logsumexp(-1)).clamp(min=0).mean()


def ipfl(
    embeddings: Tensor,
    centers: Tensor,
    owner: Tensor,
    *,
    margin: float = 2.0,
    nearest: int = 3,
    max_candidates: int = 15,
    no_negative: str = "skip",
    ranking: Ranking | None = None,
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
        ranking: what `cyclic_ranking` found for these very arguments, if it was computed before.

    Returns:
        A scalar >= 0, in float32 (float64 for float64 input), also under autocast.

    Source: PAUL, Yang et al., CVPR 2019, figure 4, as its reference implementation computes it.

    >>> e = torch.tensor([[0.0], [1.0], [10.0]])
    >>> ipfl(e, e, torch.arange(3), margin=2.0, nearest=2)      # 0 and 1 name each other: the negative is 10
    tensor(0.)
    >>> ipfl(e, e, torch.arange(3), margin=2.0, nearest=1)      # no veto: 0 and 1 push each other
    tensor(0.6667)
    """
    fits = embeddings.ndim == 2 and embeddings.shape[1:] == centers.shape[1:] and owner.shape == embeddings.shape[:1]
    if not fits or not len(embeddings) or no_negative not in ("skip", "pull"):
        found = f"embeddings {tuple(embeddings.shape)}, centers {tuple(centers.shape)}, owner {tuple(owner.shape)}"
        expected = "expected (A, E), (B, E) and (A,) with one anchor or more, and 'skip' or 'pull'"
        raise InputError(f"found {found}, no_negative = {no_negative!r}", expected)
    with full_precision(embeddings.device):
        e = at_least_float32(embeddings)
        c, owner = centers.detach().to(e), owner.to(e.device)
        ranking = ranking or cyclic_ranking(e, c, owner, nearest=nearest, max_candidates=max_candidates)
        negative = ranking.negatives()  # A, -1 where there is none
        known = negative >= 0
        pos = length(e - c[owner])  # A
        neg = length(e - c[negative.clamp(min=0)]) * known  # A
        loss = F.relu(margin + pos - neg)
        return loss.mean() if no_negative == "pull" else (loss * known).sum() / known.sum().clamp(min=1)


class PaulLoss(NamedTuple):
    """What `paul` returns: three scalars, ``total`` with its gradient, and both parts before their weights."""

    total: Tensor
    pedal: Tensor
    ipfl: Tensor


def paul(step: Step) -> PaulLoss:
    r"""PAUL's whole objective for one step.

    .. math:: L = \lambda_1 \, \mathrm{PEDAL} + \lambda_2 \, \mathrm{IPFL}

    with ``pedal_weight`` and ``ipfl_weight`` of the step's settings. PEDAL sees the originals only, IPFL both views.

    >>> from paullite.config import AdaptConfig
    >>> x = F.normalize(torch.randn(4, 2, 8), dim=-1)
    >>> e = x.flatten(1).expand(2, 4, 16)
    >>> step = Step(x, e, torch.arange(4), x, e[0], AdaptConfig(k=1, pedal_weight=2.0, ipfl_weight=1.0), epoch=0)
    >>> loss = paul(step)
    >>> bool(loss.total == 2 * loss.pedal + loss.ipfl)
    True
    """
    config = step.config
    given = step.features, step.memory, step.index
    if config.memory_block:
        patches = pedal_in_blocks(*given, scale=config.scale, k=config.k, block=config.memory_block)
    else:
        patches = pedal(*given, scale=config.scale, k=config.k)
    views = step.anchors, step.centers, step.owner
    whole = ipfl(*views, margin=config.margin, no_negative=config.no_negative, ranking=step.ranking)
    return PaulLoss(config.pedal_weight * patches + config.ipfl_weight * whole, patches, whole)


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

    >>> e = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    >>> batch_triplet(e, torch.tensor([7, 7, 8]), margin=1.0)       # 1 + 0 - sqrt(2) < 0
    tensor(0.)
    """
    fits = embeddings.ndim == 2 and labels.shape == embeddings.shape[:1] and len(labels)
    if not fits or positive not in ("nearest", "hardest"):
        found = f"found embeddings {tuple(embeddings.shape)}, labels {tuple(labels.shape)}, positive = {positive!r}"
        raise InputError(found, "expected (B, E) with one row or more, (B,) and 'nearest' or 'hardest'")
    with full_precision(embeddings.device):
        e = F.normalize(at_least_float32(embeddings), dim=-1)
        distance = distances(e.detach(), e.detach())  # B B, to choose by; the gradient flows through the chosen alone
        same = labels[:, None] == labels
        mates = same.clone().fill_diagonal_(False)
        far = torch.inf if positive == "nearest" else -torch.inf
        pos = distance.where(mates, far)
        chosen = pos.argmin(1) if positive == "nearest" else pos.argmax(1)
        hardest = distance.where(~same, torch.inf).argmin(1)
        loss = F.relu(margin + length(e - e[chosen]) - length(e - e[hardest]))
        usable = mates.any(1) & (~same).any(1)
        return loss.where(usable, 0).sum() / usable.sum().clamp(min=1)


class _Module(nn.Module):
    """A loss function with its settings kept; the call takes the tensors and gives the scalar."""

    def __init__(self, function: Callable[..., Tensor], **settings: float | str) -> None:
        super().__init__()
        self.function = function
        self.settings = settings

    def forward(self, *tensors: Tensor) -> Tensor:
        return self.function(*tensors, **self.settings)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.settings.items())


class PedalLoss(_Module):
    """`pedal` with its two numbers kept: ``PedalLoss(scale=15, k=10)(features, memory, index)``."""

    def __init__(self, scale: float, k: int) -> None:
        super().__init__(pedal, scale=scale, k=k)


class IpflLoss(_Module):
    """`ipfl` with its settings kept: ``IpflLoss(margin=2)(embeddings, centers, owner)``."""

    def __init__(
        self, margin: float = 2.0, nearest: int = 3, max_candidates: int = 15, no_negative: str = "skip"
    ) -> None:
        super().__init__(ipfl, margin=margin, nearest=nearest, max_candidates=max_candidates, no_negative=no_negative)


class BatchTripletLoss(_Module):
    """`batch_triplet` with its settings kept: ``BatchTripletLoss(margin=1)(embeddings, labels)``."""

    def __init__(self, margin: float = 1.0, positive: str = "nearest") -> None:
        super().__init__(batch_triplet, margin=margin, positive=positive)
