"""How a network computes for a moment: in training or evaluation mode, and where a formula needs float32."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn


@contextmanager
def mode(net: nn.Module, train: bool) -> Iterator[None]:
    """Training or evaluation mode for a block; then every module is in its own mode again, also after an error.

    >>> net = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2).eval())
    >>> with mode(net, False): net[0].training
    False
    >>> net[0].training, net[1].training
    (True, False)
    """
    before = [(module, module.training) for module in net.modules()]  # net.train(was) would wake a frozen batch-norm
    net.train(train)
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """A block in which autocast is off on a device, so that what is computed there keeps the dtype of its inputs.

    >>> with torch.autocast("cpu", torch.bfloat16), full_precision(torch.device("cpu")):
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.float32
    """
    try:
        return torch.autocast(device.type, enabled=False)
    except RuntimeError:  # older versions of torch have no autocast for Apple GPUs to turn off
        return nullcontext()


def at_least_float32(x: Tensor) -> Tensor:
    """Half precision as float32, since exp(-s d^2) underflows in it; float32 and float64 stay what they are.

    >>> [at_least_float32(torch.ones(1, dtype=dtype)).dtype for dtype in (torch.bfloat16, torch.float64)]
    [torch.float32, torch.float64]
    """
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
