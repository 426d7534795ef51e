"""``python -m tests.prose``: how the text of the chapters is built, in numbers. A thermometer, and not the goal.

Measured are the sentences of the Markdown cells, without formulas, code, tables and headings, and the minutes that a
reader needs for everything outside the folded parts. ``python -m tests.prose 03`` measures one chapter.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from book.tools.notebooks import chapters, code_cells, exercise_minutes, read, tags

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
SECONDS = {"formula": 20, "code": 6, "still": 30, "moving": 60}
WORDS_PER_MINUTE = 180
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


def text_of(notebook: NotebookNode) -> str:
    """Its Markdown, one cell after the other."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def sentences(text: str) -> list[str]:
    """Sentences in running text, formulas as one word.

    >>> sentences("## A title\\n\\nIt is $x + y$, i.e. a sum. [See](a.md) *this*.")
    ['It is X, i.e. a sum.', 'See this.']
    """
    skipped = r"```.*?```|\$\$.*?\$\$|<summary>.*?</summary>|</?details>|<!--.*?-->"
    text = re.sub(skipped, "\n\n", text, flags=re.DOTALL)
    text = re.sub(r"\$[^$]*\$|`[^`]*`", "X", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    kept = [line for line in text.split("\n") if not re.match(r"\s*(#|\||:::|```)", line)]
    found = []
    for paragraph in re.split(r"\n\s*\n|\n\s*(?=[-*] |\d+\. )", "\n".join(kept)):
        plain = re.sub(r"[*_]{1,3}|^\s*([-] |\d+\. )", "", " ".join(paragraph.split()))
        found += re.split(r"(?<=[a-z0-9)%\"'X][.!?])\s+(?=[A-Z\"'(])", plain)
    return [sentence for sentence in found if len(_words(sentence)) > 1]


def measured(notebook: NotebookNode) -> Measures:
    """What a chapter's text and page consist of."""
    text = text_of(notebook)
    found = sentences(text)
    lengths = [len(_words(sentence)) for sentence in found]

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


def reading_minutes(notebook: NotebookNode) -> float:
    """Minutes for words, formulas, visible code and figures, without what is folded."""
    text = re.sub(r"<details>.*?</details>", "", text_of(notebook), flags=re.DOTALL)
    words = sum(len(_words(sentence)) for sentence in sentences(text))
    formulas = sum(block.count(r"\\") + 1 for block in re.findall(r"\$\$(.*?)\$\$", text, re.DOTALL))
    shown = [cell for cell in code_cells(notebook)[1:] if "hide-input" not in tags(cell)]
    lines = sum(bool(line.strip()) for cell in shown for line in cell.source.splitlines())
    pages = ["".join(o.get("data", {}).get("text/html", "")) for c in code_cells(notebook) for o in c.outputs]
    figures = [page for page in pages if "paul-figure" in page]
    moving = sum("data-script=" in page for page in figures)
    counts = {"formula": formulas, "code": lines, "still": len(figures) - moving, "moving": moving}
    return words / WORDS_PER_MINUTE + sum(SECONDS[name] * count for name, count in counts.items()) / 60


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


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z0-9][\w'’.%-]*", text)


if __name__ == "__main__":
    print(table(chapters(sys.argv[1:])))
