"""Numbers in words: percent, points, intervals, p values, and the verdict of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from paulbook.studies.lines import Line
from paulbook.studies.significance import p_text
from paulbook.studies.statistics import Interval
from paulbook.studies.studies import Study

from .shelf import Lines

Kind = Literal["worse", "open", "unsaid", "better"]
ORDER: tuple[Kind, ...] = ("worse", "open", "unsaid", "better")
PRIMARY = Study.score  # it decides; the other score is printed beside it
SCORES = {"map_step": "mAP", "rank1": "rank-1"}
SPACE = "\N{NO-BREAK SPACE}"

HEADLINES: dict[Kind, str] = {
    "better": "{ours} is significantly better than {theirs}.",
    "open": "{ours} is not significantly better than {theirs}.",
    "unsaid": "Whether {ours} is better than {theirs} cannot be said.",
    "worse": "{ours} is significantly worse than {theirs}.",
}


def number(share: float, sign: str = "") -> str:
    """A share times a hundred, one digit after the point; no minus before a zero.

    >>> number(0.1234), number(0.5, "+"), number(-0.0001, "+")
    ('12.3', '+50.0', '+0.0')
    """
    return f"{round(100 * share, 1) + 0.0:{sign}.1f}"


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


def gain(line: Line, unit: str = "") -> str:
    """A difference in points, its interval over seeds, and its p value; over people, where there is one seed only."""
    p = "" if line.p_value is None else f", {p_text(line.p_value).replace(' ', SPACE)}"
    return f"{number(line.b - line.a, '+')}{unit} {span(line.seeds or line.people, '+')}{p}"


def count(things: int, one: str, many: str = "") -> str:
    """
    >>> count(1, "seed"), count(3, "seed"), count(2, "study", "studies")
    ('1 seed', '3 seeds', '2 studies')
    """
    return f"{things} {one if things == 1 else many or one + 's'}"


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


def kind(lines: Lines) -> Kind:
    """What the score that decides says."""
    line = lines[PRIMARY]
    if line.verdict() == "cannot be said":
        return "unsaid"
    if not line.significant:
        return "open"
    return "better" if line.b > line.a else "worse"


def headline(lines: Lines, ours: str, theirs: str) -> str:
    """The verdict as a sentence; ``lines`` are ours minus theirs."""
    return capital(HEADLINES[kind(lines)].format(ours=ours, theirs=theirs))


def numbers(lines: Lines) -> str:
    """Both scores of both sides, and the differences."""
    parts = []
    for score, name in SCORES.items():
        line = lines[score]
        parts.append(f"{name} {percent(line.b)} against {percent(line.a)}, {gain(line, ' points')}")
    return f"{capital('; '.join(parts))}."


def verdict_cell(line: Line) -> str:
    """A difference in a table: points, interval, p value, and, in the score that decides, the verdict."""
    says = f"<br>{line.verdict()}" if line.score == PRIMARY or line.p_value is None else ""
    return f"{gain(line)}{says}".replace(SPACE, " ")  # a phone is narrow


def seeds_of(seeds: Sequence[int]) -> str:
    """
    >>> seeds_of([0, 1, 2]), seeds_of([7])
    ('seeds 0, 1 and 2', 'seed 7')
    """
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {listed([str(seed) for seed in seeds])}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table.

    >>> print(table(["a", "b"], [["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def folded(summary: str, body: str) -> str:
    """Something that opens at a click."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"
