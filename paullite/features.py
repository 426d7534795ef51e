"""The features of a split, as a network is now."""

from collections.abc import Callable, Iterator

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader

from .data.items import Split
from .data.reading import PixelReader, Transformed, parts_of, with_plain_errors
from .data.views import originals
from .errors import InputError
from .models import PatchNet
from .modes import mode
from .ranges import Range
from .runs.distributed import Team

Transform = Callable[[Image.Image], Tensor]


@torch.no_grad()
def extract(
    net: nn.Module,
    split: Split,
    *,
    batch: int = 128,
    workers: int = 0,
    train_mode: bool = False,
    transform: Transform | None = None,
    team: Team | None = None,
) -> Tensor:
    """Features of every image of a split, in order, without augmentation, in float32 on the network's device.

    Args:
        net: a `PatchNet`, or any module with ``transform``; where its parameters are is where it runs.
        split: images; none, or one that cannot be read, is an `InputError`.
        batch, workers: images at a time, and processes that read them.
        train_mode: let batch-norm use, and move by, the statistics of each batch.
        transform: PIL image -> tensor (3, height, width); needed for a module that is no `PatchNet`.
        team: processes that each look at a share of every batch; all get all features.

    Returns:
        (len(split), P, D) of a `PatchNet`, else (len(split), F).
    """
    if not len(split):
        raise InputError("found an empty split", "expected one image or more")
    for name, number, least in (("batch", batch, 1), ("workers", workers, 0)):
        Range(least)(f"{name} = {number}", number)
    team = team or Team()
    parts = parts_of(len(split), batch, 2)
    shares = [team.share(part) or part[:1] for part in parts]
    with mode(net, False):
        for layer in net.modules():  # dropout stays off, so that the same images give the same statistics twice
            layer.training = train_mode and isinstance(layer, nn.modules.batchnorm._BatchNorm)
        own = [_features(net, images) for images in _images(net, split, shares, workers, transform)]
    return torch.cat([team.union(x, len(part)) for x, part in zip(own, parts, strict=True)])


def _images(
    net: nn.Module, split: Split, parts: list[list[int]], workers: int, transform: Transform | None
) -> Iterator[Tensor]:
    device = next((p.device for p in net.parameters()), torch.device("cpu"))
    if isinstance(net, PatchNet) and transform is None:
        for pixels, _ in PixelReader(split, net.size, device, workers=workers).batches(parts):
            yield originals(pixels, net.size, net.normalisation)
        return
    change = transform or getattr(net, "transform", None)
    if change is None:
        found = f"found a {type(net).__name__} that does not say how to prepare an image"
        do = "pass transform=..., for timm's networks timm.data.create_transform(...)"
        raise InputError(found, "expected a PatchNet, or a function from a PIL image to a tensor", do)
    loader = DataLoader(Transformed(split, change), batch_sampler=parts, num_workers=workers)
    for images, _ in with_plain_errors(loader):
        yield images.to(device)


def _features(net: nn.Module, images: Tensor) -> Tensor:
    out = net(images)
    if isinstance(net, PatchNet):
        return out.features.float()
    if not isinstance(out, Tensor) or len(out) != len(images):
        raise InputError(f"found a {type(out).__name__} as output", "expected a tensor with a row for each image")
    return out.float().flatten(1)
