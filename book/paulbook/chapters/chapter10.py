"""Chapter 10: worlds side by side, intervals over seeds, paired differences, people of a test, and drawn scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np

from paullite.data.items import Item, ReIDDataset

from ..figures import COLOURS, RIGHT, WRONG, plot
from ..studies.families import lines_of
from ..studies.receipts import Trial, read
from ..studies.significance import FEWEST, detectable
from ..studies.statistics import Interval, prediction_interval, seed_test, share_interval, t_quantile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STRIPS = {
    "direct transfer": "direct",
    "best control": "batch_norm_camera_mean",
    "PAUL": "paul",
    "trained with the target's labels": "supervised",
}
PAIRS = {
    "PAUL - direct transfer": ("direct", "paul"),
    "PAUL - best control": ("batch_norm_camera_mean", "paul"),
    "PAUL - PEDAL only": ("pedal", "paul"),
    "PAUL, camera mean subtracted - PAUL": ("paul", "paul_camera_mean"),
    "trained with labels - PAUL": ("paul", "supervised"),
    "PEDAL only, patches - whole images": ("image", "pedal"),
}
"""What the figure with sliders shows: arms of the study ``ablation``, the one to subtract first."""

MOST_SEEDS = 30
CONFIDENCE, PREDICTION = "confidence interval of the mean", "prediction interval of a new run"


def span(interval: Interval | None) -> str:
    """An interval of shares, in points or percent.

    >>> span(Interval(0.1, -0.0012, 0.25))
    '[ -0.1, +25.0]'
    """
    return "" if interval is None else f"[{100 * interval.low:+5.1f}, {100 * interval.high:+5.1f}]"


def draw_worlds(worlds: Mapping[int, ReIDDataset], people: int = 6) -> Figure:
    """One row per seed with the first query of some test people, each from another person.

    >>> import paullite as pl
    >>> worlds = {seed: pl.data.PaperDolls("target", seed=seed, identities=2, test_identities=2) for seed in (0, 1)}
    >>> len(draw_worlds(worlds, people=2).axes)
    4
    """
    figure, axes = plot(len(worlds), people, height=2.2 * len(worlds))
    for row, (seed, world) in zip(axes, worlds.items(), strict=True):
        first: dict[int, Item] = {}
        for index, pid in enumerate(world.query.pids or ()):
            first.setdefault(pid, world.query[index])
        for panel, item in zip(row, list(first.values())[:: max(1, len(first) // people)], strict=False):
            panel.imshow(item.image)
            panel.set(xticks=[], yticks=[])
            panel.grid(False)
        row[0].set_ylabel(f"seed {seed}", fontsize=11)
    return figure


def draw_people(world: ReIDDataset, trial: Trial, pids: Sequence[int]) -> Figure:
    """All queries of some test people, one row for each person, with the hits that a trial has among them.

    >>> import paullite as pl
    >>> world = pl.data.PaperDolls("target", identities=2, test_identities=3)
    >>> columns = {"pids": sorted(set(world.query.pids)), "queries": [4] * 3, "hits": [4, 0, 1]}
    >>> len(draw_people(world, Trial("paul", 0, {}, columns, {}, {}), columns["pids"][:2]).axes)
    8
    """
    own = {pid: [i for i, found in enumerate(world.query.pids or ()) if found == pid] for pid in pids}
    columns = max(map(len, own.values()))
    figure, axes = plot(len(pids), columns, width=1.25 * columns + 1.4, height=2.3 * len(pids))
    facts = dict(
        zip(trial.people["pids"], zip(trial.people["hits"], trial.people["queries"], strict=True), strict=True)
    )
    for row, (pid, indices) in zip(axes, own.items(), strict=True):
        hits, queries = facts[pid]
        for panel in row:
            panel.set(xticks=[], yticks=[], frame_on=False)
            panel.grid(False)
        for panel, index in zip(row, indices, strict=False):
            panel.imshow(world.query[index].image)
            panel.set_title(f"camera {world.query[index].camid}", fontsize=10)
        row[0].set_ylabel(f"person {pid}\n{hits} of {queries} right", color=RIGHT if hits else WRONG, fontsize=10)
    return figure


def draw_intervals(values: Sequence[float], count: int) -> Figure:
    """The first scores of a list in percent, the confidence interval of their mean, and the prediction interval.

    >>> len(draw_intervals([50.0, 52.0, 47.0, 55.0], 3).axes)
    1
    """
    figure, axes = plot(height=2.4)
    confidence, prediction = intervals(values[:count])
    axes.plot(values[:count], [2] * count, "o", color=COLOURS[7], alpha=0.6, markersize=8)
    for place, interval, colour in ((1, confidence, COLOURS[0]), (0, prediction, COLOURS[1])):
        axes.plot([interval.low, interval.high], [place, place], color=colour, linewidth=6, solid_capstyle="butt")
        axes.plot([interval.mean], [place], "D", color="black", markersize=6)
    axes.set_yticks(
        [2, 1, 0], [f"{count} seeds", "confidence interval\nof the mean", "prediction interval\nof a new run"]
    )
    widest = intervals(values[:FEWEST])[1]
    axes.set(xlabel="mAP, %", ylim=(-0.6, 2.6), xlim=(max(0, widest.low - 2), min(100, widest.high + 2)))
    return figure


def intervals(values: Sequence[float]) -> tuple[Interval, Interval]:
    """Confidence interval of the mean and prediction interval of scores in percent.

    >>> [round(x.low, 1) for x in intervals([45.0, 50.0, 55.0])]
    [37.6, 25.2]
    """
    test = seed_test([0.0] * len(values), values, paired=True)
    new = prediction_interval(values, high=100)
    assert test and new  # two values or more
    return test.interval, new


def interval_rows(values: Sequence[float], counts: Sequence[int]) -> dict[str, list[Any]]:
    """The table below the moving figure: both intervals for every number of seeds."""
    found = [(intervals(values[:count])) for count in counts]
    ends = [[f"{x.low:.1f} to {x.high:.1f}" for x in pair] for pair in found]
    means = [f"{pair[0].mean:.1f}" for pair in found]
    confidence, prediction = zip(*ends, strict=True)
    return {"seeds": list(counts), "mean": means, CONFIDENCE: list(confidence), PREDICTION: list(prediction)}


def draw_differences(rows: Mapping[str, Sequence[float]]) -> Figure:
    """Paired differences in points: a dot for each seed, and below the dots the mean with its confidence interval.

    >>> len(draw_differences({"a - b": [1.0, 2.0, 4.0], "c - d": [-1.0, 2.0, 0.0]}).axes)
    1
    """
    figure, axes = plot(height=0.75 * len(rows) + 1)
    for place, values in enumerate(rows.values()):
        interval = intervals_of_difference(values)
        colour = RIGHT if interval.leaves_out_zero() else WRONG
        axes.plot(values, [place - 0.16] * len(values), "o", color=COLOURS[7], alpha=0.5, markersize=6)
        axes.plot([interval.low, interval.high], [place + 0.16] * 2, color=colour, linewidth=4)
        axes.plot([interval.mean], [place + 0.16], "D", color=colour, markersize=8, markeredgecolor="white")
    axes.axvline(0, color="black", linestyle="--", linewidth=1)
    _named(axes, list(rows), "difference in mAP, points")
    return figure


def intervals_of_difference(values: Sequence[float]) -> Interval:
    """95 % confidence interval of a mean paired difference."""
    test = seed_test([0.0] * len(values), values, paired=True)
    assert test  # two values or more
    return test.interval


def difference_rows(rows: Mapping[str, Sequence[float]]) -> dict[str, list[Any]]:
    """The table below that figure."""
    found = [intervals_of_difference(values) for values in rows.values()]
    ahead = [f"{sum(value > 0 for value in values)} of {len(values)}" for values in rows.values()]
    ends = [f"{x.low:+.1f} to {x.high:+.1f}" for x in found]
    return {
        "comparison": list(rows),
        "mean": [f"{x.mean:+.1f}" for x in found],
        "95 % confidence": ends,
        "ahead": ahead,
    }


def middle_of(draws: Mapping[str, np.ndarray]) -> dict[str, list[Any]]:
    """The table below the histograms: the ends of the middle 95 % of each."""
    ends = {name: np.quantile(values, [0.025, 0.975]).tolist() for name, values in draws.items()}
    return {"95 % within": ["low, %", "high, %"], **ends}


def draw_draws(draws: Mapping[str, np.ndarray]) -> Figure:
    """Histograms of drawn scores in percent, one above the other, each with its middle 95 %.

    >>> values = np.linspace(40, 60, 50)
    >>> len(draw_draws({"people": values, "queries": values}).axes)
    2
    """
    figure, panels = plot(len(draws), 1, height=3.6)
    everything = np.concatenate(list(draws.values()))
    edges = np.linspace(everything.min(), everything.max(), 30)
    for axes, (name, values), colour in zip(panels, draws.items(), (RIGHT, WRONG), strict=True):
        low, high = np.quantile(values, [0.025, 0.975])
        axes.hist(values, edges, color=colour, alpha=0.45, label="_")
        axes.hlines(0, low, high, color=colour, linewidth=8, label="_")
        axes.vlines([low, high], 0, axes.get_ylim()[1], color=colour, linestyles="--", label="_")
        axes.set_title(f"{name} drawn: 95 % within {high - low:.1f} points", loc="left", fontsize=11)
        axes.set(yticks=[], xlim=(edges[0], edges[-1]))
    panels[-1].set_xlabel("rank-1 of a draw, %")
    return figure


def fall_data() -> dict[str, Any]:
    """What the figure "where does your run fall?" computes with, in percent and points of mAP.

    >>> sorted(fall_data())
    ['pairs', 'power', 'start', 'strips', 't']
    """
    study = read("ablation")
    strips = []
    for name, arm in STRIPS.items():
        values = [trial.scores["map_step"] for trial in study.of(arm)]
        over, new = share_interval(values), prediction_interval(values)
        assert over is not None and new is not None
        row = {"name": name, "seeds": [100 * v for v in values], "low": 100 * over.low, "high": 100 * over.high}
        row["next"] = [100 * new.low, 100 * new.high]
        strips.append({key: _short(value) for key, value in row.items()})
    pairs = []
    for name, (first, second) in PAIRS.items():
        line = lines_of(study, first, second)["map_step"]
        if line.seeds is not None:
            ends = {"mean": line.b - line.a, "low": line.seeds.low, "high": line.seeds.high}
            points = {key: _short(100 * value) for key, value in ends.items()}
            pairs.append({"name": name, **points, "shown": line.significant})
    yours, control = (round(2 * fmean(strips[place]["seeds"])) / 2 for place in (2, 1))
    apart = [a - b for a, b in zip(strips[2]["seeds"], strips[1]["seeds"], strict=True)]
    start = {"yours": yours, "control": control, "seeds": len(apart), "spread": round(2 * stdev(apart)) / 2}
    return {
        "start": start,
        "strips": strips,
        "pairs": pairs,
        "t": [round(t_quantile(df), 6) for df in range(1, MOST_SEEDS)],
        "power": [round(detectable(1.0, seeds), 6) for seeds in range(FEWEST, MOST_SEEDS + 1)],
    }


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value


def draw_fall(data: Mapping[str, Any]) -> Figure:
    """The still of that figure: seeds of the arms above, differences with their intervals below."""
    figure, (upper, lower) = plot(2, 1, height=5.4)
    for place, strip in enumerate(data["strips"]):
        upper.plot(strip["seeds"], [place] * len(strip["seeds"]), "o", color=COLOURS[0], alpha=0.6)
        upper.plot([fmean(strip["seeds"])], [place], "D", color=COLOURS[7])
    _named(upper, [strip["name"] for strip in data["strips"]], "mAP, %")
    for place, pair in enumerate(data["pairs"]):
        colour, mark = (RIGHT, "D") if pair["shown"] else (WRONG, "o")
        lower.plot([pair["low"], pair["high"]], [place, place], color=colour, linewidth=2)
        lower.plot([pair["mean"]], [place], mark, color=colour, markerfacecolor=colour if pair["shown"] else "white")
    lower.axvline(0, color="black", linestyle="--", linewidth=1)
    _named(lower, [pair["name"] for pair in data["pairs"]], "difference in mAP, points")
    return figure


def _named(axes: Axes, rows: Sequence[str], label: str) -> None:
    axes.set_yticks(range(len(rows)), rows, fontsize=10)
    axes.set(xlabel=label, ylim=(len(rows) - 0.5, -0.5))


def fall_numbers(data: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The table below that figure."""
    rows = [(s["name"], fmean(s["seeds"]), s["low"], s["high"], "") for s in data["strips"]]
    rows += [(p["name"], p["mean"], p["low"], p["high"], "yes" if p["shown"] else "no") for p in data["pairs"]]
    heads = ("arm, % or difference, points", "mean", "low", "high", "significant")
    columns = [[f"{v:.1f}" if isinstance(v, float) else v for v in column] for column in zip(*rows, strict=True)]
    return dict(zip(heads, columns, strict=True))
