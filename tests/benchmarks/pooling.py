"""Patches pooled by attention against P resampled copies of the map: time, and the most memory held at once."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from paullite.models import patch_attention, pool_patches, stripes
from tests.benchmarks.timing import Row, Work, medians, table

B, C, H, W, P = 16, 2048, 24, 8, 6


def attended(feature_map: Tensor, theta: Tensor) -> Tensor:
    """Our way."""
    return pool_patches(patch_attention(theta, *feature_map.shape[-2:]), feature_map)


def resampled(feature_map: Tensor, theta: Tensor) -> Tensor:
    """A spatial transformer for each patch: P maps of the full size, then the average of each."""
    maps = []
    for p in range(theta.shape[1]):
        grid = F.affine_grid(theta[:, p], list(feature_map.shape), align_corners=True)
        maps.append(F.grid_sample(feature_map, grid, align_corners=True))
    return torch.stack([patch.mean((2, 3)) for patch in maps], 1)


WAYS = (("attention", attended), (f"{P} resampled maps", resampled))


def forward_backward(way: Callable[..., Tensor], feature_map: Tensor, theta: Tensor) -> None:
    """With the gradients of both."""
    way(feature_map, theta).sum().backward()


def peak_mebibytes(work: Work, device: str = "cpu") -> float:
    """The most memory that some work holds at once, beyond what was there before."""
    if device != "cpu":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as records:
        work()
    events = [e for e in records.profiler.kineto_results.events() if e.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak / 2**20


def run() -> str:
    """The table."""
    torch.manual_seed(0)
    feature_map = torch.randn(B, C, H, W, requires_grad=True)
    theta = (stripes(P).expand(B, -1, -1, -1) + 0.02 * torch.randn(B, P, 2, 3)).requires_grad_()
    assert torch.allclose(attended(feature_map, theta), resampled(feature_map, theta), atol=1e-5)
    forward: dict[str, Work] = {name: partial(way, feature_map.detach(), theta.detach()) for name, way in WAYS}
    both: dict[str, Work] = {name: partial(forward_backward, way, feature_map, theta) for name, way in WAYS}
    lines = compared(forward, "forward") + compared(both, "forward and backward")
    return table(f"Patch pooling, map {B} x {C} x {H} x {W} ({feature_map.nbytes / 2**20:.0f} MiB), P {P}", lines)


def compared(variants: dict[str, Work], suffix: str) -> list[Row]:
    """Time, and memory in the notes."""
    seconds = medians(variants, 5)
    base = seconds["attention"]
    held = {name: f"holds {peak_mebibytes(work):,.0f} MiB" for name, work in variants.items()}
    held["attention"] = f"base, {held['attention']}"
    return [Row(f"{name}, {suffix}", value, value / base, note=held[name]) for name, value in seconds.items()]
