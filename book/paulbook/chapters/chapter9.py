"""Chapter 9: the numbers of a training beside those of earlier runs, and the step of which three lines are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from paullite.config import AdaptConfig
from paullite.errors import InputError
from paullite.losses import ipfl, pedal
from paullite.memory import FeatureMemory

from ..bands import measured
from ..exercises.chapter_09_step import StepLoss
from ..exercises.chapter_09_step import step_loss as library_step
from ..figures import COLOURS, RIGHT, WRONG, Html, plot
from ..numbers import Columns, folded, given
from ..studies.receipts import Receipt
from ..studies.statistics import Interval, prediction_interval, seed_difference, share_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "CONTROLS",
    "NAMES",
    "compare_gain",
    "draw_counts",
    "draw_gains",
    "draw_parts",
    "earlier_runs",
    "gain_over_best",
    "library_step",
    "log_of_step",
    "numbers",
    "paired_table",
    "parts_of",
    "three_bugs",
]

CONTROLS = {
    "direct_transfer": "direct transfer",
    "camera_mean": "direct transfer, camera mean subtracted",
    "batch_norm_only": "statistics re-estimated",
    "batch_norm_camera_mean": "statistics re-estimated, camera mean subtracted",
    "batch_norm_by_camera": "statistics for each camera",
}
"""The controls without training, as `earlier_runs` and the chapter call them."""

NAMES = {
    **CONTROLS,
    "paul": "PAUL",
    "paul_camera_mean": "PAUL, camera mean subtracted",
    "supervised": "trained with the target's labels",
}
"""All rows of the earlier runs."""


def earlier_runs() -> dict[str, list[float]]:
    """mAP in percent of ten earlier runs of the preset, each with its own drawn world, source network and training.

    Returns:
        One list of ten numbers for each name in ``NAMES``; number n of every list belongs to the same world.

    >>> runs = earlier_runs()
    >>> {len(values) for values in runs.values()}, max(runs["batch_norm_by_camera"]) < max(runs["paul"])
    ({10}, True)
    """
    return {name: [100 * value for value in measured()[f"demo_{name}/map_step"]] for name in NAMES}


def gain_over_best(runs: Mapping[str, Sequence[float]], arm: str) -> list[float]:
    """In each world an arm's mAP minus that of the control that is best in this world, in points.

    >>> gain_over_best({**dict.fromkeys(CONTROLS, [40.0]), "camera_mean": [45.0], "paul": [55.0]}, "paul")
    [10.0]
    """
    best = [max(values) for values in zip(*(runs[name] for name in CONTROLS), strict=True)]
    return [value - control for value, control in zip(runs[arm], best, strict=True)]


def range_of(gains: Sequence[float]) -> Interval:
    """The 95 % prediction interval for the gain in a further world, in points; it may reach below 0.

    >>> found = range_of([8.0, 12.0, 13.0, 15.0])
    >>> round(found.low, 1), round(found.high, 1)
    (1.5, 22.5)
    """
    found = prediction_interval(gains, low=-100, high=100)
    if found is None:
        raise InputError("found one gain", "expected two or more", "one run says nothing of the next")
    return found


def numbers(columns: Columns) -> Html:
    """An open table of numbers that differ a little from machine to machine; its text form has none of them.

    >>> numbers({"network": ["source"], "mAP, %": ["6.4"]})
    [numbers of this run: network; mAP, %]
    """
    tables = given(columns)
    shown = folded([tables], "Numbers of this run", opened=True)
    return Html(shown, f"[numbers of this run: {'; '.join(columns)}]", tuple(tables))


def compare_gain(gain: float, earlier: Sequence[float]) -> Html:
    """The gain of this run beside the range of earlier ones, and in the text form whether it lies within.

    >>> compare_gain(10.0, [8.0, 12.0, 13.0, 15.0])
    [gain over the best control, within the range of earlier worlds]
    """
    found = range_of(earlier)
    where = "within" if found.low <= gain <= found.high else "outside"
    table = given(
        {
            "gain over the best control, points of mAP": [
                "this run",
                "ten earlier worlds, mean",
                "range for a new one",
            ],
            "points": [f"{gain:.1f}", f"{fmean(earlier):.1f}", f"{found.low:.1f} to {found.high:.1f}"],
        }
    )
    shown = folded([table], "The gain and its range", opened=True)
    return Html(shown, f"[gain over the best control, {where} the range of earlier worlds]", tuple(table))


def draw_gains(runs: Mapping[str, Sequence[float]], arms: Sequence[str], mine: Mapping[str, float]) -> Figure:
    """For each arm its gain over the best control in ten worlds, the range for a further one, and this run.

    Args:
        runs: as from `earlier_runs`. arms: names of its rows. mine: the gains of this run in points, by arm.

    >>> len(draw_gains(earlier_runs(), ["paul"], {"paul": 8.0}).axes[0].lines)
    3
    """
    figure, axes = plot(width=5.6, height=0.9 + 0.6 * len(arms))
    for row, arm in enumerate(arms):
        gains = gain_over_best(runs, arm)
        found, first = range_of(gains), row == 0
        axes.barh(row, found.high - found.low, 0.5, found.low, color="#cccccc", label="range" if first else "_")
        axes.plot(gains, [row] * len(gains), "o", color=COLOURS[4], ms=6, label="ten worlds" if first else "_")
        if arm in mine:
            axes.plot(mine[arm], row, "*", color="black", markersize=14, label="this run" if first else "_")
    axes.axvline(0, color="grey", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(arms)), [NAMES[arm].replace(", ", ",\n", 1) for arm in arms])
    axes.set(xlabel="points of mAP above the best control", ylim=(len(arms) - 0.4, -0.6))
    axes.legend(loc="upper center", bbox_to_anchor=(0.35, 1.22), ncols=3, fontsize=9)
    return figure


PARTS = {
    "direct": "direct transfer",
    "batch_norm": "statistics only",
    "pedal": "PEDAL only",
    "ipfl": "IPFL only",
    "paul": "both: PAUL",
    "supervised": "labels",
}
"""The arms of the study ``ablation`` that the chapter shows."""


def parts_of(study: Receipt) -> dict[str, list[float]]:
    """mAP in percent of the arms in `PARTS`, one number for each seed.

    >>> from paulbook.studies.receipts import read
    >>> len(parts_of(read("ablation"))["paul"])
    10
    """
    return {arm: [100 * trial.scores["map_step"] for trial in study.of(arm)] for arm in PARTS}


def draw_parts(scores: Mapping[str, Sequence[float]]) -> Figure:
    """The mAP of each arm in every world, its mean, and the 95 % confidence interval of the mean.

    >>> len(draw_parts({"paul": [50.0, 52.0, 57.0]}).axes[0].lines)
    3
    """
    figure, axes = plot(width=5.6, height=0.8 + 0.5 * len(scores))
    for row, values in enumerate(scores.values()):
        first = row == 0
        axes.plot(values, [row + 0.13] * len(values), "o", color=COLOURS[4], ms=5, label="a world" if first else "_")
        interval = share_interval(values, high=100)
        if interval:
            ends = [interval.low, interval.high]
            axes.plot(ends, [row - 0.17] * 2, "-", color=COLOURS[0], lw=2.5, label="its interval" if first else "_")
        axes.plot(fmean(values), row - 0.17, "D", color=COLOURS[0], ms=7, label="mean" if first else "_")
    axes.set_yticks(range(len(scores)), [PARTS[arm] for arm in scores])
    axes.set(xlabel="mAP, %", ylim=(len(scores) - 0.5, -0.6))
    axes.legend(loc="upper right", fontsize=9)
    return figure


def draw_counts(history: Sequence[Mapping[str, float]], chance: float) -> Figure:
    """Counts with hidden labels, epoch by epoch: neighbours that are the same person, and false negatives.

    >>> rows = [{"epoch": 1, "same_person": 0.2, "false_negatives": 0.02, "false_hardest": 0.1}]
    >>> [line.get_label() for line in draw_counts(rows, 0.01).axes[0].lines][::3]
    ['same person among the K nearest', 'by chance']
    """
    figure, axes = plot(width=5.6, height=3.4)
    epochs = [row["epoch"] for row in history]
    lines = {
        "same_person": ("same person among the K nearest", RIGHT, "o-"),
        "false_hardest": ("nearest center: same person", WRONG, "v-."),
        "false_negatives": ("hard negative after the cycle: same person", WRONG, "X--"),
    }
    for name, (label, colour, mark) in lines.items():
        axes.plot(epochs, [100 * row[name] for row in history], mark, color=colour, label=label)
    axes.plot(epochs, [100 * chance] * len(epochs), ":", color="grey", label="by chance")
    top = max(line.get_ydata().max() for line in axes.lines)
    axes.set(xlabel="epoch", ylabel="%", ylim=(0, 1.75 * top), xticks=epochs)
    axes.legend(loc="upper left", fontsize=9)
    return figure


def three_bugs(
    features: Tensor,
    embeddings: Tensor,
    index: Tensor,
    memory: FeatureMemory,
    centers: FeatureMemory,
    config: AdaptConfig,
) -> Tensor:
    """The loss of a step as a colleague wrote it, with three mistakes; exercise 9.2 asks for them.

    Args:
        features: of both views, all originals first, (2B, P, D).
        embeddings: likewise, (2B, E).
        index: row of each image in the training set, (B,).
        memory, centers: of all N images.
        config: settings of phase 2.
    """
    B = len(index)
    x = features[:B]
    memory.update(index, x.detach())
    centers.update(index, embeddings[:B].detach()[:, None])
    first = pedal(x, memory.features, torch.arange(B), scale=config.scale, k=config.k)
    owner = torch.arange(B).repeat_interleave(2)
    own_centers = centers.features[index, 0]
    names = "margin", "nearest", "max_candidates", "no_negative"
    rest = {name: getattr(config, name) for name in names}
    second = ipfl(embeddings, own_centers, owner, **rest)
    return config.pedal_weight * first + config.ipfl_weight * second


def log_of_step(
    step_loss: StepLoss,
    features: Tensor,
    embeddings: Tensor,
    index: Tensor,
    memory: FeatureMemory,
    config: AdaptConfig,
) -> dict[str, float]:
    """What a step would write into its log: both losses, and how far each view is from its own center afterwards.

    Args:
        step_loss: a function with the arguments of `three_bugs`.
        features, embeddings, index, config: as there.
        memory: filled; it is copied, not changed. The centers start empty.
    """
    rows: dict[str, float] = {}
    for name, weights in {"PEDAL": (1.0, 0.0), "IPFL": (0.0, 1.0)}.items():
        settings = replace(config, pedal_weight=weights[0], ipfl_weight=weights[1])
        centers = FeatureMemory(len(memory.features), 1, embeddings.shape[1], momentum=config.center_momentum)
        loss = step_loss(features, embeddings, index, deepcopy(memory), centers, settings)
        rows[name] = float(loss)
    own = centers.features[index, 0]
    for name, half in zip(("originals", "surrogates"), embeddings.detach().unflatten(0, (2, -1)), strict=True):
        rows[f"{name}: mean distance to their own center"] = float((half - own).norm(dim=1).mean())
    return rows


def paired_table(pairs: Sequence[Sequence[float]]) -> Html:
    """What `paired_run` of exercise 9.4 found: mAP without and with a change in percent, one pair for each world.

    >>> paired_table([[40.0, 41.0], [42.0, 44.0], [45.0, 45.0]])
    [numbers of this run: world; without, %; with the change, %; difference, points]
    """
    before, after = ([pair[side] for pair in pairs] for side in (0, 1))
    found = seed_difference([v / 100 for v in before], [v / 100 for v in after], paired=True)
    columns = {
        "world": [*map(str, range(1, len(pairs) + 1)), "mean"],
        "without, %": [f"{value:.1f}" for value in (*before, fmean(before))],
        "with the change, %": [f"{value:.1f}" for value in (*after, fmean(after))],
        "difference, points": [f"{b - a:+.1f}" for a, b in pairs],
    }
    mean = f"{fmean(after) - fmean(before):+.1f}"
    ends = f" [{100 * found.low:+.1f}, {100 * found.high:+.1f}]" if found else ""
    columns["difference, points"].append(mean + ends)
    return numbers(columns)
