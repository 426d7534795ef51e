"""A run leaves its process as it found it, and its workers start in every way that Python knows."""

import logging
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState
from torch import nn

import paullite as pl
from paullite.features import extract
from paullite.step import Step
from tests.runs import adapt_config, dolls, start_net

QUICK: dict[str, Any] = dict(epochs=1, evaluate_every=0, batch=20)


def adapt(**changes: Any) -> pl.Run:
    """A short run."""
    options = {name: changes.pop(name) for name in ("loss", "after_epoch", "resume") if name in changes}
    return pl.adapt(adapt_config(**{**QUICK, **changes}), dolls(), start=start_net(), **options)


def interrupted(step: Step) -> torch.Tensor:
    """A loss in which a user's own code fails."""
    raise RuntimeError("a mistake in a loss of one's own")


@pytest.fixture
def modes() -> Iterator[None]:
    """The tests below change the modes of this very process."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    yield
    torch.use_deterministic_algorithms(before[0], warn_only=before[1])


@pytest.mark.parametrize("run", [False, True])
@pytest.mark.parametrize("mine", [(False, False), (True, False), (True, True)])
def test_deterministic_algorithms_are_as_before(
    monkeypatch: pytest.MonkeyPatch, modes: None, run: bool, mine: tuple[bool, bool]
) -> None:
    """The user's choice, in either way and with ``warn_only``, and the variable that a deterministic run sets."""
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    torch.use_deterministic_algorithms(mine[0], warn_only=mine[1])
    inside: list[tuple[bool, bool]] = []

    def look(epoch: int, net: pl.PatchNet) -> None:
        inside.append((torch.are_deterministic_algorithms_enabled(), "CUBLAS_WORKSPACE_CONFIG" in os.environ))

    environment = dict(os.environ)
    adapt(deterministic=run, after_epoch=look)
    assert inside == [(run, run)]
    assert torch.are_deterministic_algorithms_enabled() == mine[0]
    assert torch.is_deterministic_algorithms_warn_only_enabled() == mine[1]
    assert dict(os.environ) == environment


def test_a_workspace_of_the_users_own_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    inside: list[str] = []
    adapt(deterministic=True, after_epoch=lambda *_: inside.append(os.environ["CUBLAS_WORKSPACE_CONFIG"]))
    assert inside == [":16:8"] and os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def drawn() -> list[Any]:
    """The next number of every source of chance, without moving any of them."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    found = [torch.rand(2).tolist(), np.random.rand(2).tolist(), random.random()]
    torch.set_rng_state(states[0])
    np.random.set_state(states[1])
    random.setstate(states[2])
    return found


@pytest.mark.slow
def test_random_states_are_as_before(tmp_path: Path) -> None:
    """After a run, after one that goes on from a checkpoint (with the states in it), and after one that fails."""
    start = start_net()  # draws, and seeds, for itself
    torch.manual_seed(5)
    random.seed(6)
    np.random.seed(7)
    expected = drawn()
    config = adapt_config(epochs=1, dry_step=True, output=str(tmp_path))
    pl.adapt(config, dolls(), start=start)
    assert drawn() == expected
    random.seed(8)
    np.random.seed(9)
    expected = drawn()
    pl.adapt(config, dolls(), start=start, resume=True)
    assert drawn() == expected
    with pytest.raises(RuntimeError, match="a mistake"):
        pl.adapt(adapt_config(), dolls(), start=start, loss=interrupted)
    assert drawn() == expected


@pytest.fixture
def no_accelerator() -> Iterator[None]:
    """Accelerate remembers in each process what it was first asked for."""
    states = [
        (state._shared_state, dict(state._shared_state)) for state in (PartialState, AcceleratorState, GradientState)
    ]
    for shared, _ in states:
        shared.clear()
    yield
    for shared, before in states:
        shared.clear()
        shared.update(before)


def test_an_accelerator_of_the_users_own_lives_on(no_accelerator: None) -> None:
    mine = Accelerator(cpu=True, mixed_precision="bf16")
    adapt(precision="no")
    assert mine.mixed_precision == "bf16" and mine.state.mixed_precision == "bf16"
    assert Accelerator(cpu=True, mixed_precision="bf16").mixed_precision == "bf16"
    with mine.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with pytest.raises(RuntimeError, match="a mistake"):
        adapt(precision="no", loss=interrupted)
    assert mine.mixed_precision == "bf16"


def test_a_later_accelerator_is_free_to_choose(no_accelerator: None) -> None:
    adapt(precision="no")
    assert Accelerator(cpu=True, mixed_precision="bf16").mixed_precision == "bf16"


def test_a_refused_run_changes_nothing_either(no_accelerator: None, tmp_path: Path) -> None:
    mine, start = Accelerator(cpu=True, mixed_precision="bf16"), start_net()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    (tmp_path / "file").touch()
    expected = drawn()
    for changes in ({"batch": 4000}, {"bn_splits": 90}, {"output": str(tmp_path / "file")}, {"precision": "fp16"}):
        with pytest.raises(pl.InputError):
            pl.adapt(adapt_config(device="cpu", **changes), dolls(), start=start)
    with pytest.raises(pl.InputError, match="found resume without an output folder"):
        pl.adapt(adapt_config(), dolls(), start=start, resume=True)
    assert mine.mixed_precision == "bf16" and drawn() == expected
    assert {number: signal.getsignal(number) for number in handlers} == handlers


def broken(path: str) -> Any:
    """An opener that fails."""
    raise pl.InputError("cannot read the image")


@pytest.mark.parametrize("train_mode", [False, True])
def test_every_module_keeps_its_mode(train_mode: bool) -> None:
    """A batch-norm that the user froze inside a network in training stays frozen, also after an error."""
    net = start_net().train()
    net.norm.eval()
    for module in net.backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    before = [module.training for module in net.modules()]
    assert len(set(before)) == 2
    data = dolls()
    extract(net, data.query, train_mode=train_mode)
    assert [module.training for module in net.modules()] == before
    pl.evaluate(net, data)
    assert [module.training for module in net.modules()] == before

    with pytest.raises(pl.InputError, match="cannot read the image"):
        extract(net, replace(data.query, opener=broken), train_mode=train_mode)
    assert [module.training for module in net.modules()] == before
    pl.adapt(adapt_config(**QUICK), data, start=net)
    assert [module.training for module in net.modules()] == before


def surroundings() -> tuple[object, ...]:
    """Handlers of signals and of the log."""
    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGCHLD") if hasattr(signal, name)]
    loggers = [logging.getLogger(name) for name in ("", "paullite", "accelerate")]
    return [signal.getsignal(number) for number in signals], [(one.level, list(one.handlers)) for one in loggers]


def test_signals_and_log_are_as_before() -> None:
    def mine(number: int, frame: object) -> None:
        raise AssertionError

    theirs = signal.signal(signal.SIGINT, mine)
    try:
        before = surroundings()
        adapt(dry_step=True, progress=True)
        assert surroundings() == before
        with pytest.raises(RuntimeError, match="a mistake"):
            adapt(loss=interrupted)
        assert surroundings() == before
    finally:
        signal.signal(signal.SIGINT, theirs)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """Lines go to the log, which a program may show or not; without a progress bar nothing else is written."""
    adapt(dry_step=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signal")
def test_a_closed_window_saves_the_run(tmp_path: Path) -> None:
    """Under nohup it goes on."""
    begun: list[int] = []

    def close(step: Step) -> torch.Tensor:
        begun.append(len(begun))
        if len(begun) == 2:
            os.kill(os.getpid(), signal.SIGHUP)
        return step.features.sum() * 1e-3

    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup
    options: dict[str, Any] = {"batch": 8, "output": tmp_path, "loss": close}
    with pytest.raises(KeyboardInterrupt, match=r"stopped after step 2 of .*up to step 2; go on with --resume"):
        adapt(**options)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL and len(adapt(**options, resume=True).history) == 1
    begun.clear()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert len(adapt(batch=8, loss=close).history) == 1 and len(begun) > 2
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_run_in_a_thread_works() -> None:
    """Signals cannot be caught there, and are left alone."""
    done: list[pl.Run] = []
    thread = threading.Thread(target=lambda: done.append(adapt()))
    thread.start()
    thread.join()
    assert len(done) == 1 and len(done[0].history) == 1


SCRIPT = """
import multiprocessing, sys
import torch
import paullite as pl
from dataclasses import replace

def main():
    torch.set_num_threads(1)
    multiprocessing.set_start_method({method!r}, force=True)
    config = replace(pl.PRESETS["paperdolls"].adapt, epochs=1, batch=8, k=3, workers=1, progress=False)
    config = replace(config, evaluate_every=0, dry_step=False)
    target = pl.data.PaperDolls("target", identities=3, test_identities=2)
    net = pl.PatchNet("test_resnet", patches=2, feature_dim=8, pretrained=False, size=(128, 64))
    print("epochs:", len(pl.adapt(config, target, start=net).history))

{call}
"""
GUARDED = 'if __name__ == "__main__":\n    main()'


def script(folder: Path, method: str, call: str) -> subprocess.CompletedProcess[str]:
    """Run a user's script whose workers start in the given way."""
    path = folder / "mine.py"
    path.write_text(SCRIPT.format(method=method, call=call), encoding="utf-8")
    return subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_start_in_a_script_with_a_guard(tmp_path: Path, method: str) -> None:
    done = script(tmp_path, method, GUARDED)
    assert done.returncode == 0 and done.stdout == "epochs: 1\n", done.stderr[-2000:]


@pytest.mark.slow
def test_without_the_guard_one_line_names_it(tmp_path: Path) -> None:
    """The default of macOS and Windows; each worker runs the script again."""
    call = 'try:\n    main()\nexcept pl.InputError as error:\n    print("refused:", error)'
    done = script(tmp_path, "spawn", call)
    said = [line for line in done.stdout.splitlines() if line.startswith("refused:")]
    assert len(said) == 1 and 'if __name__ == "__main__":' in said[0], done.stdout + done.stderr[-2000:]
    assert "a process that reads images died" in said[0]
