"""Numbers in words: percent, points, intervals, and the verdict of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from paulbook.studies.compare import Line
from paulbook.studies.statistics import Interval

from .shelf import Lines

Kind = Literal["worse", "partly worse", "mixed", "open", "partly better", "unsaid", "better"]
ORDER: tuple[Kind, ...] = ("worse", "partly worse", "mixed", "open", "partly better", "unsaid", "better")
SCORES = {"rank1": "rank-1", "map_step": "mAP"}
CHANCE = "more than chance"
SPACE = "\N{NO-BREAK SPACE}"

HEADLINES: dict[Kind, str] = {
    "better": "{ours} beats {theirs}.",
    "partly better": "{ours} beats {theirs} in {some}; in {rest} that is not shown.",
    "open": "{ours} is not shown to beat {theirs}.",
    "unsaid": "Whether {ours} beats {theirs} cannot be said.",
    "mixed": "{ours} beats {theirs} in {some} and is worse in {rest}.",
    "partly worse": "{ours} is worse than {theirs} in {some}; in {rest} no difference is shown.",
    "worse": "{ours} is worse than {theirs}.",
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
    """A difference in points with its interval over seeds; over people, where there is one seed only."""
    return f"{number(line.b - line.a, '+')}{unit} {span(line.seeds or line.people, '+')}"


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
    return text if text[1:3] == " =" else text[:1].upper() + text[1:]


def sign_of(line: Line) -> int:
    """1 or -1 if the difference is more than chance, else 0."""
    return 0 if line.verdict() != CHANCE else 1 if line.b > line.a else -1


def kind(lines: Lines) -> Kind:
    """What both scores say together."""
    signs = {sign_of(line) for line in lines.values()}
    if any(line.seeds is None for line in lines.values()):
        return "unsaid"
    if signs == {1, -1}:
        return "mixed"
    if signs == {0}:
        return "open"
    word: Literal["better", "worse"] = "better" if 1 in signs else "worse"
    if 0 not in signs:
        return word
    return "partly better" if word == "better" else "partly worse"


def headline(lines: Lines, ours: str, theirs: str) -> str:
    """The verdict as a sentence; ``lines`` are ours minus theirs."""
    found, signs = kind(lines), {score: sign_of(line) for score, line in lines.items()}
    wanted = 1 if found == "mixed" or 1 in signs.values() else -1
    some = listed([SCORES[score] for score, sign in signs.items() if sign == wanted])
    rest = listed([SCORES[score] for score, sign in signs.items() if sign != wanted])
    return capital(HEADLINES[found].format(ours=ours, theirs=theirs, some=some, rest=rest))


def numbers(lines: Lines) -> str:
    """Both scores of both sides, and the differences."""
    parts = [
        f"{SCORES[score]} {percent(line.b)} against {percent(line.a)}: {gain(line, ' points')}"
        for score, line in lines.items()
    ]
    return f"{capital('; '.join(parts))}."


def verdict_cell(line: Line) -> str:
    """A difference in a table: points, interval, verdict."""
    return f"{gain(line)}<br>{line.verdict()}".replace(SPACE, " ")  # a phone is narrow


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
