"""Wrong answers to the interval over seeds of chapter 10, each another misconception; and another right one."""

from collections.abc import Callable

import numpy as np

Ends = tuple[float, float] | None
Quantile = Callable[[float], float]


def deviation(x) -> float:
    """Standard deviation with n - 1."""
    return float(np.std(x, ddof=1))


def around(mean, half) -> tuple[float, float]:
    return float(mean - half), float(mean + half)


def normal(differences, t: Quantile) -> Ends:
    """1.96, as if the deviation were known."""
    n = len(differences)
    return None if n < 2 else around(np.mean(differences), 1.96 * deviation(differences) / n**0.5)


def always_five(differences, t: Quantile) -> Ends:
    """Four degrees of freedom, however many seeds."""
    n = len(differences)
    return None if n < 2 else around(np.mean(differences), t(4) * deviation(differences) / n**0.5)


def around_zero(differences, t: Quantile) -> Ends:
    """The half-width without the mean."""
    n = len(differences)
    return None if n < 2 else around(0.0, t(n - 1) * deviation(differences) / n**0.5)


def mean_and_half(differences, t: Quantile) -> Ends:
    """Mean and half-width in place of the ends."""
    n = len(differences)
    return None if n < 2 else (float(np.mean(differences)), t(n - 1) * deviation(differences) / n**0.5)


def variance(differences, t: Quantile) -> Ends:
    """The variance, not its root."""
    n = len(differences)
    return None if n < 2 else around(np.mean(differences), t(n - 1) * deviation(differences) ** 2 / n**0.5)


def median(differences, t: Quantile) -> Ends:
    """Around the median."""
    n = len(differences)
    return None if n < 2 else around(np.median(differences), t(n - 1) * deviation(differences) / n**0.5)


def sizes(differences, t: Quantile) -> Ends:
    """The signs dropped: how large, not which way."""
    x, n = np.abs(differences), len(differences)
    return None if n < 2 else around(x.mean(), t(n - 1) * deviation(x) / n**0.5)


def by_sums(differences, t: Quantile) -> list[float] | None:
    """Right: the deviation by sums, a list comes back."""
    n = len(differences)
    if n < 2:
        return None
    mean = sum(differences) / n
    spread = (sum((x - mean) ** 2 for x in differences) / (n - 1) / n) ** 0.5
    return [mean - t(n - 1) * spread, mean + t(n - 1) * spread]


WRONG = (
    normal,
    always_five,
    around_zero,
    mean_and_half,
    variance,
    median,
    sizes,
)
OTHER_RIGHT = (by_sums,)
