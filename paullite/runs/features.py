"""The features of a split, as the network is now."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..data.items import Split
from ..data.loading import plain_batches
from ..data.transforms import Transform
from ..errors import InputError
from ..models import PatchNet
from .team import Team


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
    """Patch features of every image of a split, in order, without augmentation.

    Args:
        net: where its parameters are is where it runs.
        split: images.
        batch: images at a time.
        workers: processes that read images.
        train_mode: let batch-norm use, and move by, the statistics of each batch.
        transform: PIL image -> tensor; ``None`` takes the network's own.
        team: processes that each look at a share of every batch; all get all features.

    Returns:
        (len(split), P, D) float32 on the network's device; of a module that is no `PatchNet`, (len(split), F). Every
        module is left in the mode it was in.
    """
    device, team = next(net.parameters()).device, team or Team()
    flags = {module: module.training for module in net.modules()}
    found: Any = transform or getattr(net, "transform", None)
    features = []
    try:
        net.train(train_mode)
        for places, images in plain_batches(split, found, batch=batch, workers=workers, share=team.share):
            out = net(images.to(device))
            x = out.features if isinstance(net, PatchNet) else out.flatten(1)
            features.append(team.union(x.float(), len(places)))
    finally:
        for module, flag in flags.items():
            module.training = flag
    if not features:
        raise InputError("found an empty split", "expected one image or more")
    return torch.cat(features)
