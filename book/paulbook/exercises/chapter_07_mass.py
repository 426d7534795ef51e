"""Exercise 7.3: the scale at which the K nearest hold a given probability."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..agreement import Draw, agrees, sizes
from ..exercise import Exercise, Wrong, expect

Scales = Callable[[Tensor, int, float], Any]
Measure = Callable[[Tensor], float]  # what is brought to the given mass, of logits (n, m) at some scale
K, MASS = 3, 0.6
NEAR = 2e-3  # a scale is right to three digits


def scale_for_mass(d2: Tensor, k: int, mass: float) -> float:
    """The s at which the K nearest entries hold a probability, on average over patches: the book's own answer.

    Args:
        d2: squared distances of each patch to all other entries, in any order, (n, N - 1).
        k: number of nearest entries.
        mass: the probability, above K / (N - 1) and below 1.

    >>> round(scale_for_mass(torch.tensor([[0.0, 1.0]]), 1, 0.731), 2)     # 1 / (1 + exp(-1)) = 0.731
    1.0
    """
    return _bisected(d2.double(), lambda logits: _masses(logits, k).mean().item(), mass)


def _masses(logits: Tensor, k: int) -> Tensor:
    """The probability of the K nearest of each row."""
    return logits.softmax(1).topk(k, dim=1).values.sum(1)


def _bisected(d2: Tensor, measure: Measure, mass: float) -> float:
    """The scale at which a measure that grows with it reaches the mass."""
    low, high = 0.0, 1.0
    while measure(-high * d2) < mass and high < 1e12:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if measure(-middle * d2) < mass else (low, middle)
    return high


def _patches(rows: int = 5, others: int = 9) -> Tensor:
    """Squared distances whose rows lie at very different levels, as those of real patches do."""
    generator = torch.Generator().manual_seed(1)
    return torch.rand(rows, others, generator=generator) * torch.tensor([[0.2], [0.5], [1], [2], [4]])[:rows]


def _scale(answer: Scales, d2: Tensor, k: int = K, mass: float = MASS) -> float:
    """What the answer gives, as a number."""
    found = answer(d2.clone(), k, mass)
    try:
        values = np.asarray(found.detach() if isinstance(found, Tensor) else found, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise Wrong(f"The result is {found!r}, expected one number.") from error
    hint = f"One scale is used for all patches, but yours returns {values.size} numbers. The mean is over the patches."
    expect(values.size == 1, hint)
    return float(values.reshape(-1)[0])


def _is(found: float, wanted: float) -> bool:
    return bool(abs(found - wanted) <= NEAR * abs(wanted))


def one_number(answer: Scales) -> None:
    """A positive number for all patches together."""
    found = _scale(answer, _patches())
    expect(found == found and found > 0, f"The scale has to be a positive number, and yours is {found:.4g}.")


def common_mistakes(answer: Scales) -> None:
    """The usual other numbers, each told by its value."""
    d2 = _patches().double()
    found, right = _scale(answer, _patches()), scale_for_mass(d2, K, MASS)

    def reached(measure: Measure, given: Tensor = d2) -> float:
        return _bisected(given, measure, MASS)

    near = d2.sort(1).values
    mistakes = {
        "Only the nearest entry counts in yours, although K = 3.": reached(lambda x: _masses(x, 1).mean().item()),
        "You bring the mean loss to -log M. The mean of a logarithm is not the logarithm of the mean.": reached(
            lambda x: _masses(x, K).log().mean().exp().item()
        ),
        "Your scale fits the first patch only.": reached(lambda x: _masses(x[:1], K).item()),
        "Every patch reaches the mass in yours. Only the mean over the patches has to.": reached(
            lambda x: _masses(x, K).min().item()
        ),
        "Half of the patches reach the mass in yours. The mean is asked for, and not the median.": reached(
            lambda x: _masses(x, K).median().item()
        ),
        "You average the distances before the softmax. Average the masses after it.": reached(
            lambda x: _masses(x, K).mean().item(), near.mean(0, keepdim=True)
        ),
        "Your weights fall with the distance instead of its square. d2 is squared already.": reached(
            lambda x: _masses(x, K).mean().item(), d2.sqrt()
        ),
        "You square d2 once more, although it holds squared distances already.": reached(
            lambda x: _masses(x, K).mean().item(), d2.square()
        ),
        "You leave out the nearest entry as if it were the own one. d2 holds other entries only.": reached(
            lambda x: _masses(x, K).mean().item(), near[:, 1:]
        ),
        "Your result is 1 / s, which is a temperature.": 1 / right,
        "Your result is twice the scale. The logits are -s d2, without a factor.": 2 * right,
        "Your result is half of the scale. The logits are -s d2, without a factor.": right / 2,
    }
    for hint, value in mistakes.items():
        expect(not _is(found, value), hint)


def exact_enough(answer: Scales) -> None:
    """Three digits."""
    found, right = _scale(answer, _patches()), scale_for_mass(_patches(), K, MASS)
    close = abs(found - right) < 0.1 * right
    hint = f"{found:.5g} is near, but {right:.5g} is right to five digits. Three are asked for, so search more finely."
    expect(_is(found, right) or not close, hint)


def small_distances(answer: Scales) -> None:
    """If the features lie close together, the scale is large."""
    d2 = 1e-4 * _patches()
    found, right = _scale(answer, d2), scale_for_mass(d2, K, MASS)
    hint = f"With distances ten thousand times smaller the scale is {right:.4g}, and yours is {found:.4g}."
    expect(_is(found, right), f"{hint} Does your search end too early?")


def large_distances(answer: Scales) -> None:
    """If they lie far apart, it is small."""
    d2 = 1e4 * _patches()
    found, right = _scale(answer, d2), scale_for_mass(d2, K, MASS)
    hint = f"With distances ten thousand times larger the scale is {right:.4g}, and yours is {found:.4g}."
    expect(_is(found, right), f"{hint} Is a step, or the width at which you stop, a fixed number?")


def order_does_not_matter(answer: Scales) -> None:
    """Entries come in any order."""
    d2 = _patches()
    found, right = _scale(answer, d2.sort(1).values), _scale(answer, d2.flip(1))
    hint = "The same distances in another order give another scale. Which K entries do you take?"
    expect(_is(found, right), hint)


def by_the_middle(d2: Tensor, k: int, mass: float) -> float:
    """The same by a root finder on the logarithm of the scale, with numpy."""
    from scipy.optimize import brentq

    x = np.sort(d2.double().numpy(), axis=1)
    x = x - x[:, :1]

    def missing(log_scale: float) -> float:
        weights = np.exp(-np.exp(log_scale) * x)
        return float((weights[:, :k].sum(1) / weights.sum(1)).mean() - mass)

    return float(np.exp(brentq(missing, -25, 25)))


def some_distances(draw: Draw) -> tuple[Tensor, int, float]:
    """Patches and entries of any number, K and a mass between its bounds."""
    rows, extra = sizes(draw, 2)
    others = rows + extra + 3
    k = int(draw.integers(1, others - 2))
    share = k / others + (1 - k / others) * float(draw.uniform(0.1, 0.9))
    return torch.from_numpy(draw.uniform(0.05, 4, (rows, others)).astype(np.float32)), k, share


def _alike(found: Any, wanted: float) -> bool:
    return _is(float(found), wanted)


EXERCISES = (
    Exercise(
        "scale_for_mass",
        7,
        scale_for_mass,
        (
            one_number,
            order_does_not_matter,
            common_mistakes,
            exact_enough,
            small_distances,
            large_distances,
            agrees(by_the_middle, some_distances, alike=_alike, hint="Compute the mean mass at your scale."),
        ),
        example=lambda: (_patches(), K, MASS),
        plain=True,
    ),
)
