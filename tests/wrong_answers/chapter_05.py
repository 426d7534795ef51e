"""Plausible wrong answers to the exercises of chapter 5, each another misconception."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paullite import PretrainConfig
from paullite.models import PatchLinear

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


# Exercise 5.2: learning_rates(epoch, config) -> {"backbone": ..., "generator": ..., "heads": ...}

Rates = dict[str, float]


def rates(config: PretrainConfig, factor: float, generator: bool) -> Rates:
    return {
        "backbone": config.lr_backbone * factor,
        "generator": config.lr_generator if generator else 0.0,
        "heads": config.lr_heads * factor,
    }


def factor(epoch: int, config: PretrainConfig) -> float:
    return config.decay if epoch >= config.decay_epoch else 1.0


def window(epoch: int, config: PretrainConfig) -> bool:
    return config.generator_epochs[0] <= epoch < config.generator_epochs[1]


def from_start_to_end(epoch: int, config: PretrainConfig) -> Rates:
    """The window's end is taken for its last epoch."""
    return rates(config, factor(epoch, config), config.generator_epochs[0] <= epoch <= config.generator_epochs[1])


def never_ends(epoch: int, config: PretrainConfig) -> Rates:
    """The window begins but never ends."""
    return rates(config, factor(epoch, config), config.generator_epochs[0] <= epoch)


def counts_from_one(epoch: int, config: PretrainConfig) -> Rates:
    """Epochs counted from 1: the window and the decay come one epoch early."""
    return rates(config, factor(epoch + 1, config), window(epoch + 1, config))


def decays_again_and_again(epoch: int, config: PretrainConfig) -> Rates:
    """The factor is applied once more in every epoch after the decay."""
    steps = max(0, epoch - config.decay_epoch + 1)
    return rates(config, config.decay**steps, window(epoch, config))


def a_tenth_whatever_is_asked(epoch: int, config: PretrainConfig) -> Rates:
    """The factor typed in."""
    return rates(config, 0.1 if epoch >= config.decay_epoch else 1.0, window(epoch, config))


def decays_for_one_epoch(epoch: int, config: PretrainConfig) -> Rates:
    """Only the decay epoch itself is decayed."""
    return rates(config, config.decay if epoch == config.decay_epoch else 1.0, window(epoch, config))


def decays_at_every_multiple(epoch: int, config: PretrainConfig) -> Rates:
    """A schedule by steps, as torch's StepLR: the factor again after each decay_epoch epochs."""
    return rates(config, config.decay ** (epoch // config.decay_epoch), window(epoch, config))


def generator_decays_too(epoch: int, config: PretrainConfig) -> Rates:
    """The factor on all three; it shows only where the decay epoch lies inside the window."""
    right = rates(config, factor(epoch, config), window(epoch, config))
    return {**right, "generator": right["generator"] * factor(epoch, config)}


def grows(epoch: int, config: PretrainConfig) -> Rates:
    """Divided by the factor in place of multiplied."""
    return rates(config, 1 / factor(epoch, config), window(epoch, config))


def numbers_of_the_reference(epoch: int, config: PretrainConfig) -> Rates:
    """The reference's epochs in place of those of the settings."""
    return rates(config, config.decay if epoch >= 40 else 1.0, 25 <= epoch < 40)


def swapped(epoch: int, config: PretrainConfig) -> Rates:
    """Backbone and heads swapped."""
    right = rates(config, factor(epoch, config), window(epoch, config))
    return {"backbone": right["heads"], "generator": right["generator"], "heads": right["backbone"]}


def others_rest(epoch: int, config: PretrainConfig) -> Rates:
    """While the generator learns, everything else rests."""
    learns = window(epoch, config)
    return rates(config, 0.0 if learns else factor(epoch, config), learns)


def no_names(epoch: int, config: PretrainConfig) -> Any:
    """A tuple in place of names."""
    return tuple(rates(config, factor(epoch, config), window(epoch, config)).values())


def no_generator(epoch: int, config: PretrainConfig) -> Rates:
    """The generator is left out while it rests, so the optimiser keeps its last rate."""
    right = rates(config, factor(epoch, config), window(epoch, config))
    return {name: rate for name, rate in right.items() if rate}


def by_ranges(epoch: int, config: PretrainConfig) -> Rates:
    """The same with ``range``, and with numbers of torch: right."""
    scale = torch.tensor(1.0 if epoch < config.decay_epoch else config.decay, dtype=torch.float64)
    learns = epoch in range(*config.generator_epochs)
    return {"heads": scale * config.lr_heads, "backbone": scale * config.lr_backbone,
            "generator": learns * config.lr_generator}  # fmt: skip


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
    "learning_rates": (
        from_start_to_end,
        never_ends,
        a_tenth_whatever_is_asked,
        counts_from_one,
        decays_again_and_again,
        decays_for_one_epoch,
        decays_at_every_multiple,
        generator_decays_too,
        grows,
        numbers_of_the_reference,
        swapped,
        others_rest,
        no_names,
        no_generator,
    ),
}
OTHER_RIGHT = {"patch_heads": (module_list, grouped), "learning_rates": (by_ranges,)}
