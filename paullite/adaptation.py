"""Phase 2: learn from the target's images, without any label of theirs."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor, nn

from .config import AdaptConfig
from .data.items import ReIDDataset, Split
from .data.loading import EpochLoader, ViewPairs, plain_batches
from .data.transforms import original_transform, seed_of, surrogate_transform
from .errors import InputError, at_least_one
from .evaluation import scores_for_history
from .losses import ipfl, pedal
from .memory import FeatureMemory
from .models import PatchNet, PatchOutput
from .pedal_blocks import pedal_in_blocks
from .runs import (
    Run,
    Session,
    ShardedMemory,
    Team,
    check_batch,
    check_finite,
    check_groups,
    digest,
    each_group,
    fingerprint,
    set_rates,
    sgd,
    whole,
)
from .runs.diagnostics import Diagnosis
from .runs.networks import network_of


def adapt(
    config: AdaptConfig,
    target: ReIDDataset | Split,
    *,
    start: PatchNet | Run | str | Path,
    resume: bool = False,
    force: bool = False,
) -> Run:
    r"""Adapt a pretrained PatchNet to unlabelled images with PAUL.

    .. math:: L = \lambda_1 \, \mathrm{PEDAL} + \lambda_2 \, \mathrm{IPFL}

    with ``pedal_weight`` and ``ipfl_weight``. Backbone, reductions and the batch-norm behind them learn. The patch
    generation network, the embeddings and the classifiers rest. Batch-norm statistics move everywhere.

    Args:
        config: settings, for instance ``PRESETS["paperdolls"].adapt``.
        target: its training images are used without their identities; its test, if there is one, is judged every few
            epochs, for display only. A bare `Split` has no test.
        start: the network of phase 1, its run, or a file of either. It is copied, not changed.
        resume: go on from the newest checkpoint in ``config.output``, as if the run had never stopped; from the start
            if there is none.
        force: with ``resume``, go on although settings, data or versions differ; without, replace an earlier run.

    Returns:
        A `Run` with the network of the last epoch and both memories.

    Raises:
        InputError: K >= N, a batch larger than the data or the memory, a loss that is not a number, a device that is
            not there, an image that cannot be read, a folder that cannot be written or that holds another run.

    Source: PAUL, Yang et al., CVPR 2019; details from its reference implementation.

    >>> import dataclasses, paullite as pl
    >>> target = pl.data.PaperDolls("target", identities=4, test_identities=2)
    >>> net = PatchNet("test_resnet", pretrained=False, size=(128, 64), feature_dim=8)
    >>> config = dataclasses.replace(pl.PRESETS["paperdolls"].adapt, epochs=1, batch=8, workers=0, progress=False)
    >>> run = adapt(config, target, start=net)
    >>> sorted(run.memories), run.history[0]["epoch"]
    (['centers', 'patches'], 1)
    """
    images, start = target.unlabelled(), network_of(start)
    check_sizes(config, len(images))
    made_of = {"data": fingerprint(images), "start": digest(start.state_dict())[:16]}
    with Session(config, made_of, resume=resume, force=force) as session:
        team, device = session.team, session.device
        check_groups(team, config.batch, len(images))
        net = copy.deepcopy(start).to(device)
        team.same_start(net)
        optimiser = sgd(config, learning=only_these_learn(net, net.backbone, net.reduction, net.norm))
        memory, centers = empty_memories(net, len(images), config, team)
        pairs = view_pairs(net, images, config)
        loader = EpochLoader(
            pairs, len(images), batch=config.batch, seed=config.seed, workers=config.workers, share=team.share
        )
        if not session.resumed(optimiser, net=net, patches=memory, centers=centers):
            fill_memory(session, memory, net, images, config)
        model, diagnosis = session.prepare(net), Diagnosis(target, config)

        def losses(index: Tensor, x: Tensor, e: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            """The total, PEDAL, and IPFL among the centers of the batch, for (B,), (B, P, D), (2, B, E)."""
            loss_pedal = pedal_over(memory, x, index, config)
            loss_ipfl = ipfl(
                e.flatten(0, 1),
                centers.features[index, 0],
                torch.arange(len(index), device=index.device).repeat(2),
                margin=config.margin,
                nearest=config.nearest,
                max_candidates=config.max_candidates,
                no_negative=config.no_negative,
            )
            return config.pedal_weight * loss_pedal + config.ipfl_weight * loss_ipfl, loss_pedal, loss_ipfl

        def trial(index: Tensor, originals: Tensor, surrogates: Tensor) -> Tensor:
            return losses(index, *look(model, originals, surrogates, len(index), config, team))[0]

        session.rehearse(trial, pairs, net, loader)
        for epoch in session.epochs(loader):
            lr = config.lr * (config.decay if epoch >= config.decay_epoch else 1.0)
            set_rates(optimiser, learning=lr)
            net.train()
            for places, (_, originals, surrogates) in session.batches(loader):
                index = places.to(device)
                x, e = look(model, originals.to(device), surrogates.to(device), len(index), config, team)
                check_finite(session, images, places, features=x)

                memory.update(places, x.detach())
                centers.update(places, e.detach().mean(0)[:, None])
                loss, loss_pedal, loss_ipfl = losses(index, x, e)
                check_finite(session, images, places, loss=loss)

                session.learn(loss)
                parts = {"loss": loss.detach(), "pedal": loss_pedal.detach(), "ipfl": loss_ipfl.detach()}
                seen = diagnosis.step(places, e, centers.features[index, 0])
                session.means.add(len(index), **parts, **seen)
            session.end_epoch(
                {"lr": lr},
                lambda: (
                    scores_for_history(net, target, config.workers, team) | diagnosis.epoch(net, whole(memory).features)
                ),
            )
        return session.finish(net, patches=whole(memory), centers=centers)


def look(
    model: nn.Module,
    originals: Tensor,
    surrogates: Tensor,
    total: int,
    config: AdaptConfig,
    team: Team,
) -> tuple[Tensor, Tensor]:
    """Features of the originals and embeddings of both views, of the whole batch: (B, P, D) and (2, B, E).

    Args:
        model: the network in training mode.
        originals, surrogates: this process's images, each (share, 3, height, width).
        total: B, images of the whole batch.
    """
    features, embeddings = [], []
    for group in each_group(model, len(originals), total, team):
        both = torch.cat([originals[group], surrogates[group]])  # 2B 3 h w
        out = model(both, generator_gradient=config.generator_gradient)
        features.append(out.features[: len(both) // 2])
        embeddings.append(image_embedding(out, config))
    return team.union(torch.cat(features), total), team.both_views(embeddings, total)


def pedal_over(memory: FeatureMemory | ShardedMemory, x: Tensor, index: Tensor, config: AdaptConfig) -> Tensor:
    """PEDAL over the memory: in one piece, in blocks of rows, or over the shards of all processes."""
    if isinstance(memory, ShardedMemory):
        return memory.pedal(x, index, scale=config.scale, k=config.k)
    if config.memory_block:
        return pedal_in_blocks(x, memory.features, index, scale=config.scale, k=config.k, block=config.memory_block)
    return pedal(x, memory.features, index, scale=config.scale, k=config.k)


def view_pairs(net: PatchNet, images: Split, config: AdaptConfig) -> ViewPairs:
    """Every image with its surrogate positive, as the network wants them."""
    given = net.size, net.normalisation
    surrogate = surrogate_transform(*given, jitter=config.jitter, rotation=config.rotation, crop=config.crop)
    return ViewPairs(images, original_transform(*given), surrogate, config.seed)


def empty_memories(
    net: PatchNet, count: int, config: AdaptConfig, team: Team
) -> tuple[FeatureMemory | ShardedMemory, FeatureMemory]:
    """The patch memory and the image centers of ``count`` images, both empty."""
    device, shape = net.reduction.weight.device, (count, net.patches, net.feature_dim)
    wide = net.patches * (net.feature_dim if config.image_embedding == "features" else net.embedding.weight.shape[1])
    centers = FeatureMemory(count, 1, wide, momentum=config.center_momentum).to(device)
    if config.shard_memory:
        return ShardedMemory(*shape, momentum=config.memory_momentum, team=team), centers
    return FeatureMemory(*shape, momentum=config.memory_momentum).to(device), centers


@torch.no_grad()
def fill_memory(
    session: Session, memory: FeatureMemory | ShardedMemory, net: PatchNet, images: Split, config: AdaptConfig
) -> None:
    """One pass over the images, in random order, before anything is learned."""
    team, device = session.team, session.device
    net.train(config.memory_mode == "train")
    order = shuffled_places(len(images), config.seed)
    batches = plain_batches(
        images.take(order.tolist()),
        net.transform,
        batch=2 * config.batch,
        workers=config.workers,
        least=2 * team.size * team.splits,
        share=team.share,
    )
    for places, pictures in batches:
        groups = each_group(net, len(pictures), len(places), team)
        own = torch.cat([net(pictures[group].to(device)).features.float() for group in groups])
        x, index = team.union(own, len(places)), order[places]
        check_finite(session, images, index, features=x)
        memory.update(index, x)


def image_embedding(out: PatchOutput, config: AdaptConfig) -> Tensor:
    """What IPFL compares: (B, E), in float32 also under autocast."""
    return out.embedding.float() if config.image_embedding == "cosines" else out.features.flatten(1)


def only_these_learn(net: PatchNet, *parts: torch.nn.Module) -> list[torch.nn.Parameter]:
    """Let the parameters of some parts learn and all others rest; returns those that learn."""
    net.requires_grad_(False)
    learning = [p for part in parts for p in part.parameters()]
    for p in learning:
        p.requires_grad_()
    return learning


def check_sizes(config: AdaptConfig, images: int) -> None:
    """Raises an `InputError` if the batch or K does not fit the number of images."""
    check_batch(config, images)
    at_least_one(k=config.k)
    if config.lr < 0 or config.scale <= 0:
        raise InputError(f"found lr = {config.lr} and scale = {config.scale}", "expected lr 0 or more and scale over 0")
    if config.k >= images - 1:  # with all others pulled none is pushed, and PEDAL is 0 whatever the features are
        raise InputError(
            f"found K = {config.k} with {images} training images",
            f"expected K < N - 1, that is {images - 2} or fewer",
            "use a smaller --k or more images",
        )


def shuffled_places(count: int, seed: int) -> Tensor:
    """0..count-1 in an order that depends on the seed alone."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed_of(seed, "first pass")))
