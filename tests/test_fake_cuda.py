"""A step of phase 2 on a GPU that is not there: tensors without numbers, which know their shape, dtype and device.

It fails if a tensor lies on the wrong device, or if anything asks a tensor of the GPU for its numbers, and so waits.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves

import paullite as pl
from paullite.memory import FeatureMemory

SIZE = (128, 64)
NAMES = ("test_resnet", "test_vit", "mobilenetv2_100", "resnet18")
LAST = {"light": "linear.weight", "reference": "fc_loc.2.weight"}
UNCHECKED = "check_finite" in inspect.signature(FeatureMemory.update).parameters
# torch 2.5 looks for a driver even for tensors without numbers, and in some kernels ends the whole process (mended in
# pull request 163187 of September 2025, so in 2.10 at the latest)
GPU_IS_FAKED = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 10) or torch.cuda.is_available()
needs_fake_gpu = pytest.mark.skipif(not GPU_IS_FAKED, reason="this torch fakes no GPU on a machine without a driver")
needs_unchecked = pytest.mark.skipif(not UNCHECKED, reason="FeatureMemory.update cannot go without its check")


@needs_fake_gpu
@pytest.mark.parametrize("generator", LAST)
@pytest.mark.parametrize("name", NAMES)
def test_a_step_stays_on_the_gpu_and_never_waits(name: str, generator: str) -> None:
    net = pl.PatchNet(name, patches=2, feature_dim=8, embedding_dim=4, pretrained=False, generator=generator, size=SIZE)
    index = torch.arange(3)
    with fake_gpu():
        net = moved(net.train())
        out = net(torch.zeros(6, 3, *SIZE, device="cuda"))
        loss = both_losses(out, index)
        gradients = dict(backward(loss, net))
    assert loss.device == out.theta.device == torch.device("cuda", 0)
    learned = [n for n, _ in net.named_parameters() if n.startswith(("backbone.", "reduction.", "norm."))]
    assert gradients.keys() >= {*learned, f"generator.{LAST[generator]}"}
    for n, gradient in gradients.items():
        assert (gradient.device, gradient.shape) == (loss.device, net.get_parameter(n).shape), n


def both_losses(out: pl.models.PatchOutput, index: Tensor) -> Tensor:
    """Both memories, then both losses, for 3 images and their surrogates."""
    memory = moved(FeatureMemory(9, 2, 8))
    centers = moved(FeatureMemory(9, 1, 8))
    means = out.embedding.detach().unflatten(0, (2, 3)).mean(0)
    if UNCHECKED:
        memory.update(index, out.features[:3], check_finite=False)
        centers.update(index, means[:, None], check_finite=False)
    rows = index.to("cuda")
    pedal = pl.losses.pedal(out.features[:3], memory.features, rows, scale=5.0, k=3)
    return 2 * pedal + pl.losses.ipfl(out.embedding, centers.features[rows, 0], rows.repeat(2))


@needs_unchecked
def test_a_memory_that_checks_would_wait() -> None:
    """So the test above can fail."""
    index = torch.arange(2)
    with fake_gpu(), pytest.raises(DataDependentOutputException):
        moved(FeatureMemory(9, 1, 2)).update(index, torch.zeros(2, 1, 2, device="cuda"))


def test_a_tensor_on_the_wrong_device_would_be_found() -> None:
    with fake_gpu(), pytest.raises(RuntimeError, match="same device|different devices|two devices"):
        torch.zeros(2, device="cuda") + torch.zeros(2)


class RealOnCpu(TorchDispatchMode):
    """What has to do with real tensors of the CPU alone, as the rows of a batch, is computed: nothing waits for it."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        device = torch.device((kwargs or {}).get("device") or "cpu")
        if tensors and device.type == "cpu" and not any(isinstance(x, FakeTensor) for x in tensors):
            with _disable_current_modes():
                return func(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


@contextmanager
def fake_gpu() -> Iterator[None]:
    """New tensors are fake; those on "cuda" need no GPU."""
    with FakeTensorMode(allow_non_fake_inputs=True), RealOnCpu():
        yield


def moved(net: Any) -> Any:
    """The module with a fake tensor on the GPU for each parameter and buffer."""
    for module in net.modules():
        for store in (module._parameters, module._buffers):
            for name, x in store.items():
                if x is not None:
                    new = torch.empty(x.shape, dtype=x.dtype, device="cuda")
                    store[name] = nn.Parameter(new) if store is module._parameters else new
    return net


def backward(loss: Tensor, net: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Names and gradients. Torch's own engine wants a real GPU, so the nodes of the graph are called one by one."""
    names = {p: name for name, p in net.named_parameters()}
    arriving: dict[Any, list[Any]] = {loss.grad_fn: [torch.ones_like(loss)]}
    for node in ordered(loss.grad_fn):
        given = arriving.pop(node, [None])
        if all(gradient is None for gradient in given):
            continue
        if hasattr(node, "variable"):
            yield names[node.variable], given[0]
            continue
        results = node(*given)
        results = results if isinstance(results, tuple) else (results,)
        for (child, slot), gradient in zip(node.next_functions, results, strict=True):
            if child is not None and gradient is not None:
                expected = child._input_metadata
                slots = arriving.setdefault(child, [None] * len(expected))
                gradient = gradient.sum_to_size(expected[slot].shape).to(expected[slot].dtype)  # of what was broadcast
                slots[slot] = gradient if slots[slot] is None else slots[slot] + gradient


def ordered(root: Any) -> list[Any]:
    """The nodes of a graph, each before those that it hands gradients to."""
    finished: list[Any] = []
    seen = set()
    stack = [(root, False)]
    while stack:
        node, complete = stack.pop()
        if complete:
            finished.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child, _ in node.next_functions if child is not None)
    return finished[::-1]
