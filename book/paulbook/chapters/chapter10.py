"""Chapter 10: the comparisons that it prints, and its drawings, all from the receipts that come with the package."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np

from paullite.data import PaperDolls
from paullite.data.items import Split
from paullite.data.paperdolls import photograph

from ..figures import COLOURS, RIGHT, WRONG, plot
from ..studies.families import lines_of
from ..studies.lines import Line
from ..studies.receipts import SHIPPED, history, names, read
from ..studies.significance import FEWEST, detectable
from ..studies.statistics import Interval, prediction_interval, share_interval, t_quantile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COMPARISONS = {
    "PAUL - direct transfer": ("ablation", "direct", "paul"),
    "PAUL - batch-norm only": ("ablation", "batch_norm", "paul"),
    "PAUL - PEDAL only": ("ablation", "pedal", "paul"),
    "PAUL - IPFL only": ("ablation", "ipfl", "paul"),
    "target's labels - PAUL": ("ablation", "paul", "supervised"),
    "learned patches - stripes": ("kinds", "stripes", "paul"),
    "learned patches - random boxes": ("kinds", "random", "paul"),
    "cyclic ranking - nearest": ("negatives", "hardest", "paul"),
    "PAUL - instance discrimination": ("rivals", "instance", "paul"),
    "PAUL - DBSCAN clusters": ("rivals", "cluster", "paul"),
    "our defaults - reference": ("reference", "reference", "default"),
    "six patches - one": ("patches", "P=1", "paul"),
    "K = 1, s = 60 - batch-norm": ("harm", "batch_norm", "sharp"),
}
"""A dozen comparisons and one more: what is printed, and the receipt with the arm to subtract and the arm itself."""

STRIPS = {
    "direct transfer": "direct",
    "batch-norm statistics only": "batch_norm",
    "PAUL": "paul",
    "trained with labels": "supervised",
}
SHOWN = (
    "PAUL - direct transfer",
    "PAUL - batch-norm only",
    "PAUL - PEDAL only",
    "target's labels - PAUL",
    "PAUL - instance discrimination",
    "PAUL - DBSCAN clusters",
)
MOST_SEEDS = 30


@cache
def compared(name: str) -> dict[str, Line]:
    """One of `COMPARISONS`, by score, with p values corrected by Holm's method over the comparisons of its study.

    >>> compared("PAUL - direct transfer")["rank1"].verdict()
    'significant'
    """
    study, first, second = COMPARISONS[name]
    return lines_of(read(f"v1/{study}"), first, second)


def both(name: str) -> str:
    """The verdicts on a comparison in mAP and rank-1, in words.

    >>> both("PAUL - direct transfer"), both("PAUL - batch-norm only")
    ('significant', 'not significant')
    """
    in_map, in_rank1 = (compared(name)[score].verdict() for score in ("map_step", "rank1"))
    if in_map == in_rank1:
        return in_map
    return f"significant, in {'rank-1' if in_map.startswith('not') else 'mAP'} only"


def span(interval: Interval | None) -> str:
    """An interval in points.

    >>> span(Interval(0.1, -0.0012, 0.25))
    '[ -0.1, +25.0]'
    """
    return "" if interval is None else f"[{100 * interval.low:+5.1f}, {100 * interval.high:+5.1f}]"


def failure_rows(net: str = "paul") -> list[dict[str, Any]]:
    """What the study of failures counted for one network: each group, or shared thing, over all seeds.

    Returns:
        Rows with "by", "group", "shared" and "count". Where "shared" is empty, a group of queries with "rank1" and
        "map_step"; else all wrong first places, with the "share" of them that share this with the query, and
        "chance". Means are weighted by the count of each seed.

    >>> next(row for row in failure_rows() if row["shared"] == "camera")["share"] > 0.5
    True
    """
    with open(SHIPPED / "v1" / "failures-groups.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["net"] == net]
    groups: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault((row["by"], row["group"], row["shared"]), []).append(row)
    return [_together(*names, own) for names, own in groups.items()]


def _together(by: str, group: str, shared: str, rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    count = "wrong_first_places" if shared else "queries"
    columns = ("share", "chance") if shared else ("rank1", "map_step")
    weights = [float(row[count]) for row in rows]
    means = {c: float(np.average([float(row[c]) for row in rows], weights=weights)) for c in columns}
    return {"by": by, "group": group, "shared": shared, "count": int(sum(weights)), **means}


def extremes(by: str, net: str = "paul") -> str:
    """The worst and the best group of queries in rank-1, in words, with the number of queries.

    >>> extremes("occluder").startswith("low wall")
    True
    """
    groups = sorted((row for row in failure_rows(net) if row["by"] == by), key=lambda row: float(row["rank1"]))
    words = [f"{row['group']} {row['rank1']:.0%} ({row['count']})" for row in groups]
    return f"{words[0]}; {words[-1]}"


def followed(row: Mapping[str, Any], usual: str) -> str:
    """A row of `paulbook.studies.signals`: signal, arms or runs, correlation, gain of its choice over the usual."""
    gain = Interval(*(row[f"gain_{usual}{end}"] for end in ("", "_low", "_high")))
    rho = f"{row['rho']:+.2f} [{row['rho_low']:+.2f}, {row['rho_high']:+.2f}]"
    words = "significant" if gain.leaves_out_zero() else "not significant"
    count = row.get("arms", row.get("runs"))
    return f"{row['signal']:13}{count:3}  {rho}   {100 * gain.mean:+.1f} {span(gain)}  {words}"


def best_epoch_gains() -> list[float]:
    """For each run of the receipts, mAP of its best epoch minus that of its last, in points."""
    runs: dict[tuple[str, str, int], list[float]] = {}
    for name in names("v1"):
        if SHIPPED.joinpath(f"{name}-history.csv").is_file():
            for row in history(name):
                if row["epoch"] > 0 and "map_step" in row:
                    runs.setdefault((name, row["arm"], row["seed"]), []).append(100 * row["map_step"])
    return [max(values) - values[-1] for values in runs.values()]


def redrawn(dolls: PaperDolls, step: int) -> Split:
    """The queries drawn again by another camera: person, pose, box and what stands in front stay.

    Args:
        dolls: drawn people of the first world, where a camera treats every passage alike.
        step: how many cameras further, in a ring; 0 gives the queries as they are. Camera numbers stay the query's own.

    >>> dolls = PaperDolls("target", passage_share=0, identities=2, cameras=2, distractors=0, junk=0)
    >>> own, other = redrawn(dolls, 0), redrawn(dolls, 1)
    >>> own[0].image.tobytes() == dolls.query[0].image.tobytes() != other[0].image.tobytes()
    True
    """
    asked = [dolls.pictures[path] for path in dolls.query.paths]
    by_number = {picture.camid: picture.camera for picture in dolls.pictures.values()}
    ring = sorted(by_number)
    through = {camid: by_number[ring[(place + step) % len(ring)]] for place, camid in enumerate(ring)}
    taken = {p.path: replace(p, camera=through[p.camid]) for p in asked}
    width, height = dolls.query[0].image.size

    def opener(path: str) -> Any:
        return photograph(taken[path].camera, taken[path].look, taken[path].shot, (height, width))

    return Split.from_rows([(p.path, p.pid, p.camid) for p in asked], opener)


def draw_seeds(scores: Mapping[str, Sequence[float]]) -> Figure:
    """Scores of arms in percent, a line for each seed, so that pairs are seen."""
    figure, axes = plot(height=3.4)
    arms, places = list(scores), np.arange(len(scores))
    for seed, values in enumerate(zip(*scores.values(), strict=True)):
        axes.plot(places, values, "o-", color=COLOURS[seed], label=f"seed {seed}", linewidth=1.5)
    axes.set_xticks(places, arms)
    axes.set(ylabel="rank-1, %", xlabel="arm", xlim=(-0.3, len(arms) - 0.7), ylim=(0, 100))
    axes.legend(fontsize=10, ncols=2, loc="upper left", frameon=False)
    return figure


def middle_of(draws: Mapping[str, np.ndarray]) -> dict[str, list[Any]]:
    """The table below the histograms: the ends of the middle 95 % of each."""
    ends = {name: np.quantile(values, [0.025, 0.975]).tolist() for name, values in draws.items()}
    return {"95 % within": ["low, %", "high, %"], **ends}


def draw_draws(draws: Mapping[str, np.ndarray]) -> Figure:
    """Histograms of drawn scores in percent, one above the other, each with its middle 95 %."""
    figure, panels = plot(len(draws), 1, height=3.6)
    everything = np.concatenate(list(draws.values()))
    edges = np.linspace(everything.min(), everything.max(), 30)
    for axes, (name, values), colour in zip(panels, draws.items(), (RIGHT, WRONG), strict=True):
        low, high = np.quantile(values, [0.025, 0.975])
        axes.hist(values, edges, color=colour, alpha=0.45, label="_")
        axes.hlines(0, low, high, color=colour, linewidth=8, label="_")
        axes.vlines([low, high], 0, axes.get_ylim()[1], color=colour, linestyles="--", label="_")
        axes.set_title(f"{name}: 95 % within {high - low:.1f} points", loc="left", fontsize=11)
        axes.set(yticks=[], xlim=(edges[0], edges[-1]))
    panels[-1].set_xlabel("rank-1 of a draw, %")
    return figure


def draw_inside(panels: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Shares in percent over the epochs from 1 on: a panel for each title, a line for each name."""
    figure, axes = plot(1, len(panels), height=3.3)
    for ax, (title, lines) in zip(axes, panels.items(), strict=True):
        for mark, (name, values) in zip("osv^", lines.items(), strict=False):
            ax.plot(range(1, len(values) + 1), values, f"{mark}-", label=name)
        highest = max(max(values) for values in lines.values())
        ax.set(xlabel="epoch", ylabel="%", ylim=(0, (1.1 + 0.2 * len(lines)) * highest))
        ax.set_title(title, loc="left", fontsize=11)
        ax.legend(fontsize=10, loc="upper left", frameon=False)
    return figure


def fall_data() -> dict[str, Any]:
    """What the figure "where does your run fall?" computes with, in percent and points of rank-1."""
    study = read("v1/ablation")
    strips = []
    for name, arm in STRIPS.items():
        values = [trial.scores["rank1"] for trial in study.of(arm)]
        over, new = share_interval(values), prediction_interval(values)
        assert over is not None and new is not None
        row = {"name": name, "seeds": [100 * v for v in values], "low": 100 * over.low, "high": 100 * over.high}
        row["next"] = [100 * new.low, 100 * new.high]
        strips.append({key: _short(value) for key, value in row.items()})
    pairs = []
    for name in SHOWN:
        line = compared(name)["rank1"]
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
    _named(upper, [strip["name"] for strip in data["strips"]], "rank-1, %")
    for place, pair in enumerate(data["pairs"]):
        colour, mark = (RIGHT, "D") if pair["shown"] else (WRONG, "o")
        lower.plot([pair["low"], pair["high"]], [place, place], color=colour, linewidth=2)
        lower.plot([pair["mean"]], [place], mark, color=colour, markerfacecolor=colour if pair["shown"] else "white")
    lower.axvline(0, color="black", linestyle="--", linewidth=1)
    _named(lower, [pair["name"] for pair in data["pairs"]], "difference in rank-1, points")
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
