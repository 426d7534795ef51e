"""Phase 2: learn from the target's images, without any label of theirs."""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from .config import AdaptConfig
from .data.items import ReIDDataset, Split, expect_dataset
from .data.loading import SurrogatePairs
from .data.reading import parts_of
from .data.transforms import shuffled_places
from .diagnostics import Diagnosis
from .errors import InputError
from .evaluation import history_scores
from .losses import PaulLoss, paul
from .memory import FeatureMemory
from .models import PatchNet
from .networks import network_of
from .run import Run
from .runs.distributed import Team
from .runs.provenance import digest, fingerprint
from .runs.session import Session
from .step import Step, loss_columns, take_step, two_views

Loss = Callable[[Step], Tensor | Mapping[str, Tensor] | PaulLoss]


def adapt(
    config: AdaptConfig,
    target: ReIDDataset | Split,
    *,
    start: PatchNet | Run | str | Path,
    loss: Loss = paul,
    after_epoch: Callable[[int, PatchNet], None] | None = None,
    resume: bool = False,
    force: bool = False,
) -> Run:
    r"""Adapt a pretrained PatchNet to unlabelled images with PAUL.

    .. math:: L = \lambda_1 \, \mathrm{PEDAL} + \lambda_2 \, \mathrm{IPFL}

    Backbone, reductions and the batch-norm behind them learn. The patch generation network, the embeddings and the
    classifiers are frozen. Batch-norm statistics move everywhere.

    Args:
        config: settings, for instance ``PRESETS["paperdolls"].adapt``.
        target: its training images are used without their identities; its test, if there is one, is evaluated every
            few epochs, for display only. A bare `Split` has no test.
        start: the network of phase 1, its run, or a file of either. It is copied, not changed.
        loss: a function of a `paullite.step.Step`. It returns a scalar, or a mapping with ``total`` and further scalars
            that become columns of the history.
        after_epoch: called as after_epoch(epochs done, network) after each epoch, to look at the network and not to
            change it. It may leave it in either mode.
        resume: go on from the newest checkpoint in ``config.output``, as if the run had never stopped; from the start
            if there is none.
        force: with ``resume``, go on although settings, data or versions differ; without, replace an earlier run.

    Returns:
        A `Run` with the network of the last epoch and both memories.

    Raises:
        InputError: K >= N, a batch larger than the data or the memory, a loss that is no scalar or not finite, a device
            that is not there, an image that cannot be read, a folder that cannot be written or that holds another run.

    Source: PAUL, Yang et al., CVPR 2019; details from its reference implementation.

    >>> import dataclasses, paullite as pl
    >>> target = pl.data.PaperDolls("target", identities=4, test_identities=2)
    >>> net = PatchNet("test_resnet", pretrained=False, size=(128, 64), feature_dim=8)
    >>> config = dataclasses.replace(pl.PRESETS["paperdolls"].adapt, epochs=1, batch=8, workers=0, progress=False)
    >>> run = adapt(config, target, start=net, loss=lambda step: {"total": pl.losses.paul(step).pedal})
    >>> sorted(run.memories), run.history[0]["epoch"]
    (['centers', 'patches'], 1)
    """
    AdaptConfig.expect(config)
    images, before = unlabelled(target), network_of(start)
    if config.k >= len(images) - 1:  # with all others pulled none is pushed, and PEDAL is 0 whatever the features are
        expected = f"expected K < N - 1, that is {len(images) - 2} or fewer"
        raise InputError(f"found K = {config.k} with {len(images)} training images", expected, "use a smaller --k")
    sources = {"data": fingerprint(images), "start": digest(before.state_dict())[:16]}
    with Session(config, images, sources, resume=resume, force=force) as session:
        team, device, test = session.team, session.device, session.test_of(target)
        net = session.place(copy.deepcopy(before))
        memory, centers = (m.to(device) for m in empty_memories(net, len(images), config))
        parameters, momentum, decay = learning(net), config.momentum, config.weight_decay
        optimiser = torch.optim.SGD(parameters, lr=config.lr, momentum=momentum, weight_decay=decay)
        pairs = SurrogatePairs(images, net.size, net.normalisation, config, device, team.share)
        if not session.restore(optimiser, net=net, patches=memory, centers=centers):
            fill_memory(memory, net, pairs, config, team)
        look = partial(two_views, session.prepare(net, pairs), config=config)
        diagnosis = Diagnosis(target, config, device)

        for epoch in session.epochs(pairs):
            lr = set_rate(optimiser, config, epoch)
            net.train()
            for index, originals, surrogates in session.batches(pairs):  # B and 3 h w for each image of the share
                features, embeddings = team.look(look, net, (originals, surrogates), len(index))  # B P D and B 2 E
                step = take_step(features, embeddings, index, memory, centers, config, epoch)  # updates both memories
                columns = loss_columns(loss(step))
                session.learn(index, columns["loss"], features=features.detach())
                session.means.add(len(index), columns | diagnosis.step(step))
            scores = partial(history_scores, net, test, config.workers, team)
            session.end_epoch({"lr": lr}, scores, partial(diagnosis.epoch, net, memory.features))
            if after_epoch:
                after_epoch(epoch + 1, net)
        return session.finish(net, patches=memory, centers=centers)


def unlabelled(target: ReIDDataset | Split) -> Split:
    """The training images of a target with the identities out of reach; an `InputError` if it is something else."""
    expect_dataset(target, "target", ReIDDataset, Split)
    return target.unlabelled()


def empty_memories(net: PatchNet, count: int, config: AdaptConfig) -> tuple[FeatureMemory, FeatureMemory]:
    """The patch memory and the image centers of ``count`` images, both empty."""
    wide = net.patches * (net.feature_dim if config.image_embedding == "features" else net.embedding.weight.shape[1])
    centers = FeatureMemory(count, 1, wide, momentum=config.center_momentum)
    return FeatureMemory(count, net.patches, net.feature_dim, momentum=config.memory_momentum), centers


def learning(net: PatchNet, *parts: nn.Module) -> list[nn.Parameter]:
    """Let some parts learn and freeze all others; by default backbone, reductions and the batch-norm behind them."""
    net.requires_grad_(False)
    found = [p for part in parts or (net.backbone, net.reduction, net.norm) for p in part.parameters()]
    nn.ParameterList(found).requires_grad_()
    return found


def set_rate(optimiser: torch.optim.Optimizer, config: AdaptConfig, epoch: int) -> float:
    """Set and return the learning rate of an epoch, counted from 0."""
    lr = config.lr * (config.decay if epoch >= config.decay_epoch else 1.0)
    for group in optimiser.param_groups:
        group["lr"] = lr
    return lr


@torch.no_grad()
def fill_memory(
    memory: FeatureMemory, net: PatchNet, pairs: SurrogatePairs, config: AdaptConfig, team: Team | None = None
) -> None:
    """One pass over the images, in random order, before anything is learned; NaN is an `InputError`."""
    team = team or Team()
    net.train(config.memory_mode == "train")  # as the reference does, so that batch-norm statistics move here already
    order = shuffled_places(len(memory.features), config.seed, "first pass")
    parts = [order[part] for part in parts_of(len(order), 2 * config.batch, 2 * team.size * team.splits)]
    for part, pictures in zip(parts, pairs.plain(p.tolist() for p in parts), strict=True):
        (x,) = team.look(lambda own: (net(own).features.float(),), net, (pictures,), len(part))
        memory.update(part, x)
