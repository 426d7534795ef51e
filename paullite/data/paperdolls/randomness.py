"""Random whole numbers that belong to a name, the same on every machine."""

import zlib
from collections.abc import Iterable
from typing import TypeVar

import numpy as np

Thing = TypeVar("Thing")


def random_numbers(*words: object) -> np.random.RandomState:
    """A stream of random integers for a name, such as ("0", "target", "person", 3). The stream is the same for ever."""
    return np.random.RandomState(zlib.crc32("/".join(map(str, words)).encode()))


def pick(rng: np.random.RandomState, low: int, high: int) -> int:
    """A whole number from low to high, both included. The type is fixed because its default depends on the system."""
    return int(rng.randint(low, max(low, high) + 1, dtype=np.int32))


def choose(rng: np.random.RandomState, things: Iterable[Thing]) -> Thing:
    """One of the things, all equally likely. What is written twice is drawn twice as often."""
    found = tuple(things)
    return found[pick(rng, 0, len(found) - 1)]


def chance(rng: np.random.RandomState, percent: int) -> bool:
    """True in so many cases out of a hundred. Draws one number whatever the percentage."""
    return pick(rng, 0, 99) < percent


def shuffled(rng: np.random.RandomState, count: int) -> list[int]:
    """The numbers below ``count`` in random order, by swapping from the end."""
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        j = pick(rng, 0, i)
        order[i], order[j] = order[j], order[i]
    return order
