"""PEDAL over ever longer memories: the plain formula against blocks, in time and in memory held at once.

``python -m tests.benchmarks.memory_rows`` runs it alone. The longest memory takes 10 GB; what does not fit is left out.
"""

from collections.abc import Callable
from dataclasses import replace

import psutil
import torch
import torch.nn.functional as F
from torch import Tensor

from paullite.blocks import pedal_in_blocks
from paullite.losses import pedal
from tests.benchmarks.pooling import peak_mebibytes
from tests.benchmarks.timing import Row, medians, table

B, P, D, K, SCALE = 42, 6, 256, 10, 15.0
SIZES = {10**4: 9, 10**5: 5, 10**6: 3, 10**7: 1}  # N x P: how often each is timed, after one run to warm up
MARGIN = 0.9  # share of the free memory that may be used
Way = Callable[..., Tensor]


def stored(n: int, device: str) -> Tensor:
    """Random rows of length 1, (n, P, D), made in place: twice 10 GB would be too much."""
    memory = torch.empty(n, P, D, device=device)
    for piece in memory.split(16_384):
        F.normalize(piece.normal_(), dim=-1, out=piece)
    return memory


def step(way: Way, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    """Forward and backward: the loss and its gradient."""
    x = features.clone().requires_grad_()
    loss = way(x, memory, torch.arange(len(x), device=x.device), scale=SCALE, k=K)
    (slope,) = torch.autograd.grad(loss, x)
    if x.is_cuda:
        torch.cuda.synchronize()
    return loss.detach(), slope


def held_mebibytes(work: Callable[[], object], device: str) -> float:
    """The most that some work holds at once, beyond what was there before."""
    if device == "cpu":
        return peak_mebibytes(work)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    work()
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def free_mebibytes(device: str) -> float:
    """How much may be used now."""
    if device == "cpu":
        return MARGIN * psutil.virtual_memory().available / 2**20
    torch.cuda.empty_cache()
    return MARGIN * torch.cuda.mem_get_info()[0] / 2**20


def measured(name: str, way: Way, features: Tensor, memory: Tensor, repeats: int) -> tuple[Row, float]:
    """One line of the table, and the MiB held."""
    held = held_mebibytes(lambda: step(way, features, memory), memory.device.type)
    seconds = medians({name: lambda: step(way, features, memory)}, repeats)[name]
    return Row(name, seconds, note=f"holds {held:,.0f} MiB"), held


def both(n: int, repeats: int, features: Tensor, plain_needs: float) -> tuple[list[Row], float]:
    """The lines of one size, and the MiB that the plain way held, or would have."""
    memory = stored(n, features.device.type)
    blocks, _ = measured(f"in blocks, {n * P:,} rows", pedal_in_blocks, features, memory, repeats)
    if plain_needs > free_mebibytes(features.device.type):
        return [blocks, Row("  plain", note=f"does not fit: {plain_needs:,.0f} MiB more")], plain_needs
    plain, held = measured("  plain", pedal, features, memory, repeats)
    assert blocks.seconds is not None and plain.seconds is not None
    blocks = replace(blocks, ratio=blocks.seconds / plain.seconds)
    plain = replace(plain, ratio=1.0, note=f"base, {plain.note}")
    for found, expected in zip(step(pedal_in_blocks, features, memory), step(pedal, features, memory), strict=True):
        assert torch.allclose(found, expected, rtol=1e-5, atol=1e-7)
    return [blocks, plain], held


def run(device: str = "cpu") -> str:
    """The table."""
    torch.manual_seed(0)
    features = F.normalize(torch.randn(B, P, D, device=device), dim=-1)
    lines: list[Row] = []
    per_row = 0.0  # MiB that the plain way holds for each row, known from the size before
    for rows, repeats in SIZES.items():
        n = rows // P
        size = n * P * D * 4 / 2**20
        if size > free_mebibytes(device):
            lines.append(Row(f"{n * P:,} rows", note=f"the memory alone takes {size:,.0f} MiB: does not fit"))
            continue
        found, held = both(n, repeats, features, per_row * n)
        lines, per_row = lines + found, held / n
    longest = max(SIZES) // P * P * D * 4 / 2**20
    title = f"PEDAL on {device}, B {B}, D {D}; rows are N x P, the longest memory takes {longest:,.0f} MiB"
    return table(title, lines)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        print(run(device), flush=True)
