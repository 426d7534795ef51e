"""Exercise 3.1: distances of unit vectors. The others are in `chapter_03_batch` and `chapter_03_controls`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from paullite.cyclic import distances as euclidean

from ..agreement import Draw, agrees, numbers, sizes
from ..exercise import Exercise, Wrong, expect

Distances = Callable[[Tensor, Tensor], Any]


def unit_distances(query: Tensor, gallery: Tensor) -> Tensor:
    """Squared Euclidean distances after L2 normalisation: the book's own answer.

    >>> unit_distances(torch.tensor([[2.0, 0.0]]), torch.tensor([[5.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    tensor([[0., 2., 4.]])
    """
    cosines = F.normalize(query, dim=-1) @ F.normalize(gallery, dim=-1).transpose(-1, -2)
    return (2 - 2 * cosines).clamp(min=0)


def random(*shape: int) -> Tensor:
    """Random numbers, the same every time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


def as_doubles(answer: Any) -> Tensor:
    """What an answer gives, whatever it was."""
    return torch.as_tensor(answer, dtype=torch.float64)


def _angle(distances: Distances, x: float, y: float) -> float:
    """Distance of (1, 0) and (x, y)."""
    return float(as_doubles(distances(torch.tensor([[1.0, 0.0]]), torch.tensor([[float(x), float(y)]]))).flatten()[0])


def queries_are_rows(distances: Distances) -> None:
    """Three queries and five gallery images give 3 x 5."""
    shape = tuple(as_doubles(distances(random(3, 4), random(5, 4))).shape)
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
    query, gallery, stretch = random(4, 3), random(6, 3) + 1, torch.tensor([1.0, 5.0, 1.0])
    before, after = as_doubles(distances(query, gallery)), as_doubles(distances(query * stretch, gallery * stretch))
    hint = "A column of the features taken five times changes nothing. You divide along the images: which axis is D?"
    expect(not torch.allclose(before, after, atol=1e-4), hint)


def length_of_query(distances: Distances) -> None:
    """A query three times as long is as far."""
    query, gallery = random(2, 4), F.normalize(random(5, 4), dim=-1)
    before, after = as_doubles(distances(query, gallery)), as_doubles(distances(3 * query, gallery))
    expect(
        torch.allclose(before, after, atol=1e-4),
        "A query three times as long gets other distances. Only direction counts.",
    )


def length_of_gallery(distances: Distances) -> None:
    """A gallery image three times as long is as far."""
    query, gallery = F.normalize(random(2, 4), dim=-1), random(5, 4)
    before, after = as_doubles(distances(query, gallery)), as_doubles(distances(query, 3 * gallery))
    expect(torch.allclose(before, after, atol=1e-4), "The length of a gallery vector still counts, a query's not.")


def every_row_alone(distances: Distances) -> None:
    """A further gallery image leaves the distances of the others alone."""
    query, gallery = random(2, 4), random(5, 4)
    whole, part = as_doubles(distances(query, gallery)), as_doubles(distances(query, gallery[:3]))
    hint = "With two more images in the gallery, the first three move. Each vector needs a length of its own."
    expect(torch.allclose(whole[:, :3], part, atol=1e-4), hint)


def length_is_euclidean(distances: Distances) -> None:
    """(1, 1) lies on itself."""
    x = torch.tensor([[1.0, 1.0]])
    found = float(as_doubles(distances(x, 3 * x)).flatten()[0])
    hint = f"(1, 1) and (3, 3) point the same way, and yours are {found:.2f} apart. Which length did you divide by?"
    expect(abs(found) < 1e-3, hint)


def batches_too(distances: Distances) -> None:
    """Axes before the last two are kept."""
    query, gallery = random(2, 3, 4), random(2, 5, 4)
    try:
        found = as_doubles(distances(query, gallery))
    except Exception as error:
        raise Wrong(
            f"A stack of two tables, (2, 3, 4) and (2, 5, 4), ends in {type(error).__name__}. Which axes do you swap?"
        ) from error
    expect(tuple(found.shape) == (2, 3, 5), f"A stack of two tables gives {tuple(found.shape)}, not (2, 3, 5).")
    longer = query * torch.tensor([3.0, 1.0, 1.0])[:, None]
    words = (
        "In a stack of two tables, (2, 3, 4), a query three times as long gets other distances. The axis of the four"
    )
    moved = not torch.allclose(found, as_doubles(distances(longer, gallery)), atol=1e-4)
    expect(not moved, f"{words} numbers is the second of a table, but which is it in a stack?")
    wanted = torch.stack([as_doubles(distances(q, g)) for q, g in zip(query, gallery, strict=True)])
    expect(torch.allclose(found, wanted, atol=1e-4), "In a stack of two tables, each table counts for itself.")


def zeros_stay_finite(distances: Distances) -> None:
    """A vector of zeros gives numbers."""
    found = as_doubles(distances(torch.zeros(1, 4), torch.cat([torch.zeros(1, 4), random(2, 4)])))
    expect(bool(torch.isfinite(found).all()), "A vector of zeros gives NaN: its length is 0, and you divide by it.")


def never_below_zero(distances: Distances) -> None:
    """Rounding takes no square below zero."""
    x = random(400, 64)
    lowest = float(as_doubles(distances(x, x)).min())
    hint = "A vector and itself: rounding gives a square slightly under zero, whose root would be NaN. Cut it off."
    expect(lowest >= 0, hint)


def by_the_library(query: Tensor, gallery: Tensor) -> Tensor:
    """The library's distances of unit vectors, squared; a stack of tables table by table."""
    if query.ndim == 3:
        return torch.stack([by_the_library(q, g) for q, g in zip(query, gallery, strict=True)])
    return euclidean(F.normalize(query, dim=-1), F.normalize(gallery, dim=-1)).square()


def features(draw: Draw) -> tuple[Tensor, Tensor]:
    """A table of queries and one of gallery images, or a stack of two or more of each."""
    stack, q, g, d = sizes(draw, 4)
    front = (stack,) if draw.random() < 0.5 else ()
    return 3 * numbers(draw, *front, q, d), numbers(draw, *front, g, d)


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
            agrees(by_the_library, features),
        ),
        example=lambda: (torch.eye(2), torch.eye(2)),
    ),
)
