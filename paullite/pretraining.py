"""Phase 1: learn patches and features with labels, on the source."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F

from .config import PretrainConfig
from .data.items import ReIDDataset, Split
from .data.loading import AnchorPairs, EpochLoader
from .data.transforms import original_transform, seeded
from .errors import InputError
from .judge import judged
from .losses import batch_triplet
from .models import Normalisation, PatchNet
from .training import (
    History,
    Means,
    Run,
    batches,
    check_batch,
    check_loss,
    finish,
    is_due,
    output_folder,
    set_rates,
    sgd,
    start_accelerator,
)


def pretrain(
    config: PretrainConfig, source: ReIDDataset, *, after_epoch: Callable[[int, PatchNet], None] | None = None
) -> Run:
    r"""Train PatchNet on a labelled source.

    .. math:: L = \sum_p \mathrm{crossentropy}(\mathrm{logits}_p) + \lambda \, \mathrm{triplet}

    with every image of the batch as one row, P classifiers, and the triplet loss on the concatenated embeddings.

    Args:
        config: settings, for instance ``PRESETS["paperdolls"].pretrain``.
        source: its ``train`` is learned from, its test is judged every few epochs.
        after_epoch: called as after_epoch(epochs done, network) after each epoch, to look at the network and not to
            change it. It may leave it in either mode.

    Returns:
        A `Run` with the network of the last epoch.

    Raises:
        InputError: fewer than two people, a batch larger than the data, a backbone or device that is not there.

    Source: method of PAUL's reference implementation, phase 1.

    >>> import dataclasses, paullite as pl
    >>> source = pl.data.PaperDolls("source", identities=4, test_identities=2)
    >>> config = dataclasses.replace(pl.PRESETS["paperdolls"].pretrain, epochs=1, batch=8, workers=0, progress=False)
    >>> run = pretrain(config, source)
    >>> run.net.patches, len(run.history)
    (6, 1)
    """
    images = people_only(source.train)
    check_batch(config, len(images))
    accelerator, folder = start_accelerator(config), output_folder(config)
    net = build_net(config, images.identities).to(accelerator.device)
    optimiser = sgd(
        config,
        backbone=net.backbone.parameters(),
        generator=net.generator.parameters(),
        heads=[p for name, p in net.named_parameters() if not name.startswith(("backbone.", "generator."))],
    )
    model, optimiser = accelerator.prepare(net, optimiser)
    pairs = AnchorPairs(
        images,
        original_transform(net.size, net.normalisation),
        config.seed,
        may_be_itself=config.positive_may_be_anchor,
    )
    history = History(folder)
    loader = EpochLoader(pairs, len(images), batch=config.batch, seed=config.seed, workers=config.workers)

    for epoch in range(config.epochs):
        set_rates(optimiser, **rates(config, epoch))
        net.train()
        means = Means()
        for places, anchors, positives, labels in batches(loader, epoch, config):
            labels = labels.to(accelerator.device).repeat(2)  # 2B
            out = model(torch.cat([anchors, positives]).to(accelerator.device))
            identity = torch.stack([F.cross_entropy(logits, labels) for logits in out.logits]).sum()
            triplet = batch_triplet(
                out.source_embedding, labels, margin=config.triplet_margin, positive=config.triplet_positive
            )
            loss = identity + config.triplet_weight * triplet
            check_loss(loss.detach(), images, places.tolist())

            optimiser.zero_grad()
            accelerator.backward(loss)
            optimiser.step()
            right = torch.stack([logits.argmax(1) == labels for logits in out.logits]).float().mean()
            means.add(
                len(labels), loss=loss.detach(), identity=identity.detach(), triplet=triplet.detach(), accuracy=right
            )

        row = {"epoch": epoch + 1, **{f"lr_{k}": v for k, v in rates(config, epoch).items()}, **means.result()}
        history.add(row | (judged(net, source, config.workers) if is_due(config, epoch) else {}))
        if after_epoch:
            after_epoch(epoch + 1, net)
    return finish(accelerator, net, history, config, folder)


def rates(config: PretrainConfig, epoch: int) -> dict[str, float]:
    """Learning rate of each parameter group in an epoch, counted from 0.

    >>> rates(PretrainConfig(), 30)
    {'backbone': 0.01, 'generator': 1e-05, 'heads': 0.1}
    >>> {name: round(rate, 6) for name, rate in rates(PretrainConfig(), 40).items()}
    {'backbone': 0.001, 'generator': 0.0, 'heads': 0.01}
    """
    factor = config.decay if epoch >= config.decay_epoch else 1.0
    first, end = config.generator_epochs
    generator = config.lr_generator if first <= epoch < end else 0.0
    return {"backbone": config.lr_backbone * factor, "generator": generator, "heads": config.lr_heads * factor}


def build_net(config: PretrainConfig, identities: int | None) -> PatchNet:
    """The network that the settings describe, its random weights from the seed."""
    with seeded(config.seed, "net"):
        net = PatchNet(
            config.backbone,
            config.patches,
            config.feature_dim,
            config.embedding_dim,
            identities,
            config.pretrained,
            config.generator,
            size=config.size,
            weights=config.weights,
            backbone_options=config.backbone_options,
        )
    mean, std = net.normalisation
    net.normalisation = Normalisation(config.mean or mean, config.std or std)
    return net


def people_only(split: Split) -> Split:
    """The labelled images without junk (-1); an `InputError` if fewer than two people are left."""
    pids: Sequence[int] = split.pids or ()
    people = split.take(i for i, pid in enumerate(pids) if pid != -1)
    if people.identities < 2:
        raise InputError(
            f"found {people.identities} identities in {len(split)} training images",
            "expected two people or more to learn from",
            "check the folder with: paullite data check",
        )
    return people
