"""Phase 2: learn from the target's images, without any label of theirs."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor

from .config import AdaptConfig
from .data.items import ReIDDataset, Split
from .data.loading import EpochLoader, ViewPairs
from .data.transforms import original_transform, seed_of, surrogate_transform
from .errors import InputError, at_least_one
from .judge import judged
from .losses import ipfl, pedal
from .memory import FeatureMemory
from .models import PatchNet, PatchOutput
from .training import (
    History,
    Means,
    Run,
    batches,
    check_batch,
    check_loss,
    extract,
    finish,
    is_due,
    output_folder,
    set_rates,
    sgd,
    start_accelerator,
)


def adapt(config: AdaptConfig, target: ReIDDataset | Split, *, start: PatchNet | Run | str | Path) -> Run:
    r"""Adapt a pretrained PatchNet to unlabelled images with PAUL.

    .. math:: L = \lambda_1 \, \mathrm{PEDAL} + \lambda_2 \, \mathrm{IPFL}

    with ``pedal_weight`` and ``ipfl_weight``. Backbone, reductions and the batch-norm behind them learn. The patch
    generation network, the embeddings and the classifiers rest. Batch-norm statistics move everywhere.

    Args:
        config: settings, for instance ``PRESETS["paperdolls"].adapt``.
        target: its training images are used without their identities; its test, if there is one, is judged every few
            epochs, for display only. A bare `Split` has no test.
        start: the network of phase 1, its run, or a file of either. It is copied, not changed.

    Returns:
        A `Run` with the network of the last epoch and both memories.

    Raises:
        InputError: K >= N, a batch larger than the data, a loss that is not a number, a device that is not there.

    Source: PAUL, Yang et al., CVPR 2019; details from its reference implementation.

    >>> import dataclasses, paullite as pl
    >>> target = pl.data.PaperDolls("target", identities=4, test_identities=2)
    >>> net = PatchNet("test_resnet", pretrained=False, size=(128, 64), feature_dim=8)
    >>> config = dataclasses.replace(pl.PRESETS["paperdolls"].adapt, epochs=1, batch=8, workers=0, progress=False)
    >>> run = adapt(config, target, start=net)
    >>> sorted(run.memories), run.history[0]["epoch"]
    (['centers', 'patches'], 1)
    """
    images = target.unlabelled()
    check_sizes(config, len(images))
    accelerator, folder = start_accelerator(config), output_folder(config)
    net = copy.deepcopy(network_of(start)).to(accelerator.device)
    optimiser = sgd(config, learning=only_these_learn(net, net.backbone, net.reduction, net.norm))
    memory, centers = fill_memories(net, images, config)
    model, optimiser = accelerator.prepare(net, optimiser)
    history = History(folder)
    pairs = view_pairs(net, images, config)
    loader = EpochLoader(pairs, len(images), batch=config.batch, seed=config.seed, workers=config.workers)

    for epoch in range(config.epochs):
        lr = config.lr * (config.decay if epoch >= config.decay_epoch else 1.0)
        set_rates(optimiser, learning=lr)
        net.train()
        means = Means()
        for index, originals, surrogates in batches(loader, epoch, config):
            index, size = index.to(accelerator.device), len(index)
            both = torch.cat([originals, surrogates]).to(accelerator.device)  # 2B 3 h w
            out = model(both, generator_gradient=config.generator_gradient)
            x, e = out.features[:size], image_embedding(out, config)  # B P D and 2B E

            memory.update(index, x.detach())
            centers.update(index, e.detach().view(2, size, 1, -1).mean(0))
            loss_pedal = pedal(x, memory.features, index, scale=config.scale, k=config.k)
            loss_ipfl = ipfl(
                e,
                centers.features[index, 0],
                torch.arange(size, device=index.device).repeat(2),
                margin=config.margin,
                nearest=config.nearest,
                max_candidates=config.max_candidates,
                no_negative=config.no_negative,
            )
            loss = config.pedal_weight * loss_pedal + config.ipfl_weight * loss_ipfl
            check_loss(loss.detach(), images, index.tolist())

            optimiser.zero_grad()
            accelerator.backward(loss)
            optimiser.step()
            means.add(size, loss=loss.detach(), pedal=loss_pedal.detach(), ipfl=loss_ipfl.detach())

        row = {"epoch": epoch + 1, "lr": lr, **means.result()}
        history.add(row | (judged(net, target, config.workers) if is_due(config, epoch) else {}))
    return finish(accelerator, net, history, config, folder, patches=memory, centers=centers)


def adapt_batch_norm(net: PatchNet, target: ReIDDataset | Split, *, seed: int = 0, batch: int = 84) -> PatchNet:
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
    >>> adapted = adapt_batch_norm(net, pl.data.PaperDolls("target", identities=4, test_identities=2))
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


def view_pairs(net: PatchNet, images: Split, config: AdaptConfig) -> ViewPairs:
    """Every image with its surrogate positive, as the network wants them."""
    given = net.size, net.normalisation
    surrogate = surrogate_transform(*given, jitter=config.jitter, rotation=config.rotation, crop=config.crop)
    return ViewPairs(images, original_transform(*given), surrogate, config.seed)


def fill_memories(net: PatchNet, images: Split, config: AdaptConfig) -> tuple[FeatureMemory, FeatureMemory]:
    """The patch memory, filled by one pass over the images, and the image centers, still empty."""
    count = len(images)
    order = shuffled_places(count, config.seed)
    train_mode = config.memory_mode == "train"
    features = extract(
        net, images.take(order.tolist()), batch=2 * config.batch, workers=config.workers, train_mode=train_mode
    )
    memory = FeatureMemory(count, *features.shape[1:], momentum=config.memory_momentum).to(features.device)
    memory.update(order, features)
    wide = net.patches * (net.feature_dim if config.image_embedding == "features" else net.embedding.weight.shape[1])
    return memory, FeatureMemory(count, 1, wide, momentum=config.center_momentum).to(features.device)


def image_embedding(out: PatchOutput, config: AdaptConfig) -> Tensor:
    """What IPFL compares: (B, E)."""
    return out.embedding if config.image_embedding == "cosines" else out.features.flatten(1)


def only_these_learn(net: PatchNet, *parts: torch.nn.Module) -> list[torch.nn.Parameter]:
    """Let the parameters of some parts learn and all others rest; returns those that learn."""
    net.requires_grad_(False)
    learning = [p for part in parts for p in part.parameters()]
    for p in learning:
        p.requires_grad_()
    return learning


def network_of(start: PatchNet | Run | str | Path) -> PatchNet:
    """The network in a run, a file, or as it is."""
    if isinstance(start, str | Path):
        from .checkpoints import load_network

        return load_network(start)
    return start.net if isinstance(start, Run) else start


def check_sizes(config: AdaptConfig, images: int) -> None:
    """Raises an `InputError` if the batch or K does not fit the number of images."""
    check_batch(config, images)
    at_least_one(k=config.k)
    if config.lr < 0 or config.scale <= 0:
        raise InputError(f"found lr = {config.lr} and scale = {config.scale}", "expected lr 0 or more and scale over 0")
    if config.k >= images:
        raise InputError(
            f"found K = {config.k} with {images} training images",
            f"expected K < N, that is {images - 1} or fewer",
            "use a smaller --k or more images",
        )


def shuffled_places(count: int, seed: int) -> Tensor:
    """0..count-1 in an order that depends on the seed alone."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed_of(seed, "first pass")))


def shuffled(images: Split, seed: int) -> Split:
    """The images in an order that depends on the seed alone."""
    return images.take(shuffled_places(len(images), seed).tolist())
