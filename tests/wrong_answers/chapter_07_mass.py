"""Wrong answers to exercise 7.3, the scale of a given mass, each another misconception; and other right ones."""

import torch

import paullite as pl


def masses(d2, k, s):
    """The probability of the K nearest of each row."""
    return (-s * d2.double()).softmax(1).topk(k).values.sum(1)


def searched(measure, mass, high=1e9, steps=80):
    """Bisection on the logarithm of the scale."""
    low, high = torch.tensor(1e-9).log(), torch.tensor(high).log()
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (middle, high) if measure(middle.exp().item()) < mass else (low, middle)
    return high.exp().item()


def nearest_only(d2, k, mass):
    """K is forgotten."""
    return searched(lambda s: masses(d2, 1, s).mean(), mass)


def by_the_loss(d2, k, mass):
    """Brings the mean loss to -log of the mass."""
    return searched(lambda s: masses(d2, k, s).log().mean().exp(), mass)


def first_patch(d2, k, mass):
    """Looks at one patch."""
    return searched(lambda s: masses(d2[:1], k, s).mean(), mass)


def every_patch(d2, k, mass):
    """Every patch has to reach the mass."""
    return searched(lambda s: masses(d2, k, s).min(), mass)


def median_patch(d2, k, mass):
    """The median in place of the mean."""
    return searched(lambda s: masses(d2, k, s).median(), mass)


def mean_distances(d2, k, mass):
    """One row of mean distances."""
    return searched(lambda s: masses(d2.sort(1).values.mean(0)[None], k, s).mean(), mass)


def roots(d2, k, mass):
    """Distances, not their squares."""
    return searched(lambda s: masses(d2.sqrt(), k, s).mean(), mass)


def squared_again(d2, k, mass):
    """Squares of squares."""
    return searched(lambda s: masses(d2.square(), k, s).mean(), mass)


def own_taken_out(d2, k, mass):
    """Drops the nearest."""
    return searched(lambda s: masses(d2.sort(1).values[:, 1:], k, s).mean(), mass)


def temperature(d2, k, mass):
    """1 / s."""
    return 1 / right(d2, k, mass)


def twice(d2, k, mass):
    """As if the logits were -s d2 / 2."""
    return 2 * right(d2, k, mass)


def half(d2, k, mass):
    """As if the logits were -2 s d2."""
    return right(d2, k, mass) / 2


def one_for_each(d2, k, mass):
    """A scale for each patch."""
    return torch.tensor([right(row[None], k, mass) for row in d2])


def negative(d2, k, mass):
    """The sign of the logits."""
    return -right(d2, k, mass)


def first_entries(d2, k, mass):
    """The first K in place of the nearest K."""
    return searched(lambda s: (-s * d2.double()).softmax(1)[:, :k].sum(1).mean(), mass)


def whole_numbers(d2, k, mass):
    """A grid of tenths."""
    return round(right(d2, k, mass), 1)


def hundred_at_most(d2, k, mass):
    """The search ends at 100."""
    return searched(lambda s: masses(d2, k, s).mean(), mass, high=100.0)


def steps_of_a_thousandth(d2, k, mass):
    """Stops when the ends are a thousandth apart."""
    low, high = 0.0, 1e6
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if masses(d2, k, middle).mean() < mass else (low, middle)
    return high


def right(d2, k, mass):
    """Right: bisection."""
    return searched(lambda s: masses(d2, k, s).mean(), mass)


def by_newton(d2, k, mass):
    """Right: Newton's steps on the logarithm of the scale, a tensor."""
    d2 = d2.double()
    log_s = -d2.mean(1, keepdim=True).mean().log()
    for _ in range(200):
        log_s = log_s.detach().requires_grad_()
        near = (-log_s.exp() * d2).softmax(1).topk(k).values.sum(1).mean()
        (slope,) = torch.autograd.grad(near, log_s)
        log_s = log_s + ((mass - near) / slope).clamp(-0.5, 0.5)
    return log_s.exp().detach()


def by_doubling(d2, k, mass):
    """Right: doubles until it is over, then halves; in single precision."""
    high = 1e-12
    while (-high * d2).softmax(1).topk(k).values.sum(1).mean() < mass:
        high *= 2
    low = high / 2
    for _ in range(30):
        middle = (low + high) / 2
        over = (-middle * d2).softmax(1).topk(k).values.sum(1).mean() >= mass
        low, high = (low, middle) if over else (middle, high)
    return high


def by_the_library(d2, k, mass):
    """Right: the library's loss of each patch gives its mass, for features on a line."""
    x = d2.double().sqrt()[:, :, None, None]  # n N-1 1 1: entries at these distances from a feature at 0

    def mean_mass(s):
        own = torch.zeros(1, 1, 1, dtype=torch.float64)
        losses = [pl.losses.pedal(own, torch.cat([own, row]), torch.tensor([0]), scale=s, k=k) for row in x]
        return torch.exp(-torch.stack(losses)).mean()

    return searched(mean_mass, mass)


WRONG = {
    "scale_for_mass": (
        nearest_only, by_the_loss, first_patch, every_patch, median_patch, mean_distances, roots, squared_again,
        own_taken_out, temperature, twice, half, one_for_each, negative, first_entries, whole_numbers,
        hundred_at_most, steps_of_a_thousandth,
    ),
}  # fmt: skip

OTHER_RIGHT = {"scale_for_mass": (right, by_newton, by_doubling, by_the_library)}
