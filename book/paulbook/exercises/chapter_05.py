"""Exercises of chapter 5: heads for any number of patches, and the learning rates of phase 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import isclose as equal

import numpy as np
import torch
from torch import Tensor, nn

from paullite.config import PretrainConfig
from paullite.models import PatchLinear
from paullite.pretraining import rates

from ..agreement import Draw, agrees, close, numbers, sizes
from ..exercise import Exercise, expect

Heads = Callable[[int, int, int], nn.Module]
Schedule = Callable[[int, PretrainConfig], Mapping[str, float]]

isclose = partial(equal, rel_tol=1e-5)  # float32 is fine

B, P, INPUTS, OUTPUTS = 2, 3, 5, 4  # all different, so that no two sizes can be mistaken for each other


def patch_heads(patches: int, inputs: int, outputs: int) -> nn.Module:
    """A linear layer for each patch: the book's own answer."""
    return PatchLinear(patches, inputs, outputs)


def learning_rates(epoch: int, config: PretrainConfig) -> Mapping[str, float]:
    """The rates of an epoch: the book's own answer."""
    return rates(config, epoch)


def is_a_module(make: Heads) -> None:
    """The answer is a module, so that ``parameters()`` finds what it holds."""
    found = type(make(P, INPUTS, OUTPUTS)).__name__
    expect(isinstance(make(P, INPUTS, OUTPUTS), nn.Module), f"patch_heads gives back a {found}, expected an nn.Module.")


def has_the_shape(make: Heads) -> None:
    """(B, P, inputs) -> (B, P, outputs), for any P."""
    shape = tuple(make(P, INPUTS, OUTPUTS)(torch.ones(B, P, INPUTS)).shape)
    found = f"From (B, P, inputs) = ({B}, {P}, {INPUTS}) comes {shape}"
    expect(shape != (B, P * OUTPUTS), f"{found}: the patches stand side by side. Keep them apart on an axis.")
    expect(shape != (P, B, OUTPUTS), f"{found}: patches come before images. On which axis do you stack?")
    expect(
        shape != (B, P, INPUTS), f"{found}: the last size did not change. Which comes first in your layer, in or out?"
    )
    expect(len(shape) != 3 or shape[1] == P, f"{found}: another number of patches than asked. Is P fixed in the code?")
    expect(shape == (B, P, OUTPUTS), f"{found}, expected ({B}, {P}, {OUTPUTS}).")
    for patches in (1, 8):
        shape = tuple(make(patches, INPUTS, OUTPUTS)(torch.ones(B, patches, INPUTS)).shape)
        expect(shape == (B, patches, OUTPUTS), f"With {patches} patches the result is {shape}: it must fit any P.")


def images_stay_apart(make: Heads) -> None:
    """Another first image changes nothing for the second."""
    changed = _changed(make, image=0)
    expect(not changed[1:].any(), "Another first image changes the second one's result: a view mixes up rows.")


def patches_stay_apart(make: Heads) -> None:
    """Another first patch changes nothing for the others."""
    changed = _changed(make, patch=0)
    expect(not changed[:, 1:].any(), "Another first patch changes the others' results: each head may see one patch.")


def keeps_its_weights(make: Heads) -> None:
    """An optimiser finds the weights, and a gradient reaches them."""
    heads = make(P, INPUTS, OUTPUTS)
    parameters = list(heads.parameters())
    expect(
        bool(parameters),
        "parameters() is empty, so nothing would learn. A plain list hides its layers: which does not?",
    )
    out = heads(_random(B, P, INPUTS))
    expect(out.requires_grad, "No gradient reaches the weights: look for .data, detach or no_grad.")
    with torch.no_grad():
        for parameter in parameters:
            parameter.zero_()
    still = not bool(heads(_random(B, P, INPUTS)).any())
    expect(still, "With all parameters at 0 something comes out: a weight is no parameter, so it would never learn.")


def is_linear(make: Heads) -> None:
    """f(x) + f(-x) = 2 f(0)."""
    heads, x = make(P, INPUTS, OUTPUTS), _random(16, P, INPUTS)
    both, middle = heads(x) + heads(-x), 2 * heads(torch.zeros_like(x))
    expect(bool(torch.isclose(both, middle, atol=1e-4).all()), "f(x) + f(-x) is not 2 f(0): it is not linear any more.")


def has_a_bias(make: Heads) -> None:
    """What comes out of zeros can be learned."""
    slopes = _slopes(make(P, INPUTS, OUTPUTS), torch.zeros(B, P, INPUTS), slice(None))
    expect(bool(slopes.any()), "From zeros comes nothing that could be learned: y = Wx + b has a part that is missing.")


def has_weights_of_its_own(make: Heads) -> None:
    """No weight is pulled at by two patches."""
    heads, x = make(P, INPUTS, OUTPUTS), _random(B, P, INPUTS)
    names = [len(list(heads.named_parameters(remove_duplicate=again))) for again in (True, False)]
    expect(
        names[0] == names[1], "The same layer stands there several times: [layer] * P copies the name, not the layer."
    )
    biases = _shared(heads, torch.zeros_like(x))  # from zeros only biases learn
    expect(not (_shared(heads, x) & ~biases).any(), "The first two patches learn in the same weights, expected none.")
    expect(not biases.any(), "The weights are each patch's own, the bias is not: its shape needs an axis for patches.")


def has_three_names(answer: Schedule) -> None:
    """A dictionary with the three groups, in every epoch."""
    for epoch in (0, 4):
        found = answer(epoch, SHORT)
        expect(isinstance(found, Mapping), f"The result is a {type(found).__name__}. Rates are asked for by name.")
        missing = sorted({"backbone", "generator", "heads"} - set(found))
        expect(not missing, f"Epoch {epoch} has no rate for {', '.join(missing)}. A group that rests has the rate 0.")


def starts_with_the_settings(answer: Schedule) -> None:
    """Before anything happens, backbone and heads have their own rates."""
    found = answer(0, SHORT)
    mistaken = isclose(found["backbone"], SHORT.lr_heads) and isclose(found["heads"], SHORT.lr_backbone)
    expect(not mistaken, "In epoch 0 backbone and heads have each other's rate.")
    for name, rate in (("backbone", SHORT.lr_backbone), ("heads", SHORT.lr_heads)):
        expect(isclose(found[name], rate), f"In epoch 0 the {name} learn at {float(found[name])}, expected {rate}.")


def generator_has_its_window(answer: Schedule) -> None:
    """It learns from the window's first epoch up to its end, which is not in it."""
    first, end = SHORT.generator_epochs
    found, right = _learning(answer, SHORT), list(range(first, end))
    words = f"With generator_epochs = {SHORT.generator_epochs} the generator learns in the epochs {found}"
    expect(found != list(range(SHORT.epochs)), "The generator learns in every epoch. It is to rest outside its window.")
    reference = not found and _learning(answer, PretrainConfig()) == list(range(25, 40))
    expect(not reference, "It fits the reference's epochs only. Take them from the config: a short run has others.")
    expect(bool(found), "The generator never learns. Is (first, end) a range of epochs, or two of them?")
    expect(found != [epoch - 1 for epoch in right], f"{words}: all comes one early. Epochs are counted from 0.")
    expect(found != [*right, end], f"{words}: one too many. The end is the first epoch in which it rests again.")
    expect(found != right[1:], f"{words}: its first one is missing. Does your comparison leave out equality?")
    expect(found != list(range(first, SHORT.epochs)), f"{words}: it does not stop. The window has two ends.")
    expect(found == right, f"{words}, expected {right}.")
    rate = answer(first, SHORT)["generator"]
    expect(isclose(rate, SHORT.lr_generator), f"Its rate there is {float(rate)}, expected {SHORT.lr_generator}.")


def others_learn_all_along(answer: Schedule) -> None:
    """The window changes nothing for backbone and heads."""
    now = answer(SHORT.generator_epochs[0], SHORT)
    same = isclose(now["backbone"], SHORT.lr_backbone) and isclose(now["heads"], SHORT.lr_heads)
    expect(same, "While the generator learns, the rates of the others change. The window is the generator's alone.")


def decays_once_and_for_all(answer: Schedule) -> None:
    """From the decay epoch on, times the factor; not before, not again."""
    for name, full in (("heads", SHORT.lr_heads), ("backbone", SHORT.lr_backbone)):
        at, later = (answer(SHORT.decay_epoch + more, SHORT)[name] / full for more in (0, 2))
        before = answer(SHORT.decay_epoch - 1, SHORT)[name] / full
        expect(isclose(before, 1), f"The {name} decay before the decay epoch.")
        expect(at <= 1 or isclose(at, 1), f"From the decay epoch on the {name} learn faster, not slower.")
        alone = isclose(at, 1) and isclose(later, 1)
        expect(not alone, f"The rate of the {name} does not decay at all. Both groups do.")
        expect(not isclose(at, 1), "The decay comes an epoch late: the decay epoch is the first with the small rates.")
        expect(
            not isclose(later, 1), "Two epochs after the decay the rates are large again. It is for all that follow."
        )
        expect(
            later > at or isclose(later, at), "The rates fall in every epoch after the decay. The factor counts once."
        )
        expect(not isclose(at, 0.1), "Your factor is 0.1, whatever config.decay says.")
        expect(isclose(at, SHORT.decay) and isclose(later, at), f"The factor is {float(at)}, expected {SHORT.decay}.")


def decays_no_second_time(answer: Schedule) -> None:
    """The factor counts once, also when twice or three times the decay epoch has passed."""
    for times in (2, 3):
        epoch = times * SHORT.decay_epoch
        found = answer(epoch, replace(SHORT, epochs=30))["heads"] / SHORT.lr_heads
        expect(isclose(found, SHORT.decay), f"In epoch {epoch}, {times} x decay_epoch, the factor has come in again.")


def decay_spares_the_generator(answer: Schedule) -> None:
    """The factor is on backbone and heads, also where the decay epoch lies in the window."""
    first, end = SHORT.generator_epochs
    found = answer(end - 1, replace(SHORT, decay_epoch=first + 1))["generator"]
    expect(
        isclose(found, SHORT.lr_generator),
        "With a decay epoch inside the window the generator's rate falls too. The factor is on the other two only.",
    )


SHORT = PretrainConfig(
    epochs=10, lr_backbone=0.02, lr_heads=0.3, lr_generator=0.001, generator_epochs=(3, 6), decay_epoch=7, decay=0.2
)


def _random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def _changed(make: Heads, *, image: int | None = None, patch: int | None = None) -> Tensor:
    """(B, P) whether a result changes when the inputs of one image, or of one patch, do."""
    heads, x = make(P, INPUTS, OUTPUTS), _random(B, P, INPUTS)
    other = x.clone()
    other[slice(None) if image is None else image, slice(None) if patch is None else patch] += 1
    return (heads(x) - heads(other)).abs().amax(-1) > 1e-5


def _shared(heads: nn.Module, x: Tensor) -> Tensor:
    """For all weights in one row, whether the first two patches both pull at it."""
    return _slopes(heads, x, slice(0, 1)).ne(0) & _slopes(heads, x, slice(1, 2)).ne(0)


def _slopes(heads: nn.Module, x: Tensor, patches: slice) -> Tensor:
    """Gradient of the summed squares of some patches' results (plus their sum), for all weights in one row."""
    out = heads(x)[:, patches]
    slopes = torch.autograd.grad(out.square().sum() + out.sum(), list(heads.parameters()), allow_unused=True)
    zeros = [torch.zeros_like(p) for p in heads.parameters()]
    return torch.cat([(z if s is None else s).flatten() for s, z in zip(slopes, zeros, strict=True)])


def _learning(answer: Schedule, config: PretrainConfig) -> list[int]:
    return [epoch for epoch in range(config.epochs) if answer(epoch, config)["generator"] > 0]


def agrees_with_a_layer_for_each_patch(make: Heads) -> None:
    """After a training, for which random weights stand, it is the library's layer with some weights."""
    for seed in range(3):
        draw = np.random.default_rng(seed)
        b, patches, inputs, outputs = sizes(draw, 4)
        heads = make(patches, inputs, outputs)
        with torch.no_grad():
            for parameter in heads.parameters():
                parameter.copy_(numbers(draw, *parameter.shape))
            x, like = numbers(draw, b, patches, inputs), PatchLinear(patches, inputs, outputs)
            like.bias.copy_(heads(torch.zeros(1, patches, inputs))[0])
            for i in range(inputs):  # a one in input i of every patch shows column i of every patch's weights
                one = torch.eye(inputs)[i].expand(1, patches, inputs)
                like.weight[:, :, i] = heads(one)[0] - like.bias
            said = f"With random weights, as after a training, {patches} patches, {inputs} inputs and {outputs} outputs"
            hint = "do not make a linear layer for each patch: does a patch see the others as soon as weights move?"
            expect(close(heads(x), like(x), atol=1e-3), f"{said} {hint}")


def some_epoch(draw: Draw) -> tuple[int, PretrainConfig]:
    """An epoch of a training whose settings are all drawn."""
    first, end = sorted(int(epoch) for epoch in draw.permutation(11)[:2])
    lr = [float(rate) for rate in draw.uniform(0.001, 0.5, 4)]
    config = PretrainConfig(
        epochs=12, lr_backbone=lr[0], lr_heads=lr[1], lr_generator=lr[2], generator_epochs=(first, end),
        decay_epoch=int(draw.integers(1, 12)), decay=lr[3],
    )  # fmt: skip
    return int(draw.integers(12)), config


EXERCISES = (
    Exercise(
        "patch_heads",
        5,
        patch_heads,
        (
            is_a_module,
            has_the_shape,
            keeps_its_weights,
            images_stay_apart,
            patches_stay_apart,
            is_linear,
            has_a_bias,
            has_weights_of_its_own,
            agrees_with_a_layer_for_each_patch,
        ),
        example=lambda: (P, INPUTS, OUTPUTS),
    ),
    Exercise(
        "learning_rates",
        5,
        learning_rates,
        (
            has_three_names,
            starts_with_the_settings,
            generator_has_its_window,
            others_learn_all_along,
            decays_once_and_for_all,
            decays_no_second_time,
            decay_spares_the_generator,
            agrees(learning_rates, some_epoch, times=40, alike=partial(close, atol=1e-6)),
        ),
        example=lambda: (0, SHORT),
        plain=True,
    ),
)
