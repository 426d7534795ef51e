"""Exercise 3.2: batch-norm with statistics that are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..agreement import Draw, agrees, numbers, sizes
from ..exercise import Exercise, Wrong, expect
from ..trying import changes
from .chapter_03 import as_doubles, random

Norm = Callable[..., Any]


def batch_norm(x: Tensor, mean: Tensor, var: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Batch-norm in evaluation mode: the book's own answer.

    >>> one = torch.ones(1)
    >>> batch_norm(torch.full((1, 1, 1, 1), 3.0), one, 4 * one, one, 0 * one, eps=0)
    tensor([[[[1.]]]])
    """
    scale = weight / (var + eps).sqrt()
    return (x - mean[:, None, None]) * scale[:, None, None] + bias[:, None, None]


def ones() -> Tensor:
    """One for each of two channels."""
    return torch.ones(2)


def two() -> Tensor:
    """A number of its own for each of two channels."""
    return torch.tensor([1.0, -2.0])


def _normed(norm: Norm, x: Tensor, mean: Tensor, *eps: float, **more: Tensor) -> Tensor:
    """Applied with variance 1, gamma 1, beta 0 and the stub's epsilon unless said otherwise."""
    given = {"var": ones(), "weight": ones(), "bias": 0 * ones()} | more
    try:
        return as_doubles(norm(x, mean, *(given[name] for name in ("var", "weight", "bias")), *eps))
    except RuntimeError as error:
        words = f"A map (4, 2, 3, 5) with two channels stops it: {str(error).splitlines()[0]}."
        raise Wrong(f"{words} The four vectors have one number a channel: give them axes for H and W.") from error


def _map() -> Tensor:
    return random(4, 2, 3, 5)  # B C H W


def leaves_its_map_alone(norm: Norm) -> None:
    """The map that is handed in stays as it was."""
    _normed(norm, _map(), two())
    touched = changes(norm, _map(), two(), ones(), ones(), 0 * ones())[0]
    expect(not touched, "Your function changed the map that it was given. Make a new one (no -=, no *=).")


def other_images_do_not_count(norm: Norm) -> None:
    """An image alone gives what it gives among others."""
    whole, alone = _normed(norm, _map(), two()), _normed(norm, _map()[:1], two())
    hint = "An image alone and the same image among others differ. The statistics are given: do not take them from x."
    expect(torch.allclose(whole[:1], alone, atol=1e-4), hint)


def weight_and_bias_in_place(norm: Norm) -> None:
    """A map that equals the mean becomes beta, whatever gamma is."""
    at_mean = two()[:, None, None].expand(1, 2, 3, 5).clone()
    found = _normed(norm, at_mean, two(), weight=3 * ones(), bias=5 * ones())
    words = "With gamma = 3 and beta = 5, a map of exactly the means becomes 3 here, where only beta is left. Which of"
    expect(not torch.allclose(found, 0 * found + 3, atol=1e-3), f"{words} weight and bias multiplies, which is added?")


def mean_becomes_zero(norm: Norm) -> None:
    """A map that equals the mean becomes zero."""
    found = _normed(norm, two()[:, None, None].expand(1, 2, 3, 5).clone(), two())[0, :, 0, 0]
    shown = ", ".join(f"{value:.2f}" for value in found.tolist())
    start = f"A map of exactly the means 1 and -2 should become 0; yours becomes {shown}."
    expect(not torch.allclose(found, 2 * two().double()), f"{start} Look at the sign.")
    expect(torch.allclose(found, 0 * found, atol=1e-4), f"{start} Has each channel its own mean?")


def deviation_becomes_one(norm: Norm) -> None:
    """Two above the mean with a variance of 4 is 1."""
    found = float(_normed(norm, torch.full((1, 2, 3, 5), 2.0), 0 * ones(), var=4 * ones())[0, 0, 0, 0])
    start = f"A value 2 above the mean, variance 4: one standard deviation, so 1. Yours is {found:.2f}."
    expect(abs(found - 0.5) > 1e-3, f"{start} The variance is the square of the standard deviation.")
    expect(abs(found - 4) > 1e-3, f"{start} Do you divide?")
    expect(abs(found - 1) < 1e-3, f"{start} Compare with the equation.")


def gamma_and_beta_count(norm: Norm) -> None:
    """Gamma stretches what is normalised, beta shifts what is stretched."""
    x, given = torch.full((1, 2, 3, 5), 3.0), {"var": 4 * ones()}
    stretched = float(_normed(norm, x, ones(), weight=3 * ones(), **given)[0, 0, 0, 0])
    shifted = float(_normed(norm, x, ones(), bias=5 * ones(), **given)[0, 0, 0, 0])
    both = float(_normed(norm, x, ones(), weight=3 * ones(), bias=5 * ones(), **given)[0, 0, 0, 0])
    expect(abs(stretched - 1) > 1e-3, "With gamma = 3 nothing changes. Where does weight come in?")
    expect(abs(shifted - 1) > 1e-3, "With beta = 5 nothing changes. Where does bias come in?")
    words = f"With gamma = 3, one standard deviation becomes 3, yours {stretched:.2f}. Normalise first, stretch then."
    expect(abs(stretched - 3) < 1e-3, words)
    expect(abs(both - 8) < 1e-3, f"Gamma 3 and beta 5 make 3 + 5 = 8 of 1, yours {both:.2f}. What does gamma multiply?")


def epsilon_in_the_root(norm: Norm) -> None:
    """A variance of zero stays finite, as PyTorch's."""
    found = float(_normed(norm, torch.ones(1, 2, 3, 5), 0 * ones(), var=0 * ones())[0, 0, 0, 0])
    expect(found == found and abs(found) < 1e9, "A channel with variance 0 gives infinity. What is epsilon for?")
    expect(
        abs(found - 1e5**0.5) < 1, f"Variance 0: yours makes {found:.0f} of 1, PyTorch 316. Where does epsilon stand?"
    )


def epsilon_as_given(norm: Norm) -> None:
    """Variance 3 and epsilon 1 make a deviation of 2."""
    found = float(_normed(norm, torch.full((1, 2, 3, 5), 2.0), 0 * ones(), 1.0, var=3 * ones())[0, 0, 0, 0])
    words = f"Variance 3 and eps = 1 make a root of 2, so 2 above the mean becomes 1; yours {found:.2f}."
    expect(abs(found - 1) < 1e-3, f"{words} Does your function take the epsilon that it is given?")


def by_pytorch(x: Tensor, mean: Tensor, var: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """PyTorch's own."""
    return F.batch_norm(x, mean, var, weight, bias, eps=eps)


def some_map(draw: Draw) -> tuple[Any, ...]:
    """A map and its four vectors; one map in three has as many columns as channels, where a slip is silent."""
    b, c, h, w = sizes(draw, 4)
    x = numbers(draw, b, c, h, c if draw.random() < 1 / 3 else w)
    return x, numbers(draw, c), numbers(draw, c).abs(), numbers(draw, c), numbers(draw, c), float(draw.random())


EXERCISES = (
    Exercise(
        "batch_norm",
        3,
        batch_norm,
        (
            leaves_its_map_alone,
            weight_and_bias_in_place,
            mean_becomes_zero,
            other_images_do_not_count,
            deviation_becomes_one,
            gamma_and_beta_count,
            epsilon_in_the_root,
            epsilon_as_given,
            agrees(by_pytorch, some_map, hint="Compare with the equation, channel by channel."),
        ),
        example=lambda: (torch.ones(1, 2, 1, 1), ones(), ones(), ones(), ones()),
    ),
)
