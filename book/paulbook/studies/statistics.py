"""How far a number of a study may be trusted: over the people it was judged on, and over seeds.

The two intervals answer different questions, so both are shown and neither is called *the* error. They are not added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, lgamma, pi, sqrt, tan

import numpy as np

from paullite.errors import InputError

from .receipts import Trial

SHARE = 0.95
SUMS = {"rank1": "hits", "map_step": "precisions"}  # score: what each person adds to it
NODES, WEIGHTS = np.polynomial.legendre.leggauss(100)


@dataclass(frozen=True)
class Interval:
    """A mean, and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float

    def leaves_out_zero(self) -> bool:
        """Whether zero is neither inside nor an end."""
        return self.low > 0 or self.high < 0


def bootstrap(
    trials: Sequence[Trial], others: Sequence[Trial] | None = None, *, draws: int = 2000, seed: int = 0
) -> dict[str, Interval]:
    """Percentile interval of mean rank-1 and mAP when the test people are drawn again, each with all their queries.

        rank-1 of a draw = sum of hits of the drawn people / sum of their queries, then the mean over trials

    Trials on the same test people and queries see the same draw: two arms on one seed are paired, and seeds that share
    one test set do not count it as several. Other test sets are drawn apart.

    It covers: which people happened to be in the test. The trained networks, the gallery and the distractors stay as
    they are. It does NOT cover another drawing of the training images, another start, or another order of the batches.

    Args:
        trials: of one arm, one for each seed.
        others: of another arm; the intervals are then of its mean minus that of ``trials``.
        draws: times that the people are drawn.
        seed: of the drawing; swapping the two arms swaps the signs and changes nothing else.

    Returns:
        `Interval` by score, "rank1" and "map_step", in shares.

    Raises:
        InputError: an arm without trials, or a test of fewer than two people.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile), 8 (clusters).

    >>> people = {"pids": [1, 2, 3], "queries": [2, 2, 2], "hits": [2, 1, 0], "precisions": [2.0, 1.0, 0.5]}
    >>> trial = Trial("paul", 0, {"rank1": 0.5, "map_step": 0.583333}, people, {}, {"target": "a"})
    >>> bootstrap([trial])["rank1"]
    Interval(mean=0.5, low=0.0, high=1.0)
    >>> bootstrap([trial], [trial])["rank1"]
    Interval(mean=0.0, low=0.0, high=0.0)
    """
    sides = [trials] if others is None else [trials, others]
    drawn = _draw([trial for side in sides for trial in side], draws, seed)
    return {score: _percentiles([_means(side, column, drawn) for side in sides]) for score, column in SUMS.items()}


def same_people(a: Trial, b: Trial) -> bool:
    """Whether two trials were judged on the same queries of the same people."""
    return _test(a) == _test(b)


def seed_interval(values: Sequence[float]) -> Interval | None:
    """Mean and 95 % t-interval of one number over seeds; ``None`` for a single seed, which says nothing of others.

        mean +- t(n - 1) * s / sqrt(n)

    It covers: the drawing of the world (its people, clothes and pictures, train and test alike) and the training on
    it, together, as far as a seed changes both. It does NOT cover other kinds of data, and it cannot tell a lucky world
    from a lucky training. With few seeds it leans on the numbers being roughly normal.

    Raises:
        InputError: no values.

    Source: Student, Biometrika 1908.

    >>> seed_interval([0.25, 0.75])  # two seeds say little: t is 12.7
    Interval(mean=0.5, low=-2.676551, high=3.676551)
    >>> seed_interval([0.5]) is None
    True
    """
    x = _numbers(values)
    if len(x) == 1:
        return None
    return _t_interval(x.mean(), x.var(ddof=1) / len(x), len(x) - 1)


def seed_difference(values: Sequence[float], others: Sequence[float], *, paired: bool) -> Interval | None:
    """95 % t-interval over seeds of the mean of ``others`` minus that of ``values``; ``None`` if a side has one seed.

    Covers what `seed_interval` covers.

    Args:
        values, others: one number for each seed.
        paired: the two lists follow the same seeds with the same data: the interval is that of the differences. Else
            that of Welch, for two independent lists of any length and spread.

    Raises:
        InputError: no values, or pairs of unequal number.

    Source: Welch, Biometrika 1947.

    >>> seed_difference([0.1, 0.5, 0.3], [0.2, 0.6, 0.4], paired=True).low
    0.1
    >>> seed_difference([0.1, 0.5, 0.3], [0.2, 0.6, 0.4], paired=False).leaves_out_zero()
    False
    """
    a, b = _numbers(values), _numbers(others)
    if paired and len(a) != len(b):
        raise InputError(f"found {len(a)} and {len(b)} numbers", "expected pairs", "use paired=False")
    if min(len(a), len(b)) == 1:
        return None
    if paired:
        return seed_interval((b - a).tolist())
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    parts = va**2 / (len(a) - 1) + vb**2 / (len(b) - 1)
    return _t_interval(b.mean() - a.mean(), va + vb, (va + vb) ** 2 / parts if parts else inf)


def t_quantile(df: float) -> float:
    """The t with 95 % of Student's distribution between -t and t.

    With t = sqrt(df) tan(u), the share between is the integral of cos(u)^(df - 1), which is computed by Gauss's rule
    and halved in until it fits. ``df`` need not be whole; from 1.

    >>> round(t_quantile(1), 3), round(t_quantile(4), 3), round(t_quantile(30), 3)
    (12.706, 2.776, 2.042)
    """
    df = min(df, 1e4)  # above, t differs from the normal's 1.96 by less than 0.0003
    whole = sqrt(pi) / 2 * exp(lgamma(df / 2) - lgamma((df + 1) / 2))
    low, high = 0.0, pi / 2
    for _ in range(60):
        u = (low + high) / 2
        share = u / 2 * (WEIGHTS * np.cos(u / 2 * (NODES + 1)) ** (df - 1)).sum() / whole
        low, high = (u, high) if share < SHARE else (low, u)
    return sqrt(df) * tan(low)


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Rank correlation, -1..1: whether b rises whenever a does. Ties share their mean rank.

    It is a description of these points and comes without an interval: epochs of one run follow each other, so they are
    not independent, and a high value over one run says little of the next.

    Returns:
        ``None`` if a or b never changes, where no order is to be followed.

    Raises:
        InputError: unequal lengths, or fewer than two points.

    Source: Spearman, American Journal of Psychology 1904.

    >>> spearman([1, 2, 3, 4], [10, 20, 30, 5]), spearman([1, 2], [7, 7])
    (-0.2, None)
    """
    x, y = _ranks(_numbers(a)), _ranks(_numbers(b))
    if len(x) != len(y) or len(x) < 2:
        raise InputError(f"found {len(x)} and {len(y)} numbers", "expected as many of each, two or more")
    x, y = x - x.mean(), y - y.mean()
    length = sqrt((x @ x) * (y @ y))
    return round(float(x @ y) / length, 6) if length else None


Test = tuple[str, tuple[int, ...], tuple[int, ...]]


def _test(trial: Trial) -> Test:
    """What makes two tests the same: the images, the people, and how many queries of each were scored."""
    return trial.data.get("target", ""), tuple(trial.people["pids"]), tuple(trial.people["queries"])


def _draw(trials: Sequence[Trial], draws: int, seed: int) -> dict[Test, np.ndarray]:
    """For every test among the trials the places of the drawn people, (draws, people)."""
    rng = np.random.default_rng(seed)
    tests = sorted({_test(trial) for trial in trials})  # whichever arm comes first
    for _, pids, _ in tests:
        if len(pids) < 2:
            raise InputError(
                f"found {len(pids)} test people", "expected two or more", "no interval can be drawn of one"
            )
    return {test: rng.integers(len(test[1]), size=(draws, len(test[1]))) for test in tests}


def _means(trials: Sequence[Trial], column: str, drawn: dict[Test, np.ndarray]) -> np.ndarray:
    """The score of the people themselves, and of every draw, as means over trials, (1 + draws,)."""
    if not trials:
        raise InputError("found an arm without trials", "expected one or more", "run the study to its end")
    scores = []
    for trial in trials:
        added, queries = (np.array(trial.people[name], dtype=float) for name in (column, "queries"))
        places = drawn[_test(trial)]  # draws people
        of_draws = added[places].sum(1) / queries[places].sum(1)
        scores.append(np.concatenate([[added.sum() / queries.sum()], of_draws]))
    mean: np.ndarray = np.mean(scores, axis=0)
    return mean


def _percentiles(sides: list[np.ndarray]) -> Interval:
    values = sides[0] if len(sides) == 1 else sides[1] - sides[0]
    low, high = np.quantile(values[1:], [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return _interval(values[0], low, high)


def _t_interval(mean: float, variance: float, df: float) -> Interval:
    half = t_quantile(df) * sqrt(variance)
    return _interval(mean, mean - half, mean + half)


def _interval(*numbers: float) -> Interval:
    """Rounded to six digits, as receipts are: what is zero but for the last bits is zero."""
    return Interval(*(round(float(x), 6) + 0.0 for x in numbers))


def _numbers(values: Sequence[float]) -> np.ndarray:
    if not len(values):
        raise InputError("found no numbers", "expected one for each seed")
    return np.asarray(values, dtype=float)


def _ranks(x: np.ndarray) -> np.ndarray:
    """Mean ranks: the values below, and the middle of those that are equal."""
    ascending = np.sort(x)
    return (np.searchsorted(ascending, x, "left") + np.searchsorted(ascending, x, "right")) / 2
