"""Figures of the page: a forest plot, and curves. Templates write their captions and text alternatives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from paulbook.figures import COLOURS, plot
from paulbook.studies.statistics import Interval, share_interval

from .comparisons import Comparison, Group
from .formats import Kind

ROW, BELOW = 0.182, 0.98  # inches: a row of the forest plot, and what stands below all of them
BLUE, ORANGE, GREY = COLOURS[0], COLOURS[5], "#595959"
MARKS: dict[Kind, dict[str, Any]] = {  # told apart by shape and filling, and not by colour alone
    "better": {"marker": "D", "color": BLUE, "label": "significantly above zero"},
    "worse": {"marker": "v", "color": ORANGE, "label": "significantly below zero"},
    "open": {"marker": "o", "color": GREY, "markerfacecolor": "white", "label": "not significant"},
    "unsaid": {"marker": "x", "color": GREY, "label": "fewer than three seeds: cannot be said"},
}
STYLES = ((BLUE, "D", "-"), (GREY, "o", "-"), (COLOURS[2], "^", "-"), (ORANGE, "s", "-"), (COLOURS[3], "v", "-"))
STYLES = (*STYLES, (COLOURS[7], "P", "-"))


@dataclass(frozen=True)
class Curve:
    """One line of a curve figure.

    Attributes:
        label: in the legend.
        x: places on the axis.
        values: at each place one for each seed, in shares.
        level: whether it is the same everywhere, as chance is.
    """

    label: str
    x: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    level: bool = False

    @property
    def means(self) -> list[float]:
        """At each place over seeds."""
        return [sum(one) / len(one) for one in self.values]

    @property
    def intervals(self) -> list[Interval | None]:
        """At each place, of the mean over seeds."""
        return [share_interval(one) for one in self.values]


@dataclass(frozen=True)
class Curves:
    """A figure of curves in percent.

    Attributes:
        name: of its file, without the ending.
        axis, score: what the axes hold.
        curves: in the order of the legend.
        ticks: places that are marked on the axis; none: where there is room.
    """

    name: str
    axis: str
    score: str
    curves: tuple[Curve, ...]
    ticks: tuple[float, ...] = ()

    def draw(self) -> Any:
        """The figure."""
        figure, axes = plot(width=4.8, height=2.5 + 0.18 * len(self.curves))
        for curve, style in zip(self.curves, STYLES, strict=False):
            _draw_curve(axes, curve, *((GREY, "", "--") if curve.level else style))
        axes.set(xlabel=self.axis, ylabel=f"{self.score}, %")
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, 0), min(high, 100))
        if self.ticks:
            axes.set_xticks(self.ticks, [f"{tick:g}" for tick in self.ticks])
        axes.legend(loc="upper center", bbox_to_anchor=(0.45, -0.26), fontsize=9.5, frameon=False)
        return figure


@dataclass(frozen=True)
class Forest:
    """The first figure: a row for each comparison, grouped."""

    name: str
    groups: tuple[Group, ...]

    def draw(self) -> Any:
        """The figure: labels at the left, so that a row is low and all of them fit on one screen."""
        rows = sum(len(group.rows) + 1.3 for group in self.groups)
        height = ROW * rows + BELOW
        figure, axes = plot(width=4.8, height=height)
        figure.set_layout_engine("none")
        axes.set_position((0.485, BELOW / height, 0.5, 1 - BELOW / height))
        axes.axvline(0, color=GREY, linestyle="--", linewidth=1, zorder=0)
        ticks: dict[float, str] = {}
        place = 0.0
        for group in self.groups:
            axes.text(-0.96, -place, group.title, transform=axes.get_yaxis_transform(), weight="bold", va="center")
            for i, row in enumerate(group.rows, start=1):
                _draw_row(axes, row, -place - i)
                ticks[-place - i] = row.label
            place += len(group.rows) + 1.3
        axes.set_yticks(list(ticks), list(ticks.values()), fontsize=9.5)
        axes.set(ylim=(-place + 0.5, 0.7), xlabel="difference in mAP, points")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", visible=False)
        _legend(figure, {row.kind for group in self.groups for row in group.rows})
        return figure


def digest(drawing: Curves | Forest) -> str:
    """A short name for the numbers that are drawn; it stands in the file, too."""
    return hashlib.sha256(json.dumps(asdict(drawing), sort_keys=True).encode()).hexdigest()[:16]


def save(drawing: Curves | Forest, folder: Path) -> Path:
    """Write the file, the same bytes for the same numbers and versions."""
    from matplotlib import rc_context

    path = folder / f"{drawing.name}.svg"
    with rc_context({"svg.hashsalt": drawing.name, "svg.fonttype": "path", "font.size": 10}):
        drawing.draw().savefig(path, metadata={"Date": None, "Creator": None, "Description": digest(drawing)})
    return path


def _draw_row(axes: Any, row: Comparison, y: float) -> None:
    style, interval = {**MARKS[row.kind]}, row.line.seeds
    style.pop("label")
    if interval:
        axes.plot([100 * interval.low, 100 * interval.high], [y, y], color=style["color"], linewidth=1.8)
    axes.plot(100 * (row.line.b - row.line.a), y, linestyle="", markersize=6, **style)


def _legend(figure: Any, kinds: Iterable[Kind]) -> None:
    from matplotlib.lines import Line2D

    shown = [Line2D([], [], linestyle="", markersize=6, **MARKS[one]) for one in MARKS if one in kinds]
    figure.legend(handles=shown, loc="lower center", fontsize=9.5, frameon=False, ncols=2, borderaxespad=0)


def _draw_curve(axes: Any, curve: Curve, colour: str, marker: str, line: str) -> None:
    means = [100 * mean for mean in curve.means]
    axes.plot(curve.x, means, line, color=colour, marker=marker, markersize=5, label=curve.label)
    if curve.level:
        return
    for x, interval in zip(curve.x, curve.intervals, strict=True):
        if interval:
            axes.vlines(x, 100 * interval.low, 100 * interval.high, color=colour, linewidth=1.2, alpha=0.7)


def curves_shown(curves: Sequence[Curve]) -> tuple[Curve, ...]:
    """Those that have a point."""
    return tuple(curve for curve in curves if curve.x)
