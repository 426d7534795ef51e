"""Exercise 5.1: heads for any number of patches. The loss without the image is in `chapter_05_blind`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from paullite.models import PatchLinear

from ..agreement import close, numbers, sizes
from ..exercise import Exercise, expect

Heads = Callable[[int, int, int], nn.Module]

B, P, INPUTS, OUTPUTS = 2, 3, 5, 4  # all different, so that no two sizes can be mistaken for each other


def patch_heads(patches: int, inputs: int, outputs: int) -> nn.Module:
    """A linear layer for each patch: the book's own answer."""
    return PatchLinear(patches, inputs, outputs)


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
)
