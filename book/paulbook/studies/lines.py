"""Two arms held against each other: a line for each score, with intervals, p value and verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from paullite.errors import InputError

from .receipts import Trial
from .significance import ALPHA, FEWEST, corrected_in_family, detectable
from .statistics import Interval, Test, bootstrap, same_people, seed_test, which_test

TITLES = {"rank1": "rank-1", "map_step": "mAP"}


@dataclass(frozen=True)
class Line:
    """The comparison of one score, in shares; B minus A.

    Attributes:
        score: "rank1" or "map_step".
        a, b: means over trials.
        people: 95 % confidence interval of the difference over test people, from the cluster bootstrap.
        seeds: 95 % confidence interval over seeds; ``None`` where a side has one.
        p: of the t-test over seeds, of this comparison alone; ``None`` where a side has one seed.
        trials: seeds of the smaller side.
        one_test: whether seeds share a test, so that the interval over seeds does not cover who was in it.
        deviation: standard deviation of the differences of pairs; ``None`` if seeds are not paired.
        corrected: p after Holm's correction; ``None`` if the comparison stands alone.
        family: number of comparisons that were corrected together.
    """

    score: str
    a: float
    b: float
    people: Interval
    seeds: Interval | None
    p: float | None = None
    trials: int = 1
    one_test: bool = False
    deviation: float | None = None
    corrected: float | None = None
    family: int = 1

    @property
    def p_value(self) -> float | None:
        """The corrected one, or that of a comparison that stands alone."""
        return self.p if self.corrected is None else self.corrected

    @property
    def significant(self) -> bool:
        """Whether p is below 5 %; where seeds share a test, the interval over people must leave out zero, too.

        Fewer than three seeds are never significant.
        """
        if self.p_value is None or self.trials < FEWEST:
            return False
        return self.p_value < ALPHA and (self.people.leaves_out_zero() or not self.one_test)

    def verdict(self) -> str:
        """In words."""
        if self.p_value is None or self.trials < FEWEST:
            return "cannot be said"
        return "significant" if self.significant else "not significant"

    def detectable(self) -> float | None:
        """The true difference that so many seeds find with 80 % power; ``None`` if they are not paired or too few."""
        if self.deviation is None or self.trials < FEWEST:
            return None
        return detectable(self.deviation, self.trials)


def compare_trials(a: Sequence[Trial], b: Sequence[Trial]) -> list[Line]:
    """The numbers of one comparison that stands alone: a `Line` for rank-1, and one for mAP.

    Trials with the same seed and the same test are paired, and what has no partner is left out, as long as two pairs
    are there or one side has no more than its pairs. Else all trials are used, unpaired. Of several comparisons of a
    study take `paulbook.studies.families.lines_of`, which corrects the p values.

    Raises:
        InputError: a side has no trial, or the people of a trial do not add up to its scores.
    """
    tests = seed_tests(a, b)
    a, b = partners(a, b)
    over_people, lines = bootstrap(a, b), []
    shared = any(len({which_test(trial) for trial in side}) < len(side) for side in (a, b))
    for score, test in tests.items():
        x, y = (fmean(trial.scores[score] for trial in side) for side in (a, b))
        line = Line(score, x, y, over_people[score], None, trials=min(len(a), len(b)), one_test=shared)
        if test:
            line = replace(line, seeds=test.interval, p=test.p, deviation=test.deviation)
        if abs(line.b - line.a - line.people.mean) > 1e-4:
            found = f"found people who do not add up to the {score} of their trials"
            raise InputError(found, "expected a receipt as it was written", "make it again")
        lines.append(line)
    return lines


def seed_tests(a: Sequence[Trial], b: Sequence[Trial]) -> dict[str, Test | None]:
    """The t-test over seeds of b minus a by score, on the trials that `compare_trials` compares."""
    a, b = partners(a, b)
    paired = are_paired(a, b)
    sides = {score: [[trial.scores[score] for trial in side] for side in (a, b)] for score in TITLES}
    return {score: seed_test(*values, paired=paired) if a and b else None for score, values in sides.items()}


def corrected(comparisons: Iterable[Mapping[str, Line]]) -> list[dict[str, Line]]:
    """The lines of several comparisons, by score, with Holm's p values: each score is corrected over all of them.

    What has one seed has no p value and takes no part.
    """
    found = [dict(lines) for lines in comparisons]
    for score in TITLES:
        p_values, family = corrected_in_family([lines[score].p for lines in found])
        for lines, p in zip(found, p_values, strict=True):
            if p is not None:
                lines[score] = replace(lines[score], corrected=p, family=family)
    return found


def partners(a: Sequence[Trial], b: Sequence[Trial]) -> tuple[Sequence[Trial], Sequence[Trial]]:
    """The trials of both sides that are compared: those with a partner, if there are enough."""
    pairs = [(x, y) for x in a for y in b if x.seed == y.seed and same_people(x, y)]
    if pairs and (len(pairs) >= 2 or len(pairs) == min(len(a), len(b))):
        return [x for x, _ in pairs], [y for _, y in pairs]
    return a, b


def are_paired(a: Sequence[Trial], b: Sequence[Trial]) -> bool:
    """Whether both sides follow the same seeds with the same tests."""
    return len(a) == len(b) and all(x.seed == y.seed and same_people(x, y) for x, y in zip(a, b, strict=True))
