"""The instructor's guide: it names every exercise and no other, and its plan of a term adds up."""

import re
from pathlib import Path

import pytest
from paulbook.checking import all_exercises

from book.tools.notebooks import exercise_minutes
from book.tools.reading import reading_minutes
from tests.chapters import ASSIGNMENTS, CHAPTERS, EXERCISE, read

GUIDE = Path(__file__).parent.parent / "book" / "reference" / "instructor.md"
NUMBER = re.compile(r"^### Exercise (\d+\.\d+):", re.MULTILINE)
ROW = re.compile(r"^(?P<number>\d+\.\d+|\d+ hours)(?: `(?P<name>\w+)`)?$")


def rows(table: str) -> list[list[str]]:
    """Cells of a table of the guide that stands between two comments, without its head."""
    text = GUIDE.read_text(encoding="utf-8").split(f"<!-- {table} -->")[1].split(f"<!-- /{table} -->")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def exercises_of_chapters() -> dict[str, str]:
    """Name of the check of each exercise by its number, "" where there is none."""
    found: dict[str, str] = {}
    for path in CHAPTERS:
        for cell in read(path).cells:
            if cell.cell_type == "markdown":
                found.update(dict.fromkeys(NUMBER.findall(cell.source), ""))
            elif name := EXERCISE.search(cell.source):
                found[list(found)[-1]] = name[1]
    return found


def named() -> list[tuple[str, str]]:
    """Number and name in each row of the beliefs."""
    found = [ROW.match(row[0]) for row in rows("beliefs")]
    assert all(found), [row[0] for row in rows("beliefs")]
    return [(row["number"], row["name"] or "") for row in found if row]


def test_every_exercise_of_the_chapters_is_named_once_and_in_order() -> None:
    numbers = [number for number, _ in named() if "." in number]
    assert numbers == list(exercises_of_chapters())


def test_names_are_those_of_the_checks() -> None:
    checks = exercises_of_chapters()
    wrong = {number: name for number, name in named() if "." in number and name not in ("", checks[number])}
    assert not wrong
    of_assignments = {name for name, exercise in all_exercises().items() if exercise.assignment}
    assert {name for number, name in named() if "hours" in number} == of_assignments


def test_every_belief_is_refuted() -> None:
    assert all(len(row) == 3 and all(row) for row in rows("beliefs"))


def test_the_plan_of_a_term_adds_up() -> None:
    *weeks, total = rows("term")
    assert [row[0] for row in weeks] == [str(week) for week in range(1, 15)] and total[0] == "sum"
    sums = [sum(float(row[column] or 0) for row in weeks) for column in range(2, 6)]
    assert sums == [float(cell) for cell in total[2:6]]
    hours = sum(sums)
    assert total[6] == f"together {hours:.0f} hours"
    assert f"The {hours:.0f} hours above" in GUIDE.read_text(encoding="utf-8")


def test_the_plan_of_a_term_holds_every_chapter_and_assignment() -> None:
    weeks = rows("term")[:-1]
    linked = [name for row in weeks for name in re.findall(r"notebooks/(\w+)\.ipynb", row[1])]
    assert sorted(linked) == [path.stem for path in CHAPTERS]
    work = " ".join(row[6] for row in weeks)
    tasks = {path.stem: len(re.findall(r"^## Task", _text(path), re.MULTILINE)) for path in ASSIGNMENTS}
    assert "assignment of 2 hours" in work
    assert f"assignment of 5 hours, tasks 5 to {tasks['assignment_05']}" in work
    assert f"project, task {tasks['assignment_15']}" in work


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_chapter_takes_longer_than_the_plan(path: Path) -> None:
    notebook = read(path)
    assert reading_minutes(notebook) < 60 and exercise_minutes(notebook) <= 60


def _text(path: Path) -> str:
    return "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
