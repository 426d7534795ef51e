"""Wrong answers about the distance of a view from its center, each another misconception; and other right ones."""

import math

import torch


def weights(visits, momentum):
    """Of the visits in a running mean, newest first."""
    found = [momentum * (1 - momentum) ** age for age in range(visits - 1)]
    return [*found, (1 - momentum) ** (visits - 1)]


def of_the_midpoint(visits, momentum=0.1):
    """Forgets that the center moves slowly: every visit is like the first."""
    return 0.5


def root_of_it(visits, momentum=0.1):
    """The distance, not its square."""
    return math.sqrt(1 - weights(visits, momentum)[0] + sum(w**2 for w in weights(visits, momentum)) / 2)


def added_variances(visits, momentum=0.1):
    """View and center as if they were independent."""
    return 1 + sum(w**2 for w in weights(visits, momentum)) / 2


def added_later(visits, momentum=0.1):
    """Right at the first visit; afterwards as if view and center were independent."""
    return 0.5 if visits == 1 else added_variances(visits, momentum)


def center_does_not_vary(visits, momentum=0.1):
    """The center as the true embedding."""
    return 1.0


def one_view_only(visits, momentum=0.1):
    """The center is a running mean of this view alone."""
    return 1 - 2 * weights(visits, momentum)[0] + sum(w**2 for w in weights(visits, momentum))


def one_view_later(visits, momentum=0.1):
    """The midpoint at first, later one view per visit."""
    return 0.5 if visits == 1 else one_view_only(visits, momentum)


def momentum_of_the_old(visits, momentum=0.1):
    """Takes momentum for the share that is kept."""
    return 0.5 if visits == 1 else 1 - (1 - momentum) + sum(w**2 for w in weights(visits, 1 - momentum)) / 2


def before_the_update(visits, momentum=0.1):
    """Compares with the center as the visit found it."""
    old = weights(max(1, visits - 1), momentum)
    return 0.5 if visits == 1 else 1 + sum(w**2 for w in old) / 2


def plain_mean(visits, momentum=0.1):
    """All visits weigh the same."""
    return 1 - 0.5 / visits


def always_a_tenth(visits, momentum=0.1):
    """Never looks at the momentum."""
    return 1 - weights(visits, 0.1)[0] + sum(w**2 for w in weights(visits, 0.1)) / 2


def nothing_stored_whole(visits, momentum=0.1):
    """The first visit, too, is mixed in with the momentum, into zero."""
    found = [momentum * (1 - momentum) ** age for age in range(visits)]
    return 1 - found[0] + sum(w**2 for w in found) / 2


def first_forgotten_later(visits, momentum=0.1):
    """Right for one visit and for two, but the first visit then counts like any other."""
    if visits < 3:
        return 1 - weights(visits, momentum)[0] + sum(w**2 for w in weights(visits, momentum)) / 2
    return nothing_stored_whole(visits, momentum)


def grows_on(visits, momentum=0.1):
    """One step of the growth from the first to the second visit at every visit."""
    step = (1 - momentum) * (2 - momentum) / 2 - momentum + momentum**2
    second = (1 - momentum) + ((1 - momentum) ** 2 + momentum**2) / 2
    return 0.5 if visits == 1 else second if momentum == 1 else second + (visits - 2) * step


def weights_not_squared(visits, momentum=0.1):
    """Weights of variances as they are, which sum to 1, except where a single visit counts."""
    return 0.5 if visits == 1 else 1 - weights(visits, momentum)[0] + 0.5


def the_limit(visits, momentum=0.1):
    """What it comes to after many visits, from the third visit on."""
    limit = 1 - momentum + momentum / (2 * (2 - momentum))
    return limit if visits > 6 else 1 - weights(visits, momentum)[0] + sum(w**2 for w in weights(visits, momentum)) / 2


def by_recursion(visits, momentum=0.1):
    """Right: the variance of the center, visit by visit."""
    variance = 0.5
    for _ in range(visits - 1):
        variance = (1 - momentum) ** 2 * variance + momentum**2 / 2
    return 1 + variance - (1.0 if visits == 1 else momentum)


def in_closed_form(visits, momentum=0.1):
    """Right: a geometric sum."""
    if visits == 1:
        return 0.5
    kept = (1 - momentum) ** 2
    newer = momentum**2 * (1 - kept ** (visits - 1)) / (1 - kept)
    return 1 - momentum + (newer + kept ** (visits - 1)) / 2


def by_coefficients(visits, momentum=0.1):
    """Right: one coefficient per view, as a tensor."""
    center = torch.tensor([0.5, 0.5], dtype=torch.float64)
    for _ in range(visits - 1):
        center = torch.cat([(1 - momentum) * center, torch.full((2,), momentum / 2, dtype=torch.float64)])
    view = torch.zeros_like(center)
    view[-1] = 1
    return (view - center).square().sum()


WRONG = {
    "center_distance": (
        of_the_midpoint, root_of_it, added_variances, added_later, center_does_not_vary, one_view_only, one_view_later,
        momentum_of_the_old, before_the_update, plain_mean, always_a_tenth, nothing_stored_whole,
        first_forgotten_later, grows_on, weights_not_squared, the_limit,
    ),
}  # fmt: skip

OTHER_RIGHT = {"center_distance": (by_recursion, in_closed_form, by_coefficients)}
