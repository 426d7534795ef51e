"""How long a chapter takes to read: everything that a reader has to take in, without the folded parts."""

from __future__ import annotations

import re

from nbformat import NotebookNode

from book.extension.address import without_badge

SECONDS = {"formula": 20, "code": 6, "still": 30, "moving": 60}
WORDS_PER_MINUTE = 180


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Its code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


def text_of(notebook: NotebookNode) -> str:
    """Its Markdown, one cell after the other, without the button for Colab."""
    return "\n\n".join(without_badge(cell.source) for cell in notebook.cells if cell.cell_type == "markdown")


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
    return [sentence for sentence in found if len(words_of(sentence)) > 1]


def words_of(text: str) -> list[str]:
    """The words of a text; a number with its unit is one."""
    return re.findall(r"[A-Za-z0-9][\w'’.%-]*", text)


def reading_minutes(notebook: NotebookNode) -> float:
    """Minutes for words, formulas, visible code and figures, without what is folded."""
    text = re.sub(r"<details>.*?</details>", "", text_of(notebook), flags=re.DOTALL)
    words = sum(len(words_of(sentence)) for sentence in sentences(text))
    formulas = sum(block.count(r"\\") + 1 for block in re.findall(r"\$\$(.*?)\$\$", text, re.DOTALL))
    shown = [cell for cell in code_cells(notebook)[1:] if "hide-input" not in tags(cell)]
    lines = sum(bool(line.strip()) for cell in shown for line in cell.source.splitlines())
    pages = ["".join(o.get("data", {}).get("text/html", "")) for c in code_cells(notebook) for o in c.outputs]
    figures = [page for page in pages if "paul-figure" in page]
    moving = sum("data-script=" in page for page in figures)
    counts = {"formula": formulas, "code": lines, "still": len(figures) - moving, "moving": moving}
    return words / WORDS_PER_MINUTE + sum(SECONDS[name] * count for name, count in counts.items()) / 60
