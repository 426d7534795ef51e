"""Wrong answers to the exercises of chapter 12, each another misconception; and other right ones."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def squared(features: Tensor, memory: Tensor) -> Tensor:
    """Squared distances, patch by patch: (B, P, D), (N, P, D) -> (B, P, N)."""
    return (features[:, None] - memory.detach()).square().sum(-1).transpose(1, 2)


def without_own(logits: Tensor, index: Tensor) -> Tensor:
    """The images' own entries at minus infinity."""
    own = F.one_hot(index, logits.shape[2]).bool()
    return logits.masked_fill(own[:, None], -torch.inf)


def weights(features, memory, index, scale) -> Tensor:
    """The right shares of the images, (B, P, N)."""
    return without_own(-scale * squared(features, memory), index).softmax(-1)


def by_camera(share: Tensor, cameras: Tensor) -> Tensor:
    """Shares of the cameras, (B, P, cameras)."""
    return share @ F.one_hot(cameras).to(share.dtype)


def entropy(q: Tensor) -> Tensor:
    """Over the last axis."""
    return -(q * q.clamp(min=1e-9).log()).sum(-1)


def most(cameras: Tensor) -> float:
    """The largest entropy."""
    return math.log(int(cameras.max()) + 1)


def flipped(features, memory, index, cameras, scale):
    """Rewards one camera instead of punishing it."""
    return (entropy(by_camera(weights(features, memory, index, scale), cameras)) - most(cameras)).mean()


def per_camera(features, memory, index, cameras, scale):
    """Each camera's share is divided by its number of images: "from all cameras alike", but not the formula."""
    q = by_camera(weights(features, memory, index, scale), cameras) / cameras.bincount()
    return (most(cameras) - entropy(q / q.sum(-1, keepdim=True))).mean()


def over_patches(features, memory, index, cameras, scale):
    """The softmax runs over the patches; where the own entry is left out, nothing is left."""
    q = by_camera(without_own(-scale * squared(features, memory), index).softmax(1), cameras)
    return (most(cameras) - entropy(q)).mean()


def over_patches_then_own(features, memory, index, cameras, scale):
    """The softmax runs over the patches, and the own entry is set to 0 afterwards."""
    own = F.one_hot(index, len(memory)).bool()[:, None]
    a = (-scale * squared(features, memory)).softmax(1).masked_fill(own, 0.0)
    return (most(cameras) - entropy(by_camera(a, cameras))).mean()


def in_bits(features, memory, index, cameras, scale):
    """Logarithms of base 2."""
    return right(features, memory, index, cameras, scale) / math.log(2)


def log_of_images(features, memory, index, cameras, scale):
    """The largest entropy of N images, not of the cameras."""
    q = by_camera(weights(features, memory, index, scale), cameras)
    return (math.log(len(memory)) - entropy(q)).mean()


def over_images(features, memory, index, cameras, scale):
    """The entropy of the images' shares, never added up by camera."""
    return (most(cameras) - entropy(weights(features, memory, index, scale))).mean()


def unsquared(features, memory, index, cameras, scale):
    """Distances that are not squared."""
    d = (squared(features, memory) + 1e-12).sqrt()
    q = by_camera(without_own(-scale * d, index).softmax(-1), cameras)
    return (most(cameras) - entropy(q)).mean()


def no_scale(features, memory, index, cameras, scale):
    """Does not look at the scale."""
    return right(features, memory, index, cameras, 1.0)


def summed(features, memory, index, cameras, scale):
    """Adds up over images and patches."""
    return right(features, memory, index, cameras, scale) * features.shape[0] * features.shape[1]


def batch_first(features, memory, index, cameras, scale):
    """Averages the shares over the batch before the entropy."""
    q = by_camera(weights(features, memory, index, scale), cameras).mean(0)
    return (most(cameras) - entropy(q)).mean()


def patches_first(features, memory, index, cameras, scale):
    """Averages the shares over the patches before the entropy."""
    q = by_camera(weights(features, memory, index, scale), cameras).mean(1)
    return (most(cameras) - entropy(q)).mean()


def whole_image(features, memory, index, cameras, scale):
    """Compares all patches side by side, as one long vector."""
    flat = features.flatten(1)[:, None], memory.flatten(1)[:, None]
    return right(*flat, index, cameras, scale)


def naive_exponentials(features, memory, index, cameras, scale):
    """exp and a division: all underflow at a large scale."""
    e = (-scale * squared(features, memory)).exp() * ~F.one_hot(index, len(memory)).bool()[:, None]
    q = by_camera(e / e.sum(-1, keepdim=True), cameras)
    return (most(cameras) - entropy(q)).mean()


def infinite_slope(features, memory, index, cameras, scale):
    """xlogy is right in value, its slope at 0 is not finite."""
    q = by_camera(weights(features, memory, index, scale), cameras)
    return (most(cameras) + torch.xlogy(q, q).sum(-1)).mean()


def detached(features, memory, index, cameras, scale):
    """No gradient reaches the features."""
    return right(features.detach(), memory, index, cameras, scale)


def place_in_the_batch(features, memory, index, cameras, scale):
    """Takes the place in the batch for the row of the memory."""
    return right(features, memory, torch.arange(len(index)), cameras, scale)


def counts_the_nearest(features, memory, index, cameras, scale):
    """Counts the cameras of the three nearest, all alike."""
    near = without_own(-squared(features, memory), index).topk(min(3, len(memory) - 1)).indices
    q = by_camera(F.one_hot(near, len(memory)).float().mean(2), cameras)
    return (most(cameras) - entropy(q)).mean()


def right(features, memory, index, cameras, scale):
    """Right: cdist for the distances."""
    x, w = features.transpose(0, 1), memory.detach().transpose(0, 1)
    logits = without_own(-scale * torch.cdist(x, w).square().transpose(0, 1), index)
    return (most(cameras) - entropy(by_camera(logits.softmax(-1), cameras))).mean()


def by_loops(features, memory, index, cameras, scale):
    """Right: one image, patch and camera after the other."""
    total, n = features.new_zeros(()), int(cameras.max()) + 1
    for x, own in zip(features, index.tolist(), strict=True):
        others = [j for j in range(len(memory)) if j != own]
        for p in range(x.shape[0]):
            logits = -scale * (x[p] - memory[others, p].detach()).square().sum(-1)
            logs = logits.log_softmax(0)
            for c in range(n):
                members = logs[cameras[others] == c]
                if len(members) and members.logsumexp(0) > -80:
                    log_q = members.logsumexp(0)
                    total = total + log_q.exp() * log_q
            total = total + math.log(n)
    return total / (features.shape[0] * features.shape[1])


def above_counted_below(known, right, unknown, wanted):
    """Counts the unknown people below the threshold."""
    low = (unknown < unknown[:, None]).mean(1)
    threshold = unknown[low <= wanted].max()
    return threshold, ((known > threshold) & right).mean()


def nobody_above(known, right, unknown, wanted):
    """Allows no false alarm, whatever was wanted."""
    return unknown.max(), ((known > unknown.max()) & right).mean()


def fewer_than_wanted(known, right, unknown, wanted):
    """A share below the wanted one, not up to it."""
    above = (unknown > unknown[:, None]).mean(1)
    threshold = unknown[(above < wanted) | (above == 0)].min()
    return threshold, ((known > threshold) & right).mean()


def one_too_many(known, right, unknown, wanted):
    """The next lower value: one false alarm more than allowed."""
    ordered = np.sort(unknown)[::-1]
    threshold = ordered[min(int(wanted * len(unknown)) + 1, len(unknown) - 1)]
    return threshold, ((known > threshold) & right).mean()


def interpolated(known, right, unknown, wanted):
    """The quantile as numpy interpolates it."""
    threshold = np.quantile(unknown, 1 - wanted)
    return threshold, ((known > threshold) & right).mean()


def among_the_known(known, right, unknown, wanted):
    """Chooses the threshold among the known people."""
    threshold = np.sort(known)[::-1][int(wanted * len(known))]
    return threshold, ((known > threshold) & right).mean()


def any_name(known, right, unknown, wanted):
    """A wrong name above the threshold counts as found."""
    threshold, _ = point(known, right, unknown, wanted)
    return threshold, (known > threshold).mean()


def of_the_accepted(known, right, unknown, wanted):
    """Divides by those above the threshold."""
    threshold, _ = point(known, right, unknown, wanted)
    return threshold, right[known > threshold].mean()


def of_the_right(known, right, unknown, wanted):
    """Divides by the queries whose first image is right."""
    threshold, _ = point(known, right, unknown, wanted)
    return threshold, (known[right] > threshold).mean()


def counted(known, right, unknown, wanted):
    """A count, not a share."""
    threshold, _ = point(known, right, unknown, wanted)
    return threshold, ((known > threshold) & right).sum()


def without_threshold(known, right, unknown, wanted):
    """Rank-1, as if every list were shown."""
    return point(known, right, unknown, wanted)[0], right.mean()


def exchanged(known, right, unknown, wanted):
    """The rate before the threshold."""
    return point(known, right, unknown, wanted)[::-1]


def rate_alone(known, right, unknown, wanted):
    """Only the rate."""
    return point(known, right, unknown, wanted)[1]


def distinct_values(known, right, unknown, wanted):
    """Counts equal similarities once."""
    threshold, _ = point(known, right, np.unique(unknown), wanted)
    return threshold, ((known > threshold) & right).mean()


def point(known, right, unknown, wanted):
    """Right: sorted, from above."""
    ordered = np.sort(unknown)
    above = len(ordered) - np.searchsorted(ordered, ordered, side="right")
    threshold = ordered[above <= wanted * len(ordered) + 1e-12][0]
    return threshold, ((known > threshold) & right).mean()


def by_unique_values(known, right, unknown, wanted):
    """Right: the values once each, with their counts."""
    values, counts = np.unique(unknown, return_counts=True)
    above = counts[::-1].cumsum()[::-1] - counts
    threshold = values[np.argmax(above / counts.sum() <= wanted)]
    return np.array([threshold, np.count_nonzero((known > threshold) & right) / known.size])


WRONG = {
    "camera_entropy": (
        flipped, in_bits, log_of_images, over_images, unsquared, no_scale, summed,
        batch_first, patches_first, whole_image, naive_exponentials, infinite_slope,
        detached, place_in_the_batch, counts_the_nearest, per_camera, over_patches,
        over_patches_then_own,
    ),
    "operating_point": (
        above_counted_below, nobody_above, fewer_than_wanted, one_too_many, interpolated, among_the_known, any_name,
        of_the_accepted, of_the_right, counted, without_threshold, exchanged, rate_alone,
        distinct_values,
    ),
}  # fmt: skip

OTHER_RIGHT = {"camera_entropy": (right, by_loops), "operating_point": (point, by_unique_values)}
