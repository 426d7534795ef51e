"""Plausible wrong answers to the exercises of chapter 5, each another misconception."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paullite.models import PatchLinear
from tests.wrong_answers import chapter_05_blind

# Exercise 5.1: patch_heads(patches, inputs, outputs) -> module (B, P, inputs) -> (B, P, outputs)


class Each(nn.Module):
    """One layer for each patch, put together by a function of the list of outputs."""

    def __init__(self, layers: Any, join: Any = lambda out: torch.stack(out, 1), start: Any = lambda x: x) -> None:
        super().__init__()
        self.layers, self.join, self.start = layers, join, start

    def forward(self, x: Tensor) -> Tensor:
        x = self.start(x)
        return self.join([layer(x[:, p]) for p, layer in enumerate(self.layers)])


def linears(patches: int, inputs: int, outputs: int, **options: Any) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(inputs, outputs, **options) for _ in range(patches))


def one_for_all(patches: int, inputs: int, outputs: int) -> nn.Module:
    """A single linear layer: it runs on (B, P, inputs) as it is, so all patches share it."""
    return nn.Linear(inputs, outputs)


def the_same_many_times(patches: int, inputs: int, outputs: int) -> nn.Module:
    """``[layer] * patches`` puts one and the same layer into the list P times."""
    return Each(nn.ModuleList([nn.Linear(inputs, outputs)] * patches))


def plain_list(patches: int, inputs: int, outputs: int) -> nn.Module:
    """A Python list hides its layers from ``parameters()``, so no optimiser would see them."""
    return Each(list(linears(patches, inputs, outputs)))


def six(patches: int, inputs: int, outputs: int) -> nn.Module:
    """Six patches whatever is asked, as in the reference implementation."""
    return Each(linears(6, inputs, outputs), start=lambda x: x[:, torch.arange(6).clamp(max=x.shape[1] - 1)])


def side_by_side(patches: int, inputs: int, outputs: int) -> nn.Module:
    """Concatenated along the features: (B, P * outputs)."""
    return Each(linears(patches, inputs, outputs), lambda out: torch.cat(out, 1))


def patches_first(patches: int, inputs: int, outputs: int) -> nn.Module:
    """Stacked along a new first axis: (P, B, outputs)."""
    return Each(linears(patches, inputs, outputs), torch.stack)


def one_big_layer(patches: int, inputs: int, outputs: int) -> nn.Module:
    """All patches flattened into one layer: every output sees every patch."""
    return nn.Sequential(
        nn.Flatten(1), nn.Linear(patches * inputs, patches * outputs), nn.Unflatten(1, (patches, outputs))
    )


def no_bias(patches: int, inputs: int, outputs: int) -> nn.Module:
    """The bias is left out."""
    return Each(linears(patches, inputs, outputs, bias=False))


def with_relu(patches: int, inputs: int, outputs: int) -> nn.Module:
    """The ReLU of phase 1 belongs to the network's forward, not to a linear head."""
    return Each(linears(patches, inputs, outputs), lambda out: F.relu(torch.stack(out, 1)))


def frozen(patches: int, inputs: int, outputs: int) -> nn.Module:
    """The weights are taken by ``.data``, so no gradient reaches them."""

    class Frozen(PatchLinear):
        def forward(self, x: Tensor) -> Tensor:
            return torch.einsum("bpi,poi->bpo", x, self.weight.data) + self.bias.data

    return Frozen(patches, inputs, outputs)


def mixed_up(patches: int, inputs: int, outputs: int) -> nn.Module:
    """``view`` where a transpose is meant: rows of different images end in one head."""

    class Mixed(PatchLinear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.reshape(x.shape[1], x.shape[0], -1).transpose(0, 1))

    return Mixed(patches, inputs, outputs)


def transposed(patches: int, inputs: int, outputs: int) -> nn.Module:
    """Inputs and outputs swapped where the layers are made; it fits only where the two are equal."""
    return Each(linears(patches, outputs, inputs), start=lambda x: F.pad(x, (0, outputs))[..., :outputs])


def one_bias(patches: int, inputs: int, outputs: int) -> nn.Module:
    """Weights for each patch, but a bias of shape (outputs,), which broadcasting gives to all."""

    class OneBias(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(patches, outputs, inputs))
            self.bias = nn.Parameter(torch.zeros(outputs))

        def forward(self, x: Tensor) -> Tensor:
            return torch.einsum("bpi,poi->bpo", x, self.weight) + self.bias

    return OneBias()


# other right ones


def module_list(patches: int, inputs: int, outputs: int) -> nn.Module:
    """A ModuleList and a stack: slower, as right."""
    return Each(linears(patches, inputs, outputs))


class Grouped(nn.Conv1d):
    """A grouped convolution over the flattened patches."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(1)[..., None])[..., 0].unflatten(1, (self.groups, -1))


def grouped(patches: int, inputs: int, outputs: int) -> nn.Module:
    """One group of a 1x1 convolution for each patch."""
    return Grouped(patches * inputs, patches * outputs, 1, groups=patches)


WRONG = {
    "patch_heads": (
        one_for_all,
        the_same_many_times,
        plain_list,
        six,
        side_by_side,
        patches_first,
        one_big_layer,
        no_bias,
        with_relu,
        frozen,
        mixed_up,
        transposed,
        one_bias,
    ),
    **chapter_05_blind.WRONG,
}
OTHER_RIGHT = {"patch_heads": (module_list, grouped), **chapter_05_blind.OTHER_RIGHT}
