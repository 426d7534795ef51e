"""Wrong answers to the exercise on shuffled groups, each another misconception, and other right ones."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np


def no_degree_lost(groups):
    """G / N."""
    return len(set(groups)) / len(groups)


def lost_above_only(groups):
    """(G - 1) / N."""
    return (len(set(groups)) - 1) / len(groups)


def lost_below_only(groups):
    """G / (N - 1)."""
    return len(set(groups)) / (len(groups) - 1)


def equal_parts(groups):
    """1 / G, as if every group got the same part."""
    return 1 / len(set(groups))


def one_image(groups):
    """1 / N."""
    return 1 / len(groups)


def against_within(groups):
    """Between over within, as in an F test."""
    return (len(set(groups)) - 1) / max(1, len(groups) - len(set(groups)))


def largest_group(groups):
    """The share of the largest group."""
    return max(Counter(groups).values()) / len(groups)


def same_group(groups):
    """The chance that two images are in the same group."""
    return sum((n / len(groups)) ** 2 for n in Counter(groups).values())


def different_groups(groups):
    """The chance that two images are in different groups."""
    return 1 - same_group(groups)


def nothing(groups):
    """Shuffled groups explain nothing."""
    return 0.0


def within(groups):
    """The share within groups."""
    return (len(groups) - len(set(groups))) / (len(groups) - 1)


def in_percent(groups):
    """Percent in place of a share."""
    return 100 * (len(set(groups)) - 1) / (len(groups) - 1)


def by_the_largest_number(groups):
    """Groups are taken for the numbers from 0 to the largest."""
    numbers = np.unique(groups, return_inverse=True)[1] if isinstance(groups[0], str) else np.array(groups)
    return min(1.0, float(numbers.max()) / (len(groups) - 1))


def for_each_group(groups):
    """A number for each group."""
    return [(1 - n / len(groups)) / (len(groups) - 1) for n in Counter(groups).values()]


def weighted_by_size(groups):
    """Groups of unequal size count by how even they are."""
    even = 1 / sum((n / len(groups)) ** 2 for n in Counter(groups).values())
    return (even - 1) / (len(groups) - 1)


def numbers_only(groups):
    """Needs numbers."""
    return (len(set(np.array(groups, dtype=int).tolist())) - 1) / (len(groups) - 1)


def runs(groups):
    """Groups are counted where the name changes."""
    changes = sum(a != b for a, b in pairwise(groups))
    return min(1.0, changes / (len(groups) - 1))


def one_by_one(groups):
    """Right: what every group is expected to add."""
    count = len(groups)
    return sum((1 - n / count) / (count - 1) for n in Counter(groups).values())


def exactly(groups):
    """Right: a fraction."""
    return Fraction(len(dict.fromkeys(groups)) - 1, len(groups) - 1)


def as_an_array(groups):
    """Right: an array of no dimension."""
    return np.array((len(np.unique(groups)) - 1) / (len(groups) - 1))


WRONG = {
    "chance_share": (
        no_degree_lost,
        lost_above_only,
        lost_below_only,
        equal_parts,
        one_image,
        against_within,
        largest_group,
        same_group,
        different_groups,
        nothing,
        within,
        in_percent,
        by_the_largest_number,
        for_each_group,
        weighted_by_size,
        numbers_only,
        runs,
    ),
}
OTHER_RIGHT = {"chance_share": (one_by_one, exactly, as_an_array)}
