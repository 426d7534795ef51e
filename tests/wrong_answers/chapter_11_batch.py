"""Wrong answers to exercise 11.2, each another misconception; and other right ones."""

import math


def own_spare(fixed, pair, free, spare=0.9) -> int:
    """0.9 whatever is asked for."""
    return max(int((0.9 * free - fixed) // pair), 0)


def spare_of_the_rest(fixed, pair, free, spare=0.9) -> int:
    """The share of what is left, not of what is free."""
    return max(int(spare * (free - fixed) // pair), 0)


def spare_is_kept(fixed, pair, free, spare=0.9) -> int:
    """The share is what must stay free."""
    return max(int(((1 - spare) * free - fixed) // pair), 0)


def rounds_up(fixed, pair, free, spare=0.9) -> int:
    """One too many."""
    return max(math.ceil((spare * free - fixed) / pair), 0)


def nearest(fixed, pair, free, spare=0.9) -> int:
    """Sometimes one too many."""
    return max(math.floor((spare * free - fixed) / pair + 0.5), 0)


def twice_the_pair(fixed, pair, free, spare=0.9) -> int:
    """Counts the surrogate again."""
    return max(int((spare * free - fixed) // (2 * pair)), 0)


def counts_views(fixed, pair, free, spare=0.9) -> int:
    """Counts image and surrogate as two images of the batch."""
    return 2 * max(int((spare * free - fixed) // pair), 0)


def power_of_two(fixed, pair, free, spare=0.9) -> int:
    """Batches must be powers of two, as some say."""
    most = max(int((spare * free - fixed) // pair), 0)
    return 2 ** int(math.log2(most)) if most else 0


def not_whole(fixed, pair, free, spare=0.9) -> float:
    """Part of an image."""
    return max((spare * free - fixed) / pair, 0)


def by_trying(fixed, pair, free, spare=0.9) -> int:
    """Right: one image more as long as it fits."""
    batch = 0
    while fixed + (batch + 1) * pair <= spare * free:
        batch += 1
    return batch


def floored(fixed, pair, free, spare=0.9) -> int:
    """Right: floor in place of //."""
    return max(math.floor((spare * free - fixed) / pair), 0)


WRONG = (
    own_spare,
    spare_of_the_rest,
    spare_is_kept,
    rounds_up,
    nearest,
    twice_the_pair,
    counts_views,
    power_of_two,
    not_whole,
)

OTHER_RIGHT = (by_trying, floored)
