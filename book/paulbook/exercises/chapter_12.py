"""Exercise 12.1: a loss of one's own."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..agreement import Draw, agrees, numbers, sizes
from ..exercise import Exercise, expect

Loss = Callable[..., Any]


def camera_entropy(features: Tensor, memory: Tensor, index: Tensor, cameras: Tensor, scale: float) -> Tensor:
    """How far the neighbours of patches are from being shared by all cameras: the book's own answer."""
    gap = features[:, None] - memory.detach()  # B N P D
    logits = -scale * gap.square().sum(-1).transpose(1, 2)  # B P N
    own = F.one_hot(index, len(memory)).bool()[:, None]  # B 1 N
    a = logits.masked_fill(own, -torch.inf).softmax(-1)
    q = a @ F.one_hot(cameras).float()  # B P cameras
    return log(q.shape[-1]) + (q * q.clamp(min=1e-9).log()).sum(-1).mean()


def at(*squared: float) -> Tensor:
    """Memory entries of one patch, (n, 1, 2), at these squared distances from the origin."""
    return torch.tensor([[[value**0.5, 0.0]] for value in squared])


def origin() -> Tensor:
    """The feature of one image with one patch."""
    return torch.zeros(1, 1, 2)


def first() -> Tensor:
    """Row 0 of the memory as the own one."""
    return torch.tensor([0])


def value(loss: Loss, *given: Any) -> float:
    """The loss as a number."""
    found = torch.as_tensor(loss(*given))
    expect(found.numel() == 1, f"Yours has the shape {tuple(found.shape)}. A loss is one number: is a mean missing?")
    return float(found)


def near(found: float, wanted: float) -> bool:
    """Equal, but for rounding."""
    return abs(found - wanted) < 1e-3


def one_camera_is_worst(loss: Loss) -> None:
    """All neighbours by one camera: log of the number of cameras."""
    memory, cameras = at(0.0, 1.0, 1.0, 1.0), torch.tensor([1, 0, 0, 0])
    found = value(loss, origin(), memory, first(), cameras, 4.0)
    says = f"Two cameras, and all neighbours are by camera 0: the loss should be log 2 = 0.693. Yours is {found:.3f}."
    _no_nan(loss, found, says)
    expect(not near(found, log(2) + 3 * log(3)), f"{says} Over which axis is your softmax? Three shares add up to 3.")
    expect(not near(found, -log(2)), f"{says} The size is right. Would training raise or lower it?")
    expect(not near(found, 1), f"{says} That is the answer in bits; log is the natural one here.")
    expect(not near(found, log(4)), f"{says} That is log 4: count the cameras, not the images.")
    expect(not near(found, 0), f"{says} That is minus the entropy alone. What does the formula put before it?")
    expect(
        not near(found, log(2) - log(3)),
        f"{says} The three images share alike, but their cameras do not: add up first.",
    )
    expect(near(found, log(2)), f"{says} The image's own entry, by camera 1 and at distance 0, must not take part.")


def _no_nan(loss: Loss, found: float, says: str) -> None:
    """Two causes of NaN: a camera without a share, or a softmax over an axis where everything is left out."""
    both = value(loss, origin(), at(0.0, 1.0, 1.0), first(), torch.tensor([0, 0, 1]), 4.0)
    axis = "It is NaN where both cameras have a share, too: over which axis do your shares add up to 1?"
    expect(found == found or both == both, f"{says} {axis}")
    expect(found == found, f"{says} One camera has the share 0: what is 0 times the logarithm of 0 in floats?")


def own_row_goes_by_index(loss: Loss) -> None:
    """The own entry is memory[index], wherever the image stands in the batch."""
    memory, cameras = at(1.0, 1.0, 0.0), torch.tensor([0, 0, 1])
    found = value(loss, origin(), memory, torch.tensor([2]), cameras, 4.0)
    says = f"Row 2 is the image's own, and index says so, but yours gives {found:.3f} instead of 0.693."
    expect(near(found, log(2)), f"{says} Which row did you leave out?")


def nearer_counts_more(loss: Loss) -> None:
    """The shares are a softmax of minus scale times squared distance."""
    memory, cameras = at(0.0, 0.2, 0.7, 0.7), torch.tensor([0, 0, 1, 1])
    for scale in (1.0, 3.0):
        e = torch.tensor([[-0.2, -0.7, -0.7]]).mul(scale)
        wanted = _two(e.softmax(1)[0, 0])
        found = value(loss, origin(), memory, first(), cameras, scale)
        says = f"One neighbour by camera 0 at 0.2, two by camera 1 at 0.7 (squared), scale {scale:g}: {wanted:.3f}, "
        says += f"but yours is {found:.3f}."
        expect(
            not near(found, 2 * log(2) - wanted), f"{says} That is log n plus the entropy: q log q is below 0 as it is."
        )
        expect(not near(found, _two((-e).softmax(1)[0, 0])), f"{says} With yours the farthest have the largest share.")
        roots = (-scale * torch.tensor([0.2, 0.7, 0.7]).sqrt()).softmax(0)
        expect(not near(found, _two(roots[0])), f"{says} Are the distances squared?")
        expect(not near(found, _two(torch.tensor(1 / 3))), f"{says} All three count alike with yours, near or far.")
        one = torch.tensor([-0.2, -0.7, -0.7]).softmax(0)
        expect(scale == 1 or not near(found, _two(one[0])), f"{says} That is the value for scale 1.")
        expect(near(found, wanted), f"{says} Look at the shares: softmax over the other images of -scale d².")


def cameras_are_not_divided(loss: Loss) -> None:
    """A camera's share is a sum: one with more images has more."""
    memory, cameras = at(9.0, 0.5, 0.5, 0.5), torch.tensor([0, 0, 0, 1])
    found, wanted = value(loss, origin(), memory, first(), cameras, 2.0), _two(torch.tensor(2 / 3))
    says = f"Two neighbours by camera 0, one by camera 1, equally far: {wanted:.3f}, but yours is {found:.3f}."
    divided = [_two(torch.tensor(0.4)), 0.0]  # by the images of each camera, with the own one and without
    expect(
        not any(near(found, each) for each in divided), f"{says} The formula adds up shares; it divides by no count."
    )
    expect(near(found, wanted), f"{says} The shares of the cameras are 2/3 and 1/3.")


def _two(q: Tensor) -> float:
    """The loss for two cameras with the shares q and 1 - q."""
    return log(2) + float(torch.xlogy(q, q) + torch.xlogy(1 - q, 1 - q))


def each_patch_for_itself(loss: Loss) -> None:
    """Patch p meets patch p, and the entropy comes before the mean over the patches."""
    x = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    memory = torch.tensor([[[1.0, 0], [0, 1]], [[1.0, 0], [0, -1]], [[-1.0, 0], [0, 1]]])  # own, camera 0, camera 1
    found = value(loss, x, memory, first(), torch.tensor([0, 0, 1]), 20.0)
    says = f"Patch 0 sees camera 0 only, patch 1 camera 1 only: the mean loss is 0.693, yours {found:.3f}."
    double = near(found, 2 * log(2))
    expect(not double, f"{says} A sum over patches or images grows with their number; the formula has a mean.")
    side_by_side = near(found, 0) and near(
        value(loss, x[:, :1], memory[:, :1], first(), torch.tensor([0, 0, 1]), 20.0), log(2)
    )
    both = near(value(loss, *_tilted()), _two(torch.tensor([-2.0, -3.0]).softmax(0)[0]))
    expect(not (side_by_side and both), f"{says} Side by side the two balance each other. Compare patch with patch.")
    expect(near(found, log(2)), f"{says} You mixed the patches' shares before taking the entropy.")


def _tilted() -> tuple[Any, ...]:
    """Two patches whose distances add up to 2 and 3: tells one long vector from two patches."""
    x = torch.zeros(1, 2, 2)
    memory = torch.zeros(3, 2, 2)
    memory[1, :, 0], memory[2, :, 0] = torch.tensor([2.0, 0.0]).sqrt(), torch.tensor([0.0, 3.0]).sqrt()
    return x, memory, first(), torch.tensor([0, 0, 1]), 1.0


def each_image_for_itself(loss: Loss) -> None:
    """The entropy comes before the mean over the batch."""
    x = torch.tensor([[[1.0, 0.0]], [[-1.0, 0.0]]])
    memory = torch.tensor([[[0.0, 1.0]], [[0.0, -1.0]], [[1.0, 0.0]], [[-1.0, 0.0]]])
    found = value(loss, x, memory, torch.tensor([0, 1]), torch.tensor([0, 1, 0, 1]), 20.0)
    says = f"One image sees camera 0 only, the other camera 1 only: the mean loss is 0.693, yours {found:.3f}."
    expect(near(found, log(2)), f"{says} Over the batch the two balance, but each is bad: entropy first, then mean.")


def finite_at_large_scale(loss: Loss) -> None:
    """Neither value nor slope may overflow, underflow or be NaN."""
    memory, cameras = at(0.0, 1.0, 1.5, 2.0), torch.tensor([1, 0, 1, 0])
    x = origin().requires_grad_()
    found = torch.as_tensor(loss(x, memory, first(), cameras, 1000.0))
    fine = bool(found.isfinite().all())
    expect(fine, "With scale 1000 the value is not finite: every exp(-1000 d²) is 0. softmax subtracts the largest.")
    expect(found.requires_grad, "No gradient reaches the features: the network cannot learn from this.")
    (slope,) = torch.autograd.grad(found, x)
    expect(bool(slope.isfinite().all()), "The value is fine, the slope is NaN: log has an infinite slope at share 0.")


def moves_features_only(loss: Loss) -> None:
    """The memory is data; the features get a slope that is not zero."""
    x = torch.tensor([[[0.3, 0.1]]], requires_grad=True)
    memory = at(0.0, 0.2, 0.7, 0.9).requires_grad_()
    found = torch.as_tensor(loss(x, memory, first(), torch.tensor([0, 0, 1, 1]), 2.0))
    slopes = torch.autograd.grad(found, (x, memory), allow_unused=True)
    expect(slopes[0] is not None and bool(slopes[0].any()), "The slope at the features is 0: nothing is learned.")
    expect(slopes[1] is None or not bool(slopes[1].any()), "A gradient flows into the memory, which is data.")


def patch_by_patch(features: Tensor, memory: Tensor, index: Tensor, cameras: Tensor, scale: float) -> Tensor:
    """The formula in loops over images, patches and cameras."""
    losses = []
    for x, own in zip(features, index.tolist(), strict=True):
        others = [j for j in range(len(memory)) if j != own]
        for p in range(len(x)):
            d2 = (x[p] - memory[others, p].detach()).square().sum(-1)
            a = torch.exp(-scale * (d2 - d2.min()))
            shares = [a[cameras[others] == camera].sum() / a.sum() for camera in cameras.unique()]
            losses.append(log(len(shares)) + sum(torch.xlogy(q, q) for q in shares))
    return torch.stack([torch.as_tensor(loss) for loss in losses]).mean()


def some_batch(draw: Draw) -> tuple[Any, ...]:
    """B images with P patches, and a memory of N by three to five cameras."""
    b, p, d, more = sizes(draw, 4)
    n, count = b + p + d + more + 10, int(draw.integers(3, 6))
    cameras = torch.from_numpy(draw.permutation(np.arange(n) % count))
    index = torch.from_numpy(draw.permutation(n)[:b])
    return numbers(draw, b, p, d), numbers(draw, n, p, d), index, cameras, float(draw.uniform(0.1, 1))


EXERCISES = (
    Exercise(
        "camera_entropy",
        12,
        camera_entropy,
        (
            one_camera_is_worst,
            own_row_goes_by_index,
            nearer_counts_more,
            cameras_are_not_divided,
            each_patch_for_itself,
            each_image_for_itself,
            finite_at_large_scale,
            moves_features_only,
            agrees(patch_by_patch, some_batch, slopes=(0, 1)),
        ),
        example=lambda: (torch.zeros(1, 1, 2), at(0.0, 1.0, 2.0), first(), torch.tensor([0, 0, 1]), 4.0),
    ),
)
