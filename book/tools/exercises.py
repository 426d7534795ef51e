"""Where each exercise is checked, for the page *Write an exercise of your own*.

python -m book.tools.exercises     brings the table of that page up to date
"""

from __future__ import annotations

import re
from pathlib import Path

from paulbook.checking import all_exercises

PAGE = Path(__file__).parent.parent / "reference" / "own_exercise.md"
TABLE = re.compile(r"\| exercise \| stands in.*?(?=<!-- /teacher -->)", re.DOTALL)


def exercise_modules() -> dict[str, str]:
    """The file in ``book/paulbook/exercises`` that checks each exercise, by the exercise's name."""
    first = {name: exercise.properties[0].__module__ for name, exercise in all_exercises().items()}
    return {name: f"{module.rsplit('.', 1)[1]}.py" for name, module in first.items()}


def exercise_table() -> str:
    """A row for each exercise."""
    rows = ["| exercise | stands in | is checked in |", "|---|---|---|"]
    modules = exercise_modules()
    for name, exercise in all_exercises().items():
        place = exercise.assignment or f"chapter {exercise.chapter}"
        rows.append(f"| `{name}` | {place} | [`{modules[name]}`](../paulbook/exercises/{modules[name]}) |")
    return "\n".join(rows) + "\n"


def main() -> None:
    """Write the table."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(TABLE.sub(lambda _: exercise_table(), text), encoding="utf-8")


if __name__ == "__main__":
    main()
