"""When a difference is called significant, and which differences a study could have found: Holm's correction, power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, sqrt

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from .statistics import SHARE, t_quantile

ALPHA = 1 - SHARE
POWER = 0.8
FEWEST = 3  # seeds below which nothing is called significant: two can agree by chance in every digit


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction of the p values of several comparisons, so that one in twenty holds for all of them together.

        p(1) <= p(2) <= ... <= p(m);   corrected p(i) = max over j <= i of min(1, (m - j + 1) p(j))

    If every corrected p below 5 % is called significant, the chance of one false call *or more* is at most 5 %,
    whichever of the differences are truly zero and however the comparisons depend on each other.

    Source: Holm, Scandinavian Journal of Statistics 1979.

    >>> holm([0.04, 0.01, 0.03])
    [0.06, 0.03, 0.06]
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1, np.arange(len(p), 0, -1) * p[order])
    corrected = np.empty_like(p)
    corrected[order] = np.maximum.accumulate(steps)
    return [round(float(x), 6) for x in corrected]


def power(difference: float, deviation: float, seeds: int) -> float:
    """The chance that a paired t-test at 5 % finds a true mean difference, from the noncentral t distribution.

    Args:
        difference: the true mean difference.
        deviation: standard deviation of the differences over seeds, above 0.
        seeds: number of pairs, from 2.

    >>> round(power(1.0, 1.0, 5), 2), round(power(1.0, 1.0, 10), 2)
    (0.4, 0.8)
    """
    t, shift = t_quantile(seeds - 1), abs(difference) / deviation * sqrt(seeds)
    above, below = stats.nct.sf(t, seeds - 1, shift), stats.nct.cdf(-t, seeds - 1, shift)
    return float(above) + (0.0 if isnan(below) else float(below))  # scipy has no value where it is far below 1e-12


def detectable(deviation: float, seeds: int, chance: float = POWER) -> float:
    """The true mean difference that a study of so many seeds finds with 80 % power, in units of ``deviation``.

    The deviation comes from few seeds itself, so this is a rough figure: the true one of five seeds may be 0.6 to 2.9
    times as large. With Holm's correction a study needs somewhat more.

    >>> round(detectable(1.0, 5), 2), round(detectable(1.0, 10), 2)
    (1.68, 1.0)
    """
    if not deviation:
        return 0.0
    return deviation * float(brentq(lambda d: power(d, 1.0, seeds) - chance, 0, 200 / sqrt(seeds), xtol=1e-6))


def seeds_needed(difference: float, deviation: float, chance: float = POWER, most: int = 1000) -> int | None:
    """The fewest seeds, from ``FEWEST``, with which a difference is found with 80 % power; ``None`` above ``most``.

    >>> seeds_needed(1.0, 1.0), seeds_needed(0.0, 1.0)
    (10, None)
    """
    enough = lambda seeds: power(difference, deviation, seeds) >= chance if deviation else bool(difference)  # noqa: E731
    return next((seeds for seeds in range(FEWEST, most + 1) if enough(seeds)), None)


def corrected_in_family(p_values: Sequence[float | None]) -> tuple[list[float | None], int]:
    """Holm's p values of a family, and how many were corrected; ``None``, of what has one seed, takes no part.

    >>> corrected_in_family([0.04, None, 0.01])
    ([0.04, None, 0.02], 2)
    """
    tested = [p for p in p_values if p is not None]
    found = iter(holm(tested))
    return [None if p is None else next(found) for p in p_values], len(tested)


@dataclass(frozen=True)
class Deviations:
    """Standard deviations of a score, by what varies.

    Attributes:
        seeds: over seeds that draw the world and start the training.
        trainings: over trainings in one world.
        worlds: what is left for the world: the root of the difference of the two variances, 0 if there is none.
    """

    seeds: float
    trainings: float
    worlds: float


def deviations(seeds: Sequence[float], trainings: Sequence[float]) -> Deviations:
    """What worlds and what trainings add to the variation of a score over seeds; variances add up.

    On one fixed data set, as Market-1501, only the trainings vary: there ``trainings`` is what to expect.

    >>> deviations([0.2, 0.4, 0.6], [0.4, 0.5, 0.6])
    Deviations(seeds=0.2, trainings=0.1, worlds=0.173205)
    """
    both, one = (float(np.var(values, ddof=1)) for values in (seeds, trainings))
    return Deviations(*(round(sqrt(max(variance, 0)), 6) for variance in (both, one, both - one)))


def p_text(p: float) -> str:
    """A p value as it is printed.

    >>> p_text(0.0966), p_text(0.0139), p_text(0.00004)
    ('p = 0.10', 'p = 0.014', 'p < 0.001')
    """
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.0955 else f"p = {p:.2f}"
