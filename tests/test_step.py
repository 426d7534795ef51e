"""A step of PAUL against its loop; what a loss and a look of one's own are given, in either phase."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import paullite as pl
from paullite.adaptation import empty_memories
from paullite.cyclic import Ranking, cyclic_ranking
from paullite.errors import InputError
from paullite.losses import PaulLoss, paul
from paullite.memory import FeatureMemory
from paullite.pretraining import SourceStep, identity_and_triplet
from paullite.step import Step, loss_columns, take_step, two_views
from tests import textbook

QUICK: dict[str, Any] = dict(epochs=1, batch=8, workers=0, progress=False, evaluate_every=0, dry_step=False)
B, P, D, E, N = 5, 2, 4, 3, 11  # no two are equal


def settings(**changes: Any) -> pl.AdaptConfig:
    return dataclasses.replace(pl.PRESETS["paperdolls"].adapt, **{**QUICK, "k": 3, **changes})


def source_settings(**changes: Any) -> pl.PretrainConfig:
    return dataclasses.replace(pl.PRESETS["paperdolls"].pretrain, **{**QUICK, "feature_dim": 16, **changes})


def batches(count: int, seed: int = 0) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Features (B, P, D), embeddings (2, B, E) and rows of some batches: the first ones visit every row."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    rows = [torch.arange(5), torch.arange(5, 10), torch.tensor([10, 0, 1, 2, 3])]
    rows += [torch.randperm(N, generator=generator)[:B] for _ in range(count - 3)]
    return [(0.9 * F.normalize(drawn(B, P, D), dim=-1), drawn(2, B, E), index) for index in rows]


def drawn_step(config: pl.AdaptConfig, seed: int = 0) -> Step:
    """A step with full memories, whose features and embeddings ask for a gradient."""
    memory, centers = FeatureMemory(N, P, D), FeatureMemory(N, 1, E)
    *before, (x, e, index) = batches(5, seed)
    for earlier in before:
        take_step(earlier[0], earlier[1].transpose(0, 1), earlier[2], memory, centers, config)
    x, e = x.requires_grad_(), e.transpose(0, 1).contiguous().requires_grad_()
    return take_step(x, e, index, memory, centers, config, epoch=7)


@pytest.mark.parametrize("no_negative", ["skip", "pull"])
@pytest.mark.parametrize("numbers", [(0.1, 0.1, 3, 15), (0.5, 0.2, 1, 2), (1.0, 0.7, 2, 4)])
def test_steps_are_the_loop(numbers: tuple[float, float, int, int], no_negative: str) -> None:
    """Several steps one after the other: both memories move first, then both losses are computed."""
    names = ("memory_momentum", "center_momentum", "nearest", "max_candidates")
    config = settings(**dict(zip(names, numbers, strict=True)), no_negative=no_negative, pedal_weight=1.7, margin=1.3)
    memory = FeatureMemory(N, P, D, momentum=config.memory_momentum)
    centers = FeatureMemory(N, 1, E, momentum=config.center_momentum)
    w, c = [None] * N, [None] * N
    for x, e, index in batches(8, seed=3):
        found = paul(take_step(x, e.transpose(0, 1), index, memory, centers, config))
        expected = textbook.paul(x.numpy(), e.numpy(), index.tolist(), w, c, dataclasses.asdict(config))
        assert {k: float(v) for k, v in found._asdict().items()} == pytest.approx(expected, abs=1e-5)
    assert torch.allclose(memory.features, torch.tensor(np.stack(w)), atol=1e-6)
    assert torch.allclose(centers.features[:, 0], torch.tensor(np.stack(c)), atol=1e-6)
    assert expected["pedal"] > 0.01 and expected["ipfl"] > 0.01


def test_both_memories_move_before_the_loss() -> None:
    config = settings()
    memory, centers = FeatureMemory(N, P, D, momentum=1.0), FeatureMemory(N, 1, E, momentum=1.0)
    for x, e, index in batches(4):
        step = take_step(x, e.transpose(0, 1), index, memory, centers, config)
        assert torch.equal(step.memory[index], x) and torch.allclose(step.centers, e.mean(0), atol=1e-6)


def test_what_a_step_holds() -> None:
    config = settings()
    step = drawn_step(config)
    assert step.features.shape == (B, P, D) and step.features.requires_grad
    assert step.embeddings.shape == (2, B, E) and step.embeddings.requires_grad
    assert (step.index.shape, step.memory.shape, step.centers.shape) == ((B,), (N, P, D), (B, E))
    assert not step.memory.requires_grad and not step.centers.requires_grad
    assert step.config is config and step.epoch == 7
    assert torch.equal(step.anchors[:B], step.embeddings[0]) and torch.equal(step.anchors[B:], step.embeddings[1])
    assert step.owner.tolist() == [*range(B), *range(B)]
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.epoch = 8  # type: ignore[misc]


def test_a_step_is_ranked_once_as_the_settings_say() -> None:
    step = drawn_step(settings(nearest=2, max_candidates=3))
    expected = cyclic_ranking(step.anchors, step.centers, step.owner, nearest=2, max_candidates=3)
    assert isinstance(step.ranking, Ranking) and step.ranking is step.ranking
    assert all(torch.equal(a, b) for a, b in zip(step.ranking, expected, strict=True))


@pytest.mark.parametrize(
    "changes",
    [
        {"nearest": 5},
        {"max_candidates": 1},
        {"no_negative": "pull", "nearest": 5},
        {"margin": 3.0},
        {"scale": 9.0},
        {"k": 5},
        {"pedal_weight": 5.0},
        {"ipfl_weight": 5.0},
    ],
)
def test_paul_respects_its_settings(changes: dict[str, Any]) -> None:
    """Each changes the loss, to what the formulas say of it."""
    config = settings(**{"nearest": 2, **changes})
    step, before = drawn_step(config), paul(drawn_step(settings(nearest=2)))
    found = paul(step)
    names = ("margin", "nearest", "max_candidates", "no_negative")
    ipfl = pl.losses.ipfl(step.anchors, step.centers, step.owner, **{n: getattr(config, n) for n in names})
    pedal = pl.losses.pedal(step.features, step.memory, step.index, scale=config.scale, k=config.k)
    assert torch.equal(found.ipfl, ipfl) and torch.equal(found.pedal, pedal)
    assert torch.equal(found.total, config.pedal_weight * pedal + config.ipfl_weight * ipfl)
    assert abs(found.total.item() - before.total.item()) > 1e-4


def test_blocks_of_memory_change_rounding_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int] = []
    plain = pl.losses.pedal_in_blocks
    monkeypatch.setattr(pl.losses, "pedal_in_blocks", lambda *a, **k: used.append(k["block"]) or plain(*a, **k))
    gradients = []
    for block in (0, 4):
        step = drawn_step(settings(memory_block=block))
        loss = paul(step)
        gradients.append(torch.autograd.grad(loss.total, (step.features, step.embeddings)))
    assert used == [4]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(*gradients, strict=True))


def test_gradient_reaches_features_and_embeddings() -> None:
    step = drawn_step(settings(nearest=1))
    loss = paul(step)
    assert isinstance(loss, PaulLoss)
    for part, given in ((loss.pedal, step.features), (loss.ipfl, step.embeddings)):
        (gradient,) = torch.autograd.grad(part, given, retain_graph=True)
        assert gradient.shape == given.shape and gradient.abs().sum() > 0


# ---- the forward pass of both views


@pytest.mark.parametrize("kind", ["cosines", "features"])
def test_two_views_of_each_image(net: pl.PatchNet, kind: str) -> None:
    """In one batch, so that batch-norm sees both; the features are the originals'."""
    config = settings(image_embedding=kind)
    originals, surrogates = torch.randn(3, 3, 128, 64), torch.randn(3, 3, 128, 64)
    net.train()
    out = net(torch.cat([originals, surrogates]))
    features, embeddings = two_views(net, originals, surrogates, config)
    images = out.embedding if kind == "cosines" else out.features.flatten(1)
    assert torch.allclose(features, out.features[:3], atol=1e-6)
    assert embeddings.shape == (3, 2, images.shape[1]) and features.requires_grad and embeddings.requires_grad
    for view in range(2):
        assert torch.allclose(embeddings[:, view], images[3 * view : 3 * view + 3], atol=1e-6)
    _, centers = empty_memories(net, 9, config)
    take_step(features, embeddings, torch.arange(3), FeatureMemory(9, 4, 16), centers, config)  # the sizes fit


@pytest.mark.parametrize("kind", ["cosines", "features"])
def test_losses_are_in_full_precision_under_autocast(net: pl.PatchNet, kind: str) -> None:
    x = torch.randn(2, 3, 128, 64)
    with torch.autocast("cpu", torch.bfloat16):
        features, embeddings = two_views(net, x, x, settings(image_embedding=kind))
    assert features.dtype == embeddings.dtype == torch.float32


@pytest.mark.parametrize("through", [True, False])
def test_the_gradient_through_the_places_is_a_setting(net: pl.PatchNet, through: bool) -> None:
    x = torch.randn(4, 3, 128, 64)
    features, _ = two_views(net.train(), x, x, settings(generator_gradient=through))
    features.square().sum(-1).sub(features[..., 0]).sum().backward()
    gradients = [p.grad for p in net.generator.parameters()]
    assert any(g is not None and g.abs().sum() > 0 for g in gradients) is through


# ---- what a loss may return


ONE = torch.ones((), requires_grad=True)


@pytest.mark.parametrize(
    ("found", "names"),
    [
        (ONE, ["loss"]),
        ({"total": ONE}, ["loss"]),
        ({"part": torch.zeros(()), "total": ONE, "other": ONE}, ["loss", "part", "other"]),
        (PaulLoss(ONE, ONE, ONE), ["loss", "pedal", "ipfl"]),
    ],
)
def test_columns_of_a_loss(found: Any, names: list[str]) -> None:
    columns = loss_columns(found)
    assert list(columns) == names and columns["loss"] is ONE


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"loss": ONE}, "a loss with no total"),
        ({}, "a loss with no total"),
        (torch.ones(3, requires_grad=True), r"a total: a tensor of shape \(3,\), with gradient"),
        ({"total": torch.ones(1, 1, requires_grad=True)}, r"a total: a tensor of shape \(1, 1\)"),
        (torch.ones(()), r"a total: a tensor of shape \(\), without gradient"),
        ({"total": ONE.detach()}, "without gradient"),
        (None, "a loss with no total"),
        (0.5, "a total: a float"),
        ([ONE], "a total: a list"),
        ("loss", "a total: a str"),
        ({"total": 0.5}, "a total: a float"),
    ],
)
def test_what_is_no_loss_is_named(found: Any, message: str) -> None:
    with pytest.raises(InputError, match=message + r".*; expected a scalar that depends on step.features") as error:
        loss_columns(found)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"part": 0.5}, "found a loss with part: a float"),
        ({"part": torch.zeros(2)}, r"found a loss with part: a tensor of shape \(2,\)"),
        ({"loss": torch.zeros(())}, "found a loss with loss: a tensor"),
    ],
)
def test_what_is_no_column_is_named(part: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message + ".*; expected scalar tensors beside the total"):
        loss_columns({"total": ONE, **part})


# ---- a loss and a look of one's own


@pytest.mark.parametrize("kind", ["cosines", "features"])
def test_a_loss_of_ones_own_is_given_what_is_documented(dolls: pl.data.PaperDolls, net: pl.PatchNet, kind: str) -> None:
    seen: list[Step] = []
    own = settings(epochs=2, image_embedding=kind)

    def loss(step: Step) -> Mapping[str, Tensor]:
        seen.append(step)
        plain = paul(step)
        return {"total": plain.pedal, "half": plain.pedal / 2, "size": torch.tensor(float(len(step.index)))}

    split = dolls.train.take(range(19))
    run = pl.adapt(own, split, start=net, loss=loss)
    size = 32 if kind == "cosines" else 64
    assert [(len(s.index), s.epoch) for s in seen] == [(8, 0), (8, 0), (3, 0), (8, 1), (8, 1), (3, 1)]
    for s in seen:
        count = len(s.index)
        assert s.features.shape == (count, 4, 16) and s.embeddings.shape == (2, count, size)
        assert s.memory.shape == (19, 4, 16) and s.centers.shape == (count, size) and s.config is own
        assert s.features.requires_grad and s.embeddings.requires_grad
        assert torch.allclose(s.features.norm(dim=-1), torch.ones(count, 4), atol=1e-5)
    for epoch in (0, 1):
        places = torch.cat([s.index for s in seen if s.epoch == epoch])
        assert sorted(places.tolist()) == list(range(19))
        row = run.history[epoch]
        assert row["half"] == pytest.approx(row["loss"] / 2, abs=1e-5) and "pedal" not in row and "ipfl" not in row
        assert row["size"] == pytest.approx((8 * 8 + 8 * 8 + 3 * 3) / 19, abs=1e-5)  # a mean over images


def test_the_loss_is_what_is_learned_from(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    split = dolls.train.take(range(12))
    nothing = pl.adapt(settings(weight_decay=0), split, start=net, loss=lambda step: 0 * step.features.sum()).net
    weights = dict(net.named_parameters())
    assert all(torch.equal(p, weights[name]) for name, p in nothing.named_parameters())
    scalar, mapping, plain = (
        pl.adapt(settings(), split, start=net, loss=loss).net.state_dict()
        for loss in (lambda step: paul(step).total, lambda step: paul(step)._asdict(), paul)
    )
    assert all(torch.equal(x, scalar[name]) and torch.equal(x, mapping[name]) for name, x in plain.items())
    assert not all(torch.equal(x, weights[name]) for name, x in plain.items() if name in weights)


def test_a_loss_of_ones_own_in_phase_1(source: pl.data.PaperDolls) -> None:
    seen: list[SourceStep] = []

    def loss(step: SourceStep) -> Mapping[str, Tensor]:
        seen.append(step)
        return {"total": identity_and_triplet(step).identity, "twice": 2 * identity_and_triplet(step).identity.detach()}

    row = pl.pretrain(source_settings(epochs=1, batch=30), source, loss=loss).history[0]
    assert row["twice"] == pytest.approx(2 * row["loss"], rel=1e-4) and "triplet" not in row and "accuracy" in row
    people = source.train.identities
    for s in seen:
        count = len(s.labels)
        assert count % 2 == 0 and s.logits.shape == (count, 6, people) and s.embeddings.shape == (count, 6 * 32)
        assert s.logits.requires_grad and s.embeddings.requires_grad and s.epoch == 0
        assert torch.equal(s.labels[: count // 2], s.labels[count // 2 :])  # anchors first, then their positives
    assert set(torch.cat([s.labels for s in seen]).tolist()) == set(range(people))


def test_the_default_loss_of_phase_1_is_its_formula() -> None:
    torch.manual_seed(0)
    config = source_settings(triplet_weight=0.3, triplet_margin=0.7, triplet_positive="hardest")
    logits, embeddings, labels = torch.randn(6, 3, 5), torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])
    found = identity_and_triplet(SourceStep(logits, embeddings, labels, config, epoch=0))
    identity = sum(float(-logits[:, p].log_softmax(-1)[torch.arange(6), labels].mean()) for p in range(3))
    triplet = textbook.batch_triplet(embeddings.numpy(), labels.tolist(), 0.7, "hardest")
    assert float(found.identity) == pytest.approx(identity, abs=1e-5)
    assert float(found.triplet) == pytest.approx(triplet, abs=1e-5)
    assert float(found.total) == pytest.approx(identity + 0.3 * triplet, abs=1e-5)


def run_of(phase: str, data: pl.data.PaperDolls, net: pl.PatchNet, **hooks: Any) -> pl.Run:
    if phase == "pretrain":
        return pl.pretrain(source_settings(epochs=2), data, **hooks)
    return pl.adapt(settings(epochs=2), data.train.take(range(16)), start=net, **hooks)


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["pretrain", "adapt"])
def test_a_look_after_every_epoch_changes_nothing(phase: str, source: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    """Though it leaves the network in evaluation mode, and draws random numbers from the evaluation alone."""
    seen: list[tuple[int, list[Tensor]]] = []

    def look(epochs: int, network: pl.PatchNet) -> None:
        seen.append((epochs, [p.detach().clone() for p in network.parameters()]))
        pl.evaluate(network, source)
        network.eval()

    looked, plain = run_of(phase, source, net, after_epoch=look), run_of(phase, source, net)
    assert [epochs for epochs, _ in seen] == [1, 2]
    last = looked.net.state_dict()
    assert all(torch.equal(x, last[name]) for name, x in plain.net.state_dict().items())
    assert [row["loss"] for row in looked.history] == [row["loss"] for row in plain.history]
    assert not all(torch.equal(a, b) for a, b in zip(seen[0][1], seen[1][1], strict=True))
    assert all(torch.equal(a, b) for a, b in zip(seen[1][1], looked.net.parameters(), strict=True))
