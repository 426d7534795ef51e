"""The assignments: their stubs run and give no points, their solutions give all, rubric and minutes add up."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from paulbook.checking import all_exercises

from book.tools.notebooks import BOOK
from tests.chapters import ASSIGNMENTS, code_cells, read, tags, written_exercises

ROOT = Path(__file__).parent.parent
MOST_SECONDS = 60
HOURS = {"assignment_02": 2, "assignment_05": 5, "assignment_15": 15}
BY_ASSIGNMENT = pytest.mark.parametrize("path", ASSIGNMENTS, ids=lambda path: path.stem)
TASK = re.compile(r"^## Task (\d+): .*\((\d+) minutes, (\d+) points\)$", re.MULTILINE)


def text(path: Path) -> str:
    """All that is written in an assignment."""
    return "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


def model_answers(path: Path) -> str:
    return (ROOT / "tests" / "assignments" / f"{path.stem}.md").read_text(encoding="utf-8")


def solutions(path: Path) -> dict[str, str]:
    """The code of the model answers, by the name of the function that it defines."""
    blocks = re.findall(r"```python\n(.*?)```", model_answers(path), re.DOTALL)
    return {re.match(r"def (\w+)", block)[1]: block for block in blocks}


def execute(notebook: nbformat.NotebookNode, folder: Path) -> dict:
    """Run a notebook in a folder; returns the marks that it exported."""
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    files = list(folder.glob("marks*.json"))
    assert len(files) == 1
    return json.loads(files[0].read_text(encoding="utf-8"))


@pytest.fixture
def as_in_the_book(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in BOOK.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_three_are_there() -> None:
    assert [path.stem for path in ASSIGNMENTS] == list(HOURS)


@BY_ASSIGNMENT
def test_as_handed_out_it_gives_no_points(path: Path) -> None:
    """What a student reads before the first task. ``make test`` runs every assignment and compares these words."""
    notebook = read(path)
    assert notebook.metadata.paullite.seconds <= MOST_SECONDS
    known = [e for e in all_exercises().values() if e.assignment == path.stem]
    *cells, last = code_cells(notebook)
    said = f"0 of {sum(e.points for e in known)} points, 0 of {len(known)} exercises right."
    assert said in last.outputs[0].text and not tags(last)
    checks = [cell for cell in cells if "pb.check(" in cell.source]
    assert len(checks) == len(known)
    assert all("not tried yet" in cell.outputs[-1].text and not tags(cell) for cell in checks)


@pytest.mark.kernel
@pytest.mark.slow
@BY_ASSIGNMENT
def test_with_the_solutions_it_gives_all_points(path: Path, tmp_path: Path, as_in_the_book: None) -> None:
    notebook, answers = read(path), solutions(path)
    for cell in code_cells(notebook):
        stub = re.search(r"def (my_\w+).*?return \.\.\.\n", cell.source, re.DOTALL)
        if stub:
            cell.source = cell.source.replace(stub[0], answers.pop(stub[1]))
    assert not answers, answers
    marks = execute(notebook, tmp_path)
    known = {name: e.points for name, e in all_exercises().items() if e.assignment == path.stem}
    assert {row["exercise"]: row["points"] for row in marks["exercises"]} == known
    assert marks["points"] == marks["of"] == sum(known.values()) > 0


@BY_ASSIGNMENT
def test_minutes_and_points_add_up(path: Path) -> None:
    """Headings, the time on top, the rubric and the points of the checked tasks agree."""
    words = text(path)
    tasks = [tuple(map(int, found)) for found in TASK.findall(words)]
    assert [number for number, _, _ in tasks] == list(range(1, len(tasks) + 1)) and words.count("## Task") == len(tasks)
    assert sum(minutes for _, minutes, _ in tasks) == 60 * HOURS[path.stem]
    assert f"**Time**: {60 * HOURS[path.stem]} minutes" in words and f", {HOURS[path.stem]} hours" in words
    rubric = [[c.strip() for c in line.strip("|").split("|")] for line in words.splitlines() if line.startswith("| ")]
    assert rubric[0] == ["task", "points", "full", "half", "none"] and rubric[-1][0] == "sum"
    assert [(int(row[0]), int(row[1])) for row in rubric[1:-1]] == [(number, points) for number, _, points in tasks]
    assert all(len(row) == 5 and all(row) for row in rubric[1:-1])
    total = sum(points for _, _, points in tasks)
    assert int(rubric[-1][1]) == total and f"**Points**: {total}" in words
    checked = sum(int(row[1]) for row in rubric if "`pb.check` says" in row[2])
    assert checked == sum(e.points for e in all_exercises().values() if e.assignment == path.stem)
    assert f"{checked} are given by `pb.check` and {total - checked} for" in words


@BY_ASSIGNMENT
def test_every_task_has_a_model_answer_that_the_assignment_does_not_tell(path: Path) -> None:
    answers = model_answers(path)
    for number, _, _ in TASK.findall(text(path)):
        assert f"**Task {number}.**" in answers, number
    shown = path.read_text(encoding="utf-8")
    own = [line for code in solutions(path).values() for line in code.splitlines()[2:] if len(line.strip()) > 20]
    assert own and not [line for line in own if line in shown]
    assert all("..." in written.stub for written in written_exercises(read(path)))


@BY_ASSIGNMENT
def test_form(path: Path) -> None:
    """As the chapters: run from the top, first cell in step, short cells, working links, nothing of a machine."""
    notebook = read(path)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert "first-cell" in tags(cells[0])  # test_notebooks.py looks at what it says
    assert max(len(cell.source.splitlines()) for cell in cells) <= 25
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)
    assert not re.search(r"/(home|root|Users|work|tmp)/", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\((?!https?:|#)([^)\s#]+)", text(path)):
        assert (path.parent / target).is_file() or "notebooks/" in target, target
    for part in ("**You need**", "**Budget**", "**Hand in**", "## Rubric"):
        assert part in text(path)
    assert cells[-1].source.startswith("pb.check_report(") and f'assignment="{path.stem}"' in cells[-1].source
