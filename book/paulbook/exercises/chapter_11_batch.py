"""Exercise of chapter 11: the largest batch that fits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from ..agreement import Draw, agrees
from ..exercise import Exercise, expect

Largest = Callable[..., Any]


def largest_batch(fixed: float, pair: float, free: float, spare: float = 0.9) -> int:
    """The largest number of images that fits: the book's own answer."""
    return max(int((spare * free - fixed) // pair), 0)


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


def one_image_more(fixed: float, pair: float, free: float, spare: float) -> int:
    """One image more, as long as it fits."""
    images = 0
    while fixed + (images + 1) * pair <= spare * free:
        images += 1
    return images


def some_machine(draw: Draw) -> tuple[float, float, float, float]:
    """A machine with 1 to 40 GiB free, of which some are too small."""
    gib = 2.0**30
    fixed, pair = (float(part) * gib for part in (draw.uniform(0.1, 3), draw.uniform(0.05, 0.2)))
    spare = 0.9 if draw.random() < 1 / 3 else float(draw.uniform(0.3, 1))
    return fixed, pair, float(draw.uniform(1, 40)) * gib, spare


def as_called(fixed: float, pair: float, free: float, spare: float) -> tuple[float, ...]:
    """As somebody calls it: without ``spare`` where that is the default."""
    return (fixed, pair, free) if spare == 0.9 else (fixed, pair, free, spare)


EXERCISES = (
    Exercise(
        "largest_batch",
        11,
        largest_batch,
        (
            whole_images,
            nothing_fits,
            counts_every_byte,
            agrees(one_image_more, some_machine, times=40, given=as_called),
        ),
        plain=True,
        example=lambda: (1.0, 3.0, 100.0, 0.9),
    ),
)
