"""PIL image -> tensor for evaluation, and how every random choice is tied to (seed, epoch, image)."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torchvision.transforms import v2

Statistics = tuple[Sequence[float], Sequence[float]]  # mean and standard deviation per colour, for pixels in 0..1


def evaluation_transform(size: tuple[int, int], normalisation: Statistics) -> v2.Compose:
    """PIL image -> (3, height, width): resized to ``size`` (height, width) and normalised, nothing random.

    >>> from PIL import Image
    >>> evaluation_transform((128, 64), ([0.5] * 3, [0.5] * 3))(Image.new("RGB", (30, 90))).shape
    torch.Size([3, 128, 64])
    """
    mean, std = map(list, normalisation)
    return v2.Compose([pixel_transform(size), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)])


def pixel_transform(size: tuple[int, int]) -> v2.Compose:
    """PIL image -> (3, height, width) uint8, bilinear and antialiased: what `evaluation_transform` normalises."""
    return v2.Compose([v2.Resize(size, antialias=True), v2.PILToTensor()])


def seed_of(*numbers: int | str) -> int:
    """One 32-bit seed from several numbers or words; the same on every machine.

    >>> seed_of(0, "epoch", 3), seed_of(0, "epoch", 4)
    (3812340119, 2103387188)
    """
    return zlib.crc32("/".join(map(str, numbers)).encode())


@contextmanager
def seeded(*numbers: int | str) -> Iterator[None]:
    """Random numbers of torch inside the block depend on the given numbers alone; outside nothing changes.

    >>> with seeded(0, 1, 2): a = torch.rand(2)
    >>> with seeded(0, 1, 2): torch.equal(a, torch.rand(2))
    True
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed_of(*numbers))
        yield


def shuffled_places(count: int, *seed: int | str) -> Tensor:
    """0..count-1 in an order that depends on the seed alone.

    >>> shuffled_places(3, 0, "order").sort().values
    tensor([0, 1, 2])
    """
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed_of(*seed)))
