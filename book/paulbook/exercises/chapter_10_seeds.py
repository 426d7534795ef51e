"""Exercise 10.2: an interval over seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..agreement import Draw, agrees
from ..exercise import Exercise, expect
from ..studies import statistics
from .chapter_10 import ends

Quantile = Callable[[float], float]
Over = Callable[[Sequence[float], Quantile], Any]


def seed_interval(differences: Sequence[float], t: Quantile) -> tuple[float, float] | None:
    """95 % interval of a mean difference over seeds: the book's own answer."""
    x = np.asarray(differences, dtype=float)
    if len(x) < 2:
        return None
    half = t(len(x) - 1) * x.std(ddof=1) / len(x) ** 0.5
    return float(x.mean() - half), float(x.mean() + half)


def no_spread(df: float) -> float:
    return 0.0


def itself(df: float) -> float:
    return float(df)


FIVE = (-3.0, 0.5, 1.0, 4.0, 10.0)


def stands_around_the_mean(over: Over) -> None:
    """With t = 0 the ends meet at the mean of the differences."""
    low, high = ends(over(FIVE, no_spread))
    mean, said = float(np.mean(FIVE)), "With a t of 0 both ends must be the mean"
    expect(abs(low - high) < 1e-5 or abs(low - mean) > 1e-5, f"{said}. Yours begins with it: hand back the two ends.")
    expect(abs(low - high) < 1e-5, f"{said}, but yours has a width: it does not use the t that is given.")
    expect(abs(low) > 1e-5, f"{said}. Yours stands around 0: add the mean difference.")
    expect(abs(low - float(np.median(FIVE))) > 1e-5, f"{said}. Yours stands around the one in the middle.")
    expect(abs(low - float(np.mean(np.abs(FIVE)))) > 1e-5, f"{said}. A seed that lost must count as a loss.")
    expect(abs(low - mean) < 1e-5, f"{said}, {mean:.2f}, but yours are {low:.2f}.")


def is_wide_enough(over: Over) -> None:
    """The half-width, on five seeds, with t(df) = df, so that every slip has a size of its own."""
    low, high = ends(over(FIVE, itself))
    spread = float(np.std(FIVE, ddof=1))
    ratio = (high - low) / 2 / (4 * spread / 5**0.5)
    said = f"With five seeds your interval is {ratio:.2f} times as wide as it should be."
    slips = {
        (4 / 5) ** 0.5: "The mean was taken from the same numbers. What does the variance divide by?",
        5 / 4: "How many numbers are free once their mean is fixed?",
        5**0.5: "That is where the next seed may lie. A mean of five is surer, by the root of five.",
        5**-0.5: "The spread of a mean falls with the root of the number, not with the number.",
        spread: "A variance is in squared points. Take its root.",
    }
    for size, hint in slips.items():
        expect(abs(ratio - size) > 1e-3, f"{said} {hint}")
    expect(abs(ratio - 1) < 1e-3, f"{said} Look at the formula again, factor by factor.")


def counts_the_seeds(over: Over) -> None:
    """Another number of seeds, other degrees of freedom."""
    low, high = ends(over(FIVE[:3], itself))
    wanted = 2 * float(np.std(FIVE[:3], ddof=1)) / 3**0.5
    expect(
        abs((high - low) / 2 - wanted) < 1e-6, "Right for five seeds, but not for three. What depends on the number?"
    )


def one_seed_says_nothing(over: Over) -> None:
    """No interval from a single seed."""
    expect(over((4.0,), itself) is None, "One seed shows no spread at all, which is not the same as none. Return None.")


def by_student(differences: Sequence[float], t: Quantile) -> tuple[float, float]:
    """The library's interval, by scipy."""
    found = statistics.seed_interval(differences)
    assert found is not None  # two seeds or more
    return found.low, found.high


def some_seeds(draw: Draw) -> tuple[Any, ...]:
    """Two to nine differences, and Student's own t."""
    count = 2 if draw.random() < 1 / 3 else int(draw.integers(3, 10))
    return draw.normal(1, 3, count).tolist(), statistics.t_quantile


EXERCISES = (
    Exercise(
        "seed_interval",
        10,
        seed_interval,
        (
            stands_around_the_mean,
            is_wide_enough,
            counts_the_seeds,
            one_seed_says_nothing,
            agrees(by_student, some_seeds),
        ),
        example=lambda: (FIVE, itself),
        plain=True,
    ),
)
