"""The features of a split, as the network is now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..data.items import Split
from ..data.loading import plain_batches
from ..errors import InputError
from ..models import PatchNet
from .team import Team


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while; afterwards every module has the mode that it had, also after an error.

    >>> net = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
    >>> with evaluating(net):
    ...     print([module.training for module in net])
    [False, False]
    >>> [module.training for module in net]
    [True, False]
    """
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@torch.no_grad()
def extract(
    net: PatchNet,
    split: Split,
    *,
    batch: int = 128,
    workers: int = 0,
    train_mode: bool = False,
    team: Team | None = None,
) -> Tensor:
    """Patch features of every image of a split, in order, without augmentation.

    Args:
        net: where its parameters are is where it runs.
        split: images.
        batch: images at a time.
        workers: processes that read images.
        train_mode: let batch-norm use, and move by, the statistics of each batch.
        team: processes that each look at a share of every batch; all get all features.

    Returns:
        (len(split), P, D) float32 on the network's device. The network is left in the mode it was in.
    """
    device, team = next(net.parameters()).device, team or Team()
    batches = plain_batches(split, net.transform, batch=batch, workers=workers, share=team.share)
    with evaluating(net):
        net.train(train_mode)
        features = [team.union(net(images.to(device)).features.float(), len(places)) for places, images in batches]
    if not features:
        raise InputError("found an empty split", "expected one image or more")
    return torch.cat(features)
