"""Patches pooled by attention against P resampled copies of the map: time, and bytes kept for the backward."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from paullite.models import patch_attention, pool_patches, stripes

from .timing import medians, table

B, C, H, W, P = 16, 2048, 24, 8, 6


def attended(feature_map: Tensor, theta: Tensor) -> Tensor:
    """Our way."""
    return pool_patches(patch_attention(theta, *feature_map.shape[-2:]), feature_map)


def resampled(feature_map: Tensor, theta: Tensor) -> Tensor:
    """A spatial transformer for each patch, then the average."""
    patches = []
    for p in range(theta.shape[1]):
        grid = F.affine_grid(theta[:, p], list(feature_map.shape), align_corners=True)
        patches.append(F.grid_sample(feature_map, grid, align_corners=True).mean((2, 3)))
    return torch.stack(patches, 1)


def bytes_kept(way, feature_map: Tensor, theta: Tensor) -> int:  # type: ignore[no-untyped-def]
    """Bytes of the distinct tensors that autograd keeps for the backward, beside the map itself, plus P outputs."""
    kept: dict[int, int] = {}

    def keep(x: Tensor) -> Tensor:
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with saved_tensors_hooks(keep, lambda x: x):
        out = way(feature_map, theta)
    kept.pop(feature_map.untyped_storage().data_ptr(), None)
    return sum(kept.values()) + out.nbytes


def run() -> str:
    """The table."""
    torch.manual_seed(0)
    feature_map = torch.randn(B, C, H, W, requires_grad=True)
    theta = (stripes(P).expand(B, -1, -1, -1) + 0.02 * torch.randn(B, P, 2, 3)).requires_grad_()
    assert torch.allclose(attended(feature_map, theta), resampled(feature_map, theta), atol=1e-5)
    ways = {"attention": attended, f"{P} resampled maps": resampled}
    forward = {
        f"{name}, forward": lambda way=way: way(feature_map.detach(), theta.detach()) for name, way in ways.items()
    }
    both = {
        f"{name}, forward and backward": lambda way=way: way(feature_map, theta).sum().backward()
        for name, way in ways.items()
    }
    lines = [
        table(f"Patch pooling, map {B} x {C} x {H} x {W}, P {P}", medians({**forward, **both}, 5), "attention, forward")
    ]
    # grid_sample's result itself is kept by nobody, but has to live until it is averaged
    transient = {"attention": 0, f"{P} resampled maps": feature_map.nbytes}
    for name, way in ways.items():
        kept = bytes_kept(way, feature_map, theta)
        lines.append(f"  {name:<46}{kept / 2**20:>8.1f} MiB kept, {transient[name] / 2**20:.1f} MiB passing")
    return "\n".join(lines)
