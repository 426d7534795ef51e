"""PEDAL's logits, and PEDAL for memories of millions of patches: the same value and gradient, block by block."""

import torch
from torch import Tensor

from .errors import InputError
from .modes import at_least_float32, full_precision


def pedal_logits(x: Tensor, w: Tensor, scale: float) -> Tensor:
    r"""The part of :math:`-s \|x - w\|^2` that differs between memory rows: (B, P, D), (N, P, D) -> (B, P, N).

    The term in :math:`\|x\|^2` is left out, since it stands above and below the line of PEDAL and cancels.

    >>> pedal_logits(torch.ones(1, 1, 1), torch.tensor([[[1.0]], [[3.0]]]), scale=1.0)     # 2 x w - w^2
    tensor([[[ 1., -3.]]])
    """
    return torch.einsum("bpd,npd->bpn", 2 * scale * x, w) - scale * torch.linalg.vector_norm(w, dim=-1).square().T


def pedal_in_blocks(
    features: Tensor, memory: Tensor, index: Tensor, *, scale: float, k: int, block: int = 16_384
) -> Tensor:
    r"""`paullite.losses.pedal` for a memory whose (B, P, N) logits do not fit: the same value and gradient, by blocks.

    .. math:: \frac{\partial L}{\partial x} = 2 s \Big( \sum_{j \ne i} p_j w_j - \sum_{j \in K} q_j w_j \Big)

    where p is the softmax of the logits over all others and q the one over the K nearest. Both sums can be gathered
    while walking through the memory once, ``block`` >= 2 rows at a time, so what is held does not grow with N (Milakov
    and Gimelshein, 2018). The gradient is ready after the forward pass; a second derivative is not there.

    >>> x = torch.tensor([[[1.0, 0.0]]])
    >>> w = torch.tensor([[[1.0, 0.0]], [[0.8, 0.6]], [[-1.0, 0.0]]])   # row 0 is its own
    >>> f"{pedal_in_blocks(x, w, torch.tensor([0]), scale=0.1, k=1, block=2):.3f}"
    '0.529'
    """
    check_pedal(features, memory, index, scale, k)
    if block < 2:
        raise InputError(f"found block = {block}", "expected 2 rows or more", "use 16384")
    with full_precision(features.device):
        x = at_least_float32(features)
        everyone, mean_of_all, nearest, mean_of_nearest = _walk(x.detach(), memory.detach(), index, scale, k, block)
        excess = everyone - nearest  # B P
        slope = 2 * scale * (mean_of_all - mean_of_nearest) * (excess >= 0)[..., None] / excess.numel()  # B P D
        # the value of the first term is 0 and its gradient is the slope
        return ((x - x.detach()) * slope).sum() + excess.clamp(min=0).mean()


@torch.no_grad()
def _walk(
    x: Tensor, memory: Tensor, index: Tensor, scale: float, k: int, block: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Log-sum-exp and softmax mean of the rows, of all others and of the K nearest: (B, P), (B, P, D), twice."""
    (images, patches, _), index = x.shape, index.to(x.device)
    total, mean = x.new_full((images, patches), -torch.inf), torch.zeros_like(x)
    top, rows = x.new_empty(images, patches, 0), index.new_empty(images, patches, 0)  # B P K
    firsts = range(0, max(len(memory) - 1, 1), block)  # a last row on its own joins the block before
    for first in firsts:
        w = memory[first : len(memory) if first == firsts[-1] else first + block].to(x.dtype)
        places = torch.arange(first, first + len(w), device=x.device)  # n
        own = (places == index[:, None])[:, None]  # B 1 n
        logits = pedal_logits(x, w, scale).masked_fill_(own, -torch.inf)  # B P n
        new_total = torch.logaddexp(total, logits.logsumexp(-1))
        mean = (total - new_total).exp()[..., None] * mean
        mean = mean + torch.einsum("bpn,npd->bpd", (logits - new_total[..., None]).exp(), w)
        total = new_total
        top, chosen = torch.cat((top, logits), -1).topk(min(k, top.shape[-1] + len(w)), dim=-1)
        rows = torch.cat((rows, places.expand_as(logits)), -1).gather(-1, chosen)
    pulled = memory[rows, torch.arange(patches, device=x.device)[:, None]].to(x.dtype)  # B P K D
    return total, mean, top.logsumexp(-1), torch.einsum("bpk,bpkd->bpd", top.softmax(-1), pulled)


def check_pedal(features: Tensor, memory: Tensor, index: Tensor, scale: float, k: int) -> None:
    """Raises an `InputError` if shapes, index, K or s of PEDAL do not fit."""
    if features.shape[1:] != memory.shape[1:] or index.shape != features.shape[:1] or not len(features):
        found = f"found features {tuple(features.shape)}, memory {tuple(memory.shape)}, index {tuple(index.shape)}"
        raise InputError(found, "expected (B, P, D), (N, P, D) and (B,) with one image or more")
    if index.device.type == "cpu":  # a look at an index on a GPU would make the program wait for it
        rows = index.numpy()
        if not 0 <= rows.min() <= rows.max() < len(memory):
            raise InputError(f"found index {rows.min()}..{rows.max()}", f"expected rows in 0..{len(memory) - 1}")
    if not 1 <= k <= len(memory) - 1:  # an image is no neighbour of its own
        found = f"found k = {k} with {len(memory)} images in the memory"
        raise InputError(found, f"expected 1 <= k <= N - 1 = {len(memory) - 1}", "use a smaller k or more images")
    if not scale > 0:
        raise InputError(f"found scale = {scale}", "expected a number over 0", "15 for Market-1501, 5 for Duke")
