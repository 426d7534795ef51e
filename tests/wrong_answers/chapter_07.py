"""Wrong answers to the exercises of chapter 7, each another misconception; and other right ones.

Those to the gradient are in `chapter_07_gradient`, those to the scale in `chapter_07_mass`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

import paullite as pl
from tests.wrong_answers import chapter_07_gradient, chapter_07_mass


def squared(features: Tensor, memory: Tensor) -> Tensor:
    """Squared distances of each patch to its own kind in the memory, in float32, (B, P, N)."""
    x, w = features.float(), memory.detach().float()
    return (x[:, :, None] - w.transpose(0, 1)).square().sum(-1)


def without_own(logits: Tensor, index: Tensor) -> Tensor:
    """The logits with minus infinity at each image's own row."""
    logits = logits.clone()
    logits[torch.arange(len(index)), :, index] = -torch.inf
    return logits


def logits_of(features, memory, index, scale) -> Tensor:
    """-s d^2 of all others."""
    return without_own(-scale * squared(features, memory), index)


def ratio(logits: Tensor, k: int) -> Tensor:
    """The loss of each patch."""
    return logits.logsumexp(-1) - logits.topk(k, -1).values.logsumexp(-1)


def plain_exp(features, memory, index, scale, k) -> Tensor:
    """exp, sum, log as in the formula: 0 / 0 where all of them underflow."""
    e = logits_of(features, memory, index, scale).exp()
    return -(e.topk(k, -1).values.sum(-1) / e.sum(-1)).log().mean()


def with_an_epsilon(features, memory, index, scale, k) -> Tensor:
    """As plain_exp, with a small number against the division by zero."""
    e = logits_of(features, memory, index, scale).exp()
    return -((e.topk(k, -1).values.sum(-1) + 1e-12) / (e.sum(-1) + 1e-12)).log().mean()


def own_counts_above(features, memory, index, scale, k) -> Tensor:
    """The own entry is left out below only."""
    logits = -scale * squared(features, memory)
    return (without_own(logits, index).logsumexp(-1) - logits.topk(k, -1).values.logsumexp(-1)).mean()


def own_counts_below(features, memory, index, scale, k) -> Tensor:
    """The own entry is left out above only."""
    logits = -scale * squared(features, memory)
    return (logits.logsumexp(-1) - without_own(logits, index).topk(k, -1).values.logsumexp(-1)).mean()


def own_is_the_place_in_the_batch(features, memory, index, scale, k) -> Tensor:
    """Takes the place in the batch for the row of the memory."""
    return ratio(logits_of(features, memory, torch.arange(len(index)), scale), k).mean()


def own_is_the_nearest(features, memory, index, scale, k) -> Tensor:
    """Drops the nearest entry, as if that were the own one always."""
    logits = (-scale * squared(features, memory)).sort(-1, descending=True).values[..., 1:]
    return ratio(logits, k).mean()


def patches_mixed(features, memory, index, scale, k) -> Tensor:
    """All patches of all images in one list: a chest meets legs."""
    x, w = features.float(), memory.detach().float().flatten(0, 1)
    logits = -scale * (x[:, :, None] - w).square().sum(-1)  # B P N*P
    rows = index[:, None] * features.shape[1] + torch.arange(features.shape[1])
    logits = logits.scatter(2, rows[:, None].expand(-1, features.shape[1], -1), -torch.inf)
    return ratio(logits, k).mean()


def patches_side_by_side(features, memory, index, scale, k) -> Tensor:
    """The whole image as one long patch."""
    return ratio(logits_of(features.flatten(1)[:, None], memory.flatten(1)[:, None], index, scale), k).mean()


def summed(features, memory, index, scale, k) -> Tensor:
    """The sum over images and patches."""
    return ratio(logits_of(features, memory, index, scale), k).sum()


def mean_over_images(features, memory, index, scale, k) -> Tensor:
    """The sum over patches, the mean over images."""
    return ratio(logits_of(features, memory, index, scale), k).sum(1).mean()


def not_squared(features, memory, index, scale, k) -> Tensor:
    """Distances, not their squares."""
    d = (squared(features, memory) + 1e-12).sqrt()
    return ratio(without_own(-scale * d, index), k).mean()


def cosines(features, memory, index, scale, k) -> Tensor:
    """2 s x.w alone: right only if all entries are equally long."""
    products = torch.einsum("bpd,npd->bpn", features.float(), memory.detach().float())
    return ratio(without_own(2 * scale * products, index), k).mean()


def normalises(features, memory, index, scale, k) -> Tensor:
    """Brings the entries of the memory to length 1 first."""
    w = F.normalize(memory.detach().float(), dim=-1)
    return ratio(logits_of(features, w, index, scale), k).mean()


def farthest(features, memory, index, scale, k) -> Tensor:
    """The K largest distances above."""
    logits = logits_of(features, memory, index, scale)
    far = squared(features, memory)
    far[torch.arange(len(index)), :, index] = -1
    return (logits.logsumexp(-1) - logits.gather(-1, far.topk(k, -1).indices).logsumexp(-1)).mean()


def mean_of_logs(features, memory, index, scale, k) -> Tensor:
    """The mean of the K logarithms, not the logarithm of the sum."""
    logits = logits_of(features, memory, index, scale)
    return (logits.logsumexp(-1) - logits.topk(k, -1).values.mean(-1)).mean()


def against_the_rest(features, memory, index, scale, k) -> Tensor:
    """Below the line only those that are not above it."""
    ordered = logits_of(features, memory, index, scale).sort(-1, descending=True).values
    return (ordered[..., k:-1].logsumexp(-1) - ordered[..., :k].logsumexp(-1)).mean()


def in_its_own_precision(features, memory, index, scale, k) -> Tensor:
    """Log-sum-exp, but in half precision where the features come so."""
    d2 = (features[:, :, None] - memory.detach().transpose(0, 1)).square().sum(-1)
    return ratio(without_own(-scale * d2, index), k).mean()


def no_gradient(features, memory, index, scale, k) -> Tensor:
    """Detaches the features with the memory."""
    return ratio(logits_of(features.detach(), memory, index, scale), k).mean()


def only_one(features, memory, index, scale, k) -> Tensor:
    """The nearest alone, whatever K is."""
    return ratio(logits_of(features, memory, index, scale), 1).mean()


def no_scale(features, memory, index, scale, k) -> Tensor:
    """Forgets s."""
    return ratio(logits_of(features, memory, index, 1.0), k).mean()


def nothing_divided(features, memory, index, scale, k) -> Tensor:
    """No denominator: pulls, and never pushes."""
    return -logits_of(features, memory, index, scale).topk(k, -1).values.logsumexp(-1).mean()


def own_masked_by_zero(features, memory, index, scale, k) -> Tensor:
    """The own entry's logit is set to 0, as if 0 were no weight: e^0 is 1."""
    logits = logits_of(features, memory, index, scale)
    return ratio(logits.masked_fill(logits.isinf(), 0.0), k).mean()


def own_out_twice(features, memory, index, scale, k) -> Tensor:
    """Masks the own entry, and drops the first of the order as well."""
    ordered = logits_of(features, memory, index, scale).sort(-1, descending=True).values
    return ratio(ordered[..., 1:], k).mean()


def by_loops(features, memory, index, scale, k) -> Tensor:
    """Right: one patch after the other, with softmax."""
    total = []
    for i, row in enumerate(index.tolist()):
        for p in range(features.shape[1]):
            others = torch.cat([memory[:row, p], memory[row + 1 :, p]]).detach().double()
            d2 = (features[i, p].double() - others).square().sum(-1)
            total.append(-(-scale * d2).log_softmax(0).topk(k).values.logsumexp(0))
    return torch.stack(total).mean()


def library(features, memory, index, scale, k) -> Tensor:
    """Right: what the library does."""
    return pl.losses.pedal(features, memory, index, scale=scale, k=k)


WRONG = {
    "pedal": (
        plain_exp, with_an_epsilon, own_counts_above, own_counts_below, own_is_the_place_in_the_batch,
        own_is_the_nearest, patches_mixed, patches_side_by_side, summed, mean_over_images, not_squared,
        cosines, normalises, farthest, mean_of_logs, against_the_rest, in_its_own_precision,
        no_gradient, only_one, no_scale, nothing_divided, own_masked_by_zero, own_out_twice,
    ),
    **chapter_07_gradient.WRONG,
    **chapter_07_mass.WRONG,
}  # fmt: skip

OTHER_RIGHT = {"pedal": (by_loops, library), **chapter_07_gradient.OTHER_RIGHT, **chapter_07_mass.OTHER_RIGHT}
