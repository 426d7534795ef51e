"""Exercise of chapter 2: the share of the variance that lies between groups that mean nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from ..agreement import Draw, agrees
from ..exercise import Exercise, Wrong, expect

ChanceShare = Callable[[list[Any]], Any]
EIGHT = (7, 7, 7, 7, 3, 3, 3, 9)  # three groups of eight images
NEAR = 1e-9
WHICH = "What does it depend on besides the number of groups and the number of images?"


def chance_share(groups: Sequence[Hashable]) -> float:
    """The expected share of variance between groups, after their names have been shuffled: the book's own answer.

    >>> chance_share([7, 7, 7, 7, 3, 3, 3, 9]) == 2 / 7
    True
    """
    return (len(set(groups)) - 1) / (len(groups) - 1)


def by_counting(groups: Sequence[Hashable]) -> float:
    """The same, group by group: each of N_g images is expected to add (1 - N_g / N) / (N - 1)."""
    count = len(groups)
    return sum((1 - size / count) / (count - 1) for size in Counter(groups).values())


def _share(answer: ChanceShare, groups: Sequence[Any]) -> float:
    """What the answer gives for groups, as a number."""
    return float(answer(list(groups)))


def _is(found: float, wrong: float) -> bool:
    return abs(found - wrong) < NEAR


def _alike(found: Any, wanted: float) -> bool:
    """Equal up to rounding; a fraction is a number, too."""
    return _is(float(found), wanted)


def one_number(answer: ChanceShare) -> None:
    """A single number that is a share."""
    found = np.asarray(answer(list(EIGHT)), dtype=float)
    expect(found.size == 1, f"One number is expected for all groups together, but yours returns {found.size} numbers.")
    value = float(found)
    expect(not 1 < value <= 100, f"{value:.3g} is more than 1. Return a share from 0 to 1, without percent.")
    expect(not np.isnan(value), "The result is not a number (NaN).")


def the_extremes(answer: ChanceShare) -> None:
    """One group of all, and a group for each."""
    one, each = _share(answer, [4] * 6), _share(answer, range(6))
    upside_down = "One group of all images gives 1, and a group for each image gives 0. It should be the reverse."
    expect(not (_is(one, 1) and _is(each, 0)), upside_down)


def common_mistakes(answer: ChanceShare) -> None:
    """The usual other numbers, each told by its value."""
    found, groups, images = _share(answer, EIGHT), 3, 8
    expect(found > 0, "Shuffled groups still get a share above 0, because the means of random groups differ a little.")
    degree = "One degree of freedom is lost because the mean of all images is subtracted."
    expect(not _is(found, groups / images), f"{degree} It is missing from the number of groups and of images.")
    expect(not _is(found, (groups - 1) / images), f"{degree} You count it for the groups but not for the images.")
    expect(not _is(found, groups / (images - 1)), f"{degree} You count it for the images but not for the groups.")
    expect(not _is(found, 1 / groups), "With 1 / G, more groups would explain less. Try a group for every image.")
    expect(not _is(found, 1 / images), "With 1 / N the number of groups plays no part. Try one group of all images.")
    ratio = "The sum between groups is divided by that within groups. A share is divided by the sum of both."
    expect(not _is(found, (groups - 1) / (images - groups)), ratio)
    sizes = np.array([4, 3, 1]) / images
    expect(not _is(found, sizes.max()), "This is the share of images in the largest group, and not one of variance.")
    pair = "This is the chance that two images belong to the same group. Look at variances instead."
    expect(not _is(found, float((sizes**2).sum())), pair)
    expect(not _is(found, 1 - float((sizes**2).sum())), "This is the chance that two images are in different groups.")


def names_are_names(answer: ChanceShare) -> None:
    """Only which images share a name matters."""
    hint = "Five images of the cameras hall, yard and gate should give 2 / 4. Names of groups need not be numbers."
    try:
        words = _share(answer, ["hall", "hall", "yard", "yard", "gate"])
    except (TypeError, ValueError) as error:
        raise Wrong(hint) from error
    expect(_is(words, 0.5), hint)


def numbers_are_names(answer: ChanceShare) -> None:
    """Groups are not counted by their largest number."""
    hint = "Cameras 10 and 13 are two groups, whatever their numbers are. How do you count groups?"
    expect(_is(_share(answer, [10, 10, 13, 13, 13]), _share(answer, [0, 0, 1, 1, 1])), hint)


def order_does_not_matter(answer: ChanceShare) -> None:
    """The images of a group need not be neighbours."""
    apart, together = _share(answer, [1, 2, 1, 2, 1, 2, 1, 2]), _share(answer, [1, 1, 1, 1, 2, 2, 2, 2])
    expect(_is(apart, together), "The same images in another order give another share. How do you count groups?")


def sizes_do_not_matter(answer: ChanceShare) -> None:
    """Three groups of nine images, even or not."""
    even, uneven = _share(answer, [1, 2, 3] * 3), _share(answer, [1] * 7 + [2, 3])
    hint = "Three groups of nine images give different shares, depending on their sizes. Is that so by hint 2?"
    expect(_is(even, uneven), hint)


def some_groups(draw: Draw) -> tuple[list[int]]:
    """Up to 60 images in up to 12 groups, whose numbers have gaps."""
    names = draw.permutation(100)[: int(draw.integers(2, 13))]
    return ([int(name) for name in draw.choice(names, int(draw.integers(20, 60)))],)


EXERCISES = (
    Exercise(
        "chance_share",
        2,
        chance_share,
        (
            one_number,
            the_extremes,
            common_mistakes,
            numbers_are_names,
            order_does_not_matter,
            sizes_do_not_matter,
            names_are_names,
            agrees(by_counting, some_groups, alike=_alike, hint=WHICH),
        ),
        example=lambda: (list(EIGHT),),
        plain=True,
    ),
)
