"""Nothing in a step waits for the device: a GPU has work queued while the program goes on.

A GPU is waited for when something asks one of its tensors for a number: ``.item()``, ``bool()``, ``.tolist()``, a copy
to the CPU. Two looks at it, neither of which needs a GPU. Real runs on the CPU are watched while they ask for numbers;
there a copy to the CPU is none, so it goes unseen. And what a step computes is computed with tensors that have a device
but no numbers, so that asking for one is an error and every copy is counted.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException
from torch.utils._python_dispatch import TorchDispatchMode

import paullite as pl
from paullite import adaptation, pretraining
from paullite.data.views import DRAWS, originals, surrogates
from paullite.diagnostics import Diagnosis
from paullite.losses import paul
from paullite.memory import FeatureMemory
from paullite.pretraining import SourceStep, identity_and_triplet
from paullite.run import Means, Watch
from paullite.runs.session import Session
from paullite.step import loss_columns, take_step
from tests.test_fake_cuda import fake_gpu, moved, needs_fake_gpu

QUICK: dict[str, Any] = dict(epochs=1, batch=8, workers=0, progress=False, evaluate_every=0, dry_step=False)
ASKED = torch.ops.aten._local_scalar_dense.default  # what .item(), float() and bool() of a tensor come down to
COPIED = torch.ops.aten._to_copy.default


class Waits(TorchDispatchMode):
    """Counts what would wait for a GPU, by the part of the step in which it happens."""

    def __init__(self) -> None:
        super().__init__()
        self.part = "before the first step"
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        from_gpu = func is COPIED and args[0].is_cuda and torch.device(kwargs.get("device") or "cuda").type == "cpu"
        if func is ASKED or from_gpu:
            self.found[self.part] += 1
        return func(*args, **kwargs)


# ---- real runs on the CPU


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """Watches the next run. "step 2" is from the second batch on its way to the third; "between" is from the end of
    a forward pass to the beginning of its backward pass."""
    found = Waits()
    batches, backward = Session.batches, Accelerator.backward

    def marked_batches(self: Session, given: Any) -> Iterator[Any]:
        for number, batch in enumerate(batches(self, given), start=1):
            found.part = f"step {number}"
            yield batch
        found.part = "after the last step"

    def marked_backward(self: Accelerator, loss: Tensor) -> None:
        found.part = found.part.removeprefix("between, ")
        backward(self, loss)

    def marked(forward: Callable[..., Any]) -> Callable[..., Any]:
        def patched(*args: Any, **kwargs: Any) -> Any:
            result = forward(*args, **kwargs)
            found.part = f"between, {found.part}"
            return result

        return patched

    monkeypatch.setattr(Session, "batches", marked_batches)
    monkeypatch.setattr(Accelerator, "backward", marked_backward)
    for module, name in ((adaptation, "two_views"), (pretraining, "look_at_pairs")):
        monkeypatch.setattr(module, name, marked(getattr(module, name)))
    return found


def adapted(dolls: pl.data.PaperDolls, net: pl.PatchNet, loss: Callable[..., Any] = paul, **changes: Any) -> None:
    config = dataclasses.replace(pl.PRESETS["paperdolls"].adapt, **{**QUICK, "k": 3, **changes})
    pl.adapt(config, dolls, start=net, loss=loss)


def in_steps(waits: Waits) -> dict[str, int]:
    """What was found from the second step on; the first one may still set something up."""
    return {
        part: n for part, n in waits.found.items() if "step" in part and not part.endswith(("first step", "step 1"))
    }


@pytest.mark.parametrize(
    "changes",
    [{}, {"memory_block": 16}, {"image_memory": 0}, {"no_negative": "pull", "image_embedding": "features"}],
)
def test_phase_2_asks_for_no_number(
    dolls: pl.data.PaperDolls, net: pl.PatchNet, waits: Waits, changes: dict[str, Any]
) -> None:
    with waits:
        adapted(dolls, net, batch=20, **changes)
    assert not [part for part in waits.found if part.startswith("between")]
    assert waits.part == "after the last step" and max(in_steps(waits).values(), default=0) <= 1


def test_phase_1_asks_for_no_number(source: pl.data.PaperDolls, waits: Waits) -> None:
    config = dataclasses.replace(pl.PRESETS["paperdolls"].pretrain, **{**QUICK, "feature_dim": 16, "batch": 20})
    with waits:
        pl.pretrain(config, source)
    assert not [part for part in waits.found if part.startswith("between")]
    assert waits.part == "after the last step" and max(in_steps(waits).values(), default=0) <= 1


def test_a_loss_that_asks_is_found(dolls: pl.data.PaperDolls, net: pl.PatchNet, waits: Waits) -> None:
    """So the two tests above can fail."""

    def loss(step: pl.step.Step) -> Tensor:
        found = paul(step).total
        return found if float(found.detach()) > 0 else 2 * found

    with waits:
        adapted(dolls, net, loss=loss, batch=20)
    assert {part: n for part, n in waits.found.items() if part.startswith("between")} == {
        f"between, step {n}": 1 for n in range(1, -(-len(dolls.train) // 20) + 1)
    }


# ---- one step on a GPU that is not there


class NoEvent:
    """A CUDA event of a GPU that is not there."""

    def record(self) -> None: ...

    def synchronize(self) -> None: ...


@contextmanager
def counted_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waits]:
    monkeypatch.setattr(torch.cuda, "Event", NoEvent)
    waits = Waits()
    with fake_gpu(), waits:
        waits.part = "step"
        yield waits


def drawn(*shape: int) -> Tensor:
    return torch.zeros(*shape, device="cuda", requires_grad=True)


@needs_fake_gpu
@pytest.mark.parametrize(
    "changes", [{}, {"memory_block": 4}, {"no_negative": "pull"}, {"nearest": 1, "max_candidates": 2}]
)
def test_a_step_of_phase_2_copies_once(
    changes: dict[str, Any], dolls: pl.data.PaperDolls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memories, losses, the hidden-label counts and the means stay on the device. The flags of the watch leave it."""
    config = dataclasses.replace(pl.PRESETS["paperdolls"].adapt, k=3, **changes)
    index = torch.tensor([4, 0, 7])
    with counted_gpu(monkeypatch) as waits:
        diagnosis = Diagnosis(dolls, config, torch.device("cuda"))
        memory, centers = moved(FeatureMemory(67, 2, 5)), moved(FeatureMemory(67, 1, 4))
        watch, means = Watch(), Means()
        step = take_step(drawn(3, 2, 5), drawn(3, 2, 4), index, memory, centers, config)
        columns = loss_columns(paul(step))
        means.add(3, columns | diagnosis.step(step))
        assert not waits.found
        note = watch.note("step 1", index, {"features": step.features.detach(), "loss": columns["loss"].detach()})
        means.add(3, columns | diagnosis.step(step))
    assert note is None and waits.found == {"step": 1}
    assert columns["loss"].is_cuda and columns["loss"].requires_grad and means.sums.is_cuda
    assert means.names == [*columns, "vetoes", "negatives", "right_vetoes", "false_negatives", "false_hardest"]


@needs_fake_gpu
def test_a_step_of_phase_1_copies_once(monkeypatch: pytest.MonkeyPatch) -> None:
    config = pl.PRESETS["paperdolls"].pretrain
    with counted_gpu(monkeypatch) as waits:
        labels = torch.zeros(6, dtype=torch.long, device="cuda")
        columns = loss_columns(identity_and_triplet(SourceStep(drawn(6, 2, 5), drawn(6, 4), labels, config, 0)))
        Means().add(3, columns)
        assert not waits.found
        Watch().note("step 1", torch.arange(3), {"loss": columns["loss"].detach()})
    assert waits.found == {"step": 1} and list(columns) == ["loss", "identity", "triplet"]


@needs_fake_gpu
def test_views_are_made_without_a_copy_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """From bytes on the GPU and random numbers on the CPU."""
    config, normal = pl.PRESETS["paperdolls"].adapt, ([0.5] * 3, [0.5] * 3)
    u, forms = torch.full((3, DRAWS), 0.5), torch.full((3,), 2.0)
    with counted_gpu(monkeypatch) as waits:
        pixels = torch.zeros(3, 3, 64, 32, dtype=torch.uint8, device="cuda")
        first = originals(pixels, (128, 64), normal, u[:, -2] < 0.5)
        second = surrogates(pixels, forms, u, (128, 64), normal, config)
    assert first.is_cuda and second.is_cuda and first.shape == second.shape == (3, 3, 128, 64) and not waits.found


def test_a_number_that_is_asked_for_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the tests above can fail: asking raises, and a copy is counted."""
    with counted_gpu(monkeypatch) as waits:
        flag = torch.zeros(3, device="cuda").isfinite().all()
        with pytest.raises(DataDependentOutputException):
            bool(flag)
        flag.to("cpu")
        flag.cpu()
        flag.float()
    assert waits.found == {"step": 3}
