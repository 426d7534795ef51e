"""What differs between two receipts, and whether the difference in the scores is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from textwrap import fill

from paullite.errors import InputError, nearest_names
from paullite.runs.provenance import differences

from .receipts import Receipt, Trial, names, read, settings_of
from .statistics import Interval, bootstrap, same_people, seed_difference

WIDTH = 100
TITLES = {"rank1": "rank-1", "map_step": "mAP"}


def compare(a: str, b: str) -> str:
    """Compare two receipts, or two arms of one or two receipts.

    A difference is called more than chance only if two 95 % intervals leave out zero: that over the test people, with
    the networks kept (`bootstrap`), and that over seeds (`seed_difference`), which is paired where seeds and test data
    agree. One training each cannot answer: then only the judge's interval is at hand. Every line is judged by itself;
    who looks at many lines will meet chance among them.

    Args:
        a, b: path of a receipt or the name of one that ships, each with ``:ARM`` behind it if one arm is meant.
            Without an arm: all arms that both have, or, where each has a single arm, these two.

    Returns:
        Plain text of at most 100 columns. Differences are B minus A, in points.

    Raises:
        InputError: no such receipt or arm, no arm in common, or no trial of an arm.

    >>> import tempfile
    >>> from paulbook.studies.receipts import write
    >>> def trial(arm, seed, hits):
    ...     people = {"pids": [1, 2, 3], "queries": [4, 4, 4], "hits": hits, "precisions": hits}
    ...     scores = dict.fromkeys(("rank1", "map_step"), sum(hits) / 12)
    ...     return Trial(arm, seed, scores, people, {}, {"target": f"world {seed}"})
    >>> arms = {"off": {"title": "half the rate", "changes": {"adapt": {"lr": 0.1}}}, "on": {"title": "PAUL"}}
    >>> trials = [trial("off", 0, [1, 1, 2]), trial("off", 1, [1, 2, 1]), trial("off", 2, [2, 2, 1])]
    >>> trials += [trial("on", 0, [3, 3, 4]), trial("on", 1, [2, 4, 3]), trial("on", 2, [4, 4, 3])]
    >>> receipt = Receipt("rates", "Which rate?", "", {"adapt": {"lr": 0.2}}, arms, {}, {}, trials)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write(receipt, folder)
    ...     print(compare(f"{path}:off", f"{path}:on"))
    A  rates:off, half the rate
    B  rates:on, PAUL
    settings, A (now B): adapt.lr 0.1 (now 0.2)
    seeds 0, 1, 2: same test people and queries
                A       B   B - A   over people, 95 %   over seeds, 95 %
    rank-1   36.1    83.3   +47.2    +41.7 .. +50.0      +35.3 .. +59.2    more than chance
    mAP      36.1    83.3   +47.2    +41.7 .. +50.0      +35.3 .. +59.2    more than chance
    """
    (first, arm), (second, other) = _given(a), _given(b)
    pairs = [_Pair(first, mine, second, theirs) for mine, theirs in _arms(first, arm, second, other)]
    return "\n\n".join(_block(pair) for pair in pairs)


@dataclass(frozen=True)
class Line:
    """The comparison of one score, in shares; B minus A.

    Attributes:
        score: "rank1" or "map_step".
        a, b: means over trials.
        people: interval of the difference over test people.
        seeds: interval over seeds; ``None`` where a side has one.
    """

    score: str
    a: float
    b: float
    people: Interval
    seeds: Interval | None

    def verdict(self) -> str:
        """In words; more than chance only if both intervals leave out zero."""
        if self.seeds is None:
            return "cannot be said"
        both = self.people.leaves_out_zero() and self.seeds.leaves_out_zero()
        return "more than chance" if both else "not shown"


def compare_trials(a: Sequence[Trial], b: Sequence[Trial]) -> list[Line]:
    """The numbers of a comparison: a `Line` for rank-1, and one for mAP.

    Trials with the same seed and the same test are paired, and what has no partner is left out, as long as two pairs
    are there or one side has no more than its pairs. Else all trials are used, unpaired.

    Raises:
        InputError: a side has no trial, or the people of a trial do not add up to its scores.
    """
    a, b = _partners(a, b)
    over_people, lines = bootstrap(a, b), []
    for score in TITLES:
        x, y = ([trial.scores[score] for trial in side] for side in (a, b))
        line = Line(score, fmean(x), fmean(y), over_people[score], seed_difference(x, y, paired=_paired(a, b)))
        if abs(line.b - line.a - line.people.mean) > 1e-4:
            found = f"found people who do not add up to the {score} of their trials"
            raise InputError(found, "expected a receipt as it was written", "make it again")
        lines.append(line)
    return lines


@dataclass(frozen=True)
class _Pair:
    """An arm of one receipt and an arm of another."""

    first: Receipt
    arm: str
    second: Receipt
    other: str

    def trials(self) -> tuple[list[Trial], list[Trial]]:
        return _trials(self.first, self.arm), _trials(self.second, self.other)


def _given(text: str) -> tuple[Receipt, str | None]:
    """FILE_OR_NAME[:ARM]; a file whose name has a colon is a file."""
    before, colon, arm = text.rpartition(":")
    if not colon or Path(text).is_file() or text in names():
        return read(text), None
    return read(before), arm


def _arms(first: Receipt, arm: str | None, second: Receipt, other: str | None) -> list[tuple[str, str]]:
    """Which arm is compared with which."""
    if arm is not None or other is not None:
        return [(_arm(first, arm, other), _arm(second, other, arm))]
    if len(first.arms) == len(second.arms) == 1:
        return [(next(iter(first.arms)), next(iter(second.arms)))]
    common = [name for name in first.arms if first.of(name) and second.of(name)]
    if not common:
        found = f"found no arm with trials in both {first.study!r} and {second.study!r}"
        arms = f"A has {', '.join(first.arms)}; B has {', '.join(second.arms)}"
        raise InputError(found, "expected one in common, or FILE:ARM twice", arms)
    return [(name, name) for name in common]


def _arm(receipt: Receipt, arm: str | None, partner: str | None) -> str:
    """The arm that was named; if none was, the only one, or that of the partner's name."""
    name = arm if arm is not None else next(iter(receipt.arms)) if len(receipt.arms) == 1 else str(partner)
    if name not in receipt.arms:
        found = f"found no arm {name!r} in the receipt {receipt.study!r}"
        raise InputError(found, f"expected one of: {', '.join(receipt.arms)}", nearest_names(name, receipt.arms))
    return name


def _trials(receipt: Receipt, arm: str) -> list[Trial]:
    if not receipt.of(arm):
        found = f"found no trial of arm {arm!r} in the receipt {receipt.study!r}"
        raise InputError(found, "expected one or more", f"run it to its end: {receipt.command}")
    return receipt.of(arm)


def _partners(a: Sequence[Trial], b: Sequence[Trial]) -> tuple[Sequence[Trial], Sequence[Trial]]:
    pairs = [(x, y) for x in a for y in b if x.seed == y.seed and same_people(x, y)]
    if pairs and (len(pairs) >= 2 or len(pairs) == min(len(a), len(b))):
        return [x for x, _ in pairs], [y for _, y in pairs]
    return a, b


def _paired(a: Sequence[Trial], b: Sequence[Trial]) -> bool:
    return len(a) == len(b) and all(x.seed == y.seed and same_people(x, y) for x, y in zip(a, b, strict=True))


def _block(pair: _Pair) -> str:
    """Everything about one pair of arms."""
    a, b = pair.trials()
    lines = compare_trials(a, b)
    parts = [*_titles(pair), *_differences(pair), *_data(a, b), _head(lines[0])]
    parts += [_row(line) for line in lines]
    if lines[0].seeds is None:
        parts.append(_one_training(*_partners(a, b)))
    return "\n".join(fill(part, WIDTH, subsequent_indent="   ") if len(part) > WIDTH else part for part in parts)


def _titles(pair: _Pair) -> list[str]:
    sides = [("A", pair.first, pair.arm), ("B", pair.second, pair.other)]
    return [f"{letter}  {one.study}:{arm}, {one.arms[arm].get('title', arm)}" for letter, one, arm in sides]


def _differences(pair: _Pair) -> list[str]:
    """Settings, versions and machine, as far as they differ."""
    first, second = pair.first, pair.second
    sections = {
        "settings": (settings_of(first, pair.arm), settings_of(second, pair.other)),
        "versions": (first.versions, second.versions),
        "machine": (first.machine, second.machine),
    }
    found = {name: differences({name: then}, {name: now}) for name, (then, now) in sections.items()}
    if not found["settings"]:
        found = {"settings": ["none differs"], **{k: v for k, v in found.items() if k != "settings"}}
    return [f"{name}, A (now B): {', '.join(words)}" for name, words in found.items() if words]


def _data(a: Sequence[Trial], b: Sequence[Trial]) -> list[str]:
    """Which seeds were used, and whether both were judged on the same people."""
    x, y = _partners(a, b)
    if _paired(x, y):
        said = [f"seeds {_seeds(x)}: same test people and queries"]
        kept = {trial.seed for trial in x}
        for letter, side in (("A", a), ("B", b)):
            if alone := [trial for trial in side if trial.seed not in kept]:
                said.append(f"left out: seeds {_seeds(alone)} of {letter}, without a partner")
    else:
        said = [f"seeds of A {_seeds(x)}; of B {_seeds(y)}; seeds are not paired"]
        if not any(same_people(one, two) for one in x for two in y):
            said.append("different test data: the queries are not of the same people, who are drawn apart")
    sources = [{trial.data.get("source") for trial in side} for side in (x, y)]
    return said if sources[0] == sources[1] else [*said, "different source images"]


def _seeds(trials: Sequence[Trial]) -> str:
    return ", ".join(str(trial.seed) for trial in trials)


def _head(line: Line) -> str:
    seeds = "" if line.seeds is None else " over seeds, 95 %"
    return f"{'':6}{'A':>7} {'B':>7} {'B - A':>7}   over people, 95 %  {seeds}".rstrip()


def _row(line: Line) -> str:
    numbers = f"{TITLES[line.score]:6}{_points(line.a)} {_points(line.b)} {_points(line.b - line.a, '+')}"
    seeds = "" if line.seeds is None else f"{_span(line.seeds):^16}   "
    return f"{numbers}   {_span(line.people):^17}   {seeds}{line.verdict()}"


def _points(share: float, sign: str = "") -> str:
    """In percent or points, one digit after the point; no minus before a zero."""
    return f"{round(100 * share, 1) + 0.0:{sign}7.1f}"


def _span(interval: Interval) -> str:
    return " .. ".join(_points(end, "+").strip() for end in (interval.low, interval.high))


def _one_training(a: Sequence[Trial], b: Sequence[Trial]) -> str:
    each = "one training each" if len(a) == len(b) == 1 else "one training on one side"
    return f"{each}: the interval is the judge's alone, over people; another seed may say otherwise"
