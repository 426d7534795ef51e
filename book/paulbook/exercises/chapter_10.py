"""Exercise 10.1: a confidence interval over people, by a cluster bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import erf
from typing import Any

import numpy as np

from ..agreement import Draw, agrees
from ..exercise import Exercise, expect
from ..studies.receipts import Trial
from ..studies.statistics import bootstrap

Gain = Callable[..., Any]


def gain_interval(
    queries: Sequence[int], before: Sequence[int], after: Sequence[int], draws: int = 2000, seed: int = 0
) -> tuple[float, float] | None:
    """95 % interval of the gain in rank-1, people drawn again: the book's own answer."""
    n = len(queries)
    if n < 2:
        return None
    drawn = np.random.default_rng(seed).integers(n, size=(draws, n))
    gained = (np.asarray(after) - np.asarray(before))[drawn].sum(1)
    low, high = np.quantile(gained / np.asarray(queries)[drawn].sum(1), [0.025, 0.975])
    return float(low), float(high)


def ends(answer: Any) -> tuple[float, float]:
    """An answer as two numbers."""
    pair = isinstance(answer, tuple | list) and len(answer) == 2
    expect(pair, "Two numbers are expected, the low end and the high end.")
    return float(answer[0]), float(answer[1])


def people(*groups: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of a test, from groups of (how many people, queries of each, right before, right after)."""
    rows = np.array([row[1:] for row in groups for _ in range(row[0])])
    return rows[:, 0], rows[:, 1], rows[:, 2]


def is_a_gain(gain: Gain) -> None:
    """After minus before, as a share; everybody wrong before and right after is a gain of 1."""
    low, high = ends(gain(*people((12, 3, 0, 3))))
    expect(low <= high, "The low end comes first.")
    said = f"All were wrong before and are right after, so the gain is 1 in every draw. Yours is {low:.0f}"
    expect(high > 0, f"{said}, which has the wrong sign. Which network is subtracted from which?")
    expect(abs(high - 1) < 1e-6 and abs(low - 1) < 1e-6, f"{said}. Return a share between 0 and 1 instead of percent.")


def divides_by_the_drawn(gain: Gain) -> None:
    """Who is drawn brings the own queries: with unequal numbers too the gain is 1 in every draw."""
    low, high = ends(gain(*people((6, 1, 0, 1), (6, 5, 0, 5))))
    expect(
        abs(high - 1) < 1e-6 and abs(low - 1) < 1e-6,
        f"All were wrong before and are right after, so the gain is 1 whoever is drawn. Yours goes from {low:.2f} to "
        f"{high:.2f}: some people have more queries than others. By whose queries do you divide the hits of a draw?",
    )


def repeats(gain: Gain) -> None:
    """The same seed, the same interval."""
    given = people((20, 3, 1, 2), (20, 3, 1, 1), (20, 2, 1, 0))
    first, second = (ends(gain(*given, 500, 3)) for _ in range(2))
    expect(first == second, "Called twice with one seed it gives two answers. Start the generator with `seed`.")


def is_paired(gain: Gain) -> None:
    """A network compared with itself gains nothing, in every draw."""
    queries, hits, _ = people((15, 2, 0, 0), (15, 2, 1, 1), (15, 2, 2, 2))
    low, high = ends(gain(queries, hits, hits))
    expect(
        low <= 0,
        f"Both networks are the same, but your interval is {low:.2f} to {high:.2f}. Is that a score, not a gain?",
    )
    expect(
        high - low < 1e-9,
        "Both networks are the same, and still you find gains and losses. Evaluate both on the same drawn people.",
    )


def draws_again(gain: Gain) -> None:
    """Some people are drawn twice and some not at all."""
    low, high = ends(gain(*people((30, 2, 0, 2), (30, 2, 0, 0))))
    expect(
        high - low > 1e-9,
        "Your interval has no width, because every draw has each person once. May a person come twice?",
    )


def is_possible(gain: Gain) -> None:
    """Ends are gains that a draw can have."""
    low, _ = ends(gain(*people((5, 2, 0, 0), (1, 2, 0, 2))))
    expect(
        low >= -1e-9,
        f"Nobody lost anything, but your low end is {low:.2f}, which no draw can give. Take the ends from the draws "
        "themselves, not from a mean and a standard deviation.",
    )


def everybody_may_be_drawn(gain: Gain) -> None:
    """Whoever is the only one that gained, some draws have that person."""
    for place in range(6):
        queries, before, after = people((6, 2, 0, 0))
        after[place] = 2
        _, high = ends(gain(queries, before, after))
        expect(
            high > 0,
            f"Of six people only number {place} (counted from 0) gained, and hardly a draw of yours has a gain. Can "
            "each of them be drawn, the first and the last, too?",
        )


def counts_queries(gain: Gain) -> None:
    """Rank-1 is a share of the queries: who has many weighs more."""
    _, high = ends(gain(*people((1, 9, 0, 9), (9, 1, 0, 0))))
    expect(
        high > 0.5,
        "One person has nine queries, nine people have one. Since rank-1 is a share of queries, divide the sum of the "
        "hits by the sum of the queries, not person by person.",
    )


def has_the_right_width(gain: Gain) -> None:
    """With one query each the width is known: 2 * 1.96 * 0.5 / sqrt(people)."""
    n = 400
    low, high = ends(gain(*people((n // 2, 1, 0, 1), (n // 2, 1, 0, 0))))
    ratio = (high - low) / (2 * 1.96 * 0.5 / n**0.5)
    said = f"With {n} people and one query each, your interval is {ratio:.2f} times as wide as it should be."
    expect(ratio < 1.6, f"{said} Do single draws at the very edge set its ends? Cut the tails off.")
    expect(ratio < 1.15, f"{said} How many people does a draw have, and how many has the test?")
    expect(ratio > 0.2, f"{said} The draws vary as much as they should, so do not divide by a root once more.")
    held = f"Yours holds some {round(100 * erf(ratio * 1.96 / 2**0.5))} % of the draws instead of the middle 95 %"
    expect(ratio > 0.75, f"{said} {held}. Which two quantiles are its ends?")
    expect(ratio > 0.92, f"{said} The middle 95 % leave how much at each end?")


def draws_all_of_them(gain: Gain) -> None:
    """Four people with a query each: the gain of a draw is a whole number of quarters."""
    _, high = ends(gain(*people((1, 1, 0, 1), (3, 1, 0, 0))))
    expect(
        abs(4 * high - round(4 * high)) < 1e-6,
        f"With four people and one query each, a draw gains a whole number of quarters. Your high end is "
        f"{high:.2f}. How many people are in one draw?",
    )


def keeps_people_whole(gain: Gain) -> None:
    """Who is drawn comes with all queries."""
    low, high = ends(gain(*people((50, 4, 0, 4), (50, 4, 0, 0))))
    expect(
        high - low > 0.16,
        "With four queries each, all four gained or none, your interval is half as wide as it should be. What was "
        "drawn, people or queries?",
    )


def uses_the_draws(gain: Gain) -> None:
    """A single draw has a single gain."""
    low, high = ends(gain(*people((20, 2, 0, 2), (20, 2, 0, 0)), 1))
    expect(abs(high - low) < 1e-9, "With draws=1 there is one gain, so both ends must be that. Is `draws` used?")


def uses_the_seed(gain: Gain) -> None:
    """Another seed, another draw."""
    given = people((20, 3, 1, 2), (20, 3, 1, 1), (20, 2, 1, 0), (7, 5, 0, 4))
    found = {ends(gain(*given, 50, seed)) for seed in (1, 2, 3, 4)}
    expect(len(found) > 1, "Four different seeds give exactly the same interval. Is `seed` used?")


def one_person_says_nothing(gain: Gain) -> None:
    """No interval from a single person."""
    found = gain(*people((1, 3, 0, 2)))
    expect(found is None, "With one person every draw is the same, but that is no certainty. Return None.")


def by_the_bootstrap(queries: np.ndarray, before: np.ndarray, after: np.ndarray, draws: int, seed: int) -> Any:
    """The library's interval of the gain, with draws of its own."""

    def trial(hits: np.ndarray) -> Trial:
        people: dict[str, Any] = {"pids": list(range(len(hits))), "queries": queries, "hits": hits, "precisions": hits}
        return Trial("", 0, {}, people, {}, {"target": "one"})

    found = bootstrap([trial(before)], [trial(after)], draws=draws, seed=seed + 1)["rank1"]
    return found.low, found.high


def some_test(draw: Draw) -> tuple[Any, ...]:
    """30 to 50 people with two to five queries each, some of which gain and some lose; and a test of two people."""
    count = int(draw.integers(30, 50)) if draw.random() < 0.8 else 2
    queries = draw.integers(2, 6, count)
    before, after = (draw.integers(0, queries + 1) for _ in range(2))
    return queries, before, after, 4000, int(draw.integers(100))


def as_wide(found: Any, wanted: Any) -> bool:
    """Both ends within a twelfth of the interval: the ends vary from seed to seed."""
    low, high = wanted
    return found is not None and all(abs(a - b) <= (high - low) / 12 + 1e-6 for a, b in zip(found, wanted, strict=True))


EXERCISES = (
    Exercise(
        "gain_interval",
        10,
        gain_interval,
        (
            is_a_gain,
            divides_by_the_drawn,
            repeats,
            is_paired,
            draws_again,
            is_possible,
            everybody_may_be_drawn,
            counts_queries,
            has_the_right_width,
            draws_all_of_them,
            keeps_people_whole,
            uses_the_draws,
            uses_the_seed,
            one_person_says_nothing,
            agrees(
                by_the_bootstrap, some_test, alike=as_wide, times=6, hint="Compute an example of three people by hand."
            ),
        ),
        example=lambda: people((3, 2, 1, 2), (2, 1, 0, 0)),
        plain=True,
    ),
)
