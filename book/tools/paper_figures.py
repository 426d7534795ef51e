"""The paper's four figures on the start page: taken from the chapters that draw them, so that both show the same.

    python -m book.tools.paper_figures          after ``make notebooks``, which calls it

A cell with the tag ``paper-figure-N`` draws figure N. Its picture goes to ``book/assets/paper``, its words and numbers
to the part of ``book/intro.md`` between two marks.
"""

from __future__ import annotations

import base64
import html
import re
from typing import NamedTuple

from .notebooks import ROOT, chapters, code_cells, read, tags

PAGE = ROOT / "book" / "intro.md"
FOLDER = ROOT / "book" / "assets" / "paper"
BEGIN, END = "<!-- paper figures -->", "<!-- /paper figures -->"
TITLES = {
    1: "Why patches",
    2: "The framework",
    3: "Why not whole images",
    4: "Cyclic ranking",
}


class PaperFigure(NamedTuple):
    """A figure as a chapter shows it: its number, the chapter's file, picture (WebP), words and folded numbers."""

    number: int
    chapter: str
    picture: bytes
    alt: str
    caption: str
    table: str


def found() -> list[PaperFigure]:
    """Figures 1 to 4, in this order, from the stored outputs of the chapters."""
    cells = {
        tag: (path.stem, cell)
        for path in chapters([])
        for cell in code_cells(read(path))
        for tag in tags(cell)
        if tag.startswith("paper-figure-")
    }
    return [_figure(number, *cells[f"paper-figure-{number}"]) for number in TITLES]


def _figure(number: int, chapter: str, cell: object) -> PaperFigure:
    (page,) = ["".join(o["data"]["text/html"]) for o in cell.outputs if "text/html" in o.get("data", {})]  # type: ignore[attr-defined]
    picture = re.search(r'<img src="data:image/webp;base64,([^"]+)" alt="([^"]*)"', page)
    assert picture, f"{chapter}: the cell of figure {number} shows no picture"
    caption = re.search(r"<figcaption>(.*?)</figcaption>", page, re.DOTALL)
    table = re.search(r"<details class=paul-numbers>.*?</details>", page, re.DOTALL)
    words = html.unescape(picture[2]), html.unescape(caption[1]) if caption else ""
    return PaperFigure(number, chapter, base64.b64decode(picture[1]), *words, table[0] if table else "")


def section(figures: list[PaperFigure]) -> str:
    """The four figures in Markdown."""
    return "\n".join(map(_card, figures))


def _card(figure: PaperFigure) -> str:
    link = f"../notebooks/{figure.chapter}"
    number = int(figure.chapter[:2])
    return f"""### Figure {figure.number}. {TITLES[figure.number]}

```{{image}} assets/paper/figure{figure.number}.webp
:alt: {figure.alt}
:class: paper-figure
```

{figure.caption} Drawn in {{doc}}`chapter {number} <{link}>`.

{figure.table}
"""


def main() -> None:
    """Write the four pictures and the part of the start page."""
    figures = found()
    FOLDER.mkdir(exist_ok=True)
    for figure in figures:
        (FOLDER / f"figure{figure.number}.webp").write_bytes(figure.picture)
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{section(figures)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
