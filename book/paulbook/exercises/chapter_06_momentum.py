"""Exercise 6.2: the momentum that leaves a wanted share of the first pass. The update itself is in `chapter_06`."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

import torch

from paullite.memory import FeatureMemory

from ..agreement import Draw, agrees
from ..exercise import Exercise, Wrong, expect

Momentum = Callable[[int, float], Any]
CASES = ((5, 0.2), (13, 0.05), (30, 0.6))
CLOSE = 1e-4


def momentum_for(visits: int, share: float) -> float:
    """The momentum with which the first pass makes up this share of an entry: the book's own answer.

    Args:
        visits: of the entry, the first pass among them; two or more.
        share: of the first pass, between 0 and 1.

    >>> round(momentum_for(3, 0.81), 3)
    0.1
    """
    updates = visits - 1
    momentum: float = 1 - share ** (1 / updates)
    return momentum


def share_of_first(momentum: float, visits: int) -> float:
    """What a memory of the library still holds of the first of so many visits.

    >>> round(share_of_first(0.1, 3), 3)
    0.81
    """
    memory = FeatureMemory(1, 1, 1, momentum=momentum)
    for visit in range(visits):
        memory.update(torch.tensor([0]), torch.full((1, 1, 1), float(visit == 0)))
    return float(memory.features)


def _momentum(answer: Momentum, visits: int, share: float) -> float:
    """What the reader's function gives, as a number that may be a momentum."""
    found = answer(visits, share)
    try:
        momentum = float(found)
    except (TypeError, ValueError) as error:
        raise Wrong(f"The result is {found!r}, expected one number.") from error
    hint = (
        f"For {visits} visits and a share of {share:g} the result is {momentum:.3f}. A momentum lies between 0 and 1."
    )
    expect(0 < momentum < 1, hint)
    return momentum


def _same(found: float, wanted: float) -> bool:
    return abs(found - wanted) < CLOSE


def both_arguments_count(answer: Momentum) -> None:
    """Another number of visits and another share need another momentum."""
    found, longer, larger = (_momentum(answer, *case) for case in ((5, 0.2), (13, 0.2), (5, 0.6)))
    hint = f"For 5 and for 13 visits you give the same momentum, {found:.4f}. Does your result use `visits`?"
    expect(not _same(found, longer), hint)
    hint = f"For shares of 0.2 and of 0.6 you give the same momentum, {found:.4f}. Does your result use `share`?"
    expect(not _same(found, larger), hint)


def usual_slips(answer: Momentum) -> None:
    """The usual slips, each told by what it gives."""
    for visits, share in CASES:
        found, updates = _momentum(answer, visits, share), visits - 1
        slips = {
            share ** (1 / updates): "Momentum is the share of which feature, the old one or the new one?",
            1 - share ** (1 / visits): "The first pass is stored as it is. How many updates follow it?",
            1 - share ** (1 / (updates - 1)): "You count too few updates. Write them down for three visits.",
            (1 - share) / updates: "Each update takes the same share of what is left, and not the same amount.",
            -log(share) / updates: "That is an approximation for small momenta, but an exact formula exists.",
            1 - (1 - share) ** (1 / updates): "Then the first pass makes up one minus the share.",
        }
        for wrong, hint in slips.items():
            said = f"For {visits} visits and a share of {share:g} you give a momentum of {found:.4f}."
            expect(not _same(found, wrong), f"{said} {hint}")
        right = momentum_for(visits, share)
        near = _same(found, right) or abs(found - right) > 0.006
        expect(near, f"For {visits} visits you give {found:.4f}, which is close but not exact. Did you round it?")


def share_is_reached(answer: Momentum) -> None:
    """A memory with this momentum holds the wanted share of the first pass."""
    for visits, share in CASES:
        found = _momentum(answer, visits, share)
        reached = share_of_first(found, visits)
        hint = (
            f"For {visits} visits you give {found:.4f}. A memory with it holds {100 * reached:.1f} % of the first pass"
        )
        expect(abs(reached - share) < 1e-3, f"{hint}, and not {100 * share:g} %.")


def by_bisection(visits: int, share: float) -> float:
    """The same by trying momenta, since the share falls as momentum grows."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 - middle) ** (visits - 1) > share else (low, middle)
    return low


def some_case(draw: Draw) -> tuple[int, float]:
    """Two to sixty visits, and a share that is neither nearly 0 nor nearly 1."""
    return int(draw.integers(2, 61)), float(draw.uniform(0.01, 0.95))


EXERCISES = (
    Exercise(
        "momentum_for",
        6,
        momentum_for,
        (
            both_arguments_count,
            usual_slips,
            share_is_reached,
            agrees(by_bisection, some_case, times=40, hint="Neither the visits nor the share are fixed numbers."),
        ),
        example=lambda: (3, 0.81),
        plain=True,
    ),
)
