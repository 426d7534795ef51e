"""Evaluation mode for a moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def eval_mode(net: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards each module has its own flag again, also after an error.

    ``net.train(was)`` would not do: it would wake a batch-norm that somebody froze.

    >>> net = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2).eval())
    >>> with eval_mode(net): net[0].training
    False
    >>> net[0].training, net[1].training
    (True, False)
    """
    before = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training
