"""Exercise 10.2: the power of a paired t-test, by simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from ..agreement import Draw, agrees
from ..exercise import Exercise, expect
from ..studies import significance

Power = Callable[..., Any]
MANY = 20_000  # studies: a share of 5 % then has a standard error of 0.15 points


def simulated_power(difference: float, deviation: float, seeds: int, studies: int = 4000, seed: int = 0) -> float:
    """The share of simulated studies in which a paired t-test gives p < 0.05: the book's own answer.

    >>> simulated_power(0.0, 1.0, 5, 20_000) < 0.06 < 0.79 < simulated_power(1.0, 1.0, 10, 20_000)
    True
    """
    drawn = np.random.default_rng(seed).normal(difference, deviation, size=(studies, seeds))
    t = drawn.mean(axis=1) / (drawn.std(axis=1, ddof=1) / seeds**0.5)
    return float(np.mean(2 * stats.t.sf(np.abs(t), seeds - 1) < 0.05))


def is_a_share(power: Power) -> None:
    """A difference of fifty standard deviations is found by every study."""
    found = float(power(50.0, 1.0, 8, 200, 0))
    said = (
        f"A difference of fifty standard deviations is found by every study, so its power is 1. Yours is {found:.2f}."
    )
    expect(found <= 1, f"{said} Return a share between 0 and 1 instead of percent.")
    expect(found > 0.5, f"{said} Do you count the studies that miss the difference?")
    expect(found == 1, f"{said} Compare the p value of each study with 0.05.")


def finds_nothing_in_five_percent(power: Power) -> None:
    """Where the true difference is zero, p is below 0.05 in one study of twenty, whatever the number of seeds."""
    found = float(power(0.0, 2.0, 5, MANY, 0))
    said = f"With a true difference of 0, p is below 0.05 in 5 % of the studies. In yours it is {100 * found:.1f} %."
    expect(found < 0.3, f"{said} A mean above zero is not yet significant.")
    expect(found < 0.115 or found > 0.13, f"{said} The bound of 1.96 is for a standard deviation that is known.")
    expect(found < 0.0643, f"{said} By which number does the variance of five differences have to be divided?")
    expect(found < 0.056, f"{said} How many degrees of freedom do five differences have?")
    expect(found > 0.01, f"{said} Is the mean compared with its own standard error, s divided by the root of n?")
    expect(found > 0.035, f"{said} Differences below zero count as well, because the test has two sides.")


def finds_losses(power: Power) -> None:
    """A loss is found as often as a gain of its size."""
    gain, loss = (float(power(sign * 1.5, 1.0, 8, MANY, 0)) for sign in (1, -1))
    said = f"A gain of 1.5 is found in {100 * gain:.0f} % of your studies and a loss of 1.5 in {100 * loss:.0f} %."
    expect(abs(gain - loss) < 0.03, f"{said} A two-sided test finds both equally often.")


def counts_the_seeds(power: Power) -> None:
    """Another number of seeds has another bound."""
    found = float(power(0.0, 1.0, 3, MANY, 0))
    said = f"With five seeds your rate of false finds is right, but with three seeds it is {100 * found:.1f} %."
    expect(abs(found - 0.05) < 0.008, f"{said} Which part of the test depends on the number of seeds?")


def uses_the_deviation(power: Power) -> None:
    """Only the ratio of the difference and its standard deviation matters."""
    small, large = (float(power(scale, scale, 10, MANY, 0)) for scale in (1.0, 20.0))
    said = f"A difference of 1 with a standard deviation of 1 gives {small:.2f}, and 20 with 20 gives {large:.2f}."
    expect(abs(small - large) < 0.02, f"{said} Both have the same power. Where does `deviation` enter?")


def has_the_known_power(power: Power) -> None:
    """One standard deviation, ten seeds: 0.80."""
    found = float(power(1.0, 1.0, 10, MANY, 0))
    said = f"A difference of one standard deviation is found by ten seeds with a power of 0.80. Yours is {found:.2f}."
    expect(found < 0.83, f"{said} A real study has to estimate the standard deviation from its own differences.")
    expect(found > 0.77, f"{said} Each seed gives a single number, the difference, and `deviation` belongs to it.")


def repeats(power: Power) -> None:
    """The same seed, the same share."""
    found = {float(power(1.0, 1.0, 5, 300, 3)) for _ in range(6)}  # two alone would be equal by chance now and then
    expect(len(found) == 1, "Called again with the same seed, it gives other answers. Start the generator with `seed`.")


def uses_the_seed(power: Power) -> None:
    """Other seeds, other studies."""
    found = {float(power(1.0, 1.0, 5, 101, seed)) for seed in range(6)}
    expect(len(found) > 1, "Six different seeds give exactly the same share. Is `seed` used?")


def uses_the_studies(power: Power) -> None:
    """A single study finds the difference or does not."""
    found = [float(power(1.0, 1.0, 5, 1, seed)) for seed in range(6)]
    expect(set(found) <= {0.0, 1.0}, "With studies=1 the share must be 0 or 1. Is `studies` used?")


def some_study(draw: Draw) -> tuple[Any, ...]:
    """A difference of either sign, a deviation, two to thirty seeds, and many simulated studies."""
    deviation = float(draw.uniform(0.5, 4))
    seeds = 2 if draw.random() < 1 / 3 else int(draw.integers(3, 30))
    return float(draw.normal(0, 1.5 * deviation / seeds**0.5)), deviation, seeds, MANY, int(draw.integers(100))


def by_the_noncentral_t(difference: float, deviation: float, seeds: int, studies: int, seed: int) -> float:
    """The library's power, without simulation."""
    return significance.power(difference, deviation, seeds)


def near(found: Any, wanted: float) -> bool:
    """Within four standard errors of the simulation."""
    return abs(float(found) - wanted) < 0.015


EXERCISES = (
    Exercise(
        "simulated_power",
        10,
        simulated_power,
        (
            is_a_share,
            finds_nothing_in_five_percent,
            finds_losses,
            counts_the_seeds,
            uses_the_deviation,
            has_the_known_power,
            repeats,
            uses_the_seed,
            uses_the_studies,
            agrees(by_the_noncentral_t, some_study, alike=near, times=8, hint="Simulate the smallest study by hand."),
        ),
        example=lambda: (1.0, 2.0, 5, 50, 0),
        plain=True,
    ),
)
