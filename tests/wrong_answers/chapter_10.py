"""Wrong answers to the exercises of chapter 10, each another misconception; and other right ones."""

import random

import numpy as np

from tests.wrong_answers import chapter_10_power

Ends = tuple[float, float] | None


def gains_of(queries, before, after, places) -> np.ndarray:
    """Gain in rank-1 of every draw, for places (draws, people)."""
    return (np.asarray(after) - before)[places].sum(1) / np.asarray(queries)[places].sum(1)


def middle(values, share=0.95) -> tuple[float, float]:
    """The ends of the middle share."""
    low, high = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def people_drawn(queries, draws, seed) -> np.ndarray:
    """Places of drawn people, as they should be."""
    return np.random.default_rng(seed).integers(len(queries), size=(draws, len(queries)))


def queries_drawn(queries, before, after, draws=2000, seed=0) -> Ends:
    """Draws single queries, as if those of one person were independent."""
    if len(queries) < 2:
        return None
    first, second = (
        np.concatenate([[1] * h + [0] * (q - h) for q, h in zip(queries, x, strict=True)]) for x in (before, after)
    )
    places = np.random.default_rng(seed).integers(len(first), size=(draws, len(first)))
    return middle((second - first)[places].mean(1))


def not_paired(queries, before, after, draws=2000, seed=0) -> Ends:
    """Other people are drawn for the second network than for the first."""
    if len(queries) < 2:
        return None
    one, two = people_drawn(queries, draws, seed), people_drawn(queries, draws, seed + 1)
    rank1 = [np.asarray(x)[p].sum(1) / np.asarray(queries)[p].sum(1) for x, p in ((before, one), (after, two))]
    return middle(rank1[1] - rank1[0])


def each_person_alike(queries, before, after, draws=2000, seed=0) -> Ends:
    """Mean of the people's own rates: who has one query weighs as much as who has nine."""
    if len(queries) < 2:
        return None
    rates = (np.asarray(after) - before) / np.asarray(queries)
    return middle(rates[people_drawn(queries, draws, seed)].mean(1))


def without_replacement(queries, before, after, draws=2000, seed=0) -> Ends:
    """Everybody once in another order: the sum never changes."""
    if len(queries) < 2:
        return None
    rng = np.random.default_rng(seed)
    places = np.array([rng.permutation(len(queries)) for _ in range(draws)])
    return middle(gains_of(queries, before, after, places))


def in_points(queries, before, after, draws=2000, seed=0) -> Ends:
    """In points, where shares were asked for."""
    if len(queries) < 2:
        return None
    return middle(100 * gains_of(queries, before, after, people_drawn(queries, draws, seed)))


def symmetric(queries, before, after, draws=2000, seed=0) -> Ends:
    """Mean plus and minus 1.96 deviations of the draws: leaves the possible."""
    if len(queries) < 2:
        return None
    gains = gains_of(queries, before, after, people_drawn(queries, draws, seed))
    return float(gains.mean() - 1.96 * gains.std()), float(gains.mean() + 1.96 * gains.std())


def ninety(queries, before, after, draws=2000, seed=0) -> Ends:
    """Five percent cut off at each end: the middle 90 %."""
    if len(queries) < 2:
        return None
    return middle(gains_of(queries, before, after, people_drawn(queries, draws, seed)), 0.9)


def quartiles(queries, before, after, draws=2000, seed=0) -> Ends:
    """The middle half of the draws."""
    if len(queries) < 2:
        return None
    return middle(gains_of(queries, before, after, people_drawn(queries, draws, seed)), 0.5)


def all_queries(queries, before, after, draws=2000, seed=0) -> Ends:
    """The queries of the whole test below the line, whoever was drawn."""
    if len(queries) < 2:
        return None
    gained = (np.asarray(after) - before)[people_drawn(queries, draws, seed)].sum(1)
    return middle(gained / np.sum(queries))


def always_2000(queries, before, after, draws=2000, seed=0) -> Ends:
    """`draws` is not used."""
    if len(queries) < 2:
        return None
    return middle(gains_of(queries, before, after, people_drawn(queries, 2000, seed)))


def one_too_few(queries, before, after, draws=2000, seed=0) -> Ends:
    """Each draw has n - 1 people."""
    if len(queries) < 2:
        return None
    return middle(gains_of(queries, before, after, people_drawn(queries, draws, seed)[:, 1:]))


def never_the_last(queries, before, after, draws=2000, seed=0) -> Ends:
    """Places up to n - 2: as if the end of `integers` counted."""
    n = len(queries)
    if n < 2:
        return None
    return middle(gains_of(queries, before, after, np.random.default_rng(seed).integers(n - 1, size=(draws, n))))


def extremes(queries, before, after, draws=2000, seed=0) -> Ends:
    """The lowest and the highest draw."""
    if len(queries) < 2:
        return None
    gains = gains_of(queries, before, after, people_drawn(queries, draws, seed))
    return float(gains.min()), float(gains.max())


def half_the_people(queries, before, after, draws=2000, seed=0) -> Ends:
    """Each draw has half as many people as the test."""
    if len(queries) < 2:
        return None
    places = people_drawn(queries, draws, seed)[:, : max(1, len(queries) // 2)]
    return middle(gains_of(queries, before, after, places))


def shrunk_again(queries, before, after, draws=2000, seed=0) -> Ends:
    """The deviations of the draws divided by the root of the number of people once more."""
    if len(queries) < 2:
        return None
    gains = gains_of(queries, before, after, people_drawn(queries, draws, seed))
    return middle(gains.mean() + (gains - gains.mean()) / len(queries) ** 0.5)


def seed_ignored(queries, before, after, draws=2000, seed=0) -> Ends:
    """Always the same draw, whatever the seed."""
    if len(queries) < 2:
        return None
    return middle(gains_of(queries, before, after, people_drawn(queries, draws, 0)))


def never_the_same(queries, before, after, draws=2000, seed=0) -> Ends:
    """No seed at all."""
    if len(queries) < 2:
        return None
    return middle(gains_of(queries, before, after, people_drawn(queries, draws, None)))


def slow_draws(queries, before, after, draws=2000, seed=0) -> Ends:
    """Right: one person at a time, without numpy until the end."""
    if len(queries) < 2:
        return None
    rng, people, gains = random.Random(seed), list(zip(queries, before, after, strict=True)), []
    for _ in range(draws):
        drawn = rng.choices(people, k=len(people))
        gains.append(sum(b - a for _, a, b in drawn) / sum(q for q, _, _ in drawn))
    return middle(gains)


def by_counts(queries, before, after, draws=2000, seed=0) -> np.ndarray | None:
    """Right: how often each person was drawn, as a multinomial; an array comes back."""
    n = len(queries)
    if n < 2:
        return None
    often = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    return np.percentile(often @ (np.asarray(after) - before) / (often @ np.asarray(queries)), [2.5, 97.5])


WRONG = {
    "gain_interval": (
        queries_drawn,
        not_paired,
        each_person_alike,
        without_replacement,
        in_points,
        symmetric,
        ninety,
        quartiles,
        all_queries,
        always_2000,
        one_too_few,
        never_the_last,
        extremes,
        half_the_people,
        shrunk_again,
        seed_ignored,
        never_the_same,
    ),
    "simulated_power": chapter_10_power.WRONG,
}
OTHER_RIGHT = {"gain_interval": (slow_draws, by_counts), "simulated_power": chapter_10_power.OTHER_RIGHT}
