"""Patches as attention maps.

A spatial transformer samples a patch bilinearly from the feature map, and the patch is then averaged. Both steps are
linear in the map, so together they are one weight for each cell, with the values of ``affine_grid``, ``grid_sample``
and a mean, and without P copies of the map. The gradients are the same, too, except where a sample point lies exactly
on the centre of a row or column, as those of the initial stripes do along x: at this corner of the tents the sampler
takes the slope towards the next cell, and the attention map takes 0.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import InputError, at_least_one
from ..modes import at_least_float32, full_precision


def stripes(patches: int) -> Tensor:
    """The theta (P, 2, 3), float32, that cuts an image into equal horizontal stripes, top to bottom.

    Stripe p is [[1, 0, 0], [0, 1/P, (2p + 1 - P)/P]]: full width, 1/P of the height, moved to its place.

    >>> stripes(2)[0]
    tensor([[ 1.0000,  0.0000,  0.0000],
            [ 0.0000,  0.5000, -0.5000]])
    """
    at_least_one(patches=patches)
    theta = torch.zeros(patches, 2, 3)
    theta[:, 0, 0] = 1
    theta[:, 1, 1] = 1 / patches
    theta[:, 1, 2] = (2 * torch.arange(patches) + 1 - patches) / patches
    return theta


def patch_attention(theta: Tensor, height: int, width: int, *, align_corners: bool = True) -> Tensor:
    r"""The weight of every cell of an H x W map in each patch that ``theta`` cuts out.

    .. math:: a_{hw} = \frac{1}{HW} \sum_{s} \mathrm{tent}(y_s - h) \, \mathrm{tent}(x_s - w),
              \qquad \mathrm{tent}(t) = \max(0, 1 - |t|)

    over the H x W sample points s of the patch, where (x_s, y_s) = theta (u_s, v_s, 1) in cells. Points outside the
    map meet zeros, so a patch that hangs over the edge weighs less than 1 in all.

    Args:
        theta: (B, P, 2, 3) affine parameters, as `torch.nn.functional.affine_grid` takes them; else an `InputError`.
        height, width: size of the map, in cells.
        align_corners: -1 and 1 are the outer cells' centres, as in the reference; False: their edges, torch's default.

    Returns (B, P, H, W), differentiable in theta; in float32 (float64 for float64 input), also under autocast.

    Source: Jaderberg et al., NeurIPS 2015, equations 1 and 5, averaged over the patch.

    >>> patch_attention(stripes(2)[None], 2, 1)[0, :, :, 0]             # two stripes of a map with two rows
    tensor([[0.7500, 0.2500],
            [0.2500, 0.7500]])
    """
    if theta.ndim != 4 or theta.shape[2:] != (2, 3):
        raise InputError(f"found theta of shape {tuple(theta.shape)}", "expected (B, P, 2, 3)")
    with full_precision(theta.device):  # in bfloat16 the weights of cells are off by some percent
        theta = at_least_float32(theta)
        v, u = (_steps(cells, align_corners, theta) for cells in (height, width))
        points = torch.stack(torch.broadcast_tensors(u[None, :], v[:, None], torch.ones_like(u)[None]), -1).view(-1, 3)
        x, y = torch.einsum("bpij,sj->ibps", theta, points)  # each B P S, from -1 to 1 inside the map
        across = _tents(x, width, align_corners)  # B P S W
        down = _tents(y, height, align_corners)  # B P S H
        return torch.einsum("bpsh,bpsw->bphw", down, across) / len(points)


def pool_patches(attention: Tensor, feature_map: Tensor) -> Tensor:
    """Average each patch: (B, P, H, W), (B, C, H, W) -> (B, P, C), in the map's own dtype.

    >>> pool_patches(torch.full((1, 1, 2, 2), 0.25), torch.ones(1, 3, 2, 2))
    tensor([[[1., 1., 1.]]])
    """
    return torch.einsum("bphw,bchw->bpc", attention.to(feature_map.dtype), feature_map)


def _steps(cells: int, align_corners: bool, like: Tensor) -> Tensor:
    """The normalised coordinates of the cells' centres along one side."""
    edge = 1.0 if align_corners and cells > 1 else (cells - 1) / cells
    return torch.linspace(-edge, edge, cells, dtype=like.dtype, device=like.device)


def _tents(at: Tensor, cells: int, align_corners: bool) -> Tensor:
    """Bilinear weight of each cell along one side for points at normalised coordinates: (...) -> (..., cells)."""
    place = (at + 1) / 2 * (cells - 1) if align_corners else ((at + 1) * cells - 1) / 2
    return F.relu(1 - (place[..., None] - torch.arange(cells, dtype=at.dtype, device=at.device)).abs())
