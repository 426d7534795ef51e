"""The numbers of a figure, read off it: a folded table for who cannot see the figure, or wants to know exactly."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Columns = Mapping[str, Sequence[Any]]

MIME = "application/vnd.paulbook.numbers+json"  # in which a notebook keeps the numbers of a figure or a table
MOST_ROWS = 50
MOST_CELLS = 256  # of a picture of numbers; a larger one is looked at, not read


class Table(NamedTuple):
    """A title, and columns of the same length by name."""

    title: str
    columns: dict[str, list[str]]


class Series(NamedTuple):
    """What was drawn with one name: its places along the first axis, and its values."""

    name: str
    places: list[str]
    values: dict[str, list[str]]


def read_off(figure: Figure) -> list[Table]:
    """The tables of a figure: for each of its axes the lines, bars, points and small pictures of numbers.

    Left out are lines whose label begins with "_", rulers such as ``axhline``, and all but pictures where axes are off.

    >>> from paulbook.figures import plot
    >>> figure, axes = plot()
    >>> _ = axes.plot([1, 2], [3, 4.5], label="loss"); _ = axes.set(xlabel="epoch", title="a run")
    >>> read_off(figure)
    [Table(title='a run', columns={'epoch': ['1', '2'], 'loss': ['3', '4.5']})]
    """
    read = [(axes.get_title(), [*_series_tables(axes), *_pictures(axes)]) for axes in figure.axes]
    read = [(title, tables) for title, tables in read if tables]
    return [
        Table(title or (f"panel {place}" if len(read) > 1 else ""), columns)
        for place, (title, tables) in enumerate(read, 1)
        for columns in tables
    ]


def given(columns: Columns) -> list[Table]:
    """The table of numbers that somebody gives by column.

    >>> given({"K": [1, 10], "loss": [0.25, 1 / 3]})
    [Table(title='', columns={'K': ['1', '10'], 'loss': ['0.25', '0.3333']})]
    """
    return [Table("", {name: [_text(value) for value in values] for name, values in columns.items()})]


def folded(groups: Sequence[Sequence[Table]], title: str = "Numbers of this figure", opened: bool = False) -> str:
    """The tables as HTML, behind a line that opens them; nothing if there are none.

    Args:
        groups: the tables of a figure, or those of each picture of one that moves.
        title: of that line.
        opened: whether they show from the beginning.
    """
    if not any(table.columns for tables in groups for table in tables):
        return ""
    body = "".join(f"<div>{''.join(map(_table, tables))}</div>" for tables in groups)
    return (
        f"<details {'open ' * opened}class=paul-numbers><summary>{title}</summary>"
        f'<div role=group aria-label="{title}" tabindex=0>{body}</div></details>'
    )


def as_json(tables: Sequence[Table]) -> list[dict[str, Any]]:
    """The tables as a notebook keeps them, rounded as they are shown.

    The columns are a list, because a notebook sorts the keys of a dictionary.

    >>> as_json(given({"K": [1, 10]}))
    [{'title': '', 'columns': [['K', ['1', '10']]]}]
    """
    return [{"title": table.title, "columns": [list(column) for column in table.columns.items()]} for table in tables]


def lacks_numbers(figure: Figure) -> bool:
    """Whether a figure has named axes without a picture, and nothing on them that `read_off` understands."""
    plots = [axes for axes in figure.axes if axes.axison and not axes.images]
    return any(axes.get_xlabel() or axes.get_ylabel() for axes in plots) and not read_off(figure)


def _table(table: Table) -> str:
    title = f"<caption>{html.escape(table.title)}</caption>" if table.title else ""
    head = "".join(f"<th scope=col>{html.escape(name)}</th>" for name in table.columns)
    rows = zip(*table.columns.values(), strict=True)
    cells = ("".join(f"<td>{html.escape(value)}</td>" for value in row) for row in rows)
    return f"<table>{title}<tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def _series_tables(axes: Axes) -> list[dict[str, list[str]]]:
    """Everything with the same places along the first axis stands in one table."""
    if not axes.axison:
        return []
    tables: list[dict[str, list[str]]] = []
    along = axes.get_xlabel() or "x"
    for series in (*_lines(axes), *_error_bars(axes), *_bars(axes), *_steps(axes), *_points(axes)):
        same = next((t for t in tables if next(iter(t.values())) == series.places), None)
        table = same if same is not None else {along: series.places}
        for name, values in series.values.items():
            table[_unused(name, table)] = values
        if same is None:
            tables.append(table)
    return tables


def _lines(axes: Axes) -> list[Series]:
    from matplotlib.container import ErrorbarContainer

    parts = {id(c.lines[0]) for c in axes.containers if isinstance(c, ErrorbarContainer)}
    shown = [line for line in axes.get_lines() if line.get_transform() == axes.transData and id(line) not in parts]
    names = _legend(axes, len(shown))
    found = []
    for place, line in enumerate(shown):
        name = _name(line.get_label()) or (names[place] if names else "")
        if not name and (str(line.get_label()).startswith("_nolegend") or len(shown) > 1 or not axes.get_ylabel()):
            continue
        x, y = (np.asarray(values, dtype=float) for values in line.get_data())
        found.append(_series(axes, name or axes.get_ylabel(), x, {"": y}))
    return found


def _error_bars(axes: Axes) -> list[Series]:
    """Lines with bars of error: value, low and high end."""
    from matplotlib.container import ErrorbarContainer

    found = []
    for container in axes.containers:
        if isinstance(container, ErrorbarContainer) and container.lines[0] is not None:
            x, y = (np.asarray(values, dtype=float) for values in container.lines[0].get_data())
            columns = {"": y}
            upright = container.has_yerr
            for bars in container.lines[2]:
                ends = np.array([segment[:, int(upright)] for segment in bars.get_segments()])
                columns |= {" from": ends.min(1), " to": ends.max(1)}
            if not upright:  # lying: the names are on the second axis, the values on the first
                x, columns[""] = y, x
            found.append(_series(axes, _name(container.get_label()) or "value", x, columns, upright))
    return found


def _bars(axes: Axes) -> list[Series]:
    from matplotlib.container import BarContainer

    found = []
    for container in (c for c in axes.containers if isinstance(c, BarContainer)):
        upright = container.orientation != "horizontal"
        boxes = [bar.get_bbox() for bar in container]
        middle = np.array([(b.x0 + b.x1) / 2 if upright else (b.y0 + b.y1) / 2 for b in boxes])
        size = np.array([bar.get_height() if upright else bar.get_width() for bar in container])
        name = _name(container.get_label()) or (axes.get_ylabel() if upright else axes.get_xlabel()) or "value"
        found.append(_series(axes, name, middle, {"": size}, upright, reach=0.49))
    return found


def _steps(axes: Axes) -> list[Series]:
    """Stairs: the value from each edge on."""
    from matplotlib.patches import StepPatch

    steps = [patch for patch in axes.patches if isinstance(patch, StepPatch) and _name(patch.get_label())]
    found = []
    for patch in steps:
        values, edges, _ = patch.get_data()
        found.append(_series(axes, _name(patch.get_label()), edges[:-1], {"": values}))
    return found


def _points(axes: Axes) -> list[Series]:
    from matplotlib.collections import PathCollection

    found = []
    for points in axes.collections:
        if isinstance(points, PathCollection) and _name(points.get_label()):
            x, y = np.asarray(points.get_offsets(), dtype=float).T
            found.append(_series(axes, _name(points.get_label()), x, {"": y}))
    return found


def _pictures(axes: Axes) -> list[dict[str, list[str]]]:
    """The one picture of numbers in these axes, row by row, if it is small enough to be read."""
    grids: list[Any] = [np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan) for image in axes.images]
    if len(grids) != 1 or grids[0].ndim != 2 or grids[0].size > MOST_CELLS:
        return []
    rows, columns = grids[0].shape
    tables = {"row": [str(row) for row in range(rows)]}
    return [tables | {f"column {c}": [_text(float(v)) for v in grids[0][:, c]] for c in range(columns)}]


def _series(
    axes: Axes, name: str, along: Any, columns: dict[str, Any], upright: bool = True, reach: float = 1e-6
) -> Series:
    """At most `MOST_ROWS` of the points, evenly spread, the last among them."""
    chosen = np.unique(np.linspace(0, len(along) - 1, min(len(along), MOST_ROWS)).round().astype(int))
    ticks = _tick_names(axes.xaxis if upright else axes.yaxis)
    places = [_nearest(float(along[i]), ticks, reach) for i in chosen]
    return Series(name, places, {f"{name}{end}": [_text(float(v[i])) for i in chosen] for end, v in columns.items()})


def _tick_names(axis: Any) -> dict[float, str]:
    """Ticks that carry words or numbers set by hand."""
    from matplotlib.category import StrCategoryLocator
    from matplotlib.ticker import FixedLocator, ScalarFormatter

    by_hand = isinstance(axis.get_major_locator(), (FixedLocator, StrCategoryLocator))
    if not by_hand or isinstance(axis.get_major_formatter(), ScalarFormatter):
        return {}
    places = axis.get_majorticklocs()
    words = axis.get_major_formatter().format_ticks(places)
    return {float(place): text.replace("\n", " ") for place, text in zip(places, words, strict=True) if text}


def _nearest(value: float, ticks: dict[float, str], reach: float) -> str:
    """The name of the tick that a value stands at (a bar of a group stands beside it), else the value."""
    near = min(ticks, key=lambda tick: abs(tick - value), default=None)
    return ticks[near] if near is not None and abs(near - value) <= reach else _text(value)


def _legend(axes: Axes, count: int) -> list[str]:
    """The words of a legend that was given by words alone, if there is one for each line."""
    legend = axes.get_legend()
    words = [text.get_text() for text in legend.get_texts()] if legend else []
    return words if len(words) == count else []


def _name(label: object) -> str:
    return "" if str(label).startswith("_") else str(label)


def _unused(name: str, table: dict[str, list[str]]) -> str:
    while name in table:
        name += " "
    return name


def _text(value: Any) -> str:
    """A number with four digits; whole numbers and words as they are.

    >>> _text(0.123456), _text(12.0), _text("K"), _text(float("nan"))
    ('0.1235', '12', 'K', 'none')
    """
    if not isinstance(value, (int, float, np.number)):
        return str(value)
    if np.isnan(value):
        return "none"
    return str(int(value)) if float(value).is_integer() else f"{float(value):.4g}"
