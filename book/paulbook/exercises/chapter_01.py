"""Exercises of chapter 1: the score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from paullite.evaluation import average_precision as library_average_precision
from paullite.evaluation import score_ranking

from ..agreement import Draw, agrees
from ..exercise import Exercise, Wrong, expect
from ..trying import changes

Score = Callable[[Sequence[bool], Sequence[bool]], float]


def average_precision(matches: Sequence[bool], junk: Sequence[bool]) -> float:
    """AP (step) of one ranked list: the book's own answer."""
    kept = [match for match, is_junk in zip(matches, junk, strict=True) if not is_junk]
    ranks = [rank for rank, match in enumerate(kept, start=1) if match]
    return library_average_precision(np.array(ranks))


def value(score: Score, matches: str, junk: str = "") -> float:
    """What the reader's function makes of a list, written with x for True and . for False.

    Raises:
        Wrong: it changes its input, or its result is no finite number.
    """
    given = [mark == "x" for mark in matches], [mark == "x" for mark in junk or "." * len(matches)]
    try:
        with np.errstate(all="ignore"):  # NaN and infinity get their hint below
            found = np.asarray(score(*given), dtype=float)
    except TypeError as error:
        for words, hint in LISTS.items():
            expect(words not in str(error), f"{hint} Make arrays of both first: np.array(matches), np.array(junk).")
        raise
    except ZeroDivisionError:
        raise Wrong("It divides by zero: it finds no match where one is left. Which places does it keep?") from None
    stays = "It changes the lists that it is given. Build a new list, and leave the caller's alone."
    expect(not any(changes(score, *given)), stays)
    expect(found.size == 1, f"It returns {found.size} numbers. One list has one AP: the mean of them.")
    expect(
        bool(np.isfinite(found).all()),
        "It returns NaN or infinity where a match is left. What does it divide by? "
        "The library's average_precision expects the ranks of the matches, not True and False.",
    )
    return float(found.reshape(()))


LISTS = {  # what Python says -> the cause
    "unary ~": "`~` turns an array over, and matches and junk are lists.",
    "integer scalar array": "matches is a list: an array of True and False cannot pick from it.",
    "list indices must be": "matches is a list: it takes one whole number in brackets, not another list.",
}


def same(found: float, expected: float) -> bool:
    """Equal up to rounding in single precision."""
    return abs(found - expected) < 1e-5


def ranks_begin_at_one(score: Score) -> None:
    """A match at the second place is no perfect list."""
    found = value(score, ".x")
    expect(not same(found, 1), f"A wrong place, then a match: AP cannot be {found:.2f}. Do your ranks begin at 1?")


def best_list_is_one(score: Score) -> None:
    """All matches first: AP is 1, the most there is."""
    found = value(score, "xx.")
    expect(found > 0, "Nothing is left out of a list, and yours finds no match in it. Does it keep what is to go?")
    expect(found < 10, f"With all matches first AP is 1, yours is {found:.2f}. A share lies in 0..1, not in percent.")
    expect(found < 1.01, f"With all matches first AP is 1, yours is {found:.2f}. Precisions are summed: divide by n.")


def wrong_answers_at_the_end_change_nothing(score: Score) -> None:
    """What stands behind the last match has no say."""
    short, long = value(score, "xx"), value(score, "xx..")
    said = f"Two more wrong places after the last match change AP from {short:.2f} to {long:.2f}."
    expect(not same(2 * long, short), f"{said} Divide by the number of matches, not by the length of the list.")
    expect(same(long, short), f"{said} Only the places of matches enter the mean.")


def one_list_by_hand(score: Score) -> None:
    """Matches at ranks 2, 3 and 7: the mean of 1/2, 2/3 and 3/7."""
    found = value(score, ".xx...x")
    for wrong, hint in CAUSES.items():
        said = f"With matches at ranks 2, 3 and 7 AP is 0.53, yours is {found:.2f}."
        expect(not same(found, wrong), f"{said} {hint}")
    expect(same(found, (1 / 2 + 2 / 3 + 3 / 7) / 3), f"{said} It is the mean of 1/2, 2/3 and 3/7.")


CAUSES = {
    (1 / 4 + 7 / 12 + 8 / 21) / 3: "That is the other definition, the trapezoid. Here the step is asked for.",
    1 / 2: "The first match alone seems to count. Every match adds its own i/r.",
    3 / 7: "The last match alone seems to count: that is INP. Every match adds its own i/r.",
    (1 / 2 + 1 / 3 + 1 / 7) / 3: "You average 1/r. Above the line stands i, the number of matches found so far.",
    (0 / 2 + 1 / 3 + 2 / 7) / 3: "The first match should count as i = 1. Where does your count begin?",
    0: "It looks at the first place only: that is rank-1.",
}


def far_matches_count(score: Score) -> None:
    """A match at rank 20 is a match."""
    found = value(score, "x" + "." * 18 + "x")
    expect(same(found, 0.55), f"Matches at ranks 1 and 20: AP is 0.55, yours is {found:.2f}. Is the list cut short?")


def junk_is_no_match(score: Score) -> None:
    """A place that is left out is no match, whatever the other list says."""
    found = value(score, "x.x", "..x")
    said = f"A match, a wrong place, a match that is left out: AP is 1, yours is {found:.2f}."
    expect(not same(found, 1 / 2), f"{said} Divide by the matches that are left, not by all of them.")
    hint = "What is left out cannot be found: do you look at junk? (Write `not` for one value: ~True is -2.)"
    if value(score, ".x", "x.") > 0.9:
        hint = "Your function leaves junk out only where matches is False. Left out is left out, whatever matches says."
    expect(same(found, 1), f"{said} {hint}")


def junk_takes_no_place(score: Score) -> None:
    """Junk before the first match changes nothing."""
    found = value(score, ".x", "x.")
    expect(
        same(found, 1), f"Junk, then a match: AP is 1, yours is {found:.2f}. Take junk out before ranks are counted."
    )
    found = value(score, "..x", "xx.")
    hint = "Do you delete from a list while you walk along it?"
    expect(same(found, 1), f"Two junk places, then a match: AP is 1, yours is {found:.2f}. {hint}")


def marks(answer: Any) -> list[float]:
    """A ranking as a list of numbers.

    Raises:
        Wrong: it is something else.
    """
    expect(answer is not None, "It is None. Methods such as append and sort return nothing: give the list itself.")
    expect(not callable(answer), "It is a function. Here the list itself is asked for.")
    expect(not isinstance(answer, str), "It is text. Write a list of 0 and 1, with brackets and commas.")
    expect(not isinstance(answer, (set, frozenset, dict)), "A set or dictionary has no order. Write a list.")
    expect(not isinstance(answer, bool), "It is one mark. A ranking has a mark for each place.")
    try:
        array = np.asarray(answer)
    except ValueError:
        raise Wrong("Its rows have different lengths. One query has one list.") from None
    expect(array.ndim > 0, "It is one number, as a score would be. The list that has such a score is asked for.")
    expect(array.ndim == 1, "It holds lists in a list. One query has one list.")
    expect(array.size > 0, "The list is empty. Begin with the first place.")
    expect(array.dtype.kind in "biuf", "Its marks are words. Write 1 for a match and 0 for a wrong place.")
    return [float(mark) for mark in array]


def only_zero_and_one(answer: Any) -> None:
    """Each place is right or wrong."""
    found = marks(answer)
    expect(min(found) >= 0, "A mark is negative. There is no junk in this list: each place is right (1) or wrong (0).")
    expect(all(mark == int(mark) for mark in found), "Some marks are fractions. A place is right (1) or wrong (0).")
    expect(max(found) <= 1, "Some marks are above 1. Are these the ranks of the matches? Give a 0 or 1 for each place.")


def first_place_is_wrong_and_ap_high(answer: Any) -> None:
    """Rank-1 is 0, AP (step) above 0.4."""
    found = [mark == 1 for mark in marks(answer)]
    expect(any(found), "There is no match in it: such a query has no AP.")
    expect(not found[0], "Its first place is right, so rank-1 is 1.")
    ap = average_precision(found, [False] * len(found))
    expect(
        ap > 0.4, f"Rank-1 is 0, good. AP (step) is {ap:.2f}: how early can the matches come, and how close together?"
    )


def by_the_evaluator(matches: Sequence[bool], junk: Sequence[bool]) -> float:
    """AP (step) of a gallery whose images lie farther and farther from the query, by the library's evaluator."""
    angle = torch.linspace(0.1, 1.5, len(matches))
    gallery = torch.stack([angle.cos(), angle.sin()], dim=1)
    pids = [-1 if left_out else int(match) for match, left_out in zip(matches, junk, strict=True)]
    return score_ranking(torch.tensor([[1.0, 0.0]]), gallery, [1], pids).map_step


def some_list(draw: Draw) -> tuple[list[bool], list[bool]]:
    """A list of 30 to 60 places, a third of them matches, a quarter of them junk."""
    length = int(draw.integers(30, 60))
    matches, junk = draw.random(length) < 1 / 3, draw.random(length) < 1 / 4
    matches[-1], junk[-1] = True, False  # at least one match remains
    return matches.tolist(), junk.tolist()


EXERCISES = (
    Exercise(
        "average_precision",
        1,
        average_precision,
        (
            ranks_begin_at_one,
            best_list_is_one,
            wrong_answers_at_the_end_change_nothing,
            one_list_by_hand,
            far_matches_count,
            junk_is_no_match,
            junk_takes_no_place,
            agrees(by_the_evaluator, some_list, times=20),
        ),
        example=lambda: ([True], [False]),
        plain=True,
    ),
    Exercise("late_ranking", 1, [0, 1, 1, 1], (only_zero_and_one, first_place_is_wrong_and_ap_high), plain=True),
)
