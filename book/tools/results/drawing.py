"""Figures of the page: dots over seeds, and curves; each with its text alternative and its numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paulbook.figures import COLOURS, plot
from paulbook.studies.statistics import Interval, seed_interval, share_interval

from .words import folded, number, percent, table

WIDTH = 5.0  # inches: on a phone nearly as large as drawn
BLUE, ORANGE, GREY = COLOURS[0], COLOURS[5], "#595959"
STYLES = {"paul": (BLUE, "D"), "batch_norm": (ORANGE, "s"), "direct": (GREY, "o"), "other": ("#000000", "o")}
NAMES = {"paul": "PAUL", "batch_norm": "batch-norm statistics only", "direct": "direct transfer"}
MORE = ((COLOURS[0], "o"), (COLOURS[5], "s"), (COLOURS[2], "D"), (COLOURS[3], "^"), (COLOURS[7], "v"))


@dataclass(frozen=True)
class Dots:
    """One row of a dot figure: a mean, its interval, and what it is the mean of.

    Attributes:
        label: above the row.
        values: one for each seed, in shares.
        style: a key of `STYLES`.
        difference: whether they are differences, which may be negative, and not shares.
    """

    label: str
    values: tuple[float, ...]
    style: str = "other"
    difference: bool = False

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)

    @property
    def interval(self) -> Interval | None:
        return seed_interval(self.values) if self.difference else share_interval(self.values)


@dataclass(frozen=True)
class Curve:
    """One line of a curve figure.

    Attributes:
        label: in the legend.
        x: places on the axis.
        values: at each place one for each seed.
        style: a key of `STYLES`, or empty for the next colour.
        dashed: for what is compared with.
    """

    label: str
    x: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    style: str = ""
    dashed: bool = False

    @property
    def means(self) -> list[float]:
        return [sum(one) / len(one) for one in self.values]


@dataclass(frozen=True)
class Drawing:
    """A figure of the page.

    Attributes:
        name: of its file, without the ending.
        alt: what is to be seen, for who cannot see it.
        caption: below.
        rows: `Dots` of one axis, or `Curve` of one.
        axes: labels of the axes and other facts of the frame.
    """

    name: str
    alt: str
    caption: str
    rows: Sequence[Dots] | Sequence[Curve]
    axes: dict[str, Any] = field(default_factory=dict)

    def digest(self) -> str:
        """A short name for the numbers that are drawn; it stands in the file, too."""
        facts = [(one.label, one.values, getattr(one, "x", None)) for one in self.rows]
        return hashlib.sha256(json.dumps([facts, self.axes], sort_keys=True).encode()).hexdigest()[:16]

    def markdown(self) -> str:
        """Figure and folded table."""
        figure = f":::{{figure}} ../assets/results/{self.name}.svg\n:alt: {self.alt}\n\n{self.caption}\n:::"
        return f"{figure}\n\n{folded('The numbers of this figure', self._table())}"

    def _table(self) -> str:
        show = number if self.axes.get("sign") else percent
        sign = self.axes.get("sign", "")
        if isinstance(self.rows[0], Dots):
            rows = [[row.label, ", ".join(number(v, sign) for v in row.values)] for row in self.rows]  # type: ignore
            return table(["row", f"each seed, {'points' if show is number else '%'}"], rows)
        return "\n\n".join(_curve_table(row, self.axes) for row in self.rows)  # type: ignore[arg-type]

    def save(self, folder: Path) -> Path:
        """Write the file, the same bytes for the same numbers and versions."""
        from matplotlib import rc_context

        path = folder / f"{self.name}.svg"
        with rc_context({"svg.hashsalt": self.name, "svg.fonttype": "path", "font.size": 10}):
            figure = _draw_dots(self) if isinstance(self.rows[0], Dots) else _draw_curves(self)
            figure.savefig(path, metadata={"Date": None, "Creator": None, "Description": self.digest()})
        return path


def _curve_table(curve: Curve, axes: dict[str, Any]) -> str:
    scale = axes.get("scale", 1.0)
    if curve.dashed:
        return f"{curve.label}: {scale * curve.means[0]:.1f}"
    places = axes.get("ticks") or [f"{x:g}" for x in curve.x]
    named = dict(zip(axes.get("places", curve.x), places, strict=False))
    rows = [
        [str(named.get(x, f"{x:g}")), f"{scale * mean:.1f}", ", ".join(f"{scale * v:.1f}" for v in values)]
        for x, mean, values in zip(curve.x, curve.means, curve.values, strict=True)
    ]
    return f"{curve.label}:\n\n{table([axes.get('x', ''), 'mean', 'each seed'], rows)}"


def _draw_dots(drawing: Drawing) -> Any:
    rows: Sequence[Dots] = drawing.rows  # type: ignore[assignment]
    figure, axes = plot(width=WIDTH, height=0.46 * len(rows) + 0.75)
    for place, row in enumerate(rows):
        _draw_row(axes, row, -place)
    if "line" in drawing.axes:
        axes.axvline(100 * drawing.axes["line"], color=GREY, linestyle="--", linewidth=1, zorder=0)
    axes.set(ylim=(-len(rows) + 0.45, 0.75), yticks=[], xlabel=drawing.axes.get("x", ""))
    axes.spines["left"].set_visible(False)
    _keep_within(axes.set_xlim, axes.get_xlim(), drawing)
    return figure


def _keep_within(limit: Any, now: tuple[float, float], drawing: Drawing) -> None:
    """An interval of few seeds may leave what a share can be; the axis does not follow it there."""
    low, high = drawing.axes.get("within", now)
    if now[0] < low or now[1] > high:
        limit(max(now[0], low), min(now[1], high))


def _draw_row(axes: Any, row: Dots, y: float) -> None:
    colour, marker = STYLES[row.style]
    interval = row.interval
    if interval:
        axes.plot([100 * interval.low, 100 * interval.high], [y, y], color=colour, linewidth=2)
    axes.plot([100 * v for v in row.values], [y] * len(row.values), "o", color=colour, alpha=0.35, markersize=5)
    axes.plot(100 * row.mean, y, marker, color=colour, markersize=8, markeredgecolor="white")
    place = axes.get_yaxis_transform()
    axes.text(0.0, y + 0.27, row.label, transform=place, fontsize=9.5, va="bottom", color=colour)


def _draw_curves(drawing: Drawing) -> Any:
    curves: Sequence[Curve] = drawing.rows  # type: ignore[assignment]
    figure, axes = plot(width=WIDTH, height=3.2 + 0.2 * len(curves))
    scale = drawing.axes.get("scale", 1.0)
    for i, curve in enumerate(curves):
        _draw_curve(axes, curve, scale, STYLES[curve.style] if curve.style else MORE[i % len(MORE)])
    axes.set(xlabel=drawing.axes.get("x", ""), ylabel=drawing.axes.get("y", ""))
    _keep_within(axes.set_ylim, axes.get_ylim(), drawing)
    if "ticks" in drawing.axes:
        axes.set_xticks(drawing.axes["places"], drawing.axes["ticks"])
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), fontsize=9.5, frameon=False)
    return figure


def _draw_curve(axes: Any, curve: Curve, scale: float, style: tuple[str, str]) -> None:
    colour, marker = style
    line, marker = ("--", "") if curve.dashed else ("-", marker)
    axes.plot(curve.x, [scale * m for m in curve.means], line, color=colour, marker=marker, label=curve.label)
    if not curve.dashed:
        interval = share_interval if scale == 100 else seed_interval
        around = [(x, span) for x, values in zip(curve.x, curve.values, strict=True) if (span := interval(values))]
        low, high = ([scale * end for end in ends] for ends in zip(*((s.low, s.high) for _, s in around), strict=True))
        axes.vlines([x for x, _ in around], low, high, color=colour, linewidth=1.2, alpha=0.7)
        points = [(x, scale * v) for x, values in zip(curve.x, curve.values, strict=True) for v in values]
        axes.plot(*zip(*points, strict=True), "o", color=colour, alpha=0.25, markersize=3.5)
