"""Wrong answers to the exercises of chapter 12, each another misconception; and other right ones."""

import math

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


def drops_the_last(tokens, prefix, rows, columns):
    """Drops as many tokens, but at the end."""
    return tokens[:, : tokens.shape[1] - prefix].transpose(1, 2).unflatten(2, (rows, columns))


def only_reshaped(tokens, prefix, rows, columns):
    """Reads channels where tokens are: no transpose."""
    kept = tokens[:, prefix:]
    return kept.reshape(len(kept), kept.shape[2], rows, columns)


def column_by_column(tokens, prefix, rows, columns):
    """Fills the grid column by column."""
    return tokens[:, prefix:].transpose(1, 2).unflatten(2, (columns, rows)).transpose(2, 3)


def one_prefix(tokens, prefix, rows, columns):
    """Always drops one token, and what does not fit at the end."""
    return tokens[:, 1 : 1 + rows * columns].transpose(1, 2).unflatten(2, (rows, columns))


def any_columns(tokens, prefix, rows, columns):
    """As many columns as come out."""
    return tokens[:, prefix:].transpose(1, 2).reshape(len(tokens), tokens.shape[2], rows, -1)


def any_rows(tokens, prefix, rows, columns):
    """As many rows as come out."""
    return tokens[:, prefix:].transpose(1, 2).reshape(len(tokens), tokens.shape[2], -1, columns)


def channels_last(tokens, prefix, rows, columns):
    """Hands back B H W C."""
    return tokens[:, prefix:].unflatten(1, (rows, columns))


def upside_down(tokens, prefix, rows, columns):
    """The first token at the bottom."""
    return grid(tokens, prefix, rows, columns).flip(2)


def square(tokens, prefix, rows, columns):
    """A square grid, whatever is asked for."""
    side = math.isqrt(tokens.shape[1] - prefix)
    return grid(tokens, prefix, side, side)


def cuts(tokens, prefix, rows, columns):
    """Takes as many tokens as fit and says nothing of the others."""
    return grid(tokens[:, : prefix + rows * columns], prefix, rows, columns)


def adds_the_prefix(tokens, prefix, rows, columns):
    """Mixes the mean prefix token into every cell."""
    mean = tokens[:, :prefix].mean(1)[:, :, None, None] if prefix else 0
    return grid(tokens, prefix, rows, columns) + mean


def without_gradient(tokens, prefix, rows, columns):
    """Detaches."""
    return grid(tokens.detach(), prefix, rows, columns)


def from_the_batch(tokens, prefix, rows, columns):
    """Drops images, not tokens."""
    kept = tokens[prefix:]
    return kept[:, : rows * columns].transpose(1, 2).unflatten(2, (rows, columns))


def sides_swapped(tokens, prefix, rows, columns):
    """Width before height."""
    return grid(tokens, prefix, columns, rows)


def normalised(tokens, prefix, rows, columns):
    """Brings every cell to length 1."""
    return F.normalize(grid(tokens, prefix, rows, columns), dim=1)


def grid(tokens, prefix, rows, columns):
    """Right: transpose, then unflatten."""
    return tokens[:, prefix:].transpose(1, 2).unflatten(2, (rows, columns))


def permuted(tokens, prefix, rows, columns):
    """Right: view, then permute."""
    kept = tokens[:, prefix:]
    return kept.reshape(len(kept), rows, columns, -1).permute(0, 3, 1, 2) if _fits(kept, rows, columns) else None


def _fits(kept, rows, columns) -> bool:
    if kept.shape[1] != rows * columns:
        raise ValueError("too many tokens, or too few")
    return True


WRONG = {
    "camera_entropy": (
        flipped, in_bits, log_of_images, over_images, unsquared, no_scale, summed,
        batch_first, patches_first, whole_image, naive_exponentials, infinite_slope,
        detached, place_in_the_batch, counts_the_nearest, per_camera, over_patches,
        over_patches_then_own,
    ),
    "tokens_to_map": (
        drops_the_last, only_reshaped, column_by_column, one_prefix, channels_last, upside_down, square, cuts,
        adds_the_prefix, without_gradient, from_the_batch, sides_swapped, normalised, any_columns, any_rows,
    ),
}  # fmt: skip

OTHER_RIGHT = {"camera_entropy": (right, by_loops), "tokens_to_map": (grid, permuted)}
