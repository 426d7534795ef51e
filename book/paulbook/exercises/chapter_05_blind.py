"""Exercise 5.2: the lowest loss of classifiers that ignore the image. Heads for any P are in `chapter_05`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from math import log
from typing import Any

import numpy as np

from ..agreement import Draw, agrees
from ..exercise import Exercise, Wrong, expect

BlindLoss = Callable[[list[Any], int], Any]
EIGHT = (7, 7, 7, 7, 3, 3, 3, 9)  # images of three people
PATCHES = 6
NEAR = 1e-4  # float32 is fine


def blind_loss(labels: Sequence[Hashable], patches: int) -> float:
    """The lowest sum of P cross-entropies that classifiers can reach without the image: the book's own answer.

    >>> round(blind_loss([1, 2, 3], 6), 2), round(blind_loss([1, 1, 1, 1, 1, 2], 6), 2)
    (6.59, 2.7)
    """
    shares = [count / len(labels) for count in Counter(labels).values()]
    return -patches * sum(share * log(share) for share in shares)


def image_by_image(labels: Sequence[Hashable], patches: int) -> float:
    """The same as a mean over images, each of which costs the logarithm of its person's share."""
    shares = np.array([list(labels).count(label) for label in labels]) / len(labels)
    return float(-patches * np.log(shares).mean())


def _loss(answer: BlindLoss, labels: Sequence[Any], patches: int = PATCHES) -> float:
    """What the answer gives, as a number."""
    found = np.asarray(answer(list(labels), patches), dtype=float)
    expect(found.size == 1, f"One number is expected for all images together, but yours returns {found.size} numbers.")
    return float(found.reshape(()))


def _is(found: float, other: float) -> bool:
    return abs(found - other) < NEAR


def _alike(found: Any, wanted: float) -> bool:
    return abs(float(np.asarray(found, dtype=float).reshape(())) - wanted) < NEAR * (1 + abs(wanted))


def a_finite_number(answer: BlindLoss) -> None:
    """No infinity, and nothing below zero."""
    found = _loss(answer, EIGHT)
    hint = "A person to whom the classifier gives the probability 0 costs infinitely much. What should each get?"
    expect(np.isfinite(found), f"The result is {found}. {hint}")
    expect(found >= -NEAR, f"The result is {found:.3g}. The logarithm of a share is negative, but a loss is not.")


def balanced_people(answer: BlindLoss) -> None:
    """With equal numbers of images it is the chance level of the chapter."""
    found, chance = _loss(answer, [1, 1, 2, 2, 3, 3, 4, 4]), PATCHES * log(4)
    start = "Four people with two images each should give 6 ln 4 = 8.32, the chance level of the chapter."
    expect(not _is(found, chance / PATCHES), f"{start} Yours is the loss of one classifier, or the mean of six.")
    expect(not _is(found, chance / log(2)), f"{start} Your logarithm has base two.")
    expect(not _is(found, chance / log(10)), f"{start} Your logarithm has base ten.")
    expect(not _is(found, 8 * chance), f"{start} Yours is the sum over images, and the loss is a mean.")
    expect(not _is(found, PATCHES * log(8)), f"{start} You count images, but a classifier has one logit per person.")
    expect(not _is(found, 0), f"{start} Yours is 0, which would need classifiers that are always right.")


def uneven_people(answer: BlindLoss) -> None:
    """The usual other numbers, each told by its value."""
    found, shares = _loss(answer, EIGHT), np.array([4, 3, 1]) / 8
    hint = "This gives every person the same probability. A classifier can do better when one person has more images."
    expect(not _is(found, PATCHES * log(3)), hint)
    hint = "This counts only images of the most frequent person. The images of all the others cost something as well."
    expect(not _is(found, -PATCHES * log(shares.max())), hint)
    hint = "This is a mean over people. The loss is a mean over images, so that a person counts once per image."
    expect(not _is(found, -PATCHES * float(np.log(shares).mean())), hint)
    hint = "This is the share of images that a guess by frequency gets wrong. A cross-entropy has a logarithm."
    expect(not _is(found, PATCHES * float(1 - (shares**2).sum())), hint)
    hint = "This is the logarithm of a mean probability. The loss is the mean of logarithms."
    expect(not _is(found, -PATCHES * log(float((shares**2).sum()))), hint)


def order_does_not_matter(answer: BlindLoss) -> None:
    """The images of a person need not be neighbours."""
    apart, together = _loss(answer, [1, 2, 1, 2, 1, 1]), _loss(answer, [1, 1, 1, 1, 2, 2])
    expect(_is(apart, together), "The same images in another order give another loss. How do you count a person?")


def numbers_are_names(answer: BlindLoss) -> None:
    """Only which images share a name matters."""
    hint = "People 900 and 4 are two people, whatever their numbers are."
    try:
        apart = _loss(answer, [900, 900, 4, 4, 4])
    except (IndexError, KeyError) as error:
        raise Wrong(f"Your function raises {type(error).__name__}. {hint}") from error
    expect(_is(apart, _loss(answer, [0, 0, 1, 1, 1])), f"{hint} How do you count people?")


def any_number_of_patches(answer: BlindLoss) -> None:
    """P is an argument."""
    one, eight = _loss(answer, EIGHT, 1), _loss(answer, EIGHT, 8)
    expect(_is(8 * one, eight), "With 8 patches the loss should be 8 times that of one patch. Is P fixed?")


def some_labels(draw: Draw) -> tuple[list[int], int]:
    """Up to 60 images of up to 12 people, whose numbers have gaps, and a number of patches."""
    names = draw.permutation(100)[: int(draw.integers(3, 13))]
    weights = draw.dirichlet(np.ones(len(names)))
    labels = [int(name) for name in draw.choice(names, int(draw.integers(20, 60)), p=weights)]
    return labels, int(draw.integers(2, 9))


EXERCISES = (
    Exercise(
        "blind_loss",
        5,
        blind_loss,
        (
            a_finite_number,
            balanced_people,
            uneven_people,
            order_does_not_matter,
            numbers_are_names,
            any_number_of_patches,
            agrees(image_by_image, some_labels, alike=_alike, hint="Compute the loss of three images by hand."),
        ),
        example=lambda: (list(EIGHT), PATCHES),
        plain=True,
    ),
)
