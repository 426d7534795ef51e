"""Chapter 9: the world and the settings of its trainings, in the one place that chapter and bands share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from paullite.config import AdaptConfig, Preset
from paullite.data import PaperDolls

from ..bands import Band
from ..figures import COLOURS, RIGHT, WRONG, Html, plot
from ..first import SOURCE, STUDY, TARGET
from ..numbers import Columns, folded, given
from ..studies.statistics import share_interval
from .chapter9_film import Film, moment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "ARMS",
    "NAMES",
    "WORLD",
    "Film",
    "arms",
    "arms_table",
    "diagnosis_table",
    "draw_arms",
    "draw_diagnosis",
    "draw_push",
    "moment",
    "numbers",
    "push_table",
    "settings",
    "world",
]

WORLD = 3
"""Seed of the drawn world, and of the training that the chapter shows. The chapter says why it is this one."""

ARMS: dict[str, dict[str, Any]] = {"pedal": {"ipfl_weight": 0.0}, "ipfl": {"pedal_weight": 0.0}, "paul": {}}
"""What is trained, by the names of the study ``ablation``; values that differ from its settings of phase 2."""


def world() -> tuple[PaperDolls, PaperDolls]:
    """Source and target as the study ``ablation`` of the first edition drew them."""
    return PaperDolls("source", seed=WORLD, **SOURCE), PaperDolls("target", seed=WORLD, **TARGET)


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
        interval = share_interval(values, high=100)
        axes.barh(row - 0.2, band.high - band.low, 0.26, band.low, color="#bbbbbb", label="_band")
        axes.plot(score, row - 0.2, "*", color="black", markersize=13, label="this run" if first else "_")
        axes.plot(values, [row + 0.2] * len(values), "o", color=COLOURS[4], ms=7, label="5 worlds" if first else "_")
        if interval:
            axes.plot(interval.mean, row + 0.2, "D", color=COLOURS[0], label="their mean" if first else "_")
            axes.plot(
                [interval.low, interval.high],
                [row + 0.2] * 2,
                "-",
                color=COLOURS[0],
                label="its 95 % interval" if first else "_",
            )
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

    >>> rows = [{"epoch": 1, "same_person": 0.2, "false_negatives": 0.02, "false_hardest": 0.1}]
    >>> [line.get_label() for line in draw_diagnosis(rows, 0.01).axes[0].lines][::3]
    ['same person among the K nearest', 'by chance']
    """
    figure, axes = plot(width=5.4, height=3.4)
    epochs = [row["epoch"] for row in history]
    looks = {
        "same_person": ("same person among the K nearest", RIGHT, "o-"),
        "false_hardest": ("false negatives, without the cycle", WRONG, "v-."),
        "false_negatives": ("false negatives", WRONG, "X--"),
    }
    for name, (label, colour, mark) in looks.items():
        axes.plot(epochs, [100 * row[name] for row in history], mark, color=colour, label=label)
    axes.plot(epochs, [100 * chance] * len(epochs), ":", color="grey", label="by chance")
    top = max(line.get_ydata().max() for line in axes.lines)
    axes.set(xlabel="epoch", ylabel="%", ylim=(0, 1.75 * top), xticks=epochs)
    axes.legend(loc="upper left")
    return figure


def diagnosis_table(history: Sequence[Mapping[str, float]], by_chance: Mapping[str, float]) -> dict[str, list[str]]:
    """The numbers of `draw_diagnosis` in percent, and of the wrong neighbours how many wear the same colour.

    >>> row = {"epoch": 1, "same_person": 0.2, "same_garment": 0.6, "false_negatives": 0.02, "false_hardest": 0.1}
    >>> table = diagnosis_table([row], {"same_person_chance": 0.01, "same_garment_chance": 0.2})
    >>> table["wrong, of the same colour"]
    ['50.0', '20.0']
    """
    columns: dict[str, Any] = {
        "same person": "same_person",
        "wrong, of the same colour": lambda row: (row["same_garment"] - row["same_person"]) / (1 - row["same_person"]),
        "false negatives": "false_negatives",
        "without the cycle": "false_hardest",
    }
    same, garment = by_chance["same_person_chance"], by_chance["same_garment_chance"]
    chances = dict(zip(columns, (same, garment, same, same), strict=True))
    table = {"%, epoch": [*(f"{row['epoch']:g}" for row in history), "by chance"]}
    for name, key in columns.items():
        found = [key(row) if callable(key) else row[key] for row in history]
        table[name] = [f"{100 * share:.1f}" for share in (*found, chances[name])]
    return table


def draw_push(push: Mapping[str, float], on_same: Mapping[str, float]) -> Figure:
    """For some settings of PEDAL how hard it pushes, and how much of that falls on the anchor's own person.

    Args:
        push: mean over patches, by the words for a setting. on_same: its share on the same person, by the same words.

    >>> len(draw_push({"K 20": 4.0}, {"K 20": 0.5}).axes[0].patches)
    2
    """
    figure, axes = plot(width=5.4, height=2.9)
    wrong = [push[words] * on_same[words] for words in push]
    axes.bar(list(push), wrong, color=WRONG, hatch="//", edgecolor="white", label="on the same person")
    others = [push[words] - part for words, part in zip(push, wrong, strict=True)]
    axes.bar(list(push), others, bottom=wrong, color=RIGHT, label="on others")
    axes.set(ylabel="push, 2s (1 - M)", xlabel="setting")
    axes.legend(loc="upper left")
    return figure


def push_table(
    push: Mapping[str, float], on_same: Mapping[str, float], camera: Mapping[str, float]
) -> dict[str, list[str]]:
    """The numbers of `draw_push`, by column, and how many of the nearest another camera took.

    >>> push_table({"K 20": 4.0}, {"K 20": 0.5}, {"K 20": 0.25})["nearest by another camera, %"]
    ['25']
    """
    return {
        "setting": list(push),
        "push": [f"{value:.2f}" for value in push.values()],
        "of it on the same person, %": [f"{100 * on_same[words]:.0f}" for words in push],
        "nearest by another camera, %": [f"{100 * camera[words]:.0f}" for words in push],
    }


def numbers(columns: Columns) -> Html:
    """An open table of numbers that differ a little from machine to machine; its text form has none of them.

    >>> numbers({"network": ["source"], "mAP, %": ["6.4"]})
    [numbers of this run: network; mAP, %]
    """
    tables = given(columns)
    shown = folded([tables], "Numbers of this run", opened=True)
    return Html(shown, f"[numbers of this run: {'; '.join(columns)}]", tuple(tables))
