"""Before the first step: device, precision, what a step costs, compilation."""

import logging
import math
import re
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from torch import nn

import paullite as pl
from paullite.runs import cost
from paullite.runs.cost import Cost, check_fits, container_bytes, free_bytes, try_step
from paullite.runs.distributed import Team
from paullite.runs.machine import chosen_device, chosen_precision
from tests.benchmarks.pooling import peak_mebibytes
from tests.runs import adapt_config, small_net

SIZE = (128, 64)


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


def test_float16_on_a_cpu_is_refused_before_anything_begins(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    if not torch.cuda.is_available():
        with pytest.raises(pl.InputError, match="found the precision fp16 on cpu; .*use --precision auto"):
            pl.adapt(adapt_config(precision="fp16"), dolls, start=net)


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "cuda:7", "mps"])
def test_a_device_that_is_not_there(
    dolls: pl.data.PaperDolls, net: pl.PatchNet, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(pl.InputError) as caught:
        pl.adapt(adapt_config(device=name), dolls, start=net)
    assert str(caught.value) == f"found no device {name}; expected one of: cpu; use --device auto"


def test_one_of_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two GPUs that are only said to be there."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert chosen_device("cuda:1") == torch.device("cuda:1") and chosen_device("auto") == torch.device("cuda")
    with pytest.raises(pl.InputError, match="found no device cuda:2; expected one of: cuda:0, cuda:1, cpu"):
        chosen_device("cuda:2")
    with pytest.raises(pl.InputError, match="found no device mps"):
        chosen_device("mps")


@pytest.mark.slow
def test_a_dry_step_changes_nothing(dolls: pl.data.PaperDolls, net: pl.PatchNet) -> None:
    with_one, without = (pl.adapt(adapt_config(epochs=1, dry_step=dry), dolls, start=net) for dry in (True, False))
    assert all(
        torch.equal(a, b)
        for a, b in zip(with_one.net.state_dict().values(), without.net.state_dict().values(), strict=True)
    )


def test_trying_a_step_leaves_the_network_as_it_was() -> None:
    """Weights, statistics, gradients and modes of a network with frozen batch-norm, and the random state."""
    net = small_net(backbone_options={"drop_path_rate": 0.2}).eval()
    net.backbone.train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    modes, drawn = [module.training for module in net.modules()], torch.get_rng_state()
    try_step(net, net, SIZE, 4, Team())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert [module.training for module in net.modules()] == modes and torch.equal(torch.get_rng_state(), drawn)
    assert all(p.grad is None for p in net.parameters())


def test_a_dry_step_says_what_it_found(
    dolls: pl.data.PaperDolls, net: pl.PatchNet, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "paullite")
    pl.adapt(adapt_config(epochs=1, dry_step=True), dolls, start=net)
    (record,) = [record for record in caplog.records if record.name == "paullite"]
    pattern = r"a step of 8 \+ 8 images takes an estimated 0\.\d+ GiB of [\d.]+ GiB free and [\d.e-]+ s; an epoch about"
    assert record.levelno == logging.INFO and re.match(pattern, record.message), record.message


def test_the_estimate_grows_with_the_batch(net: pl.PatchNet) -> None:
    small, large = (try_step(net, net, SIZE, batch, Team()) for batch in (4, 16))
    assert large.bytes(16) == pytest.approx(4 * (small.bytes(4) - small.fixed) + small.fixed, rel=0.2)
    activations = 2 * 16 * 128 * 64 * 16 / 4  # the first map alone, at half the size in each direction, in float32
    assert large.pair * 16 > activations and large.seconds > 0 and not large.measured


def test_the_estimate_is_near_what_a_step_holds(net: pl.PatchNet) -> None:
    """Against the allocator's own record of the same step. Transient buffers are not in the estimate."""
    found = try_step(net, net, SIZE, 16, Team())
    images = torch.rand(32, 3, *SIZE)
    held = peak_mebibytes(lambda: net.train()(images).features.square().sum().backward())
    assert 0.6 * held < (found.bytes(16) - found.fixed) / 2**20 < 1.1 * held


def group(folder: Path, version: int, limit: object, used: int, copies: int = 0) -> None:
    """A control group as Linux shows it: the limit (bytes, or "max"), and what is used, copies of files with it."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes"), 2: ("memory.max", "memory.current")}[version]
    for name, value in zip(names, (limit, used), strict=True):
        (folder / name).write_text(f"{value}\n")
    total = "total_" if version == 1 else ""
    stat = f"anon 5\n{total}active_file {copies}\n{total}inactive_file {copies}\nactive_anon 7\n"
    (folder / "memory.stat").write_text(stat + "inactive_file 1\n" * (version == 1))


GIB = 2**30
MACHINES = {  # what the process is in; the groups; what is free
    "no container": ("0::/user.slice\n", {}, math.inf),
    "no limit": ("0::/\n", {"": (2, "max", GIB)}, math.inf),
    "docker, version 2": ("0::/\n", {"": (2, 4 * GIB, 3 * GIB)}, GIB),
    "copies of files make room": ("0::/\n", {"": (2, 4 * GIB, 3 * GIB, GIB)}, 3 * GIB),
    "a job of a batch system": (
        "0::/jobs/17/step\n",
        {"": (2, "max", 9), "jobs/17": (2, 2 * GIB, GIB), "jobs/17/step": (2, "max", 5)},
        GIB,
    ),
    "docker, version 1": (
        "11:cpu,cpuacct:/docker/ab\n9:memory:/docker/ab\n1:name=systemd:/docker/ab\n",
        {"memory": (1, 3 * GIB, 2 * GIB, GIB // 4)},
        1.5 * GIB,
    ),
    "a group of version 1": (
        "9:memory:/slurm/job\n",
        {"memory": (1, 2**63 - 4096, GIB), "memory/slurm/job": (1, 2 * GIB, GIB)},
        GIB,
    ),
    "over the limit": ("0::/\n", {"": (2, GIB, 2 * GIB)}, 0),
}


@pytest.mark.parametrize("name", MACHINES)
def test_a_container_has_what_its_limit_leaves(name: str, tmp_path: Path) -> None:
    own, groups, expected = MACHINES[name]
    (tmp_path / "own").write_text(own)
    (tmp_path / "root").mkdir()
    for path, values in groups.items():
        group(tmp_path / "root" / path, *values)  # type: ignore[arg-type]
    assert container_bytes(tmp_path / "own", tmp_path / "root") == expected
    assert container_bytes(tmp_path / "not there", tmp_path / "not there either") == math.inf


def test_the_smaller_of_both_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(cost, "container_bytes", lambda: math.inf)
    assert 0 < free_bytes(cpu) <= psutil.virtual_memory().total
    monkeypatch.setattr(cost, "container_bytes", lambda: 1.0e6)
    assert free_bytes(cpu) == 1_000_000


class Narrow(nn.Module):
    """A network that runs out of memory, as CUDA says it, with more than ``room`` images and their second views."""

    def __init__(self, net: pl.PatchNet, room: int) -> None:
        super().__init__()
        self.net = net
        self.room = room
        self.tried: list[int] = []

    def forward(self, images: torch.Tensor) -> Any:
        self.tried.append(len(images) // 2)
        if self.tried[-1] > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.net(images)


def test_a_trial_that_runs_out_of_memory_is_made_smaller(net: pl.PatchNet) -> None:
    """What is known of the half tells what the whole would take."""
    model = Narrow(net, room=5)
    assert try_step(model, net, SIZE, 16, Team()).pair > 0 and model.tried == [16, 8, 4, 4]
    with pytest.raises(pl.InputError, match=r"too little memory for a step of 1 \+ 1 images; .*smaller backbone"):
        try_step(Narrow(net, room=0), net, SIZE, 2, Team())


@pytest.mark.slow
def test_a_batch_that_does_not_fit_names_one_that_does(
    dolls: pl.data.PaperDolls, net: pl.PatchNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "free_bytes", lambda device: 40 * 2**20)
    said = r"found 0.0 GiB of free memory; a step of 60 \+ 60 .*use --batch \d+"
    with pytest.raises(pl.InputError, match=said) as caught:
        pl.adapt(adapt_config(batch=60, dry_step=True), dolls, start=net)
    named = re.search(r"use --batch (\d+)", str(caught.value))
    assert named is not None and 1 <= int(named[1]) < 60
    pl.adapt(adapt_config(batch=int(named[1]), epochs=1, dry_step=True), dolls, start=net)
    monkeypatch.setattr(cost, "free_bytes", lambda device: 1000)
    with pytest.raises(pl.InputError, match="use a smaller backbone or smaller images"):
        pl.adapt(adapt_config(dry_step=True), dolls, start=net)


def test_cost_in_words() -> None:
    found = Cost(fixed=2**30, pair=2**20, free=4 * 2**30, seconds=0.01, measured=True)
    line = "a step of 42 + 42 images takes 1.04 GiB of 4.0 GiB free and 0.42 s; an epoch about 4.2 s"
    assert found.line(42, 420, Team()) == line
    assert found.line(42, 420, Team(size=2)).startswith(
        "a step of 42 + 42 images takes 1.02 GiB of 4.0 GiB free and 0.21 s"
    )
    assert found.fits() == int((0.9 * 4 - 1) * 1024)
    check_fits(found, 2 * found.fits(), Team(size=2))
    with pytest.raises(pl.InputError, match=rf"use --batch {2 * found.fits()}"):
        check_fits(found, 2 * found.fits() + 1, Team(size=2))


@pytest.mark.slow
def test_compiled_or_not_the_steps_are_the_same(dolls: pl.data.PaperDolls, net: pl.PatchNet, tmp_path: Path) -> None:
    """With a backend that needs no C++ compiler; the network is traced, and its weights are the ones that are saved."""
    compiled = adapt_config(epochs=1, compile=True, output=str(tmp_path))
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
