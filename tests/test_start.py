"""Before the first step: device, precision, what a step costs, compilation."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import paullite as pl
from paullite.runs import Team, dry_step
from paullite.runs.dry_step import Cost
from paullite.runs.start import chosen_precision
from tests.benchmarks.pooling import peak_mebibytes
from tests.runs import adapt_config


@pytest.mark.parametrize(("native", "expected"), [(True, "bf16"), (False, "fp16")])
def test_auto_asks_for_native_bf16(monkeypatch: pytest.MonkeyPatch, native: bool, expected: str) -> None:
    """A T4 emulates bf16; only the question that leaves emulation out is answered honestly."""
    asked = []

    def supported(including_emulation: bool = True) -> bool:
        asked.append(including_emulation)
        return native or including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert chosen_precision("auto", "cuda") == expected and asked == [False]


def test_precision_that_is_not_there() -> None:
    assert chosen_precision("auto", "cpu") == chosen_precision("auto", "mps") == "no"
    assert chosen_precision("no", "cuda") == "no" and chosen_precision("fp16", "cuda") == "fp16"
    with pytest.raises(pl.InputError, match="found the precision fp16 on cpu; expected a CUDA GPU"):
        chosen_precision("fp16", "cpu")


@pytest.mark.slow
def test_a_dry_step_changes_nothing(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    with_one, without = (pl.adapt(adapt_config(epochs=1, dry_step=dry), dolls, start=net) for dry in (True, False))
    assert all(
        torch.equal(a, b)
        for a, b in zip(with_one.net.state_dict().values(), without.net.state_dict().values(), strict=True)
    )


@pytest.mark.slow
def test_a_dry_step_says_what_it_found(
    dolls: pl.data.PaperDolls, net: pl.PatchNet, capsys: pytest.CaptureFixture[str]
) -> None:
    pl.adapt(adapt_config(epochs=1, dry_step=True, progress=True), dolls, start=net)
    said = capsys.readouterr().err
    pattern = (
        r"paullite: a step of 8 \+ 8 images takes an estimated 0\.\d+ GiB of [\d.]+ GiB free and [\d.e-]+ s; an epoch"
    )
    assert re.search(pattern, said), said


def test_the_estimate_grows_with_the_batch_and_not_with_the_data(net: pl.PatchNet) -> None:
    def cost(count: int) -> Cost:
        pairs: Any = {(0, i): (i, torch.randn(3, 128, 64), torch.randn(3, 128, 64)) for i in range(count)}

        def loss(index: torch.Tensor, *views: torch.Tensor) -> torch.Tensor:
            return net(torch.cat(views)).features.square().sum()

        return dry_step.try_step(loss, pairs, net, count, Team())

    small, large = cost(4), cost(16)
    assert large.bytes(16) == pytest.approx(4 * (small.bytes(4) - small.fixed) + small.fixed, rel=0.2)
    activations = 2 * 16 * 128 * 64 * 16 / 4  # the first map alone, at half the size in each direction, in float32
    assert large.pair * 16 > activations and large.step > 0 and large.read >= 0 and not large.measured


def test_the_estimate_is_near_what_a_step_holds(net: pl.PatchNet) -> None:
    """Against the allocator's own record of the same step. Transient buffers are not in the estimate."""
    pairs: Any = {(0, i): (i, torch.randn(3, 128, 64), torch.randn(3, 128, 64)) for i in range(16)}

    def loss(index: torch.Tensor, *views: torch.Tensor) -> torch.Tensor:
        return net.train()(torch.cat(views)).features.square().sum()

    cost = dry_step.try_step(loss, pairs, net, 16, Team())
    views = [torch.stack([pairs[0, i][side] for i in range(16)]) for side in (1, 2)]
    held = peak_mebibytes(lambda: loss(torch.arange(16), *views).backward())
    assert 0.6 * held < (cost.bytes(16) - cost.fixed) / 2**20 < 1.1 * held


def test_a_trial_that_runs_out_of_memory_is_made_smaller(net: pl.PatchNet) -> None:
    """As CUDA says it. What is known of the half tells what the whole would take."""
    pairs: Any = {(0, i): (i, torch.randn(3, 128, 64), torch.randn(3, 128, 64)) for i in range(16)}
    tried = []

    def loss(index: torch.Tensor, *views: torch.Tensor) -> torch.Tensor:
        tried.append(len(index))
        if len(index) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return net(torch.cat(views)).features.square().sum()

    room = 5
    assert dry_step.try_step(loss, pairs, net, 16, Team()).pair > 0 and tried == [16, 8, 4, 4]
    room = 0
    with pytest.raises(pl.InputError, match=r"too little memory for a step of 1 \+ 1 images; .*smaller backbone"):
        dry_step.try_step(loss, pairs, net, 2, Team())


@pytest.mark.slow
def test_a_batch_that_does_not_fit_names_one_that_does(
    dolls: pl.data.PaperDolls, net: pl.PatchNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_step, "free_bytes", lambda device: 40 * 2**20)
    with pytest.raises(
        pl.InputError, match=r"found 0.0 GiB of free memory; a step of 60 \+ 60 .*use --batch \d+"
    ) as caught:
        pl.adapt(adapt_config(batch=60, dry_step=True), dolls, start=net)
    named = re.search(r"use --batch (\d+)", str(caught.value))
    assert named is not None and 1 <= int(named[1]) < 60
    pl.adapt(adapt_config(batch=int(named[1]), epochs=1, dry_step=True), dolls, start=net)
    monkeypatch.setattr(dry_step, "free_bytes", lambda device: 1000)
    with pytest.raises(pl.InputError, match="use a smaller backbone or smaller images"):
        pl.adapt(adapt_config(dry_step=True), dolls, start=net)


def test_cost_in_words() -> None:
    cost = Cost(fixed=2**30, pair=2**20, free=4 * 2**30, step=0.01, read=0.02, measured=True)
    line = cost.line(42, 420, 2, Team())
    assert line == (
        "a step of 42 + 42 images takes 1.04 GiB of 4.0 GiB free and 0.42 s; an epoch about 4.2 s "
        "(reading images alone: 4.2 s with workers = 2)"
    )
    assert cost.fits() == int((0.9 * 4 - 1) * 1024)


@pytest.mark.slow
def test_compiled_or_not_the_steps_are_the_same(dolls: pl.data.PaperDolls, net: pl.PatchNet, tmp_path: Path) -> None:
    """With a backend that needs no C++ compiler; the network is traced, and its weights are the ones that are saved."""
    compiled = dataclasses.replace(adapt_config(epochs=1, compile=True, output=str(tmp_path)))
    original = torch.compile

    def eager(model: torch.nn.Module) -> Any:
        return original(model, backend="aot_eager")

    torch.compile, loss = eager, []
    try:
        loss.append(pl.adapt(compiled, dolls, start=net).history[0]["loss"])
    finally:
        torch.compile = original
    plain = pl.adapt(adapt_config(epochs=1), dolls, start=net)
    assert loss[0] == pytest.approx(plain.history[0]["loss"], rel=1e-3)
    kept = pl.load(tmp_path / "run.safetensors")
    assert isinstance(kept, pl.Run) and kept.net.state_dict().keys() == plain.net.state_dict().keys()
