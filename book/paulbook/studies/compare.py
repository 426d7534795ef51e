"""What differs between two receipts, and whether the difference in the scores is significant: as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

from paullite.errors import InputError, nearest_names
from paullite.runs.provenance import differences

from .families import lines_of, primary_score
from .lines import TITLES, Line, are_paired, compare_trials, corrected, partners
from .receipts import Receipt, Trial, names, read, settings_of
from .significance import FEWEST, p_text
from .statistics import Interval, same_people

__all__ = ["TITLES", "Line", "compare", "compare_trials"]

WIDTH = 100
FEW_PEOPLE = 20  # below this the bootstrap's intervals are narrower than they say


def compare(a: str, b: str) -> str:
    """Compare two receipts, or two arms of one or two receipts.

    A difference is called significant if its p value is below 5 %. That is of a t-test over seeds, paired where seeds
    and test data agree. Two arms of one study are corrected by Holm's method over all comparisons of that study, and
    several pairs of arms over these pairs. Where all seeds share one test, the interval over people must leave out
    zero, too, since the seeds then say nothing of other people. Fewer than three seeds cannot answer.

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
                A       B   B - A   people, 95 % CI    seeds, 95 % CI
    mAP      36.1    83.3   +47.2   +41.7 .. +50.0     +35.3 .. +59.2     p = 0.003, significant
    rank-1   36.1    83.3   +47.2   +41.7 .. +50.0     +35.3 .. +59.2     p = 0.003, significant
    With 3 seeds, a true difference of 15.7 points of mAP is found with 80 % power.
    3 test people are few: the interval over people is somewhat too narrow
    """
    (first, arm), (second, other) = _given(a), _given(b)
    pairs = [_Pair(first, mine, second, theirs) for mine, theirs in _arms(first, arm, second, other)]
    return "\n\n".join(_block(pair, lines) for pair, lines in zip(pairs, _lines(pairs), strict=True))


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
    if not colon or Path(text).is_file() or text in (*names(), *names("v1")):
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


def _lines(pairs: Sequence[_Pair]) -> list[dict[str, Line]]:
    """Of each pair, by score, with p values that are corrected over the study, or over the pairs."""
    sides, one = [pair.trials() for pair in pairs], pairs[0]
    if len(pairs) == 1 and one.first == one.second and one.arm != one.other:
        return [lines_of(one.first, one.arm, one.other)]
    found = [{line.score: line for line in compare_trials(*side)} for side in sides]
    return corrected(found) if len(pairs) > 1 else found


def _block(pair: _Pair, lines: dict[str, Line]) -> str:
    """Everything about one pair of arms; the score that decides comes first."""
    a, b = pair.trials()
    first = primary_score(pair.second.study)
    ordered = [lines[first], *(line for score, line in lines.items() if score != first)]
    parts = [*_titles(pair), *_differences(pair), *_data(a, b), _head(ordered[0])]
    parts += [_row(line) for line in ordered] + _notes(ordered[0], *partners(a, b))
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
    x, y = partners(a, b)
    if are_paired(x, y):
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
    seeds = "" if line.seeds is None else "seeds, 95 % CI"
    return f"{'':6}{'A':>7} {'B':>7} {'B - A':>7}   people, 95 % CI    {seeds}".rstrip()


def _row(line: Line) -> str:
    numbers = f"{TITLES[line.score]:6}{_points(line.a)} {_points(line.b)} {_points(line.b - line.a, '+')}"
    seeds = "" if line.seeds is None else f"{_span(line.seeds):16}  "
    p = "" if line.p_value is None or line.trials < FEWEST else f"{p_text(line.p_value)}, "
    return f"{numbers}   {_span(line.people):16}   {seeds} {p}{line.verdict()}"


def _points(share: float, sign: str = "") -> str:
    """In percent or points, one digit after the point; no minus before a zero."""
    return f"{round(100 * share, 1) + 0.0:{sign}7.1f}"


def _span(interval: Interval) -> str:
    return " .. ".join(_points(end, "+").strip() for end in (interval.low, interval.high))


def _notes(line: Line, a: Sequence[Trial], b: Sequence[Trial]) -> list[str]:
    """What the numbers cannot say by themselves."""
    notes = []
    if line.seeds is None:
        each = "one training each" if len(a) == len(b) == 1 else "one training on one side"
        notes.append(f"{each}: the interval covers the test people only; another seed may say otherwise")
    elif line.trials < FEWEST:
        notes.append(f"{line.trials} seeds: from {FEWEST} on, a difference is called significant or not")
    least = line.detectable()
    if least:
        found = f"a true difference of {100 * least:.1f} points of {TITLES[line.score]} is found with 80 % power"
        notes.append(f"With {line.trials} seeds, {found}.")
    if line.corrected is not None and line.family > 1:
        notes.append(f"p values are corrected by Holm's method over {line.family} comparisons.")
    people = min(len(trial.people["pids"]) for trial in (*a, *b))
    if people < FEW_PEOPLE and line.trials >= FEWEST:
        notes.append(f"{people} test people are few: the interval over people is somewhat too narrow")
    return notes
