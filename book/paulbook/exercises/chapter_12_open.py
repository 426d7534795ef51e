"""Exercise 12.2: the operating point of a search that may answer that the person is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..agreement import Draw, agrees
from ..exercise import Exercise, Wrong, expect

Array = NDArray[Any]
Point = Callable[[Array, Array, Array, float], Any]


def operating_point(known: Array, right: Array, unknown: Array, wanted: float) -> tuple[float, float]:
    """The threshold that a wanted share of false alarms allows, and what is found above it: the book's own answer.

    Args:
        known: similarity of the first image, for queries whose person is in the gallery, (Q,).
        right: whether this first image shows the query's person, (Q,).
        unknown: the same similarity for queries whose person is not in the gallery, (U,).
        wanted: the largest share of false alarms that is allowed, in 0..1.

    >>> known, right = np.array([0.9, 0.8, 0.4]), np.array([True, False, True])
    >>> operating_point(known, right, np.array([0.3, 0.5]), 0.5)
    (0.3, 0.6666666666666666)
    """
    false_alarms = (unknown > unknown[:, None]).mean(axis=1)  # with each value as the threshold
    threshold = unknown[false_alarms <= wanted].min()
    return float(threshold), float(((known > threshold) & right).mean())


def asked(point: Point, *given: Any) -> tuple[float, float]:
    """Both numbers that an answer gives."""
    values: list[Any] = [np.array(value) if isinstance(value, list) else value for value in given]
    found = point(*values)
    try:
        threshold, rate = (float(value) for value in found)
    except (TypeError, ValueError) as error:
        raise Wrong(f"The result is {found!r}, expected two numbers: the threshold and the detection rate.") from error
    return threshold, rate


KNOWN = [0.95, 0.85, 0.75, 0.55, 0.35]
RIGHT = [True, True, False, True, True]
UNKNOWN = [0.2, 0.8, 0.3, 0.6, 0.4, 0.5, 0.1, 0.7, 0.05, 0.65]  # in no order
CASE = "Ten unknown people have first similarities from 0.05 to 0.8, and two false alarms in ten are allowed."


def the_threshold(point: Point) -> None:
    """The lowest of the unknown similarities above which few enough lie."""
    threshold, rate = asked(point, KNOWN, RIGHT, UNKNOWN, 0.2)
    says = f"{CASE} The threshold should be 0.65, but yours is {threshold:.3g}."
    swapped = abs(rate - 0.65) < 1e-6
    expect(not swapped, "The two numbers have changed places: the threshold comes first.")
    expect(abs(threshold - 0.2) > 1e-6, f"{says} Two of ten lie below it. Count those above.")
    expect(abs(threshold - 0.8) > 1e-6, f"{says} Nobody lies above it. Which lower value is allowed as well?")
    expect(abs(threshold - 0.7) > 1e-6, f"{says} Only one of ten lies above it. Two are allowed.")
    expect(abs(threshold - 0.6) > 1e-6, f"{says} Three of ten lie above it, which is more than allowed.")
    between = 0.65 < threshold < 0.7
    expect(not between, f"{says} A quantile lies between two values. Take one of the values themselves.")
    expect(abs(threshold - 0.85) > 1e-6, f"{says} It was chosen among the known people. Who gives false alarms?")
    expect(abs(threshold - 0.65) < 1e-6, f"{says} Try each of the ten values, and count how many lie above it.")


def only_right_names_count(point: Point) -> None:
    """An accepted query whose first image is another person is no detection."""
    _, rate = asked(point, KNOWN, RIGHT, UNKNOWN, 0.2)
    says = "Of five known people, three first images lie above 0.65, and two of these three are right."
    expect(abs(rate - 0.6) > 1e-6, f"{says} Yours is 3/5: a wrong name above the threshold was counted.")
    expect(abs(rate - 2 / 3) > 1e-6, f"{says} Yours is 2/3: divide by all known people, also by those not accepted.")
    expect(abs(rate - 0.5) > 1e-6, f"{says} Yours is 2/4: the query whose first image is wrong counts as well.")
    expect(abs(rate - 2) > 1e-6, f"{says} Yours is a count. The rate is a share.")
    expect(abs(rate - 0.8) > 1e-6, f"{says} Yours is 4/5, the rank-1 without any threshold.")
    expect(abs(rate - 0.4) < 1e-6, f"{says} The detection rate should be 2/5, but yours is {rate:.3g}.")


def equal_values_go_together(point: Point) -> None:
    """A similarity that equals the threshold is not above it, on either side."""
    threshold, rate = asked(point, [0.5, 0.7], [True, True], [0.5, 0.5, 0.5, 0.2], 0.5)
    says = "Three of four unknown similarities are equal, 0.5, and half may be false alarms."
    expect(abs(threshold - 0.5) < 1e-6, f"{says} At 0.2 three would be, so the threshold is 0.5. Yours: {threshold:g}.")
    expect(abs(rate - 1) > 1e-6, f"{says} A known similarity of exactly 0.5 is not above 0.5, for it or against it.")
    expect(abs(rate - 0.5) < 1e-6, f"{says} One of two known people lies above 0.5, but your rate is {rate:.3g}.")


def nothing_allowed(point: Point) -> None:
    """No false alarm at all, and all of them."""
    threshold, _ = asked(point, KNOWN, RIGHT, UNKNOWN, 0.0)
    says = "Without any false alarm the threshold is the largest unknown similarity, 0.8."
    expect(abs(threshold - 0.8) < 1e-6, f"{says} Yours is {threshold:.3g}.")
    threshold, _ = asked(point, KNOWN, RIGHT, UNKNOWN, 1.0)
    says = "If all may be false alarms, the lowest of the values serves, 0.05."
    expect(abs(threshold - 0.05) < 1e-6, f"{says} Yours is {threshold:.3g}.")


def in_a_loop(known: Array, right: Array, unknown: Array, wanted: float) -> tuple[float, float]:
    """One candidate after the other, from the lowest."""
    for threshold in sorted(unknown.tolist()):
        if sum(u > threshold for u in unknown.tolist()) <= wanted * len(unknown) + 1e-12:
            break
    found = sum(k > threshold and bool(r) for k, r in zip(known.tolist(), right, strict=True))
    return threshold, found / len(known)


def some_people(draw: Draw) -> tuple[Any, ...]:
    """Similarities on a coarse grid, so that many are equal."""
    known, unknown = (int(count) for count in 5 + draw.permutation(20)[:2])
    shares = 0.05 * draw.integers(0, 20, known), 0.05 * draw.integers(0, 16, unknown)
    return shares[0], draw.random(known) < 0.7, shares[1], float(draw.uniform(0, 0.9))


EXERCISES = (
    Exercise(
        "operating_point",
        12,
        operating_point,
        (
            the_threshold,
            only_right_names_count,
            equal_values_go_together,
            nothing_allowed,
            agrees(in_a_loop, some_people),
        ),
        example=lambda: (np.array(KNOWN), np.array(RIGHT), np.array(UNKNOWN), 0.2),
        plain=True,
    ),
)
