"""Exercise 8.3: how far a view lies from its own center after some visits."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import torch

from paullite.memory import FeatureMemory

from ..agreement import Draw, agrees
from ..exercise import Exercise, expect

Squared = Callable[[int, float], Any]


def center_distance(visits: int, momentum: float = 0.1) -> float:
    """Mean squared distance of a view from its center, in variances of one view: the book's own answer.

    >>> f"{center_distance(1):.2f} {center_distance(2):.2f}"
    '0.50 1.31'
    """
    weights = [momentum * (1 - momentum) ** age for age in range(visits - 1)]  # newest first
    weights.append((1 - momentum) ** (visits - 1))  # the first visit was stored whole
    squares: float = sum(weight**2 for weight in weights)
    return 1 - weights[0] + squares / 2


def first_visit(answer: Squared) -> None:
    """At the first visit the center is the midpoint of the two views."""
    got = float(answer(1, 0.1))
    says = f"At the first visit the center is the midpoint of the two views, and yours gives {got:.3f}."
    expect(abs(got) > 1e-6, f"{says} That would be right if the center consisted of this view alone.")
    hint = "That would be right if the center did not vary at all."
    expect(abs(got - 1) > 1e-6, f"{says} {hint}")
    hint = "The variances of view and center were added, although the view is a part of the center."
    expect(abs(got - 1.5) > 1e-6, f"{says} {hint}")
    hint = "It is the squared distance that is asked for, and the root of it that you return."
    expect(abs(got - sqrt(0.5)) > 1e-6, f"{says} {hint}")
    hint = "At the first visit the center is stored whole, so the momentum plays no part yet."
    expect(abs(got - (1 - 0.1 + 0.01 / 2)) > 1e-6, f"{says} {hint}")
    expect(abs(got - 0.5) < 1e-6, f"{says} Write view minus midpoint as one half of a difference of two views.")


def second_visit(answer: Squared) -> None:
    """Nine tenths of the center are the old views."""
    for momentum in (0.1, 0.4):
        got, old = float(answer(2, momentum)), 1 - momentum
        right = old + (old**2 + momentum**2) / 2
        says = f"At the second visit with momentum {momentum} yours gives {got:.3f}."
        hint = "It is the same as before the update. The center is updated first, so it contains the newest views."
        expect(abs(got - 1.5) > 1e-6, f"{says} {hint}")
        hint = "The variances of view and center were added, although the newest views are a part of the center."
        expect(abs(got - (1 + (old**2 + momentum**2) / 2)) > 1e-6, f"{says} {hint}")
        hint = "Each visit brings two views, and the variance of their mean is half that of one."
        expect(abs(got - (1 - 2 * momentum + old**2 + momentum**2)) > 1e-6, f"{says} {hint}")
        hint = "Momentum is the share of the new views, and yours gives it to the old ones."
        expect(abs(got - (momentum + (old**2 + momentum**2) / 2)) > 1e-6, f"{says} {hint}")
        expect(abs(got - 0.75) > 1e-6, f"{says} That is the plain mean of two visits, whatever the momentum is.")
        hint = "The weights stand in it as they are, but a variance is multiplied by the square of a weight."
        expect(abs(got - (old + 0.5)) > 1e-6, f"{says} {hint}")
        used = momentum == 0.1 or abs(got - (0.9 + 0.82 / 2)) > 1e-6
        expect(used, f"{says} That is the result for 0.1. Does yours look at the momentum that it is given?")
        hint = "Collect the coefficient of every view in view minus center, and add their squares."
        expect(abs(got - right) < 1e-5, f"{says} {hint}")


def later_visits(answer: Squared) -> None:
    """Old visits fade, so the distance falls again from the second visit on."""
    got = [float(answer(visits, 0.1)) for visits in (2, 3, 6)]
    shown = ", ".join(f"{value:.3f}" for value in got)
    says = f"At visits 2, 3 and 6 with momentum 0.1 yours gives {shown}."
    hint = "The center becomes steadier with every visit, because it averages more views. So the distance falls."
    expect(got[0] > got[1], f"{says} {hint}")
    hint = "Each later visit multiplies the older weights by 1 - momentum, and all weights have to sum to 1."
    expect(abs(got[1] - 1.2371) < 1e-4 and got[2] < got[1], f"{says} {hint}")


def by_a_memory(visits: int, momentum: float) -> float:
    """The same with the library's memory, where every view has a direction of its own."""
    views = torch.eye(2 * visits, dtype=torch.float64).view(visits, 2, -1)
    memory = FeatureMemory(1, 1, 2 * visits, momentum=momentum)
    for both in views:
        memory.update(torch.tensor([0]), both.mean(0).view(1, 1, -1))
    return float((views[-1, 0] - memory.features[0, 0]).square().sum())


def some_visits(draw: Draw) -> tuple[int, float]:
    """Up to 15 visits."""
    return int(draw.integers(1, 16)), float(draw.uniform(0.05, 0.95))


EXERCISES = (
    Exercise(
        "center_distance",
        8,
        center_distance,
        (first_visit, second_visit, later_visits, agrees(by_a_memory, some_visits, times=40)),
        example=lambda: (3, 0.1),
    ),
)
