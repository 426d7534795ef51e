"""Wrong answers to the fifteen-hour assignment, each another misconception. Written before the properties."""

from collections.abc import Mapping, Sequence
from statistics import fmean, median

from paulbook.exercises.assignment_15 import choose_and_report

Scores = Mapping[str, Mapping[int, float]]
Seeds = Sequence[int]


def _whole(scores: Scores, seeds: Seeds) -> dict[str, Mapping[int, float]]:
    return {name: by_seed for name, by_seed in scores.items() if all(seed in by_seed for seed in seeds)}


def _mean(by_seed: Mapping[int, float], seeds: Seeds) -> float:
    return fmean(by_seed[seed] for seed in seeds)


def _best(scores: Scores, development: Seeds, final: Seeds) -> str:
    return choose_and_report(scores, development, final)[0]


def by_the_final_seeds(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """Chooses on the seeds that it reports."""
    return _choose(scores, development, final, final)


def by_all_seeds(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """Chooses on all seeds together."""
    return _choose(scores, development, final, [*development, *final])


def _choose(scores: Scores, development: Seeds, final: Seeds, by: Seeds) -> tuple[str, float]:
    able = _whole(scores, [*development, *final])
    name = max(able, key=lambda name: _mean(able[name], by))
    return name, _mean(able[name], final)


def reports_development(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """Reports the number by which it has chosen."""
    name = _best(scores, development, final)
    return name, _mean(scores[name], development)


def reports_all(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """Reports the mean over all seeds."""
    name = _best(scores, development, final)
    return name, _mean(scores[name], [*development, *final])


def reports_the_best_of_all(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """The name is chosen well, the number is the best that any setting reaches."""
    able = _whole(scores, [*development, *final])
    return _best(scores, development, final), max(_mean(by_seed, final) for by_seed in able.values())


def reports_the_best_seed(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """Reports the best final seed."""
    name = _best(scores, development, final)
    return name, max(scores[name][seed] for seed in final)


def by_the_best_seed(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """Chooses the setting with the best single seed."""
    able = _whole(scores, [*development, *final])
    name = max(able, key=lambda name: max(able[name][seed] for seed in development))
    return name, _mean(able[name], final)


def by_the_worst_seed(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """Chooses the setting whose worst seed is best."""
    able = _whole(scores, [*development, *final])
    name = max(able, key=lambda name: min(able[name][seed] for seed in development))
    return name, _mean(able[name], final)


def by_the_median(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """Chooses by the median."""
    able = _whole(scores, [*development, *final])
    name = max(able, key=lambda name: median(able[name][seed] for seed in development))
    return name, _mean(able[name], final)


def the_lowest(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """Takes scores for losses."""
    able = _whole(scores, [*development, *final])
    name = min(able, key=lambda name: _mean(able[name], development))
    return name, _mean(able[name], final)


def the_first(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """Compares nothing."""
    name = next(iter(_whole(scores, [*development, *final])))
    return name, _mean(scores[name], final)


def whatever_seeds_there_are(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """Averages over the seeds that a setting happens to have."""
    some = {name: [by_seed[s] for s in development if s in by_seed] for name, by_seed in scores.items()}
    name = max(some, key=lambda name: fmean(some[name]) if some[name] else 0)
    return name, fmean(scores[name][seed] for seed in final if seed in scores[name])


def name_alone(scores: Scores, development: Seeds, final: Seeds) -> str:
    """Does not report."""
    return _best(scores, development, final)


def number_first(scores: Scores, development: Seeds, final: Seeds) -> tuple[float, str]:
    """The other way round."""
    name, value = choose_and_report(scores, development, final)
    return value, name


def percent(scores: Scores, development: Seeds, final: Seeds) -> tuple[str, float]:
    """Right, in percent."""
    name, value = choose_and_report(scores, development, final)
    return name, 100 * value


WRONG = {
    "choose_and_report": (
        by_the_final_seeds,
        by_all_seeds,
        reports_development,
        reports_all,
        reports_the_best_of_all,
        reports_the_best_seed,
        by_the_best_seed,
        by_the_worst_seed,
        by_the_median,
        the_lowest,
        the_first,
        whatever_seeds_there_are,
        name_alone,
        number_first,
        percent,
    )
}


def in_one_walk(scores: Scores, development: Seeds, final: Seeds) -> list[object]:
    """One pass, sums in place of means."""
    best, name = -1.0, ""
    for setting, by_seed in scores.items():
        if set(development) | set(final) <= set(by_seed) and sum(by_seed[s] for s in development) > best:
            best, name = sum(by_seed[s] for s in development), setting
    return [name, sum(scores[name][s] for s in final) / len(final)]


OTHER_RIGHT = {"choose_and_report": (in_one_walk,)}
