"""Exercises of chapter 3: distances of unit vectors, and batch-norm with statistics that are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..exercise import Exercise, Wrong, expect

Distances = Callable[[Tensor, Tensor], Any]
Norm = Callable[..., Any]


def unit_distances(query: Tensor, gallery: Tensor) -> Tensor:
    """Squared Euclidean distances after L2 normalisation: the book's own answer.

    >>> unit_distances(torch.tensor([[2.0, 0.0]]), torch.tensor([[5.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    tensor([[0., 2., 4.]])
    """
    cosines = F.normalize(query, dim=-1) @ F.normalize(gallery, dim=-1).transpose(-1, -2)
    return (2 - 2 * cosines).clamp(min=0)


def batch_norm(x: Tensor, mean: Tensor, var: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Batch-norm in evaluation mode: the book's own answer.

    >>> one = torch.ones(1)
    >>> batch_norm(torch.full((1, 1, 1, 1), 3.0), one, 4 * one, one, 0 * one, eps=0)
    tensor([[[[1.]]]])
    """
    scale = weight / (var + eps).sqrt()
    return (x - mean[:, None, None]) * scale[:, None, None] + bias[:, None, None]


def _random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


def _tensor(answer: Any) -> Tensor:
    return torch.as_tensor(answer, dtype=torch.float64)


def _angle(distances: Distances, x: float, y: float) -> float:
    """Distance of (1, 0) and (x, y)."""
    return float(_tensor(distances(torch.tensor([[1.0, 0.0]]), torch.tensor([[float(x), float(y)]]))).flatten()[0])


def queries_are_rows(distances: Distances) -> None:
    """Three queries and five gallery images give 3 x 5."""
    shape = tuple(_tensor(distances(_random(3, 4), _random(5, 4))).shape)
    expect(shape != (5, 3), "Three queries and five gallery images: yours is 5 x 3. Each query is a row, not a column.")
    expect(shape == (3, 5), f"Every query meets every gallery image: 3 and 5 of them give 3 x 5, yours is {shape}.")


def three_angles(distances: Distances) -> None:
    """Same direction, right angle, opposite: 0, 2, 4."""
    found = [_angle(distances, 1, 0), _angle(distances, 0, 1), _angle(distances, -1, 0)]
    shown = ", ".join(f"{value:.2f}" for value in found)
    near = lambda *wanted: all(abs(a - b) < 1e-3 for a, b in zip(found, wanted, strict=True))  # noqa: E731
    start = f"Unit vectors in the same direction, at a right angle, and opposite: yours gives {shown}."
    expect(not found[0] > found[2], f"{start} A distance grows with the angle; this is a similarity.")
    expect(not near(0, 1, 2), f"{start} Each is half of what it should be: compare with the derivation in the text.")
    expect(not near(0, 2**0.5, 2), f"{start} These are distances, and their squares are asked for.")
    expect(near(0, 2, 4), f"{start} Draw the three cases and square the length of the line between the tips.")


def columns_count(distances: Distances) -> None:
    """Another unit for one of the D numbers changes the distances."""
    query, gallery, stretch = _random(4, 3), _random(6, 3) + 1, torch.tensor([1.0, 5.0, 1.0])
    before, after = _tensor(distances(query, gallery)), _tensor(distances(query * stretch, gallery * stretch))
    hint = "A column of the features taken five times changes nothing. You divide along the images: which axis is D?"
    expect(not torch.allclose(before, after, atol=1e-4), hint)


def length_of_query(distances: Distances) -> None:
    """A query three times as long is as far."""
    query, gallery = _random(2, 4), F.normalize(_random(5, 4), dim=-1)
    before, after = _tensor(distances(query, gallery)), _tensor(distances(3 * query, gallery))
    expect(
        torch.allclose(before, after, atol=1e-4),
        "A query three times as long gets other distances. Only direction counts.",
    )


def length_of_gallery(distances: Distances) -> None:
    """A gallery image three times as long is as far."""
    query, gallery = F.normalize(_random(2, 4), dim=-1), _random(5, 4)
    before, after = _tensor(distances(query, gallery)), _tensor(distances(query, 3 * gallery))
    expect(torch.allclose(before, after, atol=1e-4), "The length of a gallery vector still counts, a query's not.")


def every_row_alone(distances: Distances) -> None:
    """A further gallery image leaves the distances of the others alone."""
    query, gallery = _random(2, 4), _random(5, 4)
    whole, part = _tensor(distances(query, gallery)), _tensor(distances(query, gallery[:3]))
    hint = "With two more images in the gallery, the first three move. Each vector needs a length of its own."
    expect(torch.allclose(whole[:, :3], part, atol=1e-4), hint)


def length_is_euclidean(distances: Distances) -> None:
    """(1, 1) lies on itself."""
    x = torch.tensor([[1.0, 1.0]])
    found = float(_tensor(distances(x, 3 * x)).flatten()[0])
    hint = f"(1, 1) and (3, 3) point the same way, and yours are {found:.2f} apart. Which length did you divide by?"
    expect(abs(found) < 1e-3, hint)


def batches_too(distances: Distances) -> None:
    """Axes before the last two are kept."""
    query, gallery = _random(2, 3, 4), _random(2, 5, 4)
    try:
        found = _tensor(distances(query, gallery))
    except Exception as error:
        raise Wrong(
            f"A stack of two tables, (2, 3, 4) and (2, 5, 4), ends in {type(error).__name__}. Which axes do you swap?"
        ) from error
    expect(tuple(found.shape) == (2, 3, 5), f"A stack of two tables gives {tuple(found.shape)}, not (2, 3, 5).")
    longer = query * torch.tensor([3.0, 1.0, 1.0])[:, None]
    words = (
        "In a stack of two tables, (2, 3, 4), a query three times as long gets other distances. The axis of the four"
    )
    moved = not torch.allclose(found, _tensor(distances(longer, gallery)), atol=1e-4)
    expect(not moved, f"{words} numbers is the second of a table, but which is it in a stack?")
    wanted = torch.stack([_tensor(distances(q, g)) for q, g in zip(query, gallery, strict=True)])
    expect(torch.allclose(found, wanted, atol=1e-4), "In a stack of two tables, each table counts for itself.")


def zeros_stay_finite(distances: Distances) -> None:
    """A vector of zeros gives numbers."""
    found = _tensor(distances(torch.zeros(1, 4), torch.cat([torch.zeros(1, 4), _random(2, 4)])))
    expect(bool(torch.isfinite(found).all()), "A vector of zeros gives NaN: its length is 0, and you divide by it.")


def never_below_zero(distances: Distances) -> None:
    """Rounding takes no square below zero."""
    x = _random(400, 64)
    lowest = float(_tensor(distances(x, x)).min())
    hint = "A vector and itself: rounding gives a square slightly under zero, whose root would be NaN. Cut it off."
    expect(lowest >= 0, hint)


def ranks_as_cosine(distances: Distances) -> None:
    """The nearest first is the most similar first, and the values are right."""
    query, gallery = _random(7, 16), _random(40, 16)
    found, wanted = _tensor(distances(query, gallery)), unit_distances(query.double(), gallery.double())
    expect(torch.allclose(found, wanted, atol=1e-4), "For random vectors some values are off. Try two numbers each.")
    expect(torch.equal(found.argsort(1), wanted.argsort(1)), "The ranking differs from that by cosine.")


ONE, TWO = torch.ones(2), torch.tensor([1.0, -2.0])  # two channels


def _normed(norm: Norm, x: Tensor, mean: Tensor, *eps: float, **more: Tensor) -> Tensor:
    """Applied with variance 1, gamma 1, beta 0 and the stub's epsilon unless said otherwise."""
    given = {"var": ONE, "weight": ONE, "bias": 0 * ONE} | more
    try:
        return _tensor(norm(x, mean.clone(), *(given[name].clone() for name in ("var", "weight", "bias")), *eps))
    except RuntimeError as error:
        words = f"A map (4, 2, 3, 5) with two channels stops it: {str(error).splitlines()[0]}."
        raise Wrong(f"{words} The four vectors have one number a channel: give them axes for H and W.") from error


def _map() -> Tensor:
    return _random(4, 2, 3, 5)  # B C H W


def leaves_its_map_alone(norm: Norm) -> None:
    """The map that is handed in stays as it was."""
    x = _map()
    _normed(norm, x, TWO)
    expect(torch.equal(x, _map()), "Your function changed the map that it was given. Make a new one (no -=, no *=).")


def other_images_do_not_count(norm: Norm) -> None:
    """An image alone gives what it gives among others."""
    whole, alone = _normed(norm, _map(), TWO), _normed(norm, _map()[:1], TWO)
    hint = "An image alone and the same image among others differ. The statistics are given: do not take them from x."
    expect(torch.allclose(whole[:1], alone, atol=1e-4), hint)


def weight_and_bias_in_place(norm: Norm) -> None:
    """A map that equals the mean becomes beta, whatever gamma is."""
    at_mean = TWO[:, None, None].expand(1, 2, 3, 5).clone()
    found = _normed(norm, at_mean, TWO, weight=3 * ONE, bias=5 * ONE)
    words = "With gamma = 3 and beta = 5, a map of exactly the means becomes 3 here, where only beta is left. Which of"
    expect(not torch.allclose(found, 0 * found + 3, atol=1e-3), f"{words} weight and bias multiplies, which is added?")


def mean_becomes_zero(norm: Norm) -> None:
    """A map that equals the mean becomes zero."""
    found = _normed(norm, TWO[:, None, None].expand(1, 2, 3, 5).clone(), TWO)[0, :, 0, 0]
    shown = ", ".join(f"{value:.2f}" for value in found.tolist())
    start = f"A map of exactly the means 1 and -2 should become 0; yours becomes {shown}."
    expect(not torch.allclose(found, 2 * TWO.double()), f"{start} Look at the sign.")
    expect(torch.allclose(found, 0 * found, atol=1e-4), f"{start} Has each channel its own mean?")


def deviation_becomes_one(norm: Norm) -> None:
    """Two above the mean with a variance of 4 is 1."""
    found = float(_normed(norm, torch.full((1, 2, 3, 5), 2.0), 0 * ONE, var=4 * ONE)[0, 0, 0, 0])
    start = f"A value 2 above the mean, variance 4: one standard deviation, so 1. Yours is {found:.2f}."
    expect(abs(found - 0.5) > 1e-3, f"{start} The variance is the square of the standard deviation.")
    expect(abs(found - 4) > 1e-3, f"{start} Do you divide?")
    expect(abs(found - 1) < 1e-3, f"{start} Compare with the equation.")


def gamma_and_beta_count(norm: Norm) -> None:
    """Gamma stretches what is normalised, beta shifts what is stretched."""
    x, given = torch.full((1, 2, 3, 5), 3.0), {"var": 4 * ONE}
    stretched = float(_normed(norm, x, ONE, weight=3 * ONE, **given)[0, 0, 0, 0])
    shifted = float(_normed(norm, x, ONE, bias=5 * ONE, **given)[0, 0, 0, 0])
    both = float(_normed(norm, x, ONE, weight=3 * ONE, bias=5 * ONE, **given)[0, 0, 0, 0])
    expect(abs(stretched - 1) > 1e-3, "With gamma = 3 nothing changes. Where does weight come in?")
    expect(abs(shifted - 1) > 1e-3, "With beta = 5 nothing changes. Where does bias come in?")
    words = f"With gamma = 3, one standard deviation becomes 3, yours {stretched:.2f}. Normalise first, stretch then."
    expect(abs(stretched - 3) < 1e-3, words)
    expect(abs(both - 8) < 1e-3, f"Gamma 3 and beta 5 make 3 + 5 = 8 of 1, yours {both:.2f}. What does gamma multiply?")


def epsilon_in_the_root(norm: Norm) -> None:
    """A variance of zero stays finite, as PyTorch's."""
    found = float(_normed(norm, torch.ones(1, 2, 3, 5), 0 * ONE, var=0 * ONE)[0, 0, 0, 0])
    expect(found == found and abs(found) < 1e9, "A channel with variance 0 gives infinity. What is epsilon for?")
    expect(
        abs(found - 1e5**0.5) < 1, f"Variance 0: yours makes {found:.0f} of 1, PyTorch 316. Where does epsilon stand?"
    )


def epsilon_as_given(norm: Norm) -> None:
    """Variance 3 and epsilon 1 make a deviation of 2."""
    found = float(_normed(norm, torch.full((1, 2, 3, 5), 2.0), 0 * ONE, 1.0, var=3 * ONE)[0, 0, 0, 0])
    words = f"Variance 3 and eps = 1 make a root of 2, so 2 above the mean becomes 1; yours {found:.2f}."
    expect(abs(found - 1) < 1e-3, f"{words} Does your function take the epsilon that it is given?")


def equals_pytorch(norm: Norm) -> None:
    """The same numbers as PyTorch's own."""
    mean, var, weight, bias = _random(4, 2).abs()
    wanted = F.batch_norm(_map(), mean, var, weight, bias).double()
    found = _normed(norm, _map(), mean, var=var, weight=weight, bias=bias)
    expect(found.shape == wanted.shape, f"The map (4, 2, 3, 5) comes back as {tuple(found.shape)}.")
    expect(torch.allclose(found, wanted, atol=1e-3), "For random numbers it differs from PyTorch. See the equation.")


EXERCISES = (
    Exercise(
        "unit_distances",
        3,
        unit_distances,
        (
            queries_are_rows,
            three_angles,
            columns_count,
            length_of_query,
            length_of_gallery,
            every_row_alone,
            length_is_euclidean,
            batches_too,
            zeros_stay_finite,
            never_below_zero,
            ranks_as_cosine,
        ),
        example=(torch.eye(2), torch.eye(2)),
    ),
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
            equals_pytorch,
        ),
        example=(torch.ones(1, 2, 1, 1), ONE, ONE, ONE, ONE),
    ),
)
