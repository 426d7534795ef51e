"""The two phases: what learns, what is frozen, what labels can reach, schedules, losses of one's own, files."""

import csv
import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

import paullite as pl
from paullite.adaptation import empty_memories, fill_memory
from paullite.data.loading import SurrogatePairs
from paullite.errors import InputError
from paullite.features import extract
from paullite.files import read_history, replacing, write_csv
from paullite.pretraining import SourceStep, identity_and_triplet, rates
from paullite.step import Step

pytestmark = pytest.mark.slow

QUICK: dict[str, Any] = dict(epochs=2, batch=8, workers=0, progress=False, evaluate_every=1)


def pretrain_config(**changes: Any) -> pl.PretrainConfig:
    return dataclasses.replace(pl.PRESETS["paperdolls"].pretrain, **{**QUICK, "feature_dim": 16, **changes})


def adapt_config(**changes: Any) -> pl.AdaptConfig:
    return dataclasses.replace(pl.PRESETS["paperdolls"].adapt, **{**QUICK, "k": 3, **changes})


def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def relabelled(dolls: pl.data.ReIDDataset) -> pl.data.ReIDDataset:
    """The same images with the training identities turned around and all test people renamed."""
    turned = dataclasses.replace(dolls.train, pids=tuple(reversed(dolls.train.pids or ())))
    query = dataclasses.replace(dolls.query, pids=tuple(p + 1 for p in dolls.query.pids or ()))
    gallery = dataclasses.replace(dolls.gallery, pids=tuple(reversed(dolls.gallery.pids or ())))
    return pl.data.ReIDDataset("relabelled", turned, query, gallery)


def test_target_labels_reach_the_evaluation_alone(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    a, b = (pl.adapt(adapt_config(), data, start=net) for data in (dolls, relabelled(dolls)))
    bare = pl.adapt(adapt_config(evaluate_every=0), dolls.unlabelled(), start=net)
    assert same(a.net, b.net) and same(a.net, bare.net)
    assert all(same(a.memories[name], b.memories[name]) for name in a.memories)
    assert [r["loss"] for r in a.history] == [r["loss"] for r in b.history]
    assert a.history[-1]["rank1"] == pytest.approx(pl.evaluate(a.net, dolls).rank1, abs=1e-6)  # the last epoch's


def test_the_same_seed_gives_the_same_run(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    runs = [pl.adapt(adapt_config(seed=seed, epochs=1), dolls, start=net) for seed in (3, 3, 4)]
    assert same(runs[0].net, runs[1].net) and not same(runs[0].net, runs[2].net)


def test_what_learns_and_what_is_frozen_in_phase_2(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    before = {k: v.clone() for k, v in net.state_dict().items()}
    run = pl.adapt(adapt_config(), dolls, start=net)
    changed = {k for k, v in run.net.state_dict().items() if not torch.equal(v, before[k])}
    frozen = ("generator.", "classifier.", "embedding.")
    assert not any(k.startswith(frozen) for k in changed)
    assert "norm.running_mean" in changed and "reduction.weight" in changed
    assert any(k.startswith("backbone.") and k.endswith("conv1.weight") for k in changed)
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items()), "the start was changed"
    assert run.memories["patches"].filled.all() and run.memories["centers"].filled.all()
    assert run.memories["patches"].features.norm(dim=-1).max() <= 1 + 1e-5


def test_the_generator_learns_in_its_epochs_only(source: pl.data.PaperDolls) -> None:
    def theta_moved(first: int, end: int) -> bool:
        run = pl.pretrain(pretrain_config(generator_epochs=(first, end), evaluate_every=0), source)
        return bool(run.net.generator.linear.weight.abs().sum() > 0)

    assert theta_moved(1, 2) and not theta_moved(2, 5)


def test_a_look_after_each_epoch_changes_nothing(source: pl.data.PaperDolls) -> None:
    seen: list[tuple[int, torch.Tensor]] = []

    def look(epoch: int, net: pl.PatchNet) -> None:
        with torch.no_grad():
            seen.append((epoch, net.eval()(torch.zeros(1, 3, 128, 64)).features))

    plain = pl.pretrain(pretrain_config(evaluate_every=0), source)
    run = pl.pretrain(pretrain_config(evaluate_every=0), source, after_epoch=look)
    assert same(plain.net, run.net) and [epoch for epoch, _ in seen] == [1, 2]
    assert torch.equal(seen[1][1], run.net(torch.zeros(1, 3, 128, 64)).features.detach())
    assert not torch.equal(seen[0][1], seen[1][1])


def test_a_look_after_each_epoch_of_phase_2_changes_nothing(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    seen: list[int] = []

    def look(epoch: int, net: pl.PatchNet) -> None:
        net.eval()
        torch.rand(3)
        seen.append(epoch)

    plain, run = (pl.adapt(adapt_config(), dolls, start=net, after_epoch=after) for after in (None, look))
    assert same(plain.net, run.net) and seen == [1, 2]


def test_a_loss_of_ones_own_learns_and_has_its_columns(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    def loss(step: Step) -> dict[str, torch.Tensor]:
        away = (step.features - step.memory[step.index]).square().sum()
        return {"total": away, "twice": 2 * away.detach()}

    run = pl.adapt(adapt_config(epochs=1), dolls, start=net, loss=loss)
    assert run.history[0]["twice"] == pytest.approx(2 * run.history[0]["loss"], abs=1e-5)
    assert "pedal" not in run.history[0] and not same(run.net, pl.adapt(adapt_config(epochs=1), dolls, start=net).net)
    alone = pl.adapt(adapt_config(epochs=1), dolls, start=net, loss=lambda step: loss(step)["total"])
    assert same(alone.net, run.net)
    with pytest.raises(InputError, match="found a loss with no total"):
        pl.adapt(adapt_config(), dolls, start=net, loss=lambda step: {"away": step.features.sum()})


def test_a_loss_of_ones_own_in_phase_1(source: pl.data.PaperDolls) -> None:
    def names_only(step: SourceStep) -> torch.Tensor:
        return identity_and_triplet(step).identity

    config = pretrain_config(epochs=1, evaluate_every=0)
    run = pl.pretrain(config, source, loss=names_only)
    assert "triplet" not in run.history[0] and not same(run.net, pl.pretrain(config, source).net)
    light = pl.pretrain(dataclasses.replace(config, triplet_weight=0.0), source)  # decays its embeddings besides
    assert same(run.net.backbone, light.net.backbone) and run.history[0]["loss"] == light.history[0]["loss"]


def test_pretraining_goes_on_from_a_network_of_ones_own(source: pl.data.PaperDolls) -> None:
    config = dataclasses.replace(pl.PRESETS["paperdolls"].pretrain, **{**QUICK, "epochs": 1, "evaluate_every": 0})
    built = pl.pretrain(dataclasses.replace(config, epochs=0), source).net
    before = {name: value.clone() for name, value in built.state_dict().items()}
    assert same(pl.pretrain(config, source, start=built).net, pl.pretrain(config, source).net)  # built the same way
    assert all(torch.equal(value, before[name]) for name, value in built.state_dict().items())
    stranger = pl.PatchNet("test_resnet", identities=2, pretrained=False, size=(128, 64), feature_dim=8)
    with pytest.raises(InputError, match=r"found a network for 2 identities and \d+ in the source"):
        pl.pretrain(config, source, start=stranger)


def test_schedules_of_the_reference() -> None:
    phase1, phase2 = pl.PRESETS["market1501-reference"].pretrain, pl.PRESETS["market1501-reference"].adapt
    learning = [epoch for epoch in range(phase1.epochs) if rates(phase1, epoch)["generator"] > 0]
    assert learning == list(range(25, 40)) and rates(phase1, 30)["generator"] == 1e-5
    assert rates(phase1, 39)["heads"] == 0.1 and rates(phase1, 40)["heads"] == pytest.approx(0.01)
    assert rates(phase1, 39)["backbone"] == 0.01 and rates(phase1, 40)["backbone"] == pytest.approx(0.001)
    assert (phase2.lr, phase2.decay_epoch, phase2.epochs, phase2.momentum) == (1e-4, 50, 60, 0.9)


def test_presets_differ_only_in_named_choices() -> None:
    for name in ("paperdolls", "market1501", "duke", "msmt17"):
        ours, reference = pl.PRESETS[name], pl.PRESETS[f"{name}-reference"]
        for phase, allowed in (
            ("pretrain", {"generator", "positive_may_be_anchor", "precision"}),
            ("adapt", {"no_negative", "generator_gradient", "precision"}),
        ):
            a, b = (dataclasses.asdict(getattr(preset, phase)) for preset in (ours, reference))
            assert {k for k in a if a[k] != b[k]} | {"precision"} == allowed  # drawn people are in float32 anyway
            assert b["precision"] == "no"
    assert pl.PRESETS["duke"].adapt.scale == 5 and pl.PRESETS["market1501"].adapt.scale == 15


def test_learning_rate_decays_on_time(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    run = pl.adapt(adapt_config(decay_epoch=1, lr=0.01, evaluate_every=0), dolls, start=net)
    assert [row["lr"] for row in run.history] == [0.01, pytest.approx(0.001)]


@pytest.mark.parametrize("changes", [{"image_embedding": "features"}, {"memory_mode": "eval"}, {"no_negative": "pull"}])
def test_every_switch_runs_and_matters(dolls: pl.data.PaperDolls, net: pl.PatchNet, changes: dict[str, Any]) -> None:
    usual, changed = (pl.adapt(adapt_config(epochs=1, batch=5, **c), dolls, start=net) for c in ({}, changes))
    assert not same(usual.net, changed.net)


def test_files_of_a_run(dolls: pl.data.PaperDolls, net: pl.PatchNet, tmp_path: Path) -> None:
    run = pl.adapt(adapt_config(output=str(tmp_path / "run")), dolls, start=net)
    assert run.folder == tmp_path / "run"
    with open(run.folder / "history.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(r["loss"]) for r in rows] == [r["loss"] for r in run.history]
    assert read_history(run.folder) == run.history
    again = pl.load(run.folder / "run.safetensors")
    assert isinstance(again, pl.Run) and same(again.net, run.net) and again.history == run.history
    assert again.config == run.config and same(again.memories["patches"], run.memories["patches"])
    assert not list(run.folder.glob("*.part")) and not (run.folder / ".write-test").exists()


def test_a_run_and_a_file_can_start_the_next_phase(source: Any, dolls: Any, tmp_path: Path) -> None:
    first = pl.pretrain(pretrain_config(epochs=1), source)
    assert 0 <= first.history[0]["accuracy"] <= 1 and "rank1" in first.history[0]
    path = pl.save(first, tmp_path / "first.safetensors")
    a, b = (pl.adapt(adapt_config(epochs=1), dolls, start=start) for start in (first, path))
    assert same(a.net, b.net)


def test_batch_norm_control_changes_statistics_only(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    adapted = pl.controls.batch_norm(net, dolls, batch=10)
    changed = {k for k, v in adapted.state_dict().items() if not torch.equal(v, net.state_dict()[k])}
    assert changed and all(
        k.rsplit(".", 1)[1] in ("running_mean", "running_var", "num_batches_tracked") for k in changed
    )
    momenta = [[getattr(layer, "momentum", None) for layer in each.modules()] for each in (adapted, net)]
    assert momenta[0] == momenta[1]


def test_memory_is_filled_as_asked(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    images, before = dolls.unlabelled(), net.norm.running_mean.clone()
    assert torch.allclose(filled(net, images, "eval").features, extract(net.eval(), images), atol=1e-5)
    assert torch.equal(net.norm.running_mean, before)
    filled(net, images, "train")
    assert not torch.equal(net.norm.running_mean, before)


def filled(net: pl.PatchNet, images: pl.data.Split, mode: str) -> pl.memory.FeatureMemory:
    """The patch memory after the first pass."""
    config = adapt_config(memory_mode=mode)
    memory, _ = empty_memories(net, len(images), config)
    fill_memory(memory, net, SurrogatePairs(images, net.size, net.normalisation, config), config)
    assert memory.filled.all()
    return memory


def test_a_network_that_is_not_finite_is_refused_before_anything_is_learned(
    dolls: pl.data.PaperDolls, net: pl.PatchNet, tmp_path: Path
) -> None:
    with torch.no_grad():
        net.reduction.weight.fill_(torch.nan)
    with pytest.raises(InputError, match="NaN or infinity in the features of rows"):
        pl.adapt(adapt_config(output=str(tmp_path)), dolls, start=net)
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_last_batch_of_one_image(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    """It has no candidate for a hard negative; the history has all its columns nevertheless."""
    batch = next(b for b in range(8, len(dolls.train)) if len(dolls.train) % b == 1)
    row = pl.adapt(adapt_config(batch=batch, epochs=1, evaluate_every=0), dolls, start=net).history[0]
    assert row["loss"] > 0 and {"vetoes", "negatives", "right_vetoes", "false_hardest"} < row.keys()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 4000}, r"a batch of 4000 with \d+ training images"),
        ({"k": 4000}, r"K = 4000 with \d+ training images"),
        ({"device": "cuda"}, "found no device cuda; expected one of: cpu; use --device auto"),
    ],
)
def test_settings_that_do_not_fit(dolls: Any, net: pl.PatchNet, changes: dict[str, Any], message: str) -> None:
    if "device" in changes and torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(InputError, match=message):
        pl.adapt(adapt_config(**changes), dolls, start=net)


def test_one_identity_is_not_enough(source: pl.data.PaperDolls) -> None:
    one = source.first_people(1)
    with pytest.raises(InputError, match="found 1 identities"):
        pl.pretrain(pretrain_config(), one)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    write_csv(path, [{"a": 1}])
    with pytest.raises(InputError, match="cannot write .*numbers.csv"), replacing(path) as temporary:
        temporary.write_text("half of it")
        raise OSError(28, "No space left on device")
    assert path.read_text() == "a\n1\n" and list(tmp_path.iterdir()) == [path]


def test_bf16_trains_and_comes_back_as_float32(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    run = pl.adapt(adapt_config(epochs=1, precision="bf16", evaluate_every=0), dolls, start=net)
    assert torch.isfinite(torch.tensor(run.history[0]["loss"]))
    out = run.net(torch.randn(2, 3, 128, 64))
    assert out.attention.dtype == torch.float32 and out.features.dtype == torch.float32
