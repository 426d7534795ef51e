r"""PEDAL in blocks of memory rows: the numbers of `losses.pedal`, with temporaries that do not grow with N.

With :math:`l_j = 2 s \, x \cdot w_j - s \|w_j\|^2`, the loss of a patch and its gradient are

.. math:: L = \log \sum_{j \ne i} e^{l_j} - \log \sum_{j \in K} e^{l_j},
          \qquad \frac{dL}{dx} = 2 s \Big( \sum_{j \ne i} p_j w_j - \sum_{j \in K} q_j w_j \Big)

where p is the softmax over all others and q the one over the K nearest. All sums can be gathered piece by piece. So one
walk over the memory gives value and gradient. Two pieces join by `merge`, be they blocks of one memory or the shards
of several processes.

Source of the running softmax: Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .errors import InputError, at_least_one
from .losses import _at_least_float32, _check_pedal

BLOCK = 16_384  # memory rows; for 42 images of 6 patches the logits of one block are 16 MiB


@dataclass(frozen=True)
class Partial:
    """What some rows of the memory say about each patch. Its size does not depend on how many rows it has seen.

    A list with fewer than K rows is filled up with logits -inf, whose rows have no weight. So every piece has the same
    shapes, and can be sent. The tensors are not always contiguous.
    """

    maximum: Tensor  # B P, the largest logit, -inf if there is none
    total: Tensor  # B P, sum of e^(logit - maximum)
    weighted: Tensor  # B P D, the same sum with each term times its row
    top: Tensor  # B P K, the largest logits
    top_rows: Tensor  # B P K D, their rows


def pedal_in_blocks(
    features: Tensor, memory: Tensor, index: Tensor, *, scale: float, k: int, block: int = BLOCK
) -> Tensor:
    r"""`losses.pedal`, value and gradient, for a memory too long for its (B, P, N) logits.

    Differs from the plain formula by rounding only. Where the K-th and the next nearest patch are equally far, each may
    take another of the two: the value is the same. The gradient is ready after the forward pass, so backward is free,
    and ``create_graph=True`` is refused.

    Args:
        features: patch features x, (B, P, D).
        memory: patch memory w, (N, P, D). It is read in slices, never copied whole. No gradient flows into it.
        index: memory row of each image, (B,) integers in 0..N-1.
        scale: s > 0.
        k: number of nearest patches K, 1..N-1.
        block: memory rows (of P patches each) looked at together; the temporaries take about B * P * block numbers.

    Returns:
        The mean over images and patches: a scalar in float32 (float64 for float64 input), also under autocast.

    Raises:
        InputError: k is not in 1..N-1, shapes that do not fit, an index out of range, or block < 1.

    Source: the module's docstring; the loss itself is PAUL's, Yang et al., CVPR 2019.

    >>> x = torch.tensor([[[1.0, 0.0]]])
    >>> w = torch.tensor([[[1.0, 0.0]], [[0.8, 0.6]], [[-1.0, 0.0]]])   # row 0 is its own
    >>> f"{pedal_in_blocks(x, w, torch.tensor([0]), scale=0.1, k=1, block=2):.3f}"
    '0.529'
    """
    return pedal_of_shard(
        features, memory, index, scale=scale, k=k, first=0, total=len(memory), everyone=lambda mine: mine, block=block
    )


def pedal_of_shard(
    features: Tensor,
    shard: Tensor,
    index: Tensor,
    *,
    scale: float,
    k: int,
    first: int,
    total: int,
    everyone: Callable[[Partial], Partial],
    block: int = BLOCK,
) -> Tensor:
    r"""PEDAL where this process holds only some rows of the memory.

    .. math:: \mathrm{everyone}(a_r) = \mathrm{merge}(a_0, \mathrm{merge}(a_1, \dots))

    Every process calls this with the same features and its own shard. All get the same loss, of the whole memory.

    Args:
        features: patch features x, (B, P, D), the same everywhere.
        shard: rows ``first`` .. ``first + len(shard) - 1`` of the memory, (n, P, D); n may be less than K, or 0.
        index: row of each image in the whole memory, (B,) integers in 0..total-1.
        scale: s > 0.
        k: number of nearest patches K, 1..total-1.
        first: place of the shard's first row in the whole memory.
        total: N, rows of the whole memory.
        everyone: takes this process's `Partial` and returns the `merge` of those of all processes.
        block: memory rows looked at together.

    Returns:
        A scalar, as from `pedal_in_blocks`.

    Raises:
        InputError: as `pedal_in_blocks`, or the shard does not lie in 0..total-1.

    >>> x, w = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[1.0, 0.0]], [[0.8, 0.6]], [[-1.0, 0.0]]])
    >>> def with_the_last_row(mine: Partial) -> Partial:                # what another process would send
    ...     return merge(mine, look(x, w[2:], torch.tensor([-1]), 0.1, 1))
    >>> loss = pedal_of_shard(
    ...     x, w[:2], torch.tensor([0]), scale=0.1, k=1, first=0, total=3, everyone=with_the_last_row
    ... )
    >>> f"{loss:.3f}"
    '0.529'
    """
    _check(features, shard, index, k, first, total, block)
    mine = look_in_blocks(features, shard, index - first, scale, k, block)
    return loss_of(features, everyone(mine), scale)


def look_in_blocks(features: Tensor, rows: Tensor, own: Tensor, scale: float, k: int, block: int = BLOCK) -> Partial:
    """`look` at many rows, ``block`` of them at a time."""
    seen = look(features, rows[:block], own, scale, k)
    for start in range(block, len(rows), block):
        seen = merge(seen, look(features, rows[start : start + block], own - start, scale, k))
    return seen


@torch.no_grad()
def look(features: Tensor, rows: Tensor, own: Tensor, scale: float, k: int) -> Partial:
    """What one piece of the memory says about each patch.

    Args:
        features: (B, P, D).
        rows: the piece, (n, P, D); n may be 0.
        own: place of each image's own row in this piece, (B,) integers; below 0 or from n on where it lies elsewhere.
        scale: s > 0.
        k: number of nearest patches K; may be more than n.

    >>> x, w = torch.ones(1, 1, 1), torch.tensor([[[1.0]], [[0.0]]])
    >>> look(x, w, torch.tensor([-1]), 1.0, 3).top                      # 2 w - w^2, and nothing for the third
    tensor([[[1., 0., -inf]]])
    """
    with torch.autocast(features.device.type, enabled=False):
        x, w = _at_least_float32(features.detach()), _at_least_float32(rows.detach())
        if not len(w):
            return _nothing(x, k)
        logits = _logits(x, w, own, scale)  # B P n
        top, place = logits.topk(min(k, len(w)), dim=-1)  # B P K
        missing = k - top.shape[-1]
        top_rows = w[place, torch.arange(w.shape[1], device=w.device)[:, None]]  # B P K D
        maximum = top[..., 0]
        weight = logits.sub_(_finite(maximum)[..., None]).exp_()  # in place: the logits are the largest temporary
        return Partial(
            maximum,
            weight.sum(-1),
            torch.einsum("bpn,npd->bpd", weight, w),
            F.pad(top, (0, missing), value=-torch.inf),
            F.pad(top_rows, (0, 0, 0, missing)),
        )


@torch.no_grad()
def merge(a: Partial, b: Partial) -> Partial:
    """What two pieces of the memory say together. Associative up to rounding; the order of the pieces is free.

    >>> x, w, own = torch.ones(1, 1, 1), torch.tensor([[[1.0]], [[0.0]]]), torch.tensor([-1])
    >>> merge(look(x, w[:1], own, 1.0, 1), look(x, w[1:], own - 1, 1.0, 1)).top
    tensor([[[1.]]])
    """
    (images, patches, k), device = a.top.shape, a.top.device
    maximum = torch.maximum(a.maximum, b.maximum)
    of_a, of_b = ((part.maximum - _finite(maximum)).exp() for part in (a, b))  # B P
    top, place = torch.cat((a.top, b.top), -1).topk(k, dim=-1)  # B P K
    image, patch = torch.arange(images, device=device)[:, None, None], torch.arange(patches, device=device)[:, None]
    return Partial(
        maximum,
        of_a * a.total + of_b * b.total,
        of_a[..., None] * a.weighted + of_b[..., None] * b.weighted,
        top,
        torch.cat((a.top_rows, b.top_rows), 2)[image, patch, place],  # whole rows: a quarter of take_along_dim's time
    )


def loss_of(features: Tensor, whole: Partial, scale: float) -> Tensor:
    """PEDAL of features whose `Partial` has seen the whole memory, with its gradient.

    For processes that each have images of their own: `look` with the images of all, exchange the partials, `merge`,
    and call this with each process's own images.
    """
    with torch.autocast(features.device.type, enabled=False), torch.no_grad():
        all_others = _finite(whole.maximum) + whole.total.log()  # B P
        loss = all_others - whole.top.logsumexp(-1)  # B P
        pull = torch.einsum("bpk,bpkd->bpd", whole.top.softmax(-1), whole.top_rows)
        slope = 2 * scale * (whole.weighted / whole.total[..., None] - pull) / loss.numel()  # B P D
        slope *= (loss < 0).logical_not()[..., None]  # no gradient where clamped; NaN stays NaN
        value = loss.clamp(min=0).mean()
    return _KnownGradient.apply(_at_least_float32(features), value, slope)


class _KnownGradient(torch.autograd.Function):
    """A number whose gradient in x has been computed along with it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, value: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        if torch.is_grad_enabled():  # a second derivative would silently miss this loss
            raise InputError("found create_graph=True", "expected first derivatives only", "use losses.pedal")
        (slope,) = ctx.saved_tensors
        return grad * slope, None, None


def _logits(x: Tensor, w: Tensor, own: Tensor, scale: float) -> Tensor:
    """-s||x - w||^2 without its term in ||x||^2, -inf at the own row. (B, P, D), (n, P, D), (B,) -> (B, P, n)."""
    logits = torch.einsum("bpd,npd->bpn", 2 * scale * x, w)
    logits -= scale * torch.linalg.vector_norm(w, dim=-1).square().T
    place = own.clamp(0, len(w) - 1).view(-1, 1, 1).expand(-1, logits.shape[1], 1)  # B P 1
    is_here = (own == place[:, 0, 0]).view(-1, 1, 1)
    return logits.scatter_(2, place, logits.gather(2, place).masked_fill(is_here, -torch.inf))


def _nothing(x: Tensor, k: int) -> Partial:
    """The partial of no rows; `merge` with it changes nothing."""
    top = x.new_full((*x.shape[:2], k), -torch.inf)  # B P K
    zero = torch.zeros_like(x)  # B P D
    return Partial(top[..., 0], zero[..., 0], zero, top, zero[:, :, None].expand(-1, -1, k, -1))


def _finite(maximum: Tensor) -> Tensor:
    """What can be subtracted from logits: -inf - -inf would be NaN where every row so far was left out."""
    return maximum.masked_fill(maximum == -torch.inf, 0)


def _check(features: Tensor, shard: Tensor, index: Tensor, k: int, first: int, total: int, block: int) -> None:
    at_least_one(block=block)
    _check_pedal(features, shard.new_empty(1).expand(total, *shard.shape[1:]), index, k)  # the shape, without its bytes
    if not 0 <= first <= first + len(shard) <= total:
        raise InputError(f"found a shard of rows {first}..{first + len(shard) - 1}", f"expected rows in 0..{total - 1}")
    if len(index) and not 0 <= int(index.min()) <= int(index.max()) < total:
        raise InputError(f"found index {int(index.min())}..{int(index.max())}", f"expected rows in 0..{total - 1}")
