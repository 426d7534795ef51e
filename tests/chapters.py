"""What the tests of the book share: chapters, their cells, and the exercises in them."""

import re
from dataclasses import dataclass

from book.tools.notebooks import assignments, chapters, read
from book.tools.reading import code_cells, tags

__all__ = ["ASSIGNMENTS", "CHAPTERS", "EXERCISE", "WrittenExercise", "chapters", "code_cells", "read", "tags"]
__all__ += ["written_exercises"]

CHAPTERS = chapters([])
ASSIGNMENTS = assignments([])
EXERCISE = re.compile(r"pb\.check\(\s*\"(\w+)\"")
FOLDED = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)


@dataclass(frozen=True)
class WrittenExercise:
    """An exercise as it stands in a notebook.

    Attributes:
        name: as checked.
        stub: source of the cell that holds stub and check.
        hints: texts of the folded hints.
        solution: the Python code of the folded solution, "" if there is none.
    """

    name: str
    stub: str
    hints: tuple[str, ...]
    solution: str


def written_exercises(notebook) -> list[WrittenExercise]:
    """All exercises with a check, each with what is folded below it, up to the next heading."""
    found = []
    for place, cell in enumerate(notebook.cells):
        name = EXERCISE.search(cell.source) if cell.cell_type == "code" else None
        if name:
            folded = FOLDED.findall(_text_below(notebook.cells[place + 1 :]))
            hints = tuple(text for title, text in folded if title.startswith("Hint"))
            solution = "".join(text for title, text in folded if title.startswith("Solution"))
            code = re.search(r"```python\n(.*?)```", solution, re.DOTALL)
            found.append(WrittenExercise(name[1], cell.source, hints, code[1] if code else ""))
    return found


def _text_below(cells) -> str:
    text = ""
    for cell in cells:
        if cell.cell_type == "code" or (text and cell.source.startswith("#")):
            break
        text += cell.source + "\n"
    return text
