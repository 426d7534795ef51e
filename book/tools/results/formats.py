"""How numbers are written: percent, points, intervals, p values, verdicts. Templates use these as filters.

Every number on the page goes through one of these functions, and none is typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from paulbook.studies.lines import Line
from paulbook.studies.significance import p_text
from paulbook.studies.statistics import Interval
from paulbook.studies.studies import Study

from .records import Lines

Kind = Literal["worse", "open", "unsaid", "better"]
ORDER: tuple[Kind, ...] = ("worse", "open", "unsaid", "better")  # what speaks against the method comes first
PRIMARY = Study.score  # it decides; the other score is printed beside it
SCORES = {"map_step": "mAP", "rank1": "rank-1"}
SPACE = "\N{NO-BREAK SPACE}"


def number(share: float, sign: str = "") -> str:
    """A share times a hundred, one digit after the point; no minus before a zero.

    >>> number(0.1234), number(0.5, "+"), number(-0.0001, "+")
    ('12.3', '+50.0', '+0.0')
    """
    return f"{round(100 * share, 1) + 0.0:{sign}.1f}"


def points(share: float) -> str:
    """A difference in points, always with its sign.

    >>> points(0.1234)
    '+12.3'
    """
    return number(share, "+")


def percent(share: float) -> str:
    """In percent, on one line.

    >>> percent(0.123).replace(SPACE, " ")
    '12.3 %'
    """
    return f"{number(share)}{SPACE}%"


def span(interval: Interval | None, sign: str = "") -> str:
    """An interval in brackets; empty for none.

    >>> span(Interval(0.1, -0.05, 0.25), "+").replace(SPACE, " ")
    '[-5.0, +25.0]'
    """
    return f"[{number(interval.low, sign)},{SPACE}{number(interval.high, sign)}]" if interval else ""


def gain(line: Line, unit: str = "points of mAP") -> str:
    """A difference with its interval over seeds, or over people where there is one seed, and its p value."""
    p = "" if line.p_value is None else f", {p_of(line)}"
    return f"{change(line, unit)}{p}"


def change(line: Line, unit: str = "") -> str:
    """A difference with its interval alone."""
    return f"{points(line.b - line.a)}{f'{SPACE}{unit}' if unit else ''} {span(line.seeds or line.people, '+')}"


def p_of(line: Line) -> str:
    """The corrected p value."""
    return p_text(line.p_value).replace(" ", SPACE) if line.p_value is not None else ""


def verdict_of(line: Line) -> str:
    """Verdict and p value, for a column of a table."""
    p = f", {p_of(line)}" if line.p_value is not None else ""
    return {"significant": f"yes{p}", "not significant": f"no{p}"}.get(line.verdict(), "cannot be said")


def kind(line: Line) -> Kind:
    """How a comparison came out for the arm that is not subtracted."""
    if line.verdict() == "cannot be said":
        return "unsaid"
    if not line.significant:
        return "open"
    return "better" if line.b > line.a else "worse"


def count(things: int, one: str, many: str = "") -> str:
    """
    >>> count(1, "seed"), count(3, "seed"), count(2, "study", "studies")
    ('1 seed', '3 seeds', '2 studies')
    """
    return f"{things} {one if things == 1 else many or one + 's'}"


def whole(value: float) -> str:
    """A whole number.

    >>> whole(12.0)
    '12'
    """
    return f"{value:.0f}"


def correlation(value: float, sign: str = "+") -> str:
    """Two digits after the point.

    >>> correlation(0.5)
    '+0.50'
    """
    return f"{value:{sign}.2f}"


def tick(place: float) -> str:
    """A place on an axis.

    >>> tick(1.0), tick(0.4)
    ('1', '0.4')
    """
    return f"{place:g}"


def listed(words: Sequence[str]) -> str:
    """
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def capital(text: str) -> str:
    """The first letter large, the others as they are. A symbol that is given a value stays what it is.

    >>> capital("learned patches"), capital("s = 4")
    ('Learned patches', 's = 4')
    """
    return text if text[1:3] == " =" or text.startswith("mAP") else text[:1].upper() + text[1:]


def seeds_of(seeds: Sequence[int]) -> str:
    """
    >>> seeds_of([0, 1, 2]), seeds_of([0, 2]), seeds_of([7])
    ('seeds 0 to 2', 'seeds 0 and 2', 'seed 7')
    """
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {listed([str(seed) for seed in seeds])}"


def one_line(text: str) -> str:
    """Without breaks, as alternatives of figures and cells of tables have to be.

    >>> one_line(" a\\n  b ")
    'a b'
    """
    return " ".join(text.replace(SPACE, "\0").split()).replace("\0", SPACE)


NUMBERS = (number, points, percent, span, gain, change, p_of, verdict_of, count, whole, correlation, tick, seeds_of)
FORMATS = {one.__name__: one for one in NUMBERS}
"""Filters that print numbers."""
WORDS = {one.__name__: one for one in (kind, listed, capital, one_line)}
"""Filters that print words."""


def deciding(lines: Lines) -> Line:
    """The line of the score that decides."""
    return lines[PRIMARY]
