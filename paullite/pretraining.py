"""Phase 1: learn patches and features with labels, on the source."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import PretrainConfig
from .data.items import ReIDDataset, Split, expect_dataset
from .data.loading import IdentityPairs
from .data.transforms import seeded
from .errors import InputError
from .evaluation import history_scores
from .losses import batch_triplet
from .models import Normalisation, PatchNet
from .run import Run
from .runs.cost import Model
from .runs.provenance import digest, fingerprint
from .runs.session import Session
from .step import loss_columns


@dataclass(frozen=True, eq=False)
class SourceStep:
    """What a loss of phase 1 sees of a step, anchors first, then their positives."""

    logits: Tensor  # 2B P identities, with gradient
    embeddings: Tensor  # 2B E, with gradient
    labels: Tensor  # 2B, class numbers
    config: PretrainConfig
    epoch: int  # counted from 0


class SourceLoss(NamedTuple):
    """What `identity_and_triplet` returns: three scalars, ``total`` with its gradient, both parts before the weight."""

    total: Tensor
    identity: Tensor
    triplet: Tensor


def identity_and_triplet(step: SourceStep) -> SourceLoss:
    r"""The objective of phase 1.

    .. math:: L = \sum_p \mathrm{crossentropy}(\mathrm{logits}_p) + \lambda \, \mathrm{triplet}
    """
    config = step.config
    identity = torch.stack([F.cross_entropy(patch, step.labels) for patch in step.logits.unbind(1)]).sum()
    margin, positive = config.triplet_margin, config.triplet_positive
    triplet = batch_triplet(step.embeddings, step.labels, margin=margin, positive=positive)
    return SourceLoss(identity + config.triplet_weight * triplet, identity, triplet)


Loss = Callable[[SourceStep], Tensor | Mapping[str, Tensor] | SourceLoss]


def pretrain(
    config: PretrainConfig,
    source: ReIDDataset,
    *,
    start: PatchNet | None = None,
    loss: Loss = identity_and_triplet,
    after_epoch: Callable[[int, PatchNet], None] | None = None,
    resume: bool = False,
    force: bool = False,
) -> Run:
    """Train PatchNet on a labelled source: P classifiers, and a triplet loss on the concatenated embeddings.

    Args:
        config: settings, for instance ``PRESETS["paperdolls"].pretrain``.
        source: its ``train`` is learned from, its test is evaluated every few epochs.
        start: a network to begin with, for instance one on your own backbone; it is copied, not changed, and needs a
            classifier for each person of the source. None: one is made as the settings say.
        loss: a function of a `SourceStep`; what it returns, and the rest, is as in `paullite.adaptation.adapt`.

    Returns:
        A `Run` with the network of the last epoch. What does not fit is an `InputError`, as in the other phase.

    Source: method of PAUL's reference implementation, phase 1.

    >>> import dataclasses, paullite as pl
    >>> source = pl.data.PaperDolls("source", identities=4, test_identities=2)
    >>> config = dataclasses.replace(pl.PRESETS["paperdolls"].pretrain, epochs=1, batch=8, workers=0, progress=False)
    >>> run = pretrain(config, source)
    >>> run.net.patches, len(run.history)
    (6, 1)
    """
    PretrainConfig.expect(config)
    images = people_only(source)
    sources = {"data": fingerprint(images)} | ({"start": digest(start.state_dict())[:16]} if start else {})
    with Session(config, images, sources, resume=resume, force=force) as session:
        team, test = session.team, session.test_of(source)
        net = session.place(checked(start, images.identities) if start else build_net(config, images.identities))
        groups, momentum, decay = parameter_groups(net), config.momentum, config.weight_decay
        optimiser = torch.optim.SGD(groups, lr=0.0, momentum=momentum, weight_decay=decay)
        pairs = IdentityPairs(images, net.size, net.normalisation, config, session.device, team.share)
        session.restore(optimiser, net=net)
        look = partial(look_at_pairs, session.prepare(net, pairs))

        for epoch in session.epochs(pairs):
            lr = rates(config, epoch)
            for group in optimiser.param_groups:
                group["lr"] = lr[group["name"]]
            net.train()
            for index, anchors, positives, labels in session.batches(pairs):  # B, and 3 h w for each of the share
                logits, embeddings = team.look(look, net, (anchors, positives), len(index))  # B 2 P I and B 2 E
                logits, embeddings = (x.transpose(0, 1).flatten(0, 1) for x in (logits, embeddings))  # 2B ...
                step = SourceStep(logits, embeddings, labels.repeat(2), config, epoch)
                columns = loss_columns(loss(step))
                session.learn(index, columns["loss"])
                right = (step.logits.detach().argmax(-1) == step.labels[:, None]).float().mean()
                session.means.add(len(index), columns | {"accuracy": right})
            named = {f"lr_{name}": rate for name, rate in lr.items()}
            session.end_epoch(named, lambda: history_scores(net, test, config.workers, team))
            if after_epoch:
                after_epoch(epoch + 1, net)
        return session.finish(net)


def look_at_pairs(model: Model, anchors: Tensor, positives: Tensor) -> tuple[Tensor, Tensor]:
    """Logits and embeddings of both images of each pair, (B, 2, P, identities) and (B, 2, E), from one forward pass."""
    out = model(torch.cat([anchors, positives]))
    pair = [x.unflatten(0, (2, -1)).transpose(0, 1) for x in (torch.stack(out.logits, 1), out.source_embedding)]
    return pair[0], pair[1]


def parameter_groups(net: PatchNet) -> list[dict[str, object]]:
    """Backbone, patch generation network, and the rest, as groups of an optimiser with names."""
    heads = [p for name, p in net.named_parameters() if not name.startswith(("backbone.", "generator."))]
    named = {"backbone": net.backbone.parameters(), "generator": net.generator.parameters(), "heads": heads}
    return [{"name": name, "params": list(parameters)} for name, parameters in named.items()]


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
    names = "patches feature_dim embedding_dim pretrained generator size weights backbone_options".split()
    with seeded(config.seed, "net"):
        net = PatchNet(config.backbone, identities=identities, **{name: getattr(config, name) for name in names})
    mean, std = net.normalisation
    net.normalisation = Normalisation(config.mean or mean, config.std or std)
    return net


def checked(start: PatchNet, identities: int) -> PatchNet:
    """A copy of a network to begin with, or an `InputError` if it cannot tell that many people apart."""
    known = start.settings["identities"]
    if known != identities:
        found = f"found a network for {known or 'no'} identities and {identities} in the source"
        raise InputError(found, "expected the same number", f"make it with PatchNet(..., identities={identities})")
    return copy.deepcopy(start)


def people_only(source: ReIDDataset) -> Split:
    """The labelled training images without junk (-1); an `InputError` if fewer than two people are left."""
    expect_dataset(source, "source", ReIDDataset)
    people = source.train.take(i for i, pid in enumerate(source.train.pids or ()) if pid != -1)
    if people.identities < 2:
        found = f"found {people.identities} identities in {len(source.train)} training images"
        do = "check the folder with: paullite data check"
        raise InputError(found, "expected two people or more to learn from", do)
    return people
