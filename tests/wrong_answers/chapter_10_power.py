"""Wrong answers to exercise 10.2, each another misconception; and other right ones."""

import numpy as np
from scipy import stats


def studies_of(difference, deviation, seeds, studies, seed) -> np.ndarray:
    """Differences of simulated studies, (studies, seeds), as they should be."""
    return np.random.default_rng(seed).normal(difference, deviation, size=(studies, seeds))


def p_values(drawn) -> np.ndarray:
    """Of the paired t-test."""
    return stats.ttest_1samp(drawn, 0, axis=1).pvalue


def in_percent(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """In percent, where a share was asked for."""
    return 100 * np.mean(p_values(studies_of(difference, deviation, seeds, studies, seed)) < 0.05)


def misses(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """The chance to miss the difference."""
    return np.mean(p_values(studies_of(difference, deviation, seeds, studies, seed)) >= 0.05)


def ahead(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """How often the mean is on the right side."""
    return np.mean(studies_of(difference, deviation, seeds, studies, seed).mean(axis=1) > 0)


def normal_bound(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """1.96 for every number of seeds."""
    drawn = studies_of(difference, deviation, seeds, studies, seed)
    return np.mean(np.abs(drawn.mean(1)) / (drawn.std(1, ddof=1) / seeds**0.5) > 1.96)


def one_sided(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """A test for gains alone."""
    drawn = studies_of(difference, deviation, seeds, studies, seed)
    return np.mean(stats.ttest_1samp(drawn, 0, axis=1, alternative="greater").pvalue < 0.05)


def always_five(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """The t of five seeds."""
    drawn = studies_of(difference, deviation, seeds, studies, seed)
    return np.mean(np.abs(drawn.mean(1)) / (drawn.std(1, ddof=1) / seeds**0.5) > stats.t.ppf(0.975, 4))


def deviation_of_one(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """`deviation` is not used."""
    return np.mean(p_values(studies_of(difference, 1.0, seeds, studies, seed)) < 0.05)


def known_deviation(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """A z-test with the true standard deviation, which no study knows."""
    drawn = studies_of(difference, deviation, seeds, studies, seed)
    return np.mean(np.abs(drawn.mean(1)) / (deviation / seeds**0.5) > 1.96)


def two_arms(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """An unpaired test of two arms, each with the standard deviation of the difference."""
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(mean, deviation, size=(studies, seeds)) for mean in (0, difference))
    return np.mean(stats.ttest_ind(a, b, axis=1).pvalue < 0.05)


def never_the_same(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """No seed at all."""
    return np.mean(p_values(studies_of(difference, deviation, seeds, studies, None)) < 0.05)


def seed_ignored(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """Always the same studies, whatever the seed."""
    return np.mean(p_values(studies_of(difference, deviation, seeds, studies, 0)) < 0.05)


def always_many(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """`studies` is not used."""
    return np.mean(p_values(studies_of(difference, deviation, seeds, 20_000, seed)) < 0.05)


def by_scipy(difference, deviation, seeds, studies=4000, seed=0) -> np.floating:
    """Right: with scipy's own test."""
    return np.mean(p_values(studies_of(difference, deviation, seeds, studies, seed)) < 0.05)


def both_arms(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """Right: two arms that share what a seed adds, compared in pairs."""
    rng = np.random.default_rng(seed)
    world = rng.normal(0, 3 * deviation, size=(studies, seeds))
    a, b = (world + rng.normal(mean, deviation / 2**0.5, size=(studies, seeds)) for mean in (0, difference))
    return float((stats.ttest_rel(a, b, axis=1).pvalue < 0.05).mean())


def study_by_study(difference, deviation, seeds, studies=4000, seed=0) -> float:
    """Right: an interval for each study, and whether it leaves out zero."""
    rng, half, found = np.random.default_rng(seed), stats.t.ppf(0.975, seeds - 1) / seeds**0.5, 0
    for _ in range(studies):
        drawn = difference + deviation * rng.standard_normal(seeds)
        found += abs(drawn.mean()) > half * np.sqrt(((drawn - drawn.mean()) ** 2).sum() / (seeds - 1))
    return found / studies


WRONG = (
    in_percent,
    misses,
    ahead,
    normal_bound,
    one_sided,
    always_five,
    deviation_of_one,
    known_deviation,
    two_arms,
    never_the_same,
    seed_ignored,
    always_many,
)
OTHER_RIGHT = (by_scipy, both_arms, study_by_study)
