"""The comparison of chapters really compares: one changed number in a copy of a notebook is found, in tables too."""

import copy
import html
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from paulbook.numbers import MIME

from tests.chapters import CHAPTERS, code_cells, read, tags
from tests.nbval_rules import WITHIN, near, settled

ROOT = Path(__file__).parent.parent
Output = nbformat.NotebookNode


def printed(output: Output) -> bool:
    """Whether it is text with a number."""
    return bool(re.search(r"\d\b", output.get("text", "")))


def tabled(output: Output) -> bool:
    """Whether it is a figure or a table with numbers."""
    return MIME in output.get("data", {})


def change_text(output: Output) -> None:
    """Another last digit of its first number."""
    digit = re.search(r"\d\b", output.text)
    output.text = output.text[: digit.start()] + str((int(digit[0]) + 1) % 10) + output.text[digit.end() :]


def change_table(output: Output) -> None:
    """Another number in the last row of its last column."""
    _, column = output.data[MIME][-1]["columns"][-1]
    assert re.search(r"\d", column[-1])
    column[-1] = "77.7"


def up_to(chapter: Path, wanted: Callable[[Output], bool]) -> tuple[nbformat.NotebookNode, Output]:
    """A notebook up to the first compared cell with such an output, and that output."""
    notebook = read(chapter)
    for place, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []) if cell.cell_type == "code" else []:
            if wanted(output) and "nbval-ignore-output" not in tags(cell):
                notebook.cells = notebook.cells[: place + 1]
                return notebook, output
    raise AssertionError("no cell has such an output")


def run(path: Path) -> subprocess.CompletedProcess[str]:
    sanitize = ROOT / "tests" / "nbval_sanitize.cfg"
    options = ["--nbval", "--nbval-current-env", f"--nbval-sanitize-with={sanitize}", "-q"]
    options += ["-p", "tests.nbval_rules", "-p", "no:cacheprovider", "--rootdir", str(path.parent)]
    command = [sys.executable, "-m", "pytest", *options, str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.kernel
@pytest.mark.slow
@pytest.mark.parametrize(
    ("chapter", "wanted", "change"),
    [(CHAPTERS[0], printed, change_text), (CHAPTERS[2], tabled, change_table)],
    ids=["printed", "table"],
)
def test_one_changed_number_is_found(tmp_path: Path, chapter: Path, wanted, change) -> None:
    notebook, output = up_to(chapter, wanted)
    nbformat.write(notebook, tmp_path / "same.ipynb")
    change(output)
    nbformat.write(notebook, tmp_path / "changed.ipynb")

    same, changed = run(tmp_path / "same.ipynb"), run(tmp_path / "changed.ipynb")

    assert same.returncode == 0, same.stdout
    assert changed.returncode == 1 and f"Cell {len(code_cells(notebook)) - 1}" in changed.stdout, changed.stdout


def test_every_folded_table_of_a_notebook_is_kept_as_numbers_too() -> None:
    """So a table that is changed in the HTML alone is no other table; and none is left out of the comparison."""
    found = 0
    for chapter in CHAPTERS:
        for cell in code_cells(read(chapter)):
            for data in (output.get("data", {}) for output in cell.outputs):
                shown = "class=paul-numbers" in data.get("text/html", "")
                assert shown == (MIME in data), (chapter.name, cell.source[:60])
                if shown:
                    values = [value for table in data[MIME] for value in by_row(table)]
                    assert re.findall(r"<td>(.*?)</td>", data["text/html"], re.DOTALL) == values
                    found += len(values)
    assert found > 2000


def by_row(table: dict) -> list[str]:
    """Its values as HTML has them."""
    escaped = [[html.escape(value) for value in column] for _, column in table["columns"]]
    return [value for row in zip(*escaped, strict=True) for value in row]


def numbers(*values: str, title: str = "", name: str = "mAP, %") -> list[dict]:
    return [{"title": title, "columns": [[name, list(values)]]}]


def test_rounding_is_forgiven_and_nothing_else() -> None:
    kept = numbers("20.0", "0.1", "12 of 30")
    assert near(numbers("20.3", "0.4", "12 of 30"), kept, WITHIN)
    assert not near(numbers("20.7", "0.1", "12 of 30"), kept, WITHIN)
    assert not near(numbers("20.0", "0.1", "12 in 30"), kept, WITHIN)
    assert not near(numbers("20.0", "0.1"), kept, WITHIN)
    assert not near(numbers("20.0", "0.1", "12 of 30", title="other"), kept, WITHIN)
    assert not near(numbers("20.0", "0.1", "12 of 30", name="rank-1"), kept, WITHIN)


def test_only_what_is_near_is_taken_for_equal() -> None:
    outputs = [{"data": {MIME: numbers("20.0")}}, {"text": "said"}, {"data": {MIME: numbers("20.0")}}]
    new = copy.deepcopy(outputs)
    new[0]["data"][MIME], new[2]["data"][MIME] = numbers("20.1"), numbers("30.0")
    assert settled(new, outputs, WITHIN) == [outputs[0], outputs[1], new[2]]
