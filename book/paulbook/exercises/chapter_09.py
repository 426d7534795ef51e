"""Exercise 9.1: the order of five ways to adapt. The other one of the chapter stands in `chapter_09_step`."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

from paullite.errors import nearest_names

from ..exercise import Exercise, expect
from ..studies.lines import compare_trials, corrected
from ..studies.receipts import read
from ..studies.statistics import Interval

ORDER: list[Any] = ["direct", ("batch_norm", "ipfl", "pedal"), "paul"]
"""The book's own answer: what the record leaves open is in brackets."""

TITLES = {
    "direct": "direct transfer",
    "batch_norm": "batch-norm only",
    "ipfl": "IPFL only",
    "pedal": "PEDAL only",
    "paul": "PAUL",
}


class Shown(NamedTuple):
    """Two arms that differ significantly in mAP: the second is better, by an interval over seeds in points."""

    worse: str
    better: str
    points: float
    seeds: Interval


@cache
def shown() -> tuple[Shown, ...]:
    """All pairs of arms whose difference in mAP is significant over ten seeds, the largest difference first.

    p values are corrected by Holm's method over the ten pairs.

    >>> {"pedal", "ipfl"} in [{pair.worse, pair.better} for pair in shown()]
    False
    """
    receipt, found = read("ablation"), []
    pairs = list(combinations(TITLES, 2))
    compared = [{line.score: line for line in compare_trials(receipt.of(a), receipt.of(b))} for a, b in pairs]
    for (a, b), lines in zip(pairs, corrected(compared), strict=True):
        line = lines["map_step"]
        if line.significant and line.seeds:
            worse, better = (a, b) if line.b > line.a else (b, a)
            found.append(Shown(worse, better, 100 * abs(line.b - line.a), line.seeds))
    return tuple(sorted(found, key=lambda pair: -pair.points))


def groups_of(order: Any) -> list[tuple[Any, ...]]:
    """The places of an order, each with the arms that share it."""
    return [tuple(place) if isinstance(place, tuple | list | set) else (place,) for place in order]


def is_a_list(order: Any) -> None:
    """Of names, and of groups of names."""
    expect(not isinstance(order, str), "That is one text. Give a list of five texts, the worst arm first.")
    expect(not isinstance(order, dict), "A dictionary has no worst and no best. Give a list, the worst arm first.")
    expect(isinstance(order, list | tuple), "Give a list of names, the worst arm first.")


def has_every_arm_once(order: Any) -> None:
    """None unknown, none missing, none twice."""
    names = [name for group in groups_of(order) for name in group]
    unknown = [name for name in names if name not in TITLES]
    known = ", ".join(TITLES)
    for name in unknown[:1]:
        like = [arm for arm in TITLES if arm in nearest_names(str(name), TITLES).split(", ")]
        meant = f" Did you mean {' or '.join(like)}?" if like else ""
        expect(False, f"{name!r} is not an arm.{meant} The arms are: {known}.")
    twice = [name for name, count in Counter(names).items() if count > 1]
    expect(not twice, f"{' and '.join(map(str, twice))}: there twice. Each arm has one place.")
    missing = [name for name in TITLES if name not in names]
    expect(not missing, f"{' and '.join(missing)}: missing. All five arms need a place.")


WHY = {
    ("direct", "batch_norm"): "The statistics of the source do not fit the target's images.",
    ("direct", "ipfl"): "Every training re-estimates the statistics as well, whatever its loss does.",
    ("direct", "pedal"): "Every training re-estimates the statistics as well, whatever its loss does.",
    ("direct", "paul"): "What does PAUL change that direct transfer leaves as it is?",
    ("batch_norm", "paul"): "PAUL re-estimates the statistics as well. What does it have besides?",
    ("ipfl", "paul"): "What does PEDAL compare an image with that IPFL does not see?",
    ("pedal", "paul"): "What does IPFL tell the network about an image that PEDAL does not?",
}


def worst_first(order: Any) -> None:
    """The right list, read from its other end, has a hint of its own."""

    def fits(groups: list[tuple[Any, ...]]) -> bool:
        places = {name: place for place, group in enumerate(groups) for name in group}
        return all(places[pair.worse] < places[pair.better] for pair in shown())

    turned = fits(groups_of(order)[::-1]) and not fits(groups_of(order))
    expect(not turned, "Your list has the best arm first. Turn it round: the worst comes first.")


def contradicts_nothing_shown(order: Any) -> None:
    """Pairs that the study tells apart stand in that order; all others are free."""
    places = {name: place for place, group in enumerate(groups_of(order)) for name in group}
    for worse, better, points, seeds in shown():
        low, high = sorted(100 * abs(end) for end in (seeds.low, seeds.high))
        fact = (
            f"Over ten seeds {TITLES[better]} is above {TITLES[worse]} by {points:.0f} points of mAP, "
            f"{low:.1f} to {high:.1f}, which is significant. {WHY.get((worse, better), '')}"
        ).strip()
        tie = places[worse] == places[better]
        expect(not tie, f"You call {TITLES[worse]} and {TITLES[better]} too close to call. {fact}")
        expect(places[worse] < places[better], f"You put {TITLES[worse]} above {TITLES[better]}. {fact}")


EXERCISES = (
    Exercise("order_of_arms", 9, ORDER, (is_a_list, has_every_arm_once, worst_first, contradicts_nothing_shown)),
)
