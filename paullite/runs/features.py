"""The features of a split, as the network is now."""

from __future__ import annotations

import torch
from torch import Tensor

from ..data.items import Split
from ..data.loading import plain_batches
from ..errors import InputError
from ..models import PatchNet
from .team import Team


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
    device, was, team = next(net.parameters()).device, net.training, team or Team()
    net.train(train_mode)
    batches = plain_batches(split, net.transform, batch=batch, workers=workers, share=team.share)
    features = [team.union(net(images.to(device)).features.float(), len(places)) for places, images in batches]
    net.train(was)
    if not features:
        raise InputError("found an empty split", "expected one image or more")
    return torch.cat(features)
