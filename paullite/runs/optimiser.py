"""SGD over named groups of parameters."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from ..config import RunConfig


def sgd(config: RunConfig, **groups: Iterable[nn.Parameter]) -> torch.optim.SGD:
    """SGD over named parameter groups; `set_rates` gives each its learning rate."""
    named = [{"name": name, "params": list(params)} for name, params in groups.items()]
    return torch.optim.SGD(named, lr=0.0, momentum=config.momentum, weight_decay=config.weight_decay)


def set_rates(optimiser: torch.optim.Optimizer, **rates: float) -> None:
    """Set the learning rate of each named parameter group."""
    for group in optimiser.param_groups:
        group["lr"] = rates[group["name"]]
