"""Exercise of chapter 11: the largest batch that fits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from ..exercise import Exercise, expect

Largest = Callable[..., Any]


def largest_batch(fixed: float, pair: float, free: float, spare: float = 0.9) -> int:
    """The largest number of images that fits: the book's own answer."""
    return max(int((spare * free - fixed) // pair), 0)


GIB = 2**30


def whole_images(largest: Largest) -> None:
    """No part of an image, never one too many, and an int."""
    given = largest(0.0, 3.0, 89.0, 1.0)
    much, little = float(given), float(largest(0.0, 30.0, 95.0, 1.0))  # 29.67 and 3.17, rounded in some way
    expect(much == int(much), f"Yours gives {much:.2f} images. There is no part of an image.")
    expect(
        not (much == 30 and little == 4),
        "89 bytes, 3 for each image: yours takes 30 images, which need 90. It would not run.",
    )
    expect(much != 30, "29.67 images became 30 with yours. The nearest whole number may be one too many.")
    expect(hasattr(given, "__index__"), f"Yours gives {given!r}, a {type(given).__name__}. A batch is counted: an int.")


def nothing_fits(largest: Largest) -> None:
    """0, if the fixed part alone is too much."""
    got = float(largest(200.0, 3.0, 100.0, 0.9))
    expect(got >= 0, f"If the fixed part alone is too much, yours gives {got:.0f} images. What does that mean?")
    expect(got != 1, "If the fixed part alone is too much, yours still gives 1. Not even one image fits.")


def counts_every_byte(largest: Largest) -> None:
    """fixed + batch * pair <= spare * free, and one image more would be too much."""
    for spare, pair in product((0.9, 0.5), (7.0, 11.0)):
        fixed, free = 400.0, 2000.0
        got, room = float(largest(fixed, pair, free, spare)), spare * free
        right = largest_batch(fixed, pair, free, spare)
        says = f"fixed {fixed:g}, pair {pair:g}, free {free:g}, spare {spare:g}: yours gives {got:.0f}."
        slips = {
            room // pair: "Gradients and momenta need room, too.",
            (room + fixed) // pair: "The fixed part is taken, so it leaves less room, not more.",
            (free - fixed) // pair: "All of the free memory is used, to the last byte. What is spare for?",
            (0.9 * free - fixed) // pair: "Does it listen to the spare that it is given?",
            spare * (free - fixed) // pair: "The share is of the free memory, not of what is left of it.",
            max(
                ((1 - spare) * free - fixed) // pair, 0
            ): "spare is the share that may be used. Yours leaves it unused.",
            (room - fixed) // (2 * pair): "pair counts an image with its surrogate already. Yours counts two of these.",
            2 * right: "Image and surrogate count as two images of the batch with yours. A batch of 42 is 42 + 42.",
        }
        expect(got == right or got not in slips, f"{says} {slips.get(got, '')}")
        expect(
            got == right or got not in (2.0**n for n in range(12)),
            f"{says} A power of two, but no rule asks for one: the reference has 42.",
        )
        expect(got == right, f"{says} {'More' if got < right else 'Less'} would be right: solve the inequality again.")


def agrees_with_the_library(largest: Largest) -> None:
    """Real sizes, and the default of spare."""
    for pairs, gib in product((50, 120, 183), (4, 15, 40)):
        got = float(largest(GIB // 5, pairs * 2.0**20, gib * GIB))
        right = largest_batch(GIB // 5, pairs * 2.0**20, gib * GIB)
        expect(got == right, f"{pairs} MiB for each image in {gib} GiB: yours gives {got:.0f} images, {right} fit.")


EXERCISES = (
    Exercise(
        "largest_batch",
        11,
        largest_batch,
        (whole_images, nothing_fits, counts_every_byte, agrees_with_the_library),
        example=lambda: (1.0, 3.0, 100.0, 0.9),
    ),
)
