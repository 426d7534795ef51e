"""Is it anybody we know? The cosine above which a match is accepted, and how often that goes wrong."""

import math
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from .errors import InputError
from .ranking import Columns, Features, RankingRules, cosines

Interval = tuple[float, float]
Trials = tuple[int, np.ndarray, np.ndarray]  # of a few queries
STEPS = 1_000_000  # a threshold is a multiple of 1 / STEPS, about as fine as float32 tells cosines apart
Z = 1.959964  # standard deviations on both sides of the middle 95 % of a normal distribution
FEW = 30  # errors, and people, that a rate should rest on (Doddington et al., Speech Communication 2000)


@dataclass(frozen=True)
class Threshold:
    """Two images show one person if their cosine lies above ``cosine``.

    ``false_accept`` and ``false_reject`` are the shares, in 0..1, of the ``impostors`` (pairs of two people) above it
    and of the ``genuine`` (pairs of one person) that are not, each with its 95 % interval. ``strangers`` is the share
    of the queries that would find somebody in this gallery without their own person in it: it grows with the gallery.
    """

    cosine: float
    false_accept: float
    false_accept_interval: Interval
    false_reject: float
    false_reject_interval: Interval
    genuine: int
    impostors: int
    strangers: float

    def __str__(self) -> str:
        (low, high), (least, most) = self.false_accept_interval, self.false_reject_interval
        return (
            f"threshold {self.cosine:.6f}: {self.false_accept:.3%} of {self.impostors:,} pairs of two people pass "
            f"(95 %: {low:.3%} to {high:.3%}), {self.false_reject:.1%} of {self.genuine:,} pairs of one person do not "
            f"({least:.1%} to {most:.1%}); {self.strangers:.1%} of the queries would find somebody without their person"
        )


def threshold(
    query: Features,
    gallery: Features,
    *columns: Columns | None,
    false_accept: float = 0.01,
    chunk: int = 256,
    **named: Columns | None,
) -> Threshold:
    r"""The lowest cosine above which at most a wanted share of the impostor pairs lies.

    .. math:: t = \min \{ u : |\{ s \in \mathrm{impostors} : s > u \}| \le a \, |\mathrm{impostors}| \}

    over the multiples u of a millionth. A trial is a pair (verification): each query with each gallery image that
    `score_ranking` ranks for it; a query of junk forms none. One search in a gallery of G images makes about a * G
    false accepts: ask for less than 1 / G where it should seldom name a stranger, and look at ``strangers``.

    The intervals are Wilson's with p (1 - p) / v in the place of the number of pairs. Pairs that share a person are not
    independent, so the variance v of a rate p is that of leaving out one person after another (jackknife); where no
    error was seen, the number of people stands there. They hold for other people before the same cameras.

    Args:
        query, gallery, columns, named, chunk: as for `score_ranking`, the five columns by place or by name.
        false_accept: a, in 0..1, 1 excluded. Equal cosines go the same way, so that less may be reached.

    Raises:
        InputError: as for `score_ranking`; no pair of one of the two kinds; a share outside its range, or of less than
            one pair. Of fewer than 30 pairs or people, a warning says that the rate cannot be trusted.

    Source: Wilson, JASA 1927; Korn and Graubard, Survey Methodology 1998 (the effective number).

    >>> x = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]])
    >>> found = threshold(x[:1], x[1:], [5], [5, 6, 7], false_accept=0.0)
    >>> found.cosine, found.false_accept, found.false_reject, found.genuine, found.impostors
    (0.6, 0.0, 0.0, 1, 2)
    """
    if not 0 <= false_accept < 1:
        raise InputError(f"found false_accept = {false_accept}", "expected a share from 0 to below 1")
    rules = RankingRules.of(len(query), len(gallery), *columns, **named)
    counts = np.zeros((2, 2 * STEPS + 1), dtype=np.int64)
    for _, steps, kind in _trials(query, gallery, rules, chunk):
        counts += [np.bincount(steps[kind == k], minlength=2 * STEPS + 1) for k in (0, 1)]
    impostors, genuine = counts.sum(1).tolist()
    found = f"found {genuine:,} pairs of one person and {impostors:,} of two people"
    if not impostors or not genuine:
        raise InputError(found, "expected both", "give labelled images of several people, each by two cameras")
    if 0 < false_accept * impostors < 1:
        expected = f"expected {1 / false_accept:,.0f} of two people or more for a rate of {false_accept:g}"
        raise InputError(found, expected, "give more labelled images or ask for a larger rate")
    bar = int(np.argmax((impostors - counts[0].cumsum()) / impostors <= false_accept))
    parts, strangers = _by_person(_trials(query, gallery, rules, chunk), rules, bar)
    people = np.count_nonzero(parts[0, 1])
    if min(false_accept * impostors, people) < FEW:
        do = f"{FEW} people and {FEW} / rate pairs of two can be trusted"
        warnings.warn(f"{found}, {people} in all, for a false-accept rate of {false_accept:g}; {do}", stacklevel=2)
    rates = *_rate(parts[0], impostors), *_rate(parts[1], genuine)
    return Threshold((bar - STEPS) / STEPS, *rates, genuine, impostors, strangers)


def _trials(query: Features, gallery: Features, rules: RankingRules, chunk: int) -> Iterator[Trials]:
    """A few queries at a time: the first one's place, the steps of their cosines, rounded up, and what each pair is."""
    for start, similarity in cosines(query, gallery, chunk):
        kind = np.zeros(similarity.shape, dtype=np.int8)  # 0 impostor, 1 genuine, 2 no trial
        for i, row in enumerate(kind, start):
            match, left_out = rules(i)
            row[match] = 1
            row[left_out if rules.query_pids[i] != -1 else slice(None)] = 2
        yield start, np.ceil(similarity.clip(-1, 1).astype(np.float64) * STEPS).astype(np.int64) + STEPS, kind


def _by_person(trials: Iterable[Trials], rules: RankingRules, bar: int) -> tuple[np.ndarray, float]:
    """False accepts and rejects, and trials of both kinds, that a person has a part in: (2, 2, people); strangers."""
    people = np.unique(np.concatenate([rules.query_pids, rules.gallery_pids]), return_inverse=True)[1]
    parts = np.zeros((2, 2, people.max() + 1), dtype=np.int64)
    named = np.zeros(2, dtype=np.int64)
    for start, steps, kind in trials:
        for k, wrong in enumerate((steps > bar, steps <= bar)):
            for n, pairs in enumerate((wrong & (kind == k), kind == k)):
                np.add.at(parts[k, n], people[start : start + len(pairs)], pairs.sum(1))
                if k == 0:  # two people have a part in it
                    np.add.at(parts[k, n], people[len(rules.query_pids) :], pairs.sum(0))
                    named[n] += pairs.any(1).sum()
    return parts, float(named[0] / named[1])


def _rate(parts: np.ndarray, pairs: int) -> tuple[float, Interval]:
    """The share of errors among the pairs and its interval, from those in which each person has a part."""
    parts = parts[:, parts[1] > 0]
    errors = int(parts[0].sum()) * pairs // int(parts[1].sum())  # a pair of two people stands in it twice
    rate, n, others = errors / pairs, float(parts.shape[1]), pairs - parts[1]
    if not others.all():  # one person is in every pair
        n = 1.0
    elif 0 < errors < pairs:
        variance = (n - 1) * float(((errors - parts[0]) / others).var())
        n = rate * (1 - rate) / max(variance, rate * (1 - rate) / pairs)
    middle, half = rate + Z**2 / (2 * n), Z * math.sqrt(rate * (1 - rate) / n + Z**2 / (4 * n**2))
    low, high = ((middle + side * half) / (1 + Z**2 / n) for side in (-1, 1))
    return rate, (max(low, 0.0), min(high, 1.0))
