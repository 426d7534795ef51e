"""Training or evaluation mode for a moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


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
