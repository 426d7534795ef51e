"""What `make bench` times is the real thing, and every section of its table runs in small sizes."""

import copy
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

import paullite as pl
from paullite.adaptation import learning
from paullite.data.transforms import evaluation_transform
from paullite.features import extract
from tests.benchmarks import epoch, extraction, gpu, gpu_checks, loading, pooling, starting, traffic
from tests.benchmarks.loss_step import Step as LossStep
from tests.benchmarks.step import Parts, Step, drawn_step, net_of, section
from tests.benchmarks.timing import Row, medians, rows, table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def split(small_target: pl.data.PaperDolls) -> pl.data.items.Split:
    return small_target.unlabelled().take(range(8))


@pytest.fixture(scope="module")
def small_target() -> pl.data.PaperDolls:
    return pl.data.PaperDolls("target", identities=4, test_identities=2)


def small_step(precision: str = "no") -> Step:
    return drawn_step("paperdolls", batch=4, n=30, precision=precision)


def test_slow_twin_has_our_values() -> None:
    step = LossStep(n=60, b=8)
    for _ in range(3):  # the memories move alike, too
        assert float(step.ours()) == pytest.approx(float(step.published()), abs=1e-5)
    assert torch.allclose(step.memory.features, step.rows.stacked(), atol=1e-6)


def test_timed_step_is_the_step_of_adapt(split: pl.data.items.Split) -> None:
    """Two epochs of one batch each: the same losses, the same weights, the same memories."""
    preset = pl.PRESETS["paperdolls"]
    torch.manual_seed(0)
    start = net_of(preset.pretrain)
    torch.nn.init.normal_(start.generator.linear.weight, std=0.02)  # not just the stripes
    config = replace(preset.adapt, batch=8, k=3, lr=0.05, weight_decay=0.1, epochs=2, memory_mode="eval")
    run = pl.adapt(replace(config, evaluate_every=0, progress=False, dry_step=False), split, start=start)

    pairs = loading.view_pairs(start, split, config)
    (first, *views), (second, *later) = (next(pairs.epoch(epoch)) for epoch in range(2))
    step = Step(copy.deepcopy(start), config, torch.cat(views), first, extract(start, split))
    losses = [float(step.whole())]
    step.images, step.index = torch.cat(later), second
    losses.append(float(step.whole()))

    assert losses == pytest.approx([row["loss"] for row in run.history], abs=1e-4)
    before, ours, theirs = (net.state_dict() for net in (start, step.net, run.net))
    moved = [name for name in before if not torch.equal(before[name], theirs[name])]
    assert {name.split(".")[0] for name in moved} == {"backbone", "reduction", "norm"}
    # rounding grows from step to step, so the gap is held against the way that was gone
    gaps = [float((ours[name] - theirs[name]).float().norm()) for name in moved]
    ways = [float((theirs[name] - before[name]).float().norm()) for name in moved]
    assert sum(gaps) <= 0.002 * sum(ways) and all(gap <= 0.05 * way for gap, way in zip(gaps, ways, strict=True))
    assert all(torch.equal(ours[name], theirs[name]) for name in before if name not in moved)
    assert torch.allclose(step.memory.features, run.memories["patches"].features, atol=1e-5)
    assert torch.allclose(step.centers.features, run.memories["centers"].features, atol=1e-5)


def test_bare_step_trains_the_same_backbone_alone() -> None:
    step = small_step()
    before, net = copy.deepcopy(step.backbone.state_dict()), copy.deepcopy(step.net.state_dict())
    assert step.backbone.state_dict().keys() == step.net.backbone.state_dict().keys()
    loss, again = step.bare(), step.bare()
    assert again < loss  # it goes down the mean of its map
    assert any(not torch.equal(before[name], value) for name, value in step.backbone.state_dict().items())
    assert all(torch.equal(net[name], value) for name, value in step.net.state_dict().items())


def test_parts_make_up_the_step() -> None:
    """Map -> features and embedding -> loss gives the loss and the gradients of the whole."""
    step = small_step()
    twin = copy.deepcopy(step)
    feature_map = twin.net.backbone(twin.images)
    behind = Parts(copy.deepcopy(step)).behind
    out = behind(feature_map, generator_gradient=False)
    loss = twin.loss(out.features[:4], out.embedding.unflatten(0, (2, 4)).transpose(0, 1))
    loss.backward()
    assert float(step.whole()) == pytest.approx(float(loss.detach()), rel=1e-6)
    pairs = zip(learning(step.net), learning(twin.net), strict=True)
    grads = [(p.grad, q.grad) for p, q in pairs if p.grad is not None and q.grad is not None]
    assert len(grads) > 20 and all(torch.allclose(a, b, atol=1e-6) for a, b in grads)


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_speed_is_images_a_second_of_the_bare_step(precision: str) -> None:
    bare, whole = gpu.speed_rows(small_step(precision=precision), in_a_row=2, repeats=1)
    assert bare.seconds and whole.seconds and whole.ratio == pytest.approx(bare.seconds / whole.seconds)
    assert (
        whole.reached == (bare.seconds / whole.seconds >= gpu.GOAL)
        and whole.note == f"{8 / whole.seconds:,.0f} images/s"
    )


def test_gpu_section_on_a_cpu(split: pl.data.items.Split) -> None:
    text = gpu.run("cpu", "paperdolls", batches=(3, 4), n=30, in_a_row=1, pictures=split, pairs=12)
    lines = text.splitlines()[2:]
    names = ["bare", "whole", "reading", "memory", "memory", "bare", "whole", "views", "adapt,"]
    assert [line.split()[0] for line in lines] == names
    assert "up" in lines[2] and all("pairs/s, goal 5,000" in line for line in lines[-2:])


def test_checks_of_a_gpu_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_checks, "two_gpus_row", lambda device, ranks: Row("two", note=f"{ranks} on {device}"))
    lines = gpu_checks.run("cpu", "paperdolls", batch=4, images=12).splitlines()[2:]
    found = {line.split()[0]: line for line in lines[:10]}
    assert [line.split()[0] for line in lines[:10]] == [
        "dry", "deterministic,", "deterministic,", "fp16,", "two", "waits", "bytes", "waits", "bytes", "10"
    ]  # fmt: skip
    assert "no: " in found["dry"] and "an estimate" in found["dry"] and "needs a CUDA GPU" in found["fp16,"]
    assert all(line.endswith("trained; same weights") for line in lines[1:3])
    assert not torch.are_deterministic_algorithms_enabled()
    assert "aten::" in "\n".join(lines[10:])


def test_a_check_that_fails_is_a_line_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> Row:
        raise RuntimeError("no deterministic kernel")

    monkeypatch.setattr(gpu_checks, "deterministic_row", refused)
    monkeypatch.setattr(gpu_checks, "two_gpus_row", lambda device, ranks: Row("two"))
    text = gpu_checks.run("cpu", "paperdolls", batch=4, images=8)
    assert text.count("FAILED: no deterministic kernel") == 2 and "waits in a step" in text


def test_two_processes_take_the_steps_of_one() -> None:
    assert gpu_checks.two_gpus_row("cpu").note.startswith("the same: ")


def test_an_epoch_is_timed_and_the_bare_backbone_beside_it(split: pl.data.items.Split) -> None:
    text = epoch.run(split, threads=(1,))
    bare, whole = text.splitlines()[2:]
    assert "1 thread" in bare and "base" in bare and "<=1.25" in whole
    start = net_of(pl.PRESETS["paperdolls"].pretrain)
    config = replace(pl.PRESETS["paperdolls"].adapt, batch=4, k=3)
    clock = epoch.timed(start, config, split)
    assert len(clock.whole) == len(clock.bare) == 1 + epoch.EPOCHS
    assert min(clock.bare + clock.whole) > 0
    weights = zip(clock.backbone.parameters(), start.backbone.parameters(), strict=True)
    assert any(not torch.equal(ours, before) for ours, before in weights)  # it learned, and the start did not


def test_traffic_counts_what_a_loss_asks_and_an_eighth_of_the_bytes(split: pl.data.items.Split) -> None:
    start = net_of(pl.PRESETS["paperdolls"].pretrain)
    config = replace(pl.PRESETS["paperdolls"].adapt, batch=2, k=3)
    assert traffic.in_a_step(start, config, split) == (0, 0)
    asks = traffic.in_a_step(
        start, config, split, lambda step: pl.losses.paul(step).total * (1 + 0 * float(step.epoch))
    )
    assert asks == (0, 0)  # a Python number asks nobody

    def asking(step: pl.step.Step) -> torch.Tensor:
        total = pl.losses.paul(step).total
        return total if float(total.detach()) + float(step.features.detach().sum()) > -1e9 else 2 * total

    assert traffic.in_a_step(start, config, split, asking)[0] == 2
    sent, old = traffic.bytes_of_batch(start, config, split)
    assert old == 2 * 2 * 3 * 128 * 64 * 4 and old / 8 < sent < old / 7.9
    text = traffic.run(split, batch=4)
    assert text.count("waits in a step") == text.count("bytes to the device") == 2 and "NO" not in text


def test_start_is_timed_in_fresh_processes() -> None:
    text = starting.run({"import json": "import json", "import this": "import json, csv"}, repeats=1)
    assert text.count("\n") == 4 and "paullite --help" in text and "<=1.05" in text
    with pytest.raises(subprocess.CalledProcessError):
        starting.import_seconds("import no_such_module")
    names = {name for name in pl.__all__ if not name.startswith("__")}
    assert "__all__" in list(starting.IMPORTS.values())[1] and {"adapt", "pretrain", "evaluate"} <= names


def test_memory_of_a_step_either_way() -> None:
    wide = torch.nn.Sequential(torch.nn.AvgPool2d(16), torch.nn.Conv2d(3, 4096, 1))  # all map, so that its copies show
    net = pl.models.PatchNet(wide, patches=6, feature_dim=8, pretrained=False, size=(128, 64))
    stored = F.normalize(torch.randn(30, 6, 8), dim=-1)
    step = Step(net, pl.PRESETS["paperdolls"].adapt, torch.randn(16, 3, 128, 64), torch.arange(8), stored)
    attention, resampled = gpu.memory_lines(step)
    one_map = 16 * 4096 * 8 * 4 * 4 / 2**20  # MiB
    assert attention.ratio == 1 and resampled.ratio and resampled.ratio > 1
    held = [float(line.note.split()[-2]) for line in (attention, resampled)]
    assert held[1] > 6 * one_map and held[1] - held[0] > 3 * one_map


def test_resampling_gives_the_same_features() -> None:
    step = small_step()
    torch.nn.init.normal_(step.net.generator.linear.weight, std=0.02)  # not just the stripes
    with torch.no_grad():
        ours = step.net(step.images).features
        with gpu.resampling():
            theirs = step.net(step.images).features
    assert torch.allclose(ours, theirs, atol=1e-4)


def test_attention_holds_less_memory() -> None:
    feature_map, theta = torch.randn(4, 256, 24, 8), pooling.stripes(6).expand(4, -1, -1, -1)
    ours = pooling.peak_mebibytes(lambda: pooling.attended(feature_map, theta))
    theirs = pooling.peak_mebibytes(lambda: pooling.resampled(feature_map, theta))
    assert theirs >= 6 * feature_map.nbytes / 2**20 > 2 * ours > 0


def test_sections_run_in_small_sizes(split: pl.data.items.Split) -> None:
    text = section("a title", small_step(), repeats=1)
    assert text.count("\n") == 6 and "whole step" in text and "<=1.15" in text
    assert "extract" in extraction.run(split.take(range(3)), repeats=1)
    assert loading.run(split, batch=4, repeats=1).count("\n") == 5
    pairs = loading.view_pairs(
        small_step().net, split, replace(pl.PRESETS["paperdolls"].adapt, batch=4), image_memory=0
    )
    index, originals, surrogates = loading.first_batch(pairs)()
    assert len(set(index.tolist())) == 4 and originals.shape == surrogates.shape == (4, 3, 128, 64)


def test_reading_of_files_and_the_workers_it_takes(small_target: pl.data.PaperDolls, tmp_path: Path) -> None:
    files = loading.as_files(small_target.train, tmp_path, count=2)
    look = evaluation_transform((128, 64), ([0.0] * 3, [1.0] * 3))
    near = F.l1_loss(look(files[1].image), look(small_target.train[1].image))
    assert near < 0.05
    row = loading.reading_row("reading", 0.31, 0.1, goal=1.0)
    assert row.note == "4 workers keep up" and not row.reached
    assert loading.reading_row("reading", 0.05, 0.1).note == "1 worker keeps up"


def test_medians_and_table() -> None:
    seconds = medians({"a": lambda: None, "b": lambda: sum(range(100_000))}, 3)
    lines = rows(seconds, "a", {"b": 1.0})
    assert [line.what for line in lines] == ["a", "b"] and lines[0].note == "base" and not lines[1].reached
    assert table("t", lines).splitlines()[1:] == ["t", *map(str, lines)]
    assert "<=1    NO" in str(lines[1])
    assert ">=0.87 yes" in str(Row("c", 1.0, 0.9, 0.87, at_least=True))
    assert all(len(str(line)) <= 100 for line in lines)
