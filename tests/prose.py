"""``python -m tests.prose``: how the text of the chapters is built, in numbers. A thermometer, and not the goal.

Measured are the sentences of the Markdown cells, without formulas, code, tables and headings, and the minutes that a
reader needs for everything outside the folded parts. ``python -m tests.prose 03`` measures one chapter, and ``--write``
puts the table of all of them on the status page.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from book.tools.notebooks import STATUS, chapters, exercise_minutes, read
from book.tools.reading import reading_minutes, sentences, text_of, words_of

CONNECTIVE = re.compile(
    r"\b(because|since|so that|so|however|although|though|for example|for instance|therefore|thus|hence|while|whereas|"
    r"instead|as a result|unless|in order to|even if|otherwise|on the other hand|in contrast|moreover|that is why)\b",
    re.IGNORECASE,
)
BANNED = re.compile(
    r"\b(luck|anew|spoilt|receipts?|strangers?|judged?s?|bar to beat|rests|by heart|not shown|more than chance|"
    r"is the matter of|mark the line|by whom|who asks|holds? for)\b|\bone number a channel\b",
    re.IGNORECASE,
)
SHORT = 7  # words of a sentence that is for emphasis
GOAL = {"connectives": 26, "short": 7, "colons": 13, "words": 18.1}  # measured on five UvA notebooks
LONGEST = 60  # minutes that a chapter may take to read


class Measures(NamedTuple):
    """Of one chapter: three shares of sentences in percent, words per sentence, banned words, and minutes."""

    connectives: float
    short: float
    colons: float
    words: float
    banned: tuple[str, ...]
    reading: float
    exercises: int


def measured(notebook: NotebookNode) -> Measures:
    """What a chapter's text and page consist of."""
    text = text_of(notebook)
    found = sentences(text)
    lengths = [len(words_of(sentence)) for sentence in found]

    def share(holds: list[bool]) -> float:
        return 100 * sum(holds) / max(1, len(found))

    return Measures(
        connectives=share([bool(CONNECTIVE.search(sentence)) for sentence in found]),
        short=share([length <= SHORT for length in lengths]),
        colons=share([":" in sentence for sentence in found]),
        words=sum(lengths) / max(1, len(found)),
        banned=tuple(sorted({match[0].lower() for sentence in found for match in BANNED.finditer(sentence)})),
        reading=reading_minutes(notebook),
        exercises=exercise_minutes(notebook),
    )


def table(paths: list[Path]) -> str:
    """One row per chapter, and the goal above them."""
    head = "chapter | connectives % | short % | colons % | words per sentence | banned | reading | exercises"
    goal = [f"{value:g}" for value in GOAL.values()]
    rows = [f"| {head} |", "|---|---|---|---|---|---|---|---|", f"| goal | {' | '.join(goal)} | none | {LONGEST} | |"]
    for path in paths:
        m = measured(read(path))
        shares = f"{m.connectives:.0f} | {m.short:.0f} | {m.colons:.0f} | {m.words:.1f}"
        rows.append(f"| {path.stem} | {shares} | {', '.join(m.banned)} | {m.reading:.0f} | {m.exercises} |")
    return "\n".join(rows)


def write_table() -> None:
    """The table of all chapters, between its two marks on the status page."""
    before, rest = STATUS.read_text(encoding="utf-8").split("<!-- prose -->")
    after = rest.split("<!-- /prose -->")[1]
    written = f"{before}<!-- prose -->\n\n{table(chapters([]))}\n\n<!-- /prose -->{after}"
    STATUS.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write_table()
    else:
        print(table(chapters(sys.argv[1:])))
