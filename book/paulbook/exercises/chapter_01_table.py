"""An exercise of chapter 1: which mAPs of a published table may be compared."""

from __future__ import annotations

from itertools import combinations
from typing import Any, NamedTuple

from ..exercise import Exercise, Wrong, expect


class Row(NamedTuple):
    """One line of the table: the method, the test set, how AP is computed, and whether the list is re-ranked."""

    method: str
    test: str
    ap: str
    reranked: bool


ROWS = {
    "A": Row("PAUL", "Market-1501", "trapezoid", False),
    "B": Row("direct transfer", "Market-1501", "step", False),
    "C": Row("MMT with labels of Duke", "Market-1501", "step", False),
    "D": Row("MMT without labels", "Market-1501", "step", False),
    "E": Row("the supervised baseline", "Market-1501", "step", False),
    "F": Row("the supervised baseline with re-ranking", "Market-1501", "step", True),
    "G": Row("the supervised baseline on Duke", "DukeMTMC-reID", "step", False),
}
COMPARABLE = ["".join(pair) for pair in combinations(ROWS, 2) if ROWS[pair[0]][1:] == ROWS[pair[1]][1:]]


def pairs_of(answer: Any) -> list[str]:
    """The pairs of an answer, letters in the order of the alphabet.

    Raises:
        Wrong: it is no list of pairs of two different rows.
    """
    expect(answer is not None, "It is None. Write a list of pairs such as ['AB', 'CD'].")
    hint = "It is one piece of text. Write a list, in which each pair is a text of two letters."
    expect(not isinstance(answer, str), hint)
    try:
        given = list(answer)
    except TypeError:
        raise Wrong(f"It is of type {type(answer).__name__}. Write a list of pairs such as ['AB', 'CD'].") from None
    expect(bool(given), "The list is empty, but some of the rows differ in nothing that changes the meaning of mAP.")
    return [_pair(one) for one in given]


def _pair(one: Any) -> str:
    try:
        letters = sorted("".join(one).upper())
    except TypeError:
        raise Wrong("Its entries are no pairs of letters. Name the rows by their letters, as in 'AB'.") from None
    hint = "Every pair consists of two letters. If three rows may be compared, write their three pairs."
    expect(len(letters) == 2, hint)
    expect(set(letters) <= set(ROWS), "A letter does not occur in the table. Its rows are called A to G.")
    expect(letters[0] != letters[1], "A row is paired with itself.")
    return "".join(letters)


def each_pair_means_the_same(answer: Any) -> None:
    """No pair differs in test set, definition of AP, or re-ranking."""
    for pair in pairs_of(answer):
        one, other = (ROWS[letter] for letter in pair)
        start = f"You compare {one.method} with {other.method}."
        expect(
            one.test == other.test, f"{start} They were tested on different people, so the lists are not equally hard."
        )
        why = "One of the numbers is an AP (trapezoid) and the other an AP (step)."
        expect(one.ap == other.ap, f"{start} {why}")
        why = "Only one of the two lists was sorted again after the ranking."
        expect(one.reranked == other.reranked, f"{start} {why}")


def no_pair_is_missing(answer: Any) -> None:
    """Every pair with equal test set, definition and re-ranking is there."""
    given = pairs_of(answer)
    missing = [pair for pair in COMPARABLE if pair not in given]
    if not missing:
        return
    alone = sorted(set("".join(missing)) - set("".join(given)))
    hint = "Every pair in it may be compared, but others are missing."
    expect(not alone, f"{hint} Look at row {', '.join(alone)} again: with which rows does it share all that matters?")
    labels = "Different labels in training are no reason to leave a pair out, as they do not change what mAP means."
    raise Wrong(f"{hint} {labels} What else did you require of {missing[0]}?")


EXERCISES = (Exercise("comparable_pairs", 1, COMPARABLE, (each_pair_means_the_same, no_pair_is_missing), plain=True),)
