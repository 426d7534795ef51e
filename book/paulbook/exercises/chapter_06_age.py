"""Exercise 6.2: what an entry of the memory consists of."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch

from paullite.memory import FeatureMemory

from ..agreement import Draw, agrees
from ..exercise import Exercise, expect

Weight = Callable[[int, int, float], Any]


def weight_of_age(age: int, visits: int, momentum: float = 0.1) -> float:
    """Share of the feature of so many visits ago: the book's own answer."""
    left: float = (1 - momentum) ** age
    return left if age == visits - 1 else momentum * left


WEIGHT_CASES = ((6, 0.1), (9, 0.3))


def column(weight: Weight, visits: int, momentum: float) -> list[float]:
    """The weights of all ages, newest first."""
    return [float(weight(age, visits, momentum)) for age in range(visits)]


def newest_has_momentum(weight: Weight) -> None:
    """After more than one visit the newest feature makes up momentum, and no other number does instead."""
    for visits, momentum in WEIGHT_CASES:
        got = float(weight(0, visits, momentum))
        says = f"After {visits} visits with momentum {momentum} the newest feature, age 0, has {got:.3f} with yours."
        expect(got < 0.999, f"{says} That would leave nothing for the others: what share is put in at a visit?")
        flat = abs(float(weight(1, visits, momentum)) - got) < 1e-9
        expect(not flat, f"{says} So has age 1: a running mean does not count all visits alike.")
        turned = abs(float(weight(visits - 1, visits, momentum)) - momentum) < 1e-6
        expect(not turned, f"{says} Age {visits - 1} has momentum: is age counted from the newest or from the first?")
        expect(abs(got - (1 - momentum)) > 1e-6, f"{says} Which of the two shares is momentum?")
        faded = abs(got - momentum * (1 - momentum)) < 1e-6
        expect(not faded, f"{says} It has faded once already. How often has it been multiplied by 1 - momentum?")
        unlike = momentum != 0.1 and abs(got - 0.1) < 1e-6
        expect(not unlike, f"{says} Does yours look at the momentum that it is given?")
        expect(
            abs(got - momentum) < 1e-6,
            f"{says} It was put in with the share momentum. Were the weights scaled afterwards to sum to 1?",
        )


def fades_by_a_share(weight: Weight) -> None:
    """Each visit leaves 1 - momentum of what was there."""
    for visits, momentum in WEIGHT_CASES:
        shares = column(weight, visits, momentum)
        ratios = [older / newer for newer, older in pairwise(shares[:-1])]
        even = max(ratios) - min(ratios) < 1e-6
        expect(
            even, "One more visit should always leave the same share of a feature; with yours it is another each time."
        )
        expect(
            abs(ratios[0] - (1 - momentum)) < 1e-6,
            f"One more visit leaves {ratios[0]:.4f} of a feature with yours; with momentum {momentum} "
            f"the update leaves {1 - momentum:.4f}. An approximation?",
        )


def exception_one_visit_late(weight: Weight) -> bool:
    """Whether the weight of a whole feature waits at an age that does not exist."""
    try:
        return abs(float(weight(6, 6, 0.1)) - 0.9**6) < 1e-6
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return False


def first_visit_was_stored(weight: Weight) -> None:
    """All weights sum to one, since the first feature was stored whole."""
    once = float(weight(0, 1, 0.1))
    late = abs(once - 0.1) < 1e-6 and exception_one_visit_late(weight)
    expect(
        not late, "You make an exception, but for an age that no feature has. What is the highest age after one visit?"
    )
    expect(abs(once - 0.1) > 1e-6, f"After one visit the only feature has {once:.2f} with yours. It was stored whole.")
    for visits, momentum in WEIGHT_CASES:
        shares = column(weight, visits, momentum)
        total = f"After {visits} visits with momentum {momentum} your weights sum to {sum(shares):.3f}, not to 1."
        expect(shares[-1] > 0, f"{total} The first feature is gone with yours; when would it have vanished?")
        expect(
            abs(sum(shares) - 1) < 1e-6,
            f"{total} Look at the first feature: how many visits came after it, each leaving 1 - momentum?",
        )


def share_in_a_memory(age: int, visits: int, momentum: float) -> float:
    """What the library's memory holds of one feature, if each visit brings a direction of its own."""
    memory = FeatureMemory(1, 1, visits, momentum=momentum)
    for direction in torch.eye(visits):
        memory.update(torch.tensor([0]), direction.view(1, 1, -1))
    return float(memory.features[0, 0, visits - 1 - age])


def some_age(draw: Draw) -> tuple[int, int, float]:
    """An age among 2 to 12 visits."""
    visits = int(draw.integers(2, 13))
    return int(draw.integers(visits)), visits, float(draw.uniform(0.05, 0.9))


EXERCISES = (
    Exercise(
        "weight_of_age",
        6,
        weight_of_age,
        (newest_has_momentum, fades_by_a_share, first_visit_was_stored, agrees(share_in_a_memory, some_age, times=40)),
        example=lambda: (1, 3, 0.1),
    ),
)
