"""How far a number of a study may be trusted: cluster bootstrap over people, t over seeds.

The two intervals answer different questions, so both are shown and neither is called *the* error. They are not added.
Scores are shares, 0..1, everywhere in this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from scipy import stats

from paullite.errors import InputError

from .receipts import Trial

SHARE = 0.95
SUMS = {"rank1": "hits", "map_step": "precisions"}  # score: what each person adds to it


@dataclass(frozen=True)
class Interval:
    """A mean, and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float

    def leaves_out_zero(self) -> bool:
        """Whether zero is neither inside nor an end."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Test:
    """A t-test of a mean difference over seeds.

    Attributes:
        interval: the difference with its 95 % confidence interval.
        p: two-sided, of the hypothesis that the true mean difference is zero.
        deviation: standard deviation of the differences of pairs; ``None`` of Welch's test.
    """

    __test__ = False  # pytest would take it for a class of tests

    interval: Interval
    p: float
    deviation: float | None


def bootstrap(
    trials: Sequence[Trial], others: Sequence[Trial] | None = None, *, draws: int = 2000, seed: int = 0
) -> dict[str, Interval]:
    """Cluster bootstrap: 95 % interval of mean rank-1 and mAP when the test people are drawn again, with their queries.

        rank-1 of a draw = sum of hits of the drawn people / sum of their queries, then the mean over trials

    Trials on the same test see the same draw: two arms on one seed are paired, and seeds that share one test do not
    count it as several. It covers which people happened to be in the test. Networks, gallery and distractors stay as
    they are, so it does NOT cover another training, or other training images. With few people it is too narrow: of
    95 %, it holds about 89 % with 6 people and 90 % with 12.

    Args:
        trials: of one arm, one for each seed.
        others: of another arm; the intervals are then of its mean minus that of ``trials``.
        draws: times that the people are drawn.
        seed: of the drawing; swapping the two arms swaps the signs and changes nothing else.

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
    """Whether two trials were evaluated on the same queries of the same people."""
    return which_test(a) == which_test(b)


def seed_interval(values: Sequence[float]) -> Interval | None:
    """Mean and 95 % confidence interval of one number over seeds; ``None`` for a single seed, which shows no variation.

        mean +- t(n - 1) * s / sqrt(n)

    It covers the drawing of the world and the training on it together, as far as a seed changes both. It does NOT
    cover other kinds of data, and it cannot tell an easy world from a good training. It leans on the numbers being
    roughly normal. For a score take `share_interval`.

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
    half = t_quantile(len(x) - 1) * x.std(ddof=1) / sqrt(len(x))
    return _interval(x.mean(), x.mean() - half, x.mean() + half)


def share_interval(values: Sequence[float], low: float = 0.0, high: float = 1.0) -> Interval | None:
    """Mean over seeds of a number that lies between two ends, and its 95 % confidence interval, which stays there too.

        logit(m) +- t(n - 1) * s / sqrt(n) / (m (1 - m)),   taken back from the logit scale

    where m is the mean, as a share of the way from ``low`` to ``high``, and the last factor is the slope of the logit
    there (delta method). ``None`` for a single value, and for a mean at an end, where the logit has no slope.

    Raises:
        InputError: no values, or one outside the ends.

    >>> share_interval([0.25, 0.5, 0.75])
    Interval(mean=0.5, low=0.076978, high=0.923022)
    >>> share_interval([-0.5, 0.0, 0.5], low=-1.0)  # correlations
    Interval(mean=0.0, low=-0.846045, high=0.846045)
    """
    x = (_numbers(values) - low) / (high - low)
    if x.min() < 0 or x.max() > 1:
        raise InputError(f"found numbers from {min(values):g} to {max(values):g}", f"expected {low:g}..{high:g}")
    mean = x.mean()
    if len(x) == 1 or mean in (0, 1):  # all values at one end do not vary, and the logit has no value there
        return None if len(x) == 1 else _interval(*[low + (high - low) * mean] * 3)
    half = t_quantile(len(x) - 1) * sqrt(_variance(x) / len(x)) / (mean * (1 - mean))
    ends = [1 / (1 + (1 - mean) / mean * np.exp(np.clip(side * half, -500, 500))) for side in (1, -1)]
    return _interval(*(low + (high - low) * share for share in (mean, *ends)))


def prediction_interval(values: Sequence[float], low: float = 0.0, high: float = 1.0) -> Interval | None:
    """Where the next single value lies in 95 % of cases, if it is drawn as these were; ``None`` for a single value.

        mean +- t(n - 1) * s * sqrt(1 + 1 / n),   as far as values can go

    A confidence interval says where the *mean* lies, so it is much narrower. Cutting at the ends loses nothing here.

    >>> prediction_interval([0.45, 0.5, 0.55])
    Interval(mean=0.5, low=0.251586, high=0.748414)
    """
    x = _numbers(values)
    if len(x) == 1:
        return None
    half = t_quantile(len(x) - 1) * sqrt(_variance(x) * (1 + 1 / len(x)))
    return _interval(x.mean(), max(low, x.mean() - half), min(high, x.mean() + half))


def seed_difference(values: Sequence[float], others: Sequence[float], *, paired: bool) -> Interval | None:
    """95 % confidence interval of `seed_test`, or ``None``.

    >>> seed_difference([0.1, 0.5, 0.3], [0.2, 0.6, 0.4], paired=True).low
    0.1
    """
    found = seed_test(values, others, paired=paired)
    return found.interval if found else None


def seed_test(values: Sequence[float], others: Sequence[float], *, paired: bool) -> Test | None:
    """t-test over seeds of the mean of ``others`` minus that of ``values``; ``None`` if a side has one seed.

    Covers what `seed_interval` covers. The p value is below 5 % exactly where the interval leaves out zero.

    Args:
        values, others: one number for each seed.
        paired: the two lists follow the same seeds with the same data: the paired t-test, on the differences. Else
            Welch's test, for two independent lists of any length.

    Raises:
        InputError: no values, or pairs of unequal number.

    Source: Welch, Biometrika 1947. Equal to scipy's ``ttest_rel`` and ``ttest_ind``, but defined for differences that
    do not vary, too.

    >>> found = seed_test([0.1, 0.5, 0.3], [0.2, 0.7, 0.4], paired=True)
    >>> found.interval.low, round(found.p, 3)
    (-0.010088, 0.057)
    """
    a, b = _numbers(values), _numbers(others)
    if paired and len(a) != len(b):
        raise InputError(f"found {len(a)} and {len(b)} numbers", "expected pairs", "use paired=False")
    if min(len(a), len(b)) == 1:
        return None
    if paired:
        gains = (b - a).round(9)  # 0.3 - 0.2 and 0.4 - 0.3 are the same difference, but for the last bit
        variance = _variance(gains)
        return _t_test(gains.mean(), variance / len(a), len(a) - 1, sqrt(variance))
    va, vb = _variance(a) / len(a), _variance(b) / len(b)
    parts = va**2 / (len(a) - 1) + vb**2 / (len(b) - 1)
    return _t_test(b.mean() - a.mean(), va + vb, (va + vb) ** 2 / parts if parts else inf, None)


def t_quantile(df: float) -> float:
    """The t with 95 % of Student's distribution between -t and t. ``df`` need not be whole.

    >>> round(t_quantile(1), 3), round(t_quantile(4), 3), round(t_quantile(30), 3)
    (12.706, 2.776, 2.042)
    """
    return float(stats.t.ppf((1 + SHARE) / 2, df))


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Rank correlation, -1..1: whether b rises whenever a does. Ties share their mean rank.

    It comes without an interval: epochs of one run follow each other, so they are not independent.
    ``None`` if a or b never changes.

    Raises:
        InputError: unequal lengths, or fewer than two points.

    >>> spearman([1, 2, 3, 4], [10, 20, 30, 5]), spearman([1, 2], [7, 7])
    (-0.2, None)
    """
    x, y = _numbers(a), _numbers(b)
    if len(x) != len(y) or len(x) < 2:
        raise InputError(f"found {len(x)} and {len(y)} numbers", "expected as many of each, two or more")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return round(float(stats.spearmanr(x, y).statistic), 6)


TestKey = tuple[str, str, tuple[int, ...], tuple[int, ...]]


def which_test(trial: Trial) -> TestKey:
    """What makes two tests the same: the fingerprint of their images, the people, and how many queries each has.

    Records from before the test's own fingerprint was noted have that of the training images instead.
    """
    images = trial.data.get("test") or f"by training images {trial.data.get('target', '')}"
    return images, trial.data.get("gallery", ""), tuple(trial.people["pids"]), tuple(trial.people["queries"])


def _draw(trials: Sequence[Trial], draws: int, seed: int) -> dict[TestKey, np.ndarray]:
    """For every test among the trials the places of the drawn people, (draws, people)."""
    rng = np.random.default_rng(seed)
    tests = sorted({which_test(trial) for trial in trials})  # whichever arm comes first
    for _, _, pids, _ in tests:
        if len(pids) < 2:
            raise InputError(f"found {len(pids)} test people", "expected two or more", "one person has no interval")
    return {test: rng.integers(len(test[2]), size=(draws, len(test[2]))) for test in tests}


def _means(trials: Sequence[Trial], column: str, drawn: dict[TestKey, np.ndarray]) -> np.ndarray:
    """The score of the people themselves, and of every draw, as means over trials, (1 + draws,)."""
    if not trials:
        raise InputError("found an arm without trials", "expected one or more", "run the study to its end")
    scores = []
    for trial in trials:
        added, queries = (np.array(trial.people[name], dtype=float) for name in (column, "queries"))
        places = drawn[which_test(trial)]  # draws people
        of_draws = added[places].sum(1) / queries[places].sum(1)
        scores.append(np.concatenate([[added.sum() / queries.sum()], of_draws]))
    mean: np.ndarray = np.mean(scores, axis=0)
    return mean


def _percentiles(sides: list[np.ndarray]) -> Interval:
    values = sides[0] if len(sides) == 1 else sides[1] - sides[0]
    return _interval(values[0], *np.quantile(values[1:], [(1 - SHARE) / 2, (1 + SHARE) / 2]))


def _variance(x: np.ndarray) -> float:
    """Zero where nothing varies, not the square of a last bit."""
    return float(x.var(ddof=1)) if np.ptp(x) else 0.0


def _t_test(mean: float, variance: float, df: float, deviation: float | None) -> Test:
    """From the mean, its variance and degrees of freedom. Without variance, any mean but zero is certain."""
    half = t_quantile(df) * sqrt(variance)
    p = 2 * float(stats.t.sf(abs(mean) / sqrt(variance), df)) if variance else float(mean == 0)
    return Test(_interval(mean, mean - half, mean + half), p, deviation)


def _interval(*numbers: float) -> Interval:
    """Rounded to six digits, as receipts are: what is zero but for the last bits is zero."""
    return Interval(*(round(float(x), 6) + 0.0 for x in numbers))


def _numbers(values: Sequence[float]) -> np.ndarray:
    if not len(values):
        raise InputError("found no numbers", "expected one for each seed")
    return np.asarray(values, dtype=float)
