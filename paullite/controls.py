"""Controls: what can be had without labels and without training, so that any adaptation has to beat it."""

from __future__ import annotations

import copy

import torch

from .data.items import ReIDDataset, Split
from .data.transforms import seed_of
from .features import extract
from .models import PatchNet


def batch_norm(net: PatchNet, target: ReIDDataset | Split, *, seed: int = 0, batch: int = 84) -> PatchNet:
    """The control that any adaptation must beat: only the batch-norm statistics are taken anew from the target.

    Args:
        net: copied, not changed.
        target: its training images, without their identities.
        seed: the batches are drawn at random.
        batch: images at a time, as many as a training step sees with their surrogates.

    Returns:
        A copy of the network whose running means and variances are plain averages over one pass.

    Source: Li et al., Pattern Recognition 2018 (AdaBN), for the idea.

    >>> import paullite as pl
    >>> net = PatchNet("test_resnet", pretrained=False, size=(128, 64), feature_dim=8)
    >>> adapted = batch_norm(net, pl.data.PaperDolls("target", identities=4, test_identities=2))
    >>> torch.equal(net.reduction.weight, adapted.reduction.weight)
    True
    >>> torch.equal(net.norm.running_mean, adapted.norm.running_mean)
    False
    """
    adapted = copy.deepcopy(net)
    for layer in batch_norms(adapted):
        layer.reset_running_stats()
        layer.momentum = None  # a plain average over all batches
    extract(adapted, shuffled(target.unlabelled(), seed), batch=batch, train_mode=True)
    for layer, original in zip(batch_norms(adapted), batch_norms(net), strict=True):
        layer.momentum = original.momentum
    return adapted


def batch_norms(net: torch.nn.Module) -> list[torch.nn.modules.batchnorm._BatchNorm]:
    """All batch-norm layers of a network."""
    return [layer for layer in net.modules() if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm)]


def shuffled(images: Split, seed: int) -> Split:
    """The images in an order that depends on the seed alone."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed_of(seed, "first pass")))
    return images.take(order.tolist())
