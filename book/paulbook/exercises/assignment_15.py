"""Exercise of the fifteen-hour assignment: choose on some seeds, report on others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isclose
from statistics import fmean
from typing import Any

import numpy as np

from ..agreement import Draw, agrees
from ..exercise import Exercise, Wrong, expect

Scores = Mapping[str, Mapping[int, float]]
Chooser = Callable[[Scores, Sequence[int], Sequence[int]], Any]


def choose_and_report(scores: Scores, development: Sequence[int], final: Sequence[int]) -> tuple[str, float]:
    """The setting that is best on the development seeds, and its mean on the final ones: the book's own answer.

    >>> choose_and_report({"a": {0: 0.5, 1: 0.4}, "b": {0: 0.3, 1: 0.6}}, development=[0], final=[1])
    ('a', 0.4)
    """
    whole = {name: by for name, by in scores.items() if all(seed in by for seed in (*development, *final))}
    best = max(whole, key=lambda name: fmean(whole[name][seed] for seed in development))
    return best, fmean(whole[best][seed] for seed in final)


DEVELOPMENT, FINAL = (100, 101, 102), (0, 1, 2)
STUDY = {  # seeds in this order
    "k=1": (0.20, 0.20, 0.20, 0.21, 0.20, 0.22),
    "k=5": (0.30, 0.50, 0.43, 0.35, 0.30, 0.40),  # the best mean, 0.41, on the development seeds
    "k=10": (0.10, 0.60, 0.38, 0.30, 0.31, 0.32),  # has the best single seed
    "k=15": (0.37, 0.38, 0.36, 0.36, 0.31, 0.30),  # its worst seed is the best
    "k=20": (0.26, 0.46, 0.45, 0.33, 0.30, 0.36),  # has the best median
    "k=30": (0.34, 0.43, 0.40, 0.40, 0.40, 0.40),  # the best of all seeds together
    "k=40": (0.28, 0.28, 0.28, 0.46, 0.44, 0.45),  # the best on the final seeds
}


def scores() -> dict[str, dict[int, float]]:
    """The study by setting and seed."""
    return {name: dict(zip(DEVELOPMENT + FINAL, row, strict=True)) for name, row in STUDY.items()}


CHOICES = {
    "k=1": "That one has the lowest score, but a higher score is better, since it is not a loss.",
    "k=10": "That one has the best single seed, which may be high by chance. Choose by the mean.",
    "k=15": "That one has the best worst seed. Choose by the mean.",
    "k=20": "That one has the best median. Choose by the mean.",
    "k=30": "That one is best over all seeds, but the final seeds must not take part in the choice.",
    "k=40": "That one is best on the final seeds. If you choose there, you report a number that was selected.",
}


def chosen(answer: Chooser, given: Scores) -> tuple[str, float]:
    """What the reader's function chooses and reports."""
    found = answer(given, list(DEVELOPMENT), list(FINAL))
    expect(
        not isinstance(found, str),
        "It names a setting and reports nothing. Return two things, the name and then the mean.",
    )
    expect(isinstance(found, (tuple, list)) and len(found) == 2, "Give two things: the name, then the mean.")
    expect(isinstance(found[0], str), "The name of the setting comes first, its mean second.")
    single = not hasattr(found[1], "__len__")
    expect(single, "It reports a list of scores. The mean over the final seeds is asked for.")
    return found[0], float(found[1])


def on_the_development_seeds(answer: Chooser) -> None:
    """The best mean decides."""
    name, _ = chosen(answer, scores())
    lowest, _ = chosen(answer, dict(reversed(scores().items())))
    hint = "If the order of the settings is reversed, yours chooses another one, so it does not compare them."
    expect(name == lowest, hint)
    expect(name == "k=5", f"It chooses {name}, and k=5 has the best mean. {CHOICES.get(name, '')}")


def on_the_final_seeds(answer: Chooser) -> None:
    """The number comes from seeds that had no say."""
    found = chosen(answer, scores())[1]
    said = f"k=5 has the mean 0.35 on the final seeds. Yours reports {found:.2f}."
    near = lambda value: isclose(found, value, abs_tol=1e-6)  # noqa: E731
    expect(not near(35), f"{said} A share lies in 0..1, not in percent.")
    expect(not near(0.41), f"{said} It is the number by which the setting was chosen, so it is too high on average.")
    expect(not near(0.38), f"{said} The seeds on which it was chosen are still in it.")
    expect(not near(0.45), f"{said} It is the mean of another setting, the best one there. Report the one you chose.")
    expect(not near(0.40), f"{said} It is the best of the final seeds.")
    expect(near(0.35), f"{said} Take the mean over the final seeds of the setting that you chose.")


def with_all_seeds(answer: Chooser) -> None:
    """A setting that lacks a seed is no candidate."""
    few = {"k=60": {100: 0.9, 0: 0.9}, "k=80": {**dict.fromkeys(DEVELOPMENT, 0.8), 0: 0.9}}
    others = {"k=90": {**dict.fromkeys((*DEVELOPMENT, 7, 8, 9), 0.9), 0: 0.9}}
    name, _ = chosen(answer, {**scores(), **few})
    hint = f"{name} was run on some of the seeds only, and yours chooses it. Compare what was run on the same seeds."
    expect(name == "k=5", hint)
    try:
        name, _ = chosen(answer, {**scores(), **others})
    except KeyError as error:
        lacks = f"Setting k=90 has seven seeds, but not the seed {error}, and yours looks it up there."
        raise Wrong(f"{lacks} Look at which seeds a setting has, and not at how many.") from None
    expect(name == "k=5", f"Setting {name} has seven seeds, but not all of those that are asked for. Yours chooses it.")


def by_table(scores: Scores, development: Sequence[int], final: Sequence[int]) -> tuple[str, float]:
    """The same from a table with a gap for every seed that is missing."""
    names = list(scores)
    columns = [
        np.array([[scores[n].get(seed, np.nan) for seed in part] for n in names]) for part in (development, final)
    ]
    mean, reported = (column.mean(1) for column in columns)  # NaN where a seed is missing
    best = int(np.nanargmax(np.where(np.isnan(reported), np.nan, mean)))
    return names[best], float(reported[best])


def some_study(draw: Draw) -> tuple[Any, ...]:
    """Nine settings, two of which lack a seed, and seeds in any order that are neither development nor final."""
    seeds = [int(seed) for seed in draw.permutation(40)[:12]]
    development, final = seeds[:4], seeds[4:7]
    scores = {f"k={k}": {seed: float(draw.random()) for seed in seeds[: int(draw.integers(7, 13))]} for k in range(9)}
    for name, part in (("k=3", development), ("k=6", final)):
        for seed in seeds:
            scores[name][seed] = float(draw.uniform(0.8, 1))
        del scores[name][part[int(draw.integers(len(part)))]]
    return scores, development, final


EXERCISES = (
    Exercise(
        "choose_and_report",
        0,
        choose_and_report,
        (
            on_the_development_seeds,
            on_the_final_seeds,
            with_all_seeds,
            agrees(
                by_table,
                some_study,
                hint="Which seeds are for choosing, which are for reporting, and which are for neither?",
            ),
        ),
        plain=True,
        example=lambda: (scores(), DEVELOPMENT, FINAL),
        assignment="assignment_15",
        points=10,
    ),
)
