"""Phase 1: learn patches and features with labels, on the source."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import PretrainConfig
from .data.items import ReIDDataset, Split
from .data.loading import AnchorPairs, EpochLoader
from .data.transforms import original_transform, seeded
from .errors import InputError
from .evaluation import judged
from .losses import batch_triplet
from .models import Normalisation, PatchNet
from .runs import (
    Run,
    Session,
    Team,
    check_batch,
    check_finite,
    check_groups,
    digest,
    each_group,
    fingerprint,
    set_rates,
    sgd,
)


def pretrain(
    config: PretrainConfig,
    source: ReIDDataset,
    *,
    start: PatchNet | None = None,
    after_epoch: Callable[[int, PatchNet], None] | None = None,
    resume: bool = False,
    force: bool = False,
) -> Run:
    r"""Train PatchNet on a labelled source.

    .. math:: L = \sum_p \mathrm{crossentropy}(\mathrm{logits}_p) + \lambda \, \mathrm{triplet}

    with every image of the batch as one row, P classifiers, and the triplet loss on the concatenated embeddings.

    Args:
        config: settings, for instance ``PRESETS["paperdolls"].pretrain``.
        source: its ``train`` is learned from, its test is judged every few epochs.
        start: a network to begin with, for instance one on your own backbone; it is copied, not changed, and needs a
            classifier for each person of the source. None: one is made as the settings say.
        after_epoch: called as after_epoch(epochs done, network) after each epoch, to look at the network and not to
            change it. It may leave it in either mode.
        resume: go on from the newest checkpoint in ``config.output``, as if the run had never stopped; from the start
            if there is none.
        force: with ``resume``, go on although settings, data or versions differ; without, replace an earlier run.

    Returns:
        A `Run` with the network of the last epoch.

    Raises:
        InputError: fewer than two people, a start without a classifier for each of them, a batch larger than the data
            or the memory, a backbone or device that is not there, an image that cannot be read, a folder that cannot
            be written or that holds another run.

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
    made_of = {"data": fingerprint(images)} | ({"start": digest(start.state_dict())[:16]} if start else {})
    with Session(config, made_of, resume=resume, force=force) as session:
        team, device = session.team, session.device
        check_groups(team, config.batch, len(images))
        net = checked(start, images.identities) if start else build_net(config, images.identities)
        net = net.to(device)
        team.same_start(net)
        optimiser = sgd(
            config,
            backbone=net.backbone.parameters(),
            generator=net.generator.parameters(),
            heads=[p for name, p in net.named_parameters() if not name.startswith(("backbone.", "generator."))],
        )
        transform = original_transform(net.size, net.normalisation)
        pairs = AnchorPairs(images, transform, config.seed, may_be_itself=config.positive_may_be_anchor)
        loader = EpochLoader(
            pairs, len(images), batch=config.batch, seed=config.seed, workers=config.workers, share=team.share
        )
        session.resumed(optimiser, net=net)
        model = session.prepare(net)

        def losses(labels: Tensor, logits: Tensor, e: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            """The total, cross-entropy and triplet, for (2B,), (2B, P, identities), (2B, E)."""
            identity = torch.stack([F.cross_entropy(patch, labels) for patch in logits.unbind(1)]).sum()
            triplet = batch_triplet(e, labels, margin=config.triplet_margin, positive=config.triplet_positive)
            return identity + config.triplet_weight * triplet, identity, triplet

        def trial(index: Tensor, anchors: Tensor, positives: Tensor) -> Tensor:
            logits, e = look(model, anchors, positives, len(index), team)
            return losses(index.repeat(2) % images.identities, logits, e)[0]

        session.rehearse(trial, pairs, net, loader)
        for epoch in session.epochs(loader):
            set_rates(optimiser, **rates(config, epoch))
            net.train()
            for places, (_, anchors, positives, labels) in session.batches(loader):
                labels = team.union(labels.to(device), len(places)).repeat(2)  # 2B
                logits, e = look(model, anchors.to(device), positives.to(device), len(places), team)
                loss, identity, triplet = losses(labels, logits, e)
                check_finite(session, images, places, loss=loss)

                session.learn(loss)
                right = (logits.argmax(-1) == labels[:, None]).float().mean()
                parts = {"identity": identity.detach(), "triplet": triplet.detach(), "accuracy": right}
                session.means.add(len(labels), loss=loss.detach(), **parts)
            columns = {f"lr_{name}": rate for name, rate in rates(config, epoch).items()}
            session.end_epoch(columns, lambda: judged(net, source, config.workers, team))
            if after_epoch:
                after_epoch(epoch + 1, net)
        return session.finish(net)


def look(model: nn.Module, anchors: Tensor, positives: Tensor, total: int, team: Team) -> tuple[Tensor, Tensor]:
    """Logits and embeddings of the whole batch, anchors first: (2B, P, identities) and (2B, E).

    Args:
        model: the network in training mode.
        anchors, positives: this process's images, each (share, 3, height, width).
        total: B, anchors of the whole batch.
    """
    logits, embeddings = [], []
    for group in each_group(model, len(anchors), total, team):
        out = model(torch.cat([anchors[group], positives[group]]))
        logits.append(torch.stack(out.logits, 1))  # 2b P identities
        embeddings.append(out.source_embedding)
    return team.both_views(logits, total).flatten(0, 1), team.both_views(embeddings, total).flatten(0, 1)


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
            patches=config.patches,
            feature_dim=config.feature_dim,
            embedding_dim=config.embedding_dim,
            identities=identities,
            pretrained=config.pretrained,
            generator=config.generator,
            size=config.size,
            weights=config.weights,
            backbone_options=config.backbone_options,
        )
    mean, std = net.normalisation
    net.normalisation = Normalisation(config.mean or mean, config.std or std)
    return net


def checked(start: PatchNet, identities: int) -> PatchNet:
    """A copy of a network to begin with, or an `InputError` if it cannot tell that many people apart."""
    known = start.settings["identities"]
    if known != identities:
        raise InputError(
            f"found a network for {known or 'no'} identities and {identities} in the source",
            "expected the same number",
            f"make it with PatchNet(..., identities={identities})",
        )
    return copy.deepcopy(start)


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
