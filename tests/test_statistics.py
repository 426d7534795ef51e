"""The book's statistics are what they claim to be, by simulation: coverage, error rate, prediction and power.

Each share is counted over so many draws that three standard errors are at most about two points.
"""

from collections.abc import Callable

import numpy as np
import pytest
from paulbook.studies.families import comparisons, lines_of
from paulbook.studies.lines import corrected
from paulbook.studies.receipts import Receipt, Trial
from paulbook.studies.significance import detectable, deviations, holm, power, seeds_needed
from paulbook.studies.statistics import prediction_interval, seed_test, share_interval
from paulbook.studies.studies import STUDIES

DRAWS = 1000
WORLDS = ((0.47, 0.8), (0.9, 0.5), (0.1, 0.6))  # mean and deviation on the logit scale: from PAUL's own to the extreme


def scores(rng: np.random.Generator, middle: float, deviation: float, *shape: int) -> np.ndarray:
    """Scores that scatter over seeds as shares do: normal on the logit scale."""
    return 1 / (1 + np.exp(-(np.log(middle / (1 - middle)) + deviation * rng.normal(size=shape))))


def slow_holm(p_values: list[float]) -> list[float]:
    """Holm's procedure as it is told: for every level, reject step by step, the smallest p first, until one fails.

    The corrected p of a comparison is the smallest level at which it is rejected.
    """
    levels = sorted({min(1.0, p * m) for p in p_values for m in range(1, len(p_values) + 1)} | {1.0})
    found: list[float] = []
    for own in range(len(p_values)):
        for level in levels:
            order = sorted(range(len(p_values)), key=lambda i: p_values[i])
            rejected = set()
            for step, i in enumerate(order):
                if p_values[i] * (len(p_values) - step) > level * (1 + 1e-12) and level < 1:
                    break
                rejected.add(i)
            if own in rejected:
                found.append(level)
                break
    return found


def test_holm_is_the_loop() -> None:
    rng = np.random.default_rng(0)
    for size in (1, 2, 5, 9):
        p = (rng.random(size) ** 3).round(4).tolist()
        assert holm(p) == pytest.approx(slow_holm(p), abs=1e-6)
    assert holm([0.02, 0.02, 0.5]) == [0.06, 0.06, 0.5] and holm([]) == []


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize(("middle", "deviation"), WORLDS)
def test_intervals_of_scores_cover_and_predict(seeds: int, middle: float, deviation: float) -> None:
    """95 % confidence intervals hold the true mean, and 95 % prediction intervals the next run; all within 0..1."""
    rng = np.random.default_rng(seeds)
    truth = scores(rng, middle, deviation, 200_000).mean()
    held = predicted = 0
    for *known, new in scores(rng, middle, deviation, DRAWS, seeds + 1).tolist():
        mean, run = share_interval(known), prediction_interval(known)
        assert mean and run and 0 < mean.low < mean.mean < mean.high < 1 and 0 <= run.low < run.high <= 1
        held += mean.low <= truth <= mean.high
        predicted += run.low <= new <= run.high
    assert 0.925 <= held / DRAWS <= 0.975 and 0.92 <= predicted / DRAWS <= 0.975


def test_a_confidence_interval_does_not_predict() -> None:
    """The slip that a band must not make: of five runs the mean's interval holds the sixth in two cases of three."""
    rng, inside = np.random.default_rng(1), 0
    for *known, new in scores(rng, 0.5, 0.4, DRAWS, 6).tolist():
        found = share_interval(known)
        assert found is not None
        inside += found.low <= new <= found.high
    assert 0.6 <= inside / DRAWS <= 0.74


def study_of(rng: np.random.Generator, effects: dict[str, float], seeds: int) -> Receipt:
    """A record of arms that differ from the base by true effects; the world moves all arms of a seed together."""
    world = rng.normal(0.5, 0.15, seeds)
    trials = []
    for arm, effect in effects.items():
        for seed, score in enumerate((world + effect + rng.normal(0, 0.02, seeds)).tolist()):
            people: dict[str, list[float]] = {
                "pids": [1, 2],
                "queries": [1, 1],
                "hits": [2 * score, 0.0],
                "precisions": [2 * score, 0.0],
            }
            trials.append(Trial(arm, seed, {"rank1": score, "map_step": score}, people, {}, {"test": str(seed)}))
    arms = {arm: {"title": arm, "changes": {}} for arm in effects}
    return Receipt("simulated", "?", "", {}, arms, {}, {}, trials)


def p_values(study: Receipt) -> list[float]:
    """Of every comparison of the study with its base, alone."""
    both = [[[t.scores["map_step"] for t in study.of(arm)] for arm in pair] for pair in comparisons(study)]
    return [test.p for a, b in both if (test := seed_test(a, b, paired=True))]


def rate(study: Callable[[np.random.Generator], Receipt], found: Callable[[list[float]], bool]) -> float:
    """Share of simulated studies in which something is found."""
    rng = np.random.default_rng(7)
    return float(np.mean([found(p_values(study(rng))) for _ in range(DRAWS)]))


@pytest.mark.slow
def test_one_study_in_twenty_is_wrong_with_holm_and_far_more_without() -> None:
    """Seven arms that do nothing, as many comparisons as the ablation has."""
    nothing = dict.fromkeys(("base", *"abcdefg"), 0.0)
    plain = rate(lambda rng: study_of(rng, nothing, 5), lambda p: min(p) < 0.05)
    with_holm = rate(lambda rng: study_of(rng, nothing, 5), lambda p: min(holm(p)) < 0.05)
    assert plain > 0.15 and 0.01 <= with_holm <= 0.065


@pytest.mark.slow
def test_true_effects_do_not_raise_the_error_rate_of_the_others() -> None:
    effects = {"base": 0.0, "a": 0.3, "b": 0.3, "c": 0.0, "d": 0.0}
    wrong = rate(lambda rng: study_of(rng, effects, 5), lambda p: min(holm(p)[2:]) < 0.05)
    right = rate(lambda rng: study_of(rng, effects, 5), lambda p: max(holm(p)[:2]) < 0.05)
    assert 0.01 <= wrong <= 0.065 and right > 0.98


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_power_is_how_often_a_true_difference_is_found(seeds: int) -> None:
    """At the detectable difference, in four studies of five; at half the interval's width, in about every second."""
    rng = np.random.default_rng(seeds)
    for difference in (detectable(0.02, seeds), 0.03):
        gains = difference + rng.normal(0, 0.02, (DRAWS, seeds))
        tests = [seed_test([0.0] * seeds, gain.tolist(), paired=True) for gain in gains]
        found = float(np.mean([test.p < 0.05 for test in tests if test]))
        assert found == pytest.approx(power(difference, 0.02, seeds), abs=0.04)
    assert power(detectable(0.02, seeds), 0.02, seeds) == pytest.approx(0.8, abs=1e-4)


def test_seeds_needed_are_the_fewest_that_have_the_power() -> None:
    for effect in (0.5, 1.0, 2.0):
        seeds = seeds_needed(effect, 1.0)
        assert seeds and power(effect, 1.0, seeds) >= 0.8 > power(effect, 1.0, seeds - 1)
    assert seeds_needed(0.1, 0.0) == 3 and seeds_needed(0.0, 0.0) is None and seeds_needed(0.001, 1.0) is None


def test_variation_splits_into_worlds_and_trainings() -> None:
    rng = np.random.default_rng(0)
    worlds, trainings = rng.normal(0, 0.15, 4000), rng.normal(0, 0.05, 4000)
    found = deviations((worlds + trainings).tolist(), rng.normal(0, 0.05, 4000).tolist())
    assert found.worlds == pytest.approx(0.15, rel=0.05) and found.trainings == pytest.approx(0.05, rel=0.05)
    assert deviations([0.1, 0.2], [0.1, 0.9]).worlds == 0


# ---- families


def test_a_study_is_corrected_over_its_comparisons() -> None:
    study = study_of(np.random.default_rng(3), {"base": 0.0, "a": 0.04, "b": 0.01}, 5)
    alone = p_values(study)
    for place, arm in enumerate("ab"):
        line = lines_of(study, "base", arm)["map_step"]
        assert (line.p, line.corrected) == (pytest.approx(alone[place]), pytest.approx(holm(alone)[place], abs=1e-6))
        assert line.family == 2
        back = lines_of(study, arm, "base")["map_step"]
        assert (back.corrected, back.b - back.a) == (line.corrected, pytest.approx(line.a - line.b))
    besides = lines_of(study, "a", "b")["map_step"]  # not among the study's: it joins them
    assert besides.family == 3


def test_each_score_is_corrected_by_itself() -> None:
    study = study_of(np.random.default_rng(3), {"base": 0.0, "a": 0.04, "b": 0.01}, 5)
    lines = [lines_of(study, "base", arm) for arm in "ab"]
    assert corrected(lines) == lines


@pytest.mark.parametrize("name", list(STUDIES))
def test_every_study_names_its_primary_comparison(name: str) -> None:
    """Among its comparisons, each of which stands there once, whichever way round."""
    study = STUDIES[name]
    arms = {arm: {"title": one.title, "changes": dict(one.changes)} for arm, one in study.arms.items()}
    trials = [Trial(arm, 0, {}, {}, {}, {}) for arm in arms]
    pairs = [frozenset(pair) for pair in comparisons(Receipt(name, "?", "", {}, arms, {}, {}, trials))]
    assert study.primary and frozenset(study.primary) in pairs and len(set(pairs)) == len(pairs)
    assert study.score == "map_step"
