"""Chapter 9: the world and the settings of its trainings, in the one place that chapter and bands share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..config import AdaptConfig, Preset
from ..data import PaperDolls
from ..experiments.settings import STUDY, Settings
from ..experiments.statistics import seed_interval
from .bands import Band
from .chapter9_film import Film, moment
from .figures import COLOURS, RIGHT, WRONG, plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "ARMS",
    "NAMES",
    "WORLD",
    "Film",
    "arms",
    "arms_table",
    "draw_arms",
    "draw_diagnosis",
    "draw_push",
    "moment",
    "settings",
    "world",
]

WORLD = 3
"""Seed of the drawn world, and of the training that the chapter shows. The chapter says why it is this one."""

ARMS: dict[str, dict[str, Any]] = {"pedal": {"ipfl_weight": 0.0}, "ipfl": {"pedal_weight": 0.0}, "paul": {}}
"""What is trained, by the names of the study ``ablation``; values that differ from its settings of phase 2."""


def world() -> tuple[PaperDolls, PaperDolls]:
    """Source and target as the study ``ablation`` draws them."""
    sizes = Settings()
    return PaperDolls("source", seed=WORLD, **sizes.source), PaperDolls("target", seed=WORLD, **sizes.target)


def settings(seed: int = WORLD) -> Preset:
    """The settings of the study ``ablation``; the judge looks where the chapter needs it.

    The chapter spells these settings out and asserts that they are these; ``tests/benchmarks/bands.py`` trains with
    them for the bands that the chapter compares with.

    Args:
        seed: of the network's start, the order of the images and the surrogates. The world stays the same.

    >>> settings().adapt.epochs, settings(0).pretrain.seed
    (6, 0)
    """
    return Preset(replace(STUDY.pretrain, seed=seed, evaluate_every=0), replace(STUDY.adapt, seed=seed))


def arms(seed: int = WORLD) -> dict[str, AdaptConfig]:
    """The settings of phase 2 of each arm that is trained.

    >>> [(arm, config.pedal_weight, config.ipfl_weight) for arm, config in arms().items()]
    [('pedal', 2.0, 0.0), ('ipfl', 0.0, 0.3), ('paul', 2.0, 0.3)]
    """
    return {name: replace(settings(seed).adapt, **changes) for name, changes in ARMS.items()}


NAMES = {
    "direct": "direct transfer",
    "batch_norm": "batch-norm only",
    "ipfl": "IPFL only",
    "pedal": "PEDAL only",
    "paul": "PAUL, both",
}
"""The five arms as the chapter calls them, in the order of its tables."""


def draw_arms(scores: Mapping[str, float], bands: Mapping[str, Band], worlds: Mapping[str, Sequence[float]]) -> Figure:
    """The mAP of each arm: this run, the band of this world, and the study's five worlds with their interval.

    Args:
        scores: of this run, in percent, by arm. bands: of this world, by arm.
        worlds: one number for each seed of the study, in percent, by arm.

    >>> bands = {"direct": Band((0.1, 0.2))}
    >>> len(draw_arms({"direct": 12.0}, bands, {"direct": [10.0, 20.0, 30.0]}).axes[0].lines)
    4
    """
    figure, axes = plot(width=5.6, height=0.75 + 0.72 * len(scores))
    for row, (arm, score) in enumerate(scores.items()):
        band, values, first = bands[arm], worlds[arm], row == 0
        interval = seed_interval(values)
        axes.barh(row - 0.2, band.high - band.low, 0.26, band.low, color="#bbbbbb", label="_band")
        axes.plot(score, row - 0.2, "*", color="black", markersize=13, label="this run" if first else "_")
        axes.plot(values, [row + 0.2] * len(values), "o", color=COLOURS[4], ms=7, label="5 worlds" if first else "_")
        if interval:
            axes.plot([max(0, interval.low), interval.high], [row + 0.2] * 2, "-", color=COLOURS[0], label="_")
            axes.plot(interval.mean, row + 0.2, "D", color=COLOURS[0], label="their mean" if first else "_")
    axes.set_yticks(range(len(scores)), [NAMES[arm] for arm in scores])
    axes.set(xlabel="mAP (step), %", ylim=(len(scores) - 0.45, -0.6), xlim=(0, None))
    axes.legend(loc="upper right", handletextpad=0.2)
    return figure


def arms_table(
    scores: Mapping[str, float], bands: Mapping[str, Band], worlds: Mapping[str, Sequence[float]]
) -> dict[str, list[str]]:
    """The numbers of `draw_arms`, by column.

    >>> arms_table({"direct": 12.0}, {"direct": Band((0.1, 0.2))}, {"direct": [10.0, 20.0]})["five worlds, %"]
    ['10.0, 20.0']
    """
    return {
        "arm": [NAMES[arm] for arm in bands],
        "this run, %": [f"{scores[arm]:.1f}" for arm in bands],
        "its band, %": [str(band) for band in bands.values()],
        "five worlds, %": [", ".join(f"{value:.1f}" for value in worlds[arm]) for arm in bands],
    }


def draw_diagnosis(history: Sequence[Mapping[str, float]], chance: float) -> Figure:
    """Two counts with hidden labels, epoch by epoch: neighbours that are the same person, and false negatives.

    >>> rows = [{"epoch": 1, "same_person": 0.2, "false_negatives": 0.02}]
    >>> [line.get_label() for line in draw_diagnosis(rows, 0.01).axes[0].lines]
    ['same person among the K nearest', 'by chance', 'false negatives']
    """
    figure, axes = plot(width=5.4, height=2.9)
    epochs = [row["epoch"] for row in history]
    pulled, pushed = ([100 * row[name] for row in history] for name in ("same_person", "false_negatives"))
    axes.plot(epochs, pulled, "o-", color=RIGHT, label="same person among the K nearest")
    axes.plot(epochs, [100 * chance] * len(epochs), ":", color="grey", label="by chance")
    axes.plot(epochs, pushed, "X--", color=WRONG, label="false negatives")
    axes.set(xlabel="epoch", ylabel="%", ylim=(0, 1.6 * max(pulled)), xticks=epochs)
    axes.legend(loc="upper left")
    return figure


def draw_push(force: Mapping[str, float], on_same: Mapping[str, float]) -> Figure:
    """For some settings of PEDAL how hard it pushes, and how much of that falls on the anchor's own person.

    Args:
        force: mean over patches, by the words for a setting. on_same: its share on the same person, by the same words.

    >>> len(draw_push({"K 20": 4.0}, {"K 20": 0.5}).axes[0].patches)
    2
    """
    figure, axes = plot(width=5.4, height=2.9)
    wrong = [force[words] * on_same[words] for words in force]
    axes.bar(list(force), wrong, color=WRONG, hatch="//", edgecolor="white", label="on the same person")
    others = [force[words] - part for words, part in zip(force, wrong, strict=True)]
    axes.bar(list(force), others, bottom=wrong, color=RIGHT, label="on others")
    axes.set(ylabel="force of the push", xlabel="setting")
    axes.legend(loc="upper left")
    return figure
