"""What the map of paper and code says and no other test proves: how the parts of the method are put together."""

import dataclasses
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import paullite as pl
from paullite import losses, pretraining
from paullite.adaptation import empty_memories, fill_memory
from paullite.config import RunConfig
from paullite.data.loading import IdentityPairs, SurrogatePairs
from paullite.runs.machine import accelerated
from paullite.runs.session import Session
from paullite.step import Step

QUICK: dict[str, Any] = dict(epochs=1, batch=8, workers=0, progress=False, evaluate_every=0)

# The reference implementation's settings, as published; phase 1, phase 2 with Market-1501, and what Duke has instead.
BOTH = dict(epochs=60, momentum=0.9, weight_decay=1e-4, decay=0.1, bn_splits=1)
PHASE_1 = BOTH | dict(backbone="resnet50.tv_in1k", size=(384, 128), patches=6, feature_dim=256, embedding_dim=128)
PHASE_1 |= dict(generator="reference", batch=48, lr_backbone=0.01, lr_heads=0.1, lr_generator=1e-5)
PHASE_1 |= dict(generator_epochs=(25, 40), decay_epoch=40, triplet_weight=0.1, triplet_margin=1.0)
PHASE_1 |= dict(triplet_positive="nearest", positive_may_be_anchor=True, pretrained=True)
PHASE_2 = BOTH | dict(batch=42, lr=1e-4, decay_epoch=50, scale=15.0, k=10, memory_momentum=0.1, memory_mode="train")
PHASE_2 |= dict(center_momentum=0.1, margin=2.0, nearest=3, max_candidates=15, no_negative="pull")
PHASE_2 |= dict(image_embedding="cosines", pedal_weight=2.0, ipfl_weight=1.0, generator_gradient=True)
PHASE_2 |= dict(jitter=(0.2, 0.2, 0.2, 0.1), rotation=10.0, crop=(0.70, 0.95))
DUKE = PHASE_2 | dict(batch=40, scale=5.0)


def adapt_config(**changes: Any) -> pl.AdaptConfig:
    return dataclasses.replace(pl.PRESETS["paperdolls"].adapt, **{**QUICK, "k": 3, **changes})


def test_the_reference_presets_have_the_published_settings() -> None:
    for name, phase, published in (
        ("market1501-reference", "pretrain", PHASE_1),
        ("market1501-reference", "adapt", PHASE_2),
        ("duke-reference", "adapt", DUKE),
    ):
        found = dataclasses.asdict(getattr(pl.PRESETS[name], phase))
        assert {field: found[field] for field in published} == published, name


def test_normalising_is_what_renorm_does() -> None:
    """The reference scales a row to a tiny length and back up; the result is the row of length 1."""
    torch.manual_seed(0)
    x = torch.randn(40, 256)
    assert torch.allclose(F.normalize(x, dim=1), x.renorm(2, 0, 1e-5).mul(1e5), atol=1e-6)


def test_heads_read_behind_a_relu_and_patch_features_do_not(net: pl.PatchNet) -> None:
    seen: dict[str, Tensor] = {}
    net.norm.register_forward_hook(lambda _, given, out: seen.update(reduced=out.view(4, 4, 16)))
    for name in ("classifier", "embedding"):
        net.get_submodule(name).register_forward_hook(lambda _, given, out, name=name: seen.update({name: given[0]}))
    out = net(torch.randn(4, 3, 128, 64))
    assert (seen["reduced"] < 0).any() and torch.equal(seen["classifier"], F.relu(seen["reduced"]))
    assert torch.equal(seen["embedding"], seen["classifier"])
    assert torch.allclose(out.features, F.normalize(seen["reduced"], dim=-1), atol=1e-6)


def test_the_loss_of_phase_1_is_a_sum_over_patches(source: pl.data.PaperDolls, monkeypatch: pytest.MonkeyPatch) -> None:
    config = dataclasses.replace(
        pl.PRESETS["paperdolls"].pretrain, **{**QUICK, "patches": 5, "feature_dim": 8, "triplet_weight": 0.3}
    )
    row = pl.pretrain(config, source).history[0]
    assert row["loss"] == pytest.approx(row["identity"] + 0.3 * row["triplet"], abs=1e-4) and row["triplet"] > 0
    monkeypatch.setattr(pretraining.F, "cross_entropy", lambda logits, labels: 0 * logits.sum() + 1)
    assert pl.pretrain(config, source).history[0]["identity"] == 5


def test_the_order_of_a_step_in_phase_2(
    dolls: pl.data.PaperDolls, net: pl.PatchNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory and centers move before the loss; PEDAL sees the originals, IPFL both views of each image."""
    pedal_given: list[tuple[Tensor, ...]] = []
    ipfl_given: list[tuple[Tensor, ...]] = []
    plain = losses.pedal, losses.ipfl

    def pedal(x: Tensor, w: Tensor, index: Tensor, **settings: Any) -> Tensor:
        pedal_given.append((x.detach(), w.clone(), index))
        return plain[0](x, w, index, **settings)

    def ipfl(e: Tensor, c: Tensor, owner: Tensor, **settings: Any) -> Tensor:
        ipfl_given.append((e.detach(), c.clone(), owner))
        return plain[1](e, c, owner, **settings)

    monkeypatch.setattr(losses, "pedal", pedal)
    monkeypatch.setattr(losses, "ipfl", ipfl)
    config = adapt_config(memory_momentum=1.0, pedal_weight=2.0, ipfl_weight=0.5, margin=3.0, dry_step=False)
    config = dataclasses.replace(config, image_embedding="features")  # so that both losses are given the same numbers
    row = pl.adapt(config, dolls, start=net).history[0]
    assert row["loss"] == pytest.approx(2 * row["pedal"] + 0.5 * row["ipfl"], abs=1e-4) and row["ipfl"] > 0
    for (x, w, index), (e, c, owner) in zip(pedal_given, ipfl_given, strict=True):
        count = len(index)
        assert x.shape == (count, 4, 16) and torch.allclose(w[index], x, atol=1e-6)
        assert e.shape == (2 * count, 64) and owner.tolist() == [*range(count)] * 2
        assert torch.allclose(c, e.view(2, count, 64).mean(0), atol=1e-6)  # the first epoch: nothing to average with
        assert torch.equal(e[:count], x.flatten(1)) and not torch.equal(e[:count], e[count:])


def test_centers_are_running_means_over_epochs(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    """With a momentum of their own, which the patch memory's has no say in."""
    seen: list[tuple[Tensor, Tensor]] = []

    def loss(step: Step) -> Tensor:
        seen.append((step.embeddings.detach().mean(0), step.centers.clone()))
        return 0 * step.features.sum()

    split = dolls.train.take(range(6)).unlabelled()
    config = adapt_config(epochs=2, batch=6, center_momentum=0.1, memory_momentum=0.5)  # every batch is the whole set
    centers = pl.adapt(config, split, start=net, loss=loss).memories["centers"].features[:, 0]
    second, stored = seen[1]
    places = torch.cdist(stored, centers).argmin(1)
    assert sorted(places.tolist()) == [*range(6)] and torch.allclose(centers[places], stored, atol=1e-6)
    before = (stored - 0.1 * second) / 0.9  # what the centers were, if 0.1 is the share of the new mean
    first = seen[0][1]
    assert torch.cdist(before, first).min(1).values.max() < 1e-5 and torch.pdist(first).min() > 1e-3


def test_each_memory_has_the_momentum_of_its_setting(net: pl.PatchNet) -> None:
    memory, centers = empty_memories(net, 5, adapt_config(memory_momentum=0.3, center_momentum=0.7))
    assert (memory.momentum, centers.momentum) == (0.3, 0.7)
    assert (memory.features.shape, centers.features.shape) == ((5, 4, 16), (5, 1, 32))
    _, wide = empty_memories(net, 5, adapt_config(image_embedding="features"))
    assert wide.features.shape == (5, 1, 64)


def test_the_first_pass_has_batches_as_large_as_a_steps(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    """Batch-norm sees as many images at a time as with both views of a batch; a rest of one joins the batch before."""
    config, images, seen = adapt_config(batch=4), dolls.unlabelled().take(range(17)), []
    net.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    memory, _ = empty_memories(net, len(images), config)
    fill_memory(memory, net, SurrogatePairs(images, net.size, net.normalisation, config), config)
    assert seen == [8, 9] and memory.filled.all()


@pytest.mark.parametrize("generator_gradient", [True, False])
def test_all_batch_norm_statistics_move_in_phase_2(dolls: pl.data.PaperDolls, generator_gradient: bool) -> None:
    """Those of the resting generator too, though its weights stay, and with them the embeddings' and classifiers'."""
    torch.manual_seed(0)
    sizes = dict(patches=2, feature_dim=8, embedding_dim=4, identities=3)
    net = pl.PatchNet("test_resnet", **sizes, pretrained=False, generator="reference", size=(128, 64))
    run = pl.adapt(adapt_config(generator_gradient=generator_gradient), dolls, start=net)
    before = net.state_dict()
    moved = {name for name, value in run.net.state_dict().items() if not torch.equal(value, before[name])}
    means = {name for name in before if name.endswith("running_mean")}
    assert means <= moved and "generator.localization.1.running_mean" in means
    weights = {name for name, _ in net.named_parameters()}
    resting = {name for name in weights if name.startswith(("generator.", "embedding.", "classifier."))}
    assert {f"generator.{name}" for name, _ in net.generator.named_parameters()} < resting
    assert not moved & resting and len(moved & weights) > 0.9 * len(weights - resting)


def test_momentum_and_weight_decay_reach_sgd(
    dolls: pl.data.PaperDolls, source: pl.data.PaperDolls, net: pl.PatchNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[torch.optim.Optimizer] = []
    monkeypatch.setattr(Session, "restore", lambda self, optimiser, **_: found.append(optimiser) or True)
    monkeypatch.setattr(Session, "prepare", lambda self, net, _: net)
    monkeypatch.setattr(Session, "epochs", lambda self, _: ())
    pl.adapt(adapt_config(momentum=0.7, weight_decay=0.3, lr=0.02), dolls, start=net)
    pl.pretrain(dataclasses.replace(pl.PRESETS["paperdolls"].pretrain, momentum=0.6, weight_decay=0.2), source)
    (group,), groups = (optimiser.param_groups for optimiser in found)
    assert isinstance(found[0], torch.optim.SGD) and isinstance(found[1], torch.optim.SGD)
    assert (group["momentum"], group["weight_decay"], group["nesterov"], group["lr"]) == (0.7, 0.3, False, 0.02)
    assert {(g["momentum"], g["weight_decay"], g["nesterov"]) for g in groups} == {(0.6, 0.2, False)}
    assert [g["name"] for g in groups] == ["backbone", "generator", "heads"]


def test_one_switch_asks_for_deterministic_algorithms() -> None:
    assert not torch.are_deterministic_algorithms_enabled()
    with accelerated(RunConfig(deterministic=True, device="cpu")):
        assert torch.are_deterministic_algorithms_enabled() and not torch.backends.cudnn.benchmark
    assert not torch.are_deterministic_algorithms_enabled()
    with accelerated(RunConfig(device="cpu")):
        assert not torch.are_deterministic_algorithms_enabled()


def test_the_network_of_phase_1_is_that_of_its_settings() -> None:
    asked = dict(patches=3, feature_dim=8, embedding_dim=5, generator="reference", size=(96, 96))
    config = dataclasses.replace(
        pl.PRESETS["paperdolls"].pretrain, **asked, backbone="resnet18", backbone_options={"drop_path_rate": 0.1}
    )
    net = pretraining.build_net(config, 7)
    kept = {"backbone": "resnet18", "identities": 7, "backbone_options": {"drop_path_rate": 0.1}}
    assert net.settings == {**asked, **kept} and isinstance(net.generator, pl.models.generators.ReferenceGenerator)


def test_statistics_of_the_input_are_those_that_were_asked_for() -> None:
    plain = pl.PRESETS["paperdolls"].pretrain
    asked = dataclasses.replace(plain, mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))
    assert pretraining.build_net(asked, 2).normalisation == ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    assert (
        pretraining.build_net(plain, 2).normalisation
        == pl.models.Backbone(plain.backbone, size=plain.size, pretrained=False).normalisation
    )


def test_a_positive_is_found_without_reading_other_images(
    dolls: pl.data.PaperDolls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two images are opened for each pair, whatever the size of the set: the places of each person are known."""
    config = dataclasses.replace(pl.PRESETS["paperdolls"].pretrain, batch=3, workers=0, image_memory=0)
    pairs, opened = IdentityPairs(dolls.train, (128, 64), ([0.5] * 3, [0.5] * 3), config), []
    plain = type(dolls.train).__getitem__
    monkeypatch.setattr(type(dolls.train), "__getitem__", lambda split, i: opened.append(i) or plain(split, i))
    pids = dolls.train.pids or ()
    index = next(pairs.epoch(0))[0].tolist()
    assert opened == index + pairs.positives(0, index)
    assert all(pids[a] == pids[b] and a != b for a, b in zip(index, opened[3:], strict=True))
