"""What training does to an image, and how every random choice is tied to (seed, epoch, image)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode

Transform = Callable[[Image.Image], Tensor]
Statistics = tuple[Sequence[float], Sequence[float]]


def evaluation_transform(size: tuple[int, int], normalisation: Statistics) -> v2.Compose:
    """PIL image -> (3, height, width): resized and normalised, nothing random.

    Args:
        size: (height, width) in pixels.
        normalisation: mean and standard deviation per colour, for pixels in 0..1.

    >>> evaluation_transform((128, 64), ([0.5] * 3, [0.5] * 3))(Image.new("RGB", (30, 90))).shape
    torch.Size([3, 128, 64])
    """
    return v2.Compose([_resize(size), *_to_tensor(normalisation)])


def original_transform(size: tuple[int, int], normalisation: Statistics) -> v2.Compose:
    """PIL image -> (3, height, width) as both phases train on it: resized, flipped left to right half of the time."""
    return v2.Compose([v2.RandomHorizontalFlip(0.5), _resize(size), *_to_tensor(normalisation)])


def surrogate_transform(
    size: tuple[int, int],
    normalisation: Statistics,
    *,
    jitter: tuple[float, float, float, float] = (0.2, 0.2, 0.2, 0.1),
    rotation: float = 10.0,
    crop: tuple[float, float] = (0.70, 0.95),
) -> v2.Compose:
    """PIL image -> (3, height, width): the surrogate positive, a copy that could be another picture of the person.

    Args:
        jitter: largest change of brightness, contrast and saturation (shares) and of hue (turns).
        rotation: largest rotation to either side, in degrees.
        crop: smallest and largest share of the area that is kept. The crop keeps the form of ``size`` up to a factor
            of 1.25, which is our choice.

    Source: PAUL's reference implementation, for the sizes of the changes.
    """
    form = size[1] / size[0]
    return v2.Compose(
        [
            v2.ColorJitter(*jitter),
            v2.RandomRotation(rotation, interpolation=InterpolationMode.BILINEAR),
            v2.RandomResizedCrop(size, scale=crop, ratio=(form / 1.25, form * 1.25), antialias=True),
            v2.RandomHorizontalFlip(0.5),
            *_to_tensor(normalisation),
        ]
    )


def _resize(size: tuple[int, int]) -> v2.Resize:
    return v2.Resize(size, interpolation=InterpolationMode.BILINEAR, antialias=True)


def _to_tensor(normalisation: Statistics) -> list[v2.Transform]:
    mean, std = normalisation
    return [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(mean), list(std))]


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
    >>> with seeded(0, 1, 2): b = torch.rand(2)
    >>> bool((a == b).all())
    True
    """
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed_of(*numbers))
    try:
        yield
    finally:
        torch.set_rng_state(before)
