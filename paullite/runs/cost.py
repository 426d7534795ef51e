"""What a training step takes, measured in one step before the first that changes nothing."""

import math
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil
import torch
from torch import Tensor, nn

from ..errors import InputError
from ..models import PatchOutput
from ..modes import mode
from .distributed import Team

Model = Callable[..., PatchOutput]  # a network as it is called in a step
PAIRS = 16  # images, each with its second view, of a trial on a CPU; on CUDA the trial is a whole batch
SPARE = 0.9  # share of the free memory that a batch may take
SMALLER = "use a smaller backbone or smaller images"


@dataclass(frozen=True)
class Cost:
    """What a step of the network takes."""

    fixed: int  # bytes whatever the batch: gradients and momenta
    pair: float  # bytes for each image with its second view
    free: int  # bytes that were free
    seconds: float  # for each image with its second view
    measured: bool  # the bytes were measured (CUDA), not estimated from what the backward pass keeps (CPU)

    def bytes(self, images: int) -> float:
        """Memory of a step with so many images in one process."""
        return self.fixed + images * self.pair

    def fits(self) -> int:
        """The largest number of images that fits, with some room to spare."""
        return max(int((SPARE * self.free - self.fixed) / max(self.pair, 1)), 0)

    def line(self, batch: int, images: int, team: Team) -> str:
        """The cost of a step and of an epoch, for people."""
        takes = "takes" if self.measured else "takes an estimated"
        seconds = self.seconds / team.size
        return (
            f"a step of {batch} + {batch} images {takes} {self.bytes(team.sizes(batch)[0]) / 2**30:.2f} GiB of "
            f"{self.free / 2**30:.1f} GiB free and {batch * seconds:.2g} s; an epoch about {images * seconds:.2g} s"
        )


def check_fits(cost: Cost, batch: int, team: Team) -> None:
    """Raises an `InputError` with a batch that fits, if this one does not."""
    own, fits = team.sizes(batch)[0], cost.fits()
    if own > fits:
        takes = f"a step of {batch} + {batch} images takes {cost.bytes(own) / 2**30:.1f} GiB"
        do = f"use --batch {fits * team.size}" if fits else SMALLER
        raise InputError(f"found {cost.free / 2**30:.1f} GiB of free memory", takes, do)


def try_step(model: Model, net: nn.Module, size: tuple[int, int], batch: int, team: Team) -> Cost:
    """Forward and backward of ``model`` on noise of (height, width) ``size``; losses and memories are not in it.

    Nothing changes: buffers and modes of ``net`` are put back, but gradients are gone. The batch is that of all
    processes together; each looks at its share.
    """
    cuda = team.device.type == "cuda"
    own = team.sizes(batch)[0] if cuda else min(team.sizes(batch)[0], PAIRS)
    grads = sum(p.nbytes for p in net.parameters() if p.requires_grad)
    while own:
        free = free_bytes(team.device)
        try:
            seconds, held = _measured(model, net, (2 * own, 3, *size), team.device)
            return Cost(2 * grads, max(held - grads if cuda else held, 0) / own, free, seconds / own, cuda)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            own //= 2
    raise InputError("found too little memory for a step of 1 + 1 images", "", SMALLER)


def _measured(model: Model, net: nn.Module, shape: tuple[int, ...], device: torch.device) -> tuple[float, int]:
    """Seconds and bytes of the second of two steps with images of a shape; the first one warms up."""
    cuda = device.type == "cuda"
    buffers = [(buffer, buffer.clone()) for buffer in net.buffers()]
    try:
        with mode(net, True), torch.random.fork_rng([device] if cuda else []):
            images = torch.rand(shape, device=device)
            for _ in range(2):
                net.zero_grad()
                if cuda:
                    torch.cuda.synchronize()
                    torch.cuda.reset_peak_memory_stats()
                    there = torch.cuda.memory_allocated()
                began = time.perf_counter()
                held = _forward_backward(model, net, images)
                if cuda:
                    torch.cuda.synchronize()
                    held = torch.cuda.max_memory_allocated() - there
                seconds = time.perf_counter() - began
    finally:
        net.zero_grad()
        for buffer, old in buffers:
            buffer.data.copy_(old)
    return seconds, held


def _forward_backward(model: Model, net: nn.Module, images: Tensor) -> int:
    """Returns the bytes that were kept in between, parameters left out."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        out = model(images)
        loss = out.features.float().sum() + out.embedding.float().sum() + out.source_embedding.float().sum()
    loss.backward()
    own = {p.untyped_storage().data_ptr() for p in net.parameters()}
    return sum(size for place, size in kept.items() if place not in own)


def free_bytes(device: torch.device) -> int:
    """Memory that a run may still take."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
    return int(min(psutil.virtual_memory().available, container_bytes()))


def container_bytes(own: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> float:
    """Memory that a container or a batch system still leaves this process; infinity where there is no limit.

    ``own`` names the control groups of the process, of version 1 or 2, which lie below ``root``. Any group around them
    may be the one with the limit. Copies of files do not count as used, since they make room if need be.
    """
    text = own.read_text() if own.is_file() else ""
    named = [PurePosixPath(path) for path in re.findall(r"^(?:0:|\d+:.*\bmemory\b.*):/(.*)$", text, re.MULTILINE)]
    paths = {above for path in [PurePosixPath(), *named] for above in (path, *path.parents)}
    groups = [(root / path, "memory.max", "memory.current", "") for path in paths]
    groups += [(root / "memory" / path, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_") for path in paths]
    room = math.inf
    for folder, limit, usage, total in groups:
        with suppress(OSError, ValueError):  # no such group, or no limit: "max"
            left = int((folder / limit).read_text()) - int((folder / usage).read_text())
            stat = folder / "memory.stat"
            copies = re.findall(rf"^{total}(?:in)?active_file (\d+)", stat.read_text() if stat.is_file() else "", re.M)
            room = min(room, max(left + sum(map(int, copies)), 0))
    return room
